"""One game that always fails does not hold up the others."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

import pytest
from redis.asyncio import Redis

from ludo import tasks
from ludo.mirror.incoming import GameEvent
from ludo.rules.events import Rolled
from ludo.rules.ruleset import GameMode
from ludo.store import keys
from ludo.store.inbox import Inbox
from tests.chaos.parts import Part, work
from tests.e2e.demos import clean_environ
from tests.rules.builders import play_game
from tests.waiting import wait_until
from tests.workers.builders import a_bench, a_history, delivery, told

pytestmark = pytest.mark.e2e

FAILING: Final = "gm_failing"
ROUNDS: Final = 5
AT_MOST: Final = 2.0
ATTEMPTS: Final = 3
"""A busy machine doubles any lag now and then; a failing game would double it each time."""
WITHIN_S: Final = 60.0
A_PAUSE_S: Final = 0.005


async def break_record(redis: Redis) -> None:
    """No worker can read it: every attempt ends in an exception."""
    await redis.hset(keys.game(FAILING), "body", "{")


async def break_nothing(redis: Redis) -> None:
    """All its events are against the rules, and upstream cannot be asked."""


@dataclass
class Lags:
    """When events were offered, and how long after that their deltas were published."""

    offered: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    async def listen(self, redis: Redis, ready: asyncio.Event) -> None:
        async with redis.pubsub() as channel:
            await channel.psubscribe(keys.channel("*"))
            ready.set()
            async for message in channel.listen():
                if message["type"] == "pmessage" and message["data"].startswith(b"1 d "):
                    at = self.offered.pop(message["channel"].decode(), None)
                    if at is not None:
                        self.seconds.append(time.monotonic() - at)

    async def settled(self) -> list[float]:
        """All lags since the last time, once nothing is under way."""
        await wait_until(lambda: not self.offered, WITHIN_S)
        seconds, self.seconds = self.seconds, []
        return seconds


@dataclass
class Field:
    """Many games of which each has so many events behind it, beside the one that fails."""

    redis: Redis
    inbox: Inbox
    lags: Lags
    histories: Sequence[Sequence[GameEvent]]
    place: int = 1
    failed: int = 1

    async def play(self, *, failing: bool) -> float:
        """One event for each game; the median lag. Beside every tenth the failing game has one."""
        for number, history in enumerate(self.histories):
            if failing and number % 10 == 0:
                await self._fail()
            event = history[self.place]
            self.lags.offered[keys.channel(event.game_id)] = time.monotonic()
            await self.inbox.accept(delivery(event))
            await asyncio.sleep(A_PAUSE_S)
        self.place += 1
        return median(await self.lags.settled())

    async def _fail(self) -> None:
        self.failed += 1
        history = a_history(1, FAILING)
        false = replace(history[1], event=Rolled(2, "nobody", 1), digest=f"false {self.failed}")
        await self.inbox.accept(delivery(false, f"msg_false_{self.failed}"))

    async def ratio(self) -> float:
        """How much longer the others' median lag is beside it, over rounds that take turns."""
        beside, alone = list[float](), list[float]()
        for _ in range(ROUNDS):
            alone.append(await self.play(failing=False))
            beside.append(await self.play(failing=True))
        return median(beside) / median(alone)


@asynccontextmanager
async def a_field(redis: Redis, redis_url: str, folder: Path, games: int) -> AsyncIterator[Field]:
    """That many healthy games, and one that is begun; a worker process applies them."""
    inbox, lags, ready = a_bench(redis).inbox, Lags(), asyncio.Event()
    events = play_game(1, GameMode.QUICK, 2)[: 2 * ROUNDS * ATTEMPTS + 1]
    histories = [[told(event, f"gm_{n}") for event in events] for n in range(games)]
    for history in (*histories, a_history(1, FAILING)):
        await inbox.accept(delivery(history[0]))
    environ = clean_environ(
        REDIS_URL=redis_url, LUDO_DATA_DIR=str(folder), LUDO_API_BASE_URL="http://127.0.0.1:9/v1"
    )
    part = Part("worker", work, environ, folder / "worker.log")
    async with tasks.beside("listening", lags.listen(redis, ready)):
        await ready.wait()
        part.start()
        try:
            await wait_until(lambda: _all_begun(redis, games + 1), WITHIN_S, every=0.1)
            yield Field(redis, inbox, lags, histories)
            assert not part.died
        finally:
            await part.kill()


async def _all_begun(redis: Redis, games: int) -> bool:
    return int(await redis.hget(keys.COUNTERS, "outcome:applied:webhook") or 0) == games


async def _at_most_doubles(redis: Redis, url: str, folder: Path, games: int, how: str) -> float:
    async with a_field(redis, url, folder, games) as field:
        if how == "unreadable":
            await break_record(redis)
        ratios = list[float]()
        while not ratios or (ratios[-1] > AT_MOST and len(ratios) < ATTEMPTS):
            ratios.append(await field.ratio())
        assert field.failed > ROUNDS * games // 10
        assert min(ratios) <= AT_MOST, ratios
        return min(ratios)


@pytest.mark.parametrize("how", ["unreadable", "illegal"])
async def test_one_failing_game_hardly_delays_the_others(
    redis: Redis, redis_url: str, tmp_path: Path, how: str
) -> None:
    """Whether no worker can read it, or all its events are illegal and upstream is away."""
    await _at_most_doubles(redis, redis_url, tmp_path, 40, how)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["unreadable", "illegal"])
async def test_one_failing_game_among_a_thousand(
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    how: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The same among a thousand games."""
    ratio = await _at_most_doubles(redis, redis_url, tmp_path, 1_000, how)
    record_property("ratio", round(ratio, 2))
