"""`ludo-proxy serve` as a process: its start, its signals, its end."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from ludo.config import ConfigError
from proxy.server import run
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Serving:
    """A running `serve`."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ready(self) -> int | None:
        """The status of readiness; None while nobody answers."""
        try:
            async with httpx.AsyncClient(base_url=self.url) as http:
                return (await http.get("/health/ready")).status_code
        except httpx.TransportError:
            return None

    async def ended(self, within: float) -> int:
        """The exit code."""
        return await asyncio.wait_for(self.process.wait(), within)


def a_free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


async def start(*arguments: str, **environ: str) -> asyncio.subprocess.Process:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LUDO_AUTH": "open", **environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        "serve",
        *arguments,
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def serving(redis_url: str, *arguments: str, **environ: str) -> AsyncIterator[Serving]:
    """A `serve` that is ready; killed at the end if it still runs."""
    port = a_free_port()
    process = await start("--port", str(port), *arguments, REDIS_URL=redis_url, **environ)
    found = Serving(process, port)
    drained = asyncio.gather(drain(process.stdout), drain(process.stderr))
    try:
        await wait_until(lambda: _is(found, 200), timeout=30)
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await drained


async def drain(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()


async def _is(found: Serving, status: int | None) -> bool:
    return await found.ready() == status


@pytest.mark.parametrize("old", ["0.52.0", "0.51.9", "0.9"])
def test_a_server_without_back_pressure_is_refused(
    monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    """Before uvicorn 0.52.1 one client that never reads takes all memory; nothing is begun."""
    monkeypatch.setattr("uvicorn.__version__", old)
    with pytest.raises(ConfigError, match=rf"expected uvicorn 0\.52\.1 or newer; found {old}"):
        run({"REDIS_URL": "unix:///nowhere"})

    for enough in ("0.52.1", "0.53", "1.0.0"):
        monkeypatch.setattr("uvicorn.__version__", enough)
        with pytest.raises(ConfigError, match="--role"):
            run({"LUDO_AUTH": "open"}, role="none")


async def test_sigterm_says_goodbye_while_the_door_is_open(redis_url: str) -> None:
    """Readiness turns first; clients of the relay are sent away with 4000; then it ends with 0."""
    async with serving(redis_url, LUDO_DRAIN="1s") as found:
        async with connect(f"ws://127.0.0.1:{found.port}/ws") as client:
            await client.send('{"t":"hello","v":1}')
            assert '"welcome"' in str(await client.recv())
            found.send(signal.SIGTERM)
            await wait_until(lambda: _is(found, 503))
            async for message in client:
                if '"bye"' in str(message):
                    break
            await client.wait_closed()
            assert client.close_code == 4000
        assert await found.ended(within=8) == 0


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
async def test_sigint_and_a_second_signal_end_at_once(
    redis_url: str, signals: list[signal.Signals]
) -> None:
    """However long LUDO_DRAIN is."""
    async with serving(redis_url, LUDO_DRAIN="60s") as found:
        for number in signals:
            found.send(number)
            await asyncio.sleep(0.2)
        begun = time.monotonic()
        assert await found.ended(within=8) == 0
        assert time.monotonic() - begun < 4


async def test_several_processes_share_a_door(redis_url: str) -> None:
    """One that dies is replaced; a signal ends all of them."""
    async with serving(redis_url, "--processes", "2") as found:
        path = Path(f"/proc/{found.process.pid}/task/{found.process.pid}/children")
        children = [int(pid) for pid in (await asyncio.to_thread(path.read_text)).split()]
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        await wait_until(lambda: _is(found, 200), timeout=10)
        found.send(signal.SIGINT)
        assert await found.ended(within=8) == 0


BAD_STARTS: list[tuple[list[str], dict[str, str], str]] = [
    (["--port", "{taken}"], {}, "--port"),
    (["--role", "board"], {}, "--role"),
    ([], {"LUDO_AUTH": "required"}, "LUDO_JWT_SECRET"),
    ([], {"LUDO_QUOTA": "many"}, "LUDO_QUOTA"),
    ([], {"REDIS_URL": "nonsense"}, "REDIS_URL"),
]


async def test_what_cannot_start_says_why_in_one_line() -> None:
    """On standard error, with exit code 1 and no traceback."""

    async def check(arguments: list[str], environ: dict[str, str], said: str) -> None:
        given = [argument.format(taken=taken.getsockname()[1]) for argument in arguments]
        process = await start(*given, **environ)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 1
        (line,) = errors.decode().strip().splitlines()
        assert said in line

    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        await asyncio.gather(*(check(*each) for each in BAD_STARTS))
