"""One round of one server: what a connection costs, how long a delta takes, how many a second."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from benchmarks.relay.audience import Audience, Speaker
from benchmarks.relay.processes import TICKS, cpu
from benchmarks.relay.servers import Server
from tests.relay.scribe import Scribe

CLIENTS: Final = 1_000
GAMES: Final = 250
EVENTS_A_SECOND: Final = 100
LATENCY_FOR: Final = 4.0
SWEEPS_FOR: Final = 4.0
NEWCOMERS_A_SECOND: Final = 190
"""The relay lets 200 a second in."""
_CAUGHT_UP: Final = 0.2
"""Seconds of delay that are made up for by coming faster."""


@dataclass(frozen=True)
class Measured:
    """What one round found; the last three are parts of a core while deliveries were counted."""

    per_second: float
    per_cpu_second: float
    kib: float
    p50_ms: float
    p99_ms: float
    server_busy: float
    clients_busy: float
    redis_busy: float


async def measure(server: Server, games: Sequence[Scribe]) -> Measured:
    """Fill it, and look."""
    async with server:
        async with seated(server, games, 50):
            await asyncio.sleep(0.5)
        await asyncio.sleep(1.0)
        empty = server.memory()
        async with seated(server, games, CLIENTS) as audience:
            await asyncio.sleep(1.0)
            kib = (server.memory() - empty) / CLIENTS / 1024
            p50, p99 = await latency(audience)
            return await throughput(server, audience, (kib, p50, p99))


@contextlib.asynccontextmanager
async def seated(server: Server, games: Sequence[Scribe], count: int) -> AsyncIterator[Audience]:
    """So many clients, all live."""
    audience = Audience(games)
    audience.missing.extend(range(count))
    due = time.perf_counter()
    try:
        async with asyncio.timeout(60 + 4 * count / NEWCOMERS_A_SECOND):
            while audience.live < count:
                now = time.perf_counter()
                due = max(due + 1 / NEWCOMERS_A_SECOND, now - _CAUGHT_UP)
                if due > now:
                    await asyncio.sleep(due - now)
                if audience.missing:
                    number = audience.missing.pop(0)
                    audience.sockets[number] = await server.join(audience, number)
        yield audience
    finally:
        for socket in audience.sockets.values():
            socket.close()


async def latency(audience: Audience) -> tuple[float, float]:
    """Publish at a pace; p50 and p99 from publishing to having, in ms."""
    begun = time.perf_counter()
    for number in range(int(LATENCY_FOR * EVENTS_A_SECOND)):
        wait = begun + number / EVENTS_A_SECOND - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        game = audience.games[number % len(audience.games)]
        head = b'{"t":"d","game":"%s","seq":%d,' % (game.game.encode(), game.seq + 1)
        audience.published[head] = time.perf_counter()
        await game.advance()
    await asyncio.sleep(0.5)
    audience.published.clear()
    cuts = quantiles(audience.delays, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


async def throughput(
    server: Server, audience: Audience, before: tuple[float, float, float]
) -> Measured:
    """One event to every game, and the next when everybody has it."""
    speaker = Speaker(audience.games[0].redis, audience.games)
    pids = (os.getpid(), server.redis.pid)
    await speaker.sweep(audience)
    begun, sweeps = time.perf_counter(), 0
    used = (server.cpu(), *map(cpu, pids))
    while time.perf_counter() - begun < SWEEPS_FOR:
        await speaker.sweep(audience)
        sweeps += 1
    took = time.perf_counter() - begun
    ours, clients, redis = (
        max(now - then, 1 / TICKS)
        for now, then in zip((server.cpu(), *map(cpu, pids)), used, strict=True)
    )
    deliveries = sweeps * len(audience.sockets)
    return Measured(
        deliveries / took, deliveries / ours, *before, ours / took, clients / took, redis / took
    )


async def reach_many(server: Server, game: Scribe, count: int) -> list[float]:
    """All sockets on one game: the seconds until one event has reached everybody, five times."""
    async with server, seated(server, [game], count) as audience:
        speaker = Speaker(game.redis, [game])
        found = []
        for _ in range(5):
            begun = time.perf_counter()
            await speaker.sweep(audience)
            found.append(time.perf_counter() - begun)
            await asyncio.sleep(0.5)
        return found
