"""`ludo-proxy load` against a real relay, and against none."""

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cli.failing import CannotGoOn
from cli.load.figures import Figures
from cli.load.files import allow_sockets
from ludo.tasks import beside
from tests.conformance.conftest import _play
from tests.relay.conftest import Start, scribe, start
from tests.relay.scribe import Scribe

__all__ = ["scribe", "start"]


async def loaded(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The command's exit code, and the object that it prints."""
    command = [sys.executable, "-m", "cli", "load", *arguments, "--json"]
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out)


async def test_clients_are_measured(start: Start, scribe: Callable[..., Scribe]) -> None:
    """Each connects, joins and pings; deltas are counted, and none is missing."""
    game = scribe()
    await game.advance()
    running = await start()
    arguments = ("--clients", "20", "--game", "g1", "--seconds", "2", "--rate", "50")
    async with beside("playing", _play(game)):
        code, told = await loaded(running.address + "/ws", *arguments)
    assert (code, told["live"], told["holes"], told["errors"]) == (0, 20, 0, {})
    assert told["deltas"] >= 20
    for name in ("connect", "join", "ping"):
        found = told["ms"][name]
        assert 0 < found["min"] <= found["median"] <= found["p95"] <= found["max"]
        assert found["count"] >= 20


async def test_a_relay_that_is_not_there_is_told() -> None:
    """Errors are counted by what they were, and the exit code is 1."""
    arguments = ("--clients", "3", "--game", "g1", "--seconds", "0.5")
    code, told = await loaded("ws://127.0.0.1:9/ws", *arguments)
    assert (code, told["live"]) == (1, 0)
    assert sum(told["errors"].values()) == 3


def test_a_file_limit_that_is_too_low_is_said_before_anything_is_opened() -> None:
    """With what is needed, what was found, and what to do."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this system has no limit")
    with pytest.raises(CannotGoOn, match="found a limit of"):
        allow_sockets(hard)
    assert allow_sockets(10) >= 74


def test_figures_are_those_of_the_field() -> None:
    """Minimum, mean, median, p95 and maximum."""
    found = Figures.of([float(n) for n in range(1, 102)])
    assert found == Figures(101, 1.0, 51.0, 51.0, 96.0, 101.0)
    assert Figures.of([]) is None
    assert Figures.of([4.0]) == Figures(1, 4.0, 4.0, 4.0, 4.0, 4.0)
