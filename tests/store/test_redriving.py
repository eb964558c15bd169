"""Sending dead letters in again: each time it works, and the mirror never moves back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis

from ludo.mirror.incoming import RoomEvent, UnknownEvent
from ludo.rules.events import Rolled
from ludo.store import keys
from ludo.store.counters import accounts, read_counters
from ludo.store.errors import StoreUnavailable
from ludo.store.games import GameReader
from ludo.store.inbox import Delivery, Inbox, Verdict
from ludo.store.letters import DeadLetters, Letter, Wanted
from ludo.store.redriving import Redriven, Redriver
from ludo.store.scripts import Scripts
from tests.workers.builders import GAME, Bench, a_bench, a_history, delivery, told

HISTORY = a_history()
FALSE = told(Rolled(2, "a stranger", 3))


@dataclass
class Desk:
    """A bench with an operator at it; a worker looks at the game after each letter."""

    bench: Bench
    letters: DeadLetters
    redriver: Redriver

    async def redrive(self, *letters: Letter, within: float = 0.0) -> list[Redriven]:
        async def each() -> AsyncIterator[Letter]:
            for letter in letters:
                yield letter
            await self.bench.applier.apply(GAME)

        return [one async for one in self.redriver.run(each(), within=within)]

    async def all(self) -> list[Letter]:
        return [letter async for letter in self.letters.select(Wanted(settled=True))]

    async def place(self) -> int:
        stored = await GameReader(self.bench.redis).load(GAME)
        return stored.seq if stored else 0


@pytest.fixture
def desk(redis: Redis) -> Desk:
    bench = a_bench(redis)
    letters = DeadLetters(redis, Scripts(redis))
    return Desk(bench, letters, Redriver(letters, bench.inbox))


async def an_overflow(desk: Desk) -> Letter:
    """The second event of a game, given up because its inbox was full for a moment."""
    inbox, redis = keys.inbox(GAME), desk.bench.redis
    await desk.bench.accept(HISTORY[:1])
    await desk.bench.applier.apply(GAME)
    filler = [await redis.xadd(inbox, {"v": "1", "s": "9"}) for _ in range(1_000)]
    await desk.bench.accept(HISTORY[1:2])
    await redis.xdel(inbox, *filler)
    (letter,) = await desk.all()
    return letter


async def test_event_that_was_given_up_is_applied(desk: Desk) -> None:
    """It takes its place, and its letter needs nobody any more."""
    letter = await an_overflow(desk)
    (redriven,) = await desk.redrive(letter)

    assert (redriven.outcome, redriven.failed) == ("applied", False)
    assert await desk.place() == 2
    assert [each async for each in desk.letters.select(Wanted())] == []


async def test_redriving_twice_works_twice(desk: Desk) -> None:
    """The second time it is a duplicate: the mirror stays where it is."""
    letter = await an_overflow(desk)
    await desk.redrive(letter)
    await desk.bench.accept(HISTORY[2:10])
    await desk.bench.applier.apply(GAME)
    (again,) = await desk.redrive(letter)

    assert again.outcome == "duplicate"
    assert await desk.place() == 10
    (kept,) = await desk.all()
    assert (kept.attempts, kept.redrive and kept.redrive.outcome) == (3, "duplicate")


async def test_event_that_dies_again_is_the_same_letter(desk: Desk) -> None:
    """It says why, counts as a failure, and adds no further letter."""
    await desk.bench.accept(HISTORY[:1])
    await desk.bench.inbox.accept(delivery(FALSE, "msg_false"))
    await desk.bench.applier.apply(GAME)
    (letter,) = await desk.all()
    (redriven,) = await desk.redrive(letter)

    assert (redriven.outcome, redriven.cause, redriven.failed) == ("dead", "illegal", True)
    (kept,) = await desk.all()
    assert (kept.attempts, kept.is_open) == (2, True)


async def test_event_that_a_resync_went_past_is_stale(desk: Desk) -> None:
    """A mirror that upstream's state has carried on is not touched by what came before."""
    letter = await an_overflow(desk)
    from tests.workers.test_applying import snapshot_after

    desk.bench.upstream.answer = snapshot_after(30)
    await desk.bench.applier.resync(GAME)
    (redriven,) = await desk.redrive(letter)

    assert redriven.outcome == "stale"
    assert await desk.place() == 30


async def test_event_that_waits_for_an_earlier_one_is_pending(desk: Desk) -> None:
    """That is no failure, and what becomes of it is told by the letter later."""
    letter = await an_overflow(desk)
    later = replace(letter, body=delivery(HISTORY[3]).body)
    (redriven,) = await desk.redrive(later)
    assert (redriven.outcome, redriven.failed) == ("pending", False)

    await desk.bench.inbox.accept(delivery(HISTORY[1], "msg_again"))
    await desk.bench.accept(HISTORY[2:3])
    await desk.bench.applier.apply(GAME)
    (kept,) = await desk.all()
    assert kept.redrive is not None
    assert kept.redrive.outcome == "applied"


@pytest.mark.parametrize(
    ("incoming", "body", "outcome"),
    [
        (
            RoomEvent("room:closed", "ABC123"),
            b'{"type":"room:closed","data":{"roomCode":"ABC123","reason":"over"}}',
            "applied",
        ),
        (UnknownEvent("x"), b'{"type":"x"}', "filtered"),
    ],
)
async def test_event_without_a_sequence_is_decided_at_once(
    desk: Desk, incoming: RoomEvent | UnknownEvent, body: bytes, outcome: str
) -> None:
    """No worker is needed for it."""
    await desk.bench.inbox.accept(Delivery("msg_1", b"{}", incoming))
    await desk.bench.inbox.accept(Delivery("msg_1", body, incoming))
    (letter,) = await desk.all()

    assert [each.outcome for each in await desk.redrive(letter)] == [outcome]


async def test_letter_that_is_gone_is_missing(desk: Desk) -> None:
    """Somebody discarded it in between."""
    letter = await an_overflow(desk)
    await desk.letters.discard([letter.id], by="somebody")

    assert [each.outcome for each in await desk.redrive(letter)] == ["missing"]


async def test_letter_that_cannot_be_read_is_refused(desk: Desk, redis: Redis) -> None:
    """What another version wrote does not stop the others."""
    await redis.xadd(keys.DEAD_LETTERS, {"game": GAME, "cause": "illegal", "body": b"?"})
    (letter,) = await desk.all()

    assert [each.cause for each in await desk.redrive(letter)] == ["unreadable"]


async def test_full_store_refuses(desk: Desk, redis: Redis) -> None:
    """A redrive that fails says so."""
    letter = await an_overflow(desk)
    desk.redriver = Redriver(desk.letters, Inbox(Scripts(redis), backlog=0))

    assert [each.cause for each in await desk.redrive(letter)] == ["backlog-full"]


async def test_store_that_goes_away_is_noted(desk: Desk) -> None:
    """The letter does not stay pending for something that nobody has."""

    class Away(Inbox):
        async def accept(self, delivery: Delivery) -> Verdict:
            raise StoreUnavailable("away")

    letter = await an_overflow(desk)
    desk.redriver = Redriver(desk.letters, Away(Scripts(desk.bench.redis), backlog=9))
    with pytest.raises(StoreUnavailable):
        await desk.redrive(letter)

    (kept,) = await desk.all()
    assert kept.redrive is not None
    assert kept.redrive.outcome == "refused"


async def test_redriven_events_are_an_account_of_their_own(desk: Desk) -> None:
    """Every redrive is accepted and has an outcome; what it was counted as before stays."""
    letter = await an_overflow(desk)
    await desk.redrive(letter)
    await desk.redrive(letter)

    found = {each.source: each for each in accounts(await read_counters(desk.bench.redis))}
    assert found["redrive"].accepted == 2
    assert [each.unaccounted for each in found.values()] == [0, 0]
