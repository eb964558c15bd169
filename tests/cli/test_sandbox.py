"""`ludo-proxy sandbox` as a process."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process

import httpx
import pytest

from cli.sandbox import run
from ludo.config import ConfigError
from sandbox.config import SandboxConfig
from tests.waiting import wait_until


async def started(port: int) -> Process:
    """The command, listening there; its bots play for ever."""
    settings = {"LUDO_SANDBOX_PORT": str(port), "LUDO_SANDBOX_GAMES": "2"}
    command = [sys.executable, "-m", "cli", "sandbox"]
    return await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **settings}, stdout=PIPE, stderr=PIPE
    )


async def answers(port: int) -> bool:
    """Whether the sandbox is there and games are running."""
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            answer = await http.get(f"http://127.0.0.1:{port}/sandbox/idle")
        except httpx.HTTPError:
            return False
    return bool(answer.json()["data"]["playing"])


def a_free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_told(number: signal.Signals) -> None:
    """Within 3 s, in the middle of its games, with exit code 0 and without a traceback."""
    port = a_free_port()
    process = await started(port)
    await wait_until(lambda: answers(port), 20)

    process.send_signal(number)
    out, err = await asyncio.wait_for(process.communicate(), 3)

    assert process.returncode == 0
    assert b"Traceback" not in out + err


def test_a_port_in_use_is_one_clear_line() -> None:
    """The message says what to set."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"LUDO_SANDBOX_PORT: expected .* in use"):
            run(SandboxConfig(port=taken.getsockname()[1]))
