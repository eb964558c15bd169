"""The promise to upstream: never more calls in a window than its limit, and few fewer.

Four callers with clocks of their own, each with connections of its own, ask for permits all the
time, while some are killed without a word and Redis is killed, frozen, emptied and started again.
The fake upstream notes each arrival, some time after its permit was given.
"""

import asyncio
import random
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from ludo.config import Rate
from ludo.store import permits
from ludo.store.connection import Patience, connect
from ludo.store.permits import Permits
from ludo.store.scripts import Scripts
from ludo.tasks import end
from ludo.upstream.budget import CallClass
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent
from tests.redis_servers import PrivateRedis

CALLERS = 4
HURRIED = Patience(0.2, 0.3, 0, 0.01, ())


@dataclass(frozen=True)
class Scale:
    """How large the experiment is; times in seconds."""

    rate: Rate
    margin: float
    lease: float
    duration: float


@dataclass
class Upstream:
    """Notes when calls arrive."""

    latency: float
    chance: random.Random
    arrived: list[float] = field(default_factory=list)
    _calls: set[asyncio.Task[None]] = field(default_factory=set)

    def call(self) -> None:
        task = asyncio.create_task(self._arrive())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _arrive(self) -> None:
        await asyncio.sleep(self.latency * self.chance.random())
        self.arrived.append(asyncio.get_running_loop().time())

    def most_in(self, seconds: float) -> int:
        """The most arrivals that any window of so many seconds saw."""
        at = sorted(self.arrived)
        return max(bisect_left(at, begin + seconds) - n for n, begin in enumerate(at))

    def share_of(self, rate: Rate, since: float, until: float) -> float:
        """Which part of the limit was used in a time."""
        number = sum(since <= at < until for at in self.arrived)
        return number / (rate.limit * (until - since) / rate.seconds)


class Caller:
    """A process that asks all the time, with a clock that is up to 30 s off and runs wrong."""

    def __init__(self, server: PrivateRedis, scale: Scale, upstream: Upstream) -> None:
        chance, loop = upstream.chance, asyncio.get_running_loop()
        offset, speed = chance.uniform(-30, 30), chance.uniform(0.999, 1.001)
        self._redis = connect(server.url, HURRIED)
        self._permits = Permits(
            Scripts(self._redis),
            scale.rate,
            lambda: offset + loop.time() * speed,
            settle=2 * permits.EVERY_S,
        )
        self._upstream = upstream
        self._tasks = [
            asyncio.create_task(self._permits.run()),
            *(asyncio.create_task(self._ask()) for _ in range(2)),
        ]

    async def _ask(self) -> None:
        chance = self._upstream.chance
        while True:
            klass = chance.choice([CallClass.WRITE, CallClass.WRITE, *CallClass])
            try:
                await self._permits.take(klass, Deadline.after(1))
            except BudgetSpent:
                await asyncio.sleep(0.002 + 0.02 * chance.random())
            else:
                self._upstream.call()

    async def kill(self) -> None:
        """End as a killed process does: nothing is given back."""
        # A killed process says no last words to Redis.
        self._permits._scripts = _Silent(self._redis)
        await end(*self._tasks)
        await self._redis.aclose()


class _Silent(Scripts):
    async def run(self, *_: object, **__: object) -> object:
        raise ConnectionError


@asynccontextmanager
async def experiment(
    server: PrivateRedis, scale: Scale, seed: int, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[list[Caller], Upstream, Callable[[], Caller]]]:
    """Four callers at work."""
    every = min(0.25, scale.lease / 8)
    patch.setattr(permits, "MARGIN_MS", int(scale.margin * 1000))
    patch.setattr(permits, "LEASE_S", scale.lease)
    patch.setattr(permits, "EVERY_S", every)
    upstream = Upstream(scale.margin / 4, random.Random(seed))

    def start() -> Caller:
        return Caller(server, scale, upstream)

    callers = [start() for _ in range(CALLERS)]
    try:
        yield callers, upstream, start
    finally:
        for caller in callers:
            await caller.kill()


async def use_it_all(server: PrivateRedis, scale: Scale, patch: pytest.MonkeyPatch) -> None:
    """Callers come and go while Redis is well: at least 85 % of the limit is used."""
    async with experiment(server, scale, 1, patch) as (callers, upstream, start):
        loop = asyncio.get_running_loop()
        begun, ends = loop.time(), loop.time() + scale.duration
        while loop.time() < ends:
            await asyncio.sleep(scale.rate.seconds * upstream.chance.uniform(0.3, 0.7))
            await callers.pop(upstream.chance.randrange(CALLERS)).kill()
            callers.append(start())
        await asyncio.sleep(scale.margin)
    assert upstream.most_in(scale.rate.seconds) <= scale.rate.limit
    assert upstream.share_of(scale.rate, begun, ends) >= 0.85


async def never_too_many(
    server: PrivateRedis, scale: Scale, seed: int, patch: pytest.MonkeyPatch
) -> None:
    """Everything breaks, at random: no window sees more than the limit."""
    async with experiment(server, scale, seed, patch) as (callers, upstream, start):
        loop, chance = asyncio.get_running_loop(), upstream.chance
        ends = loop.time() + scale.duration
        while loop.time() < ends:
            await asyncio.sleep(scale.rate.seconds * chance.uniform(0.1, 0.4))
            match chance.randrange(6):
                case 0 | 1:
                    await callers.pop(chance.randrange(CALLERS)).kill()
                    callers.append(start())
                case 2 | 3:
                    server.kill()
                    await asyncio.sleep(scale.rate.seconds * chance.uniform(0, 0.3))
                    server.start()
                case 4:
                    server.freeze()
                    await asyncio.sleep(scale.rate.seconds * chance.uniform(0, 0.3))
                    server.thaw()
                case _:
                    async with connect(server.url) as redis:
                        await redis.flushall()
        await asyncio.sleep(scale.margin)
    assert upstream.most_in(scale.rate.seconds) <= scale.rate.limit
    assert upstream.arrived


SMALL = Scale(Rate(100, 2), margin=0.1, lease=0.8, duration=6)
WHOLE = Scale(Rate(100, 60), margin=1.0, lease=10, duration=300)


async def test_most_of_the_limit_is_used(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 85 %, though processes are killed, and never more than all of it."""
    await use_it_all(redis_server, SMALL, monkeypatch)


@pytest.mark.parametrize("seed", [1, 2])
async def test_upstream_never_sees_more_than_its_limit(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever is killed, frozen, emptied or wrong about the time."""
    await never_too_many(redis_server, SMALL, seed, monkeypatch)


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_most_of_a_real_minute_is_used(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same at upstream's own 100 a minute, for five minutes."""
    await use_it_all(redis_server, WHOLE, monkeypatch)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(3))
async def test_no_real_minute_sees_more_than_a_hundred(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The same at upstream's own 100 a minute, for five minutes."""
    await never_too_many(redis_server, WHOLE, seed, monkeypatch)
