"""A rolling restart: both replicas are replaced one after the other, and no client notices."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from ludo.store.connection import connect
from ludo.tasks import beside
from proxy.relay.limits import Limits
from tests.redis_servers import PrivateRedis
from tests.relay.audience import Audience, seated
from tests.relay.conftest import Start
from tests.relay.front import Relays
from tests.relay.scribe import Scribe
from tests.waiting import wait_until

GAP = 0.25
WITNESSES = 50
"""Clients of a replica that stays, to know what the machine adds to each delta."""


@dataclass
class Playing:
    """Games that go on at a pace; knows when each event was published."""

    games: list[Scribe]
    events_a_second: float
    published: dict[tuple[str, int], float] = field(default_factory=dict)

    async def play(self) -> None:
        """For ever, one game after another."""
        clock = asyncio.get_running_loop().time
        while True:
            for game in self.games:
                due = clock() + 1 / self.events_a_second
                self.published[(game.game, game.seq + 1)] = clock()
                await game.advance()
                await asyncio.sleep(max(0.0, due - clock()))

    def delays(self, audience: Audience) -> list[tuple[tuple[str, int], float]]:
        """Each delta of each client, with the seconds that it took."""
        return [
            ((game, seq), at - self.published[(game, seq)])
            for viewer in audience.viewers
            for game, seq, at in viewer.log
            if (game, seq) in self.published
        ]


async def test_nobody_notices(start: Start, scribe: Callable[..., Scribe]) -> None:
    """Drained one after the other, replaced each time: nothing missed, doubled or sent whole."""
    games = [scribe(f"g{n}") for n in range(6)]
    for game in games:
        await game.advance(3)
    limits = Limits(linger=0.05)
    replicas = [await start(limits), await start(limits)]
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(Relays(*(each.address for each in replicas)))
        names = [game.game for game in games]
        audience = await stack.enter_async_context(seated(front.url, 24, names))
        await audience.until_all_have(games, 30)
        playing = Playing(games, 100)
        async with beside("playing", playing.play()):
            for number in range(2):
                front.leave_out(number)
                await replicas[number].relay.drain(1.0)
                replicas[number] = await start(limits)
                front.replace(number, replicas[number].address)
            await wait_until(lambda: audience.total("deltas") > 100, 60)
        await audience.until_all_have(games, 30)
    assert audience.total("missed") == audience.total("doubled") == 0
    assert audience.total("snapshots") == 24


class Process:
    """A relay in a process of its own, ended by SIGTERM as an orchestrator does."""

    def __init__(self, redis_url: str, drain: float) -> None:
        self._environ = {
            **os.environ,
            "REDIS_URL": redis_url,
            "LUDO_AUTH": "open",
            "LUDO_DRAIN": f"{drain:g}s",
            "LUDO_LOG_FORMAT": "json",
        }
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""

    async def start(self) -> None:
        """Begin, and be ready."""
        command = [sys.executable, "-m", "cli", "serve", "--role", "relay", "--port", "0"]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *command, env=self._environ, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        out = self._process.stdout
        assert out is not None
        while b"server.listening" not in (line := await out.readline()):
            assert line, "the relay ended before it listened"
        self.address = line.split(b'"address": "')[1].split(b'"')[0].decode()
        self._reading = asyncio.create_task(out.read())

        async def ready() -> bool:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"{self.address}/health/ready")).status_code == 200

        await wait_until(ready, 30)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to go, and wait until it has gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()
            await self._reading


@asynccontextmanager
async def processes(
    redis_url: str, drain: float
) -> AsyncIterator[Callable[[], Awaitable[Process]]]:
    """Starts relays; at the end none is left."""
    made: list[Process] = []

    async def one() -> Process:
        made.append(Process(redis_url, drain))
        await made[-1].start()
        return made[-1]

    try:
        yield one
    finally:
        for each in made:
            await each.end(signal.SIGKILL)


@pytest.mark.prove
async def test_a_thousand_clients_do_not_notice(redis_server: PrivateRedis) -> None:
    """Processes ended by SIGTERM, 50 events/s: each delta once to everybody, and no gap.

    Whoever is moved gets a delta at most 250 ms later than a client of a replica that stays: a
    busy machine delays both.
    """
    async with AsyncExitStack() as stack:
        redis = connect(redis_server.url)
        stack.push_async_callback(redis.aclose)
        games = [Scribe(redis, f"g{n}") for n in range(250)]
        for game in games:
            await game.advance()
        one = await stack.enter_async_context(processes(redis_server.url, drain=20))
        stays, *replicas = [await one() for _ in range(3)]
        addresses = [each.address.replace("http", "ws") for each in replicas]
        front = await stack.enter_async_context(Relays(*addresses))
        names = [game.game for game in games]
        audience = await stack.enter_async_context(seated(front.url, 1_000, names))
        there = stays.address.replace("http", "ws") + "/ws"
        witnesses = await stack.enter_async_context(
            seated(there, WITNESSES, names, each=len(names) // WITNESSES)
        )
        await audience.until_all_have(games, 60)
        await witnesses.until_all_have(games, 60)
        playing = Playing(games, 50)
        async with beside("playing", playing.play()):
            for number in range(2):
                fresh = await one()
                front.leave_out(number)
                await replicas[number].end()
                front.replace(number, fresh.address.replace("http", "ws"))
        await audience.until_all_have(games, 60)
        await witnesses.until_all_have(games, 60)
    elsewhere: dict[tuple[str, int], float] = {}
    for event, delay in playing.delays(witnesses):
        elsewhere[event] = max(delay, elsewhere.get(event, 0.0))
    moved = playing.delays(audience)
    delays = sorted(delay for _, delay in moved)
    added = sorted(delay - elsewhere[event] for event, delay in moved)
    told = (
        f"{len(delays)} deltas, p50 {delays[len(delays) // 2]:.4f} s, "
        f"p99 {delays[len(delays) * 99 // 100]:.4f} s, longest {delays[-1]:.4f} s; "
        f"longest of those who stay {max(elsewhere.values()):.4f} s; "
        f"added p99 {added[len(added) * 99 // 100]:.4f} s, most {added[-1]:.4f} s"
    )
    print(told)  # noqa: T201
    assert audience.total("missed") == audience.total("doubled") == 0, told
    assert audience.total("snapshots") == 1_000, told
    assert added[-1] <= GAP, told
