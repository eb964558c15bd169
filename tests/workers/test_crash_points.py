"""A process may die before and after each of its calls: every event has its effect once."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import URL

from ludo.mirror.body import to_body
from ludo.mirror.incoming import GameEvent
from ludo.mirror.snapshot import Snapshot
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.counters import accounts, read_counters
from ludo.store.games import GameReader
from tests.chaos.ledger import Acknowledged
from tests.chaos.outcomes import find_outcomes
from tests.mirror.builders import snapshot_after as of_events
from tests.workers.builders import GAME, Upstream, a_history, delivery
from tests.workers.crashing import SIDES, Lives, Process, Step

HISTORY = a_history()
LENGTH = len(HISTORY)


def snapshot_after(length: int) -> Snapshot:
    return of_events(HISTORY[:length])


@pytest.fixture
async def lives(redis_url: str, tmp_path: Path) -> AsyncIterator[Lives]:
    archive = Archive(
        make_engine(URL.create("sqlite+aiosqlite", database=str(tmp_path / "ludo.db")))
    )
    yield Lives(redis_url, Upstream(), archive)
    await archive.aclose()


class Sender:
    """Delivers until it is told that a delivery was accepted, and notes when it was."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}

    def sends(self, event: GameEvent, webhook_id: str | None = None) -> Step:
        """One delivery."""
        told = delivery(event, webhook_id)

        async def step(process: Process) -> None:
            await process.bench.inbox.accept(told)
            entry = Acknowledged(told.webhook_id, told.body, time.time())
            self.acknowledged[told.webhook_id] = entry

        return step


async def _works(process: Process) -> None:
    """What jobs do for a game that is due: apply, and fetch what is owed."""
    await process.bench.applier.resync(GAME)
    await process.bench.applier.resync(GAME)


def _upstream_is_at(upstream: Upstream, length: int) -> Step:
    async def step(_: Process) -> None:
        upstream.answer = snapshot_after(length)

    return step


def _healing(sender: Sender, upstream: Upstream) -> list[Step]:
    """Events in and out of order, twice and under another id, a gap that is fetched, and more."""
    one, two, three, four, five = HISTORY[:5]
    arriving = [one, three, two]
    return [
        *(sender.sends(event) for event in arriving),
        sender.sends(two),
        sender.sends(two, "msg_another"),
        _works,
        sender.sends(five),
        _upstream_is_at(upstream, 5),
        _works,
        sender.sends(four),
        *(sender.sends(event) for event in HISTORY[5:8]),
        _works,
    ]


async def _every_point(lives: Lives, redis: Redis, run: "Run") -> list[str]:
    """Runs the scenario once for each point, on each side of it; the points of a clean run."""
    await run.clean(lives, redis)  # Redis has the scripts from here on
    calls = await run.clean(lives, redis)
    for number, name in enumerate(calls, start=1):
        for side in SIDES:
            try:
                await run.crashed(lives, redis, number, side)
            except AssertionError as error:
                raise AssertionError(f"dying {side} call {number} ({name}): {error}") from error
    return calls


class Run:
    """A scenario on an empty store, and what has to hold after it."""

    async def clean(self, lives: Lives, redis: Redis) -> list[str]:
        """The calls of a run in which nobody dies."""
        return await self.crashed(lives, redis, 0, "before")

    async def crashed(self, lives: Lives, redis: Redis, number: int, side: str) -> list[str]:
        """Run, die at that call, go on, and check."""
        raise NotImplementedError


class HealingRun(Run):
    """Accept, claim, commit and resync."""

    async def crashed(self, lives: Lives, redis: Redis, number: int, side: str) -> list[str]:
        await redis.flushall()
        sender = Sender()
        steps = _healing(sender, lives.upstream)
        points = await lives.run(steps, number, side)
        assert len(points.calls) >= number
        await _is_once_and_in_order(redis, sender)
        stored = await GameReader(redis).load(GAME)
        assert stored is not None
        assert stored.body == to_body(snapshot_after(8))
        return points.calls


async def _is_once_and_in_order(redis: Redis, sender: Sender) -> None:
    found = await find_outcomes(redis, sender.acknowledged.values())
    counters = await read_counters(redis)
    (account,) = accounts(counters)
    assert found.lost == []
    assert (found.doubled, found.out_of_order) == (0, 0)
    assert account.unaccounted == 0
    assert account.pending == 0
    assert account.accepted == len(sender.acknowledged)
    assert counters["outcome:applied:webhook"] == found.effects


class EndingRun(Run):
    """A finished game: its final state is compared, it is archived, and a tombstone stays."""

    async def crashed(self, lives: Lives, redis: Redis, number: int, side: str) -> list[str]:
        await redis.flushall()
        await lives.archive.give_up(2**53, 1_000)
        sender = Sender()
        lives.upstream.answer = snapshot_after(LENGTH - 1)
        before = [*(sender.sends(event) for event in HISTORY[:-1]), _works]
        await lives.run(before)
        lives.upstream.answer = snapshot_after(LENGTH)
        points = await lives.run([sender.sends(HISTORY[-1]), _works], number, side)
        assert len(points.calls) >= number
        kept = await lives.archive.log(GAME)
        assert [entry.sequence for entry in kept] == [*range(1, LENGTH + 1)]
        counters = await read_counters(redis)
        assert counters["outcome:applied:webhook"] == LENGTH
        assert counters["archived:finished"] == 1
        (account,) = accounts(counters)
        assert (account.unaccounted, account.pending, account.accepted) == (0, 0, LENGTH)
        return points.calls


@pytest.mark.timeout(300)
async def test_accept_claim_commit_and_resync_may_each_be_the_last(
    lives: Lives, redis: Redis
) -> None:
    """Killed at any point, a fresh process carries on, and each effect is there once."""
    calls = await _every_point(lives, redis, HealingRun())

    assert calls.count("EVALSHA") > 15
    assert "fetch" in calls


@pytest.mark.timeout(300)
async def test_every_step_into_the_archive_may_be_the_last(lives: Lives, redis: Redis) -> None:
    """Killed at any point, the game is in the archive once, with each event once."""
    calls = await _every_point(lives, redis, EndingRun())

    assert "archive.save" in calls
