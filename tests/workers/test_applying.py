"""A worker's use cases on a real Redis: once, in order, healed."""

import asyncio
import json
import random
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from ludo.mirror.decide import Applied, decide
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.snapshot import Snapshot, Status
from ludo.rules.board import Due
from ludo.rules.events import Rolled
from ludo.store import keys
from ludo.store.feed import Feed
from ludo.store.games import GameReader
from ludo.store.inbox import Verdict
from tests.workers.builders import GAME, ROOM, Bench, a_bench, a_history, delivery, told
from workers.planning import Unknown, Unreachable

HISTORY = a_history()


def snapshot_after(length: int) -> Snapshot:
    """Upstream's state after so many events."""
    mirror: Mirror | None = None
    for event in HISTORY[:length]:
        decision = decide(mirror, event, None, Referee(), "truth")
        assert isinstance(decision, Applied)
        mirror = decision.mirror
    assert mirror is not None
    return mirror.snapshot


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return a_bench(redis)


async def place(bench: Bench) -> int:
    """How far the mirror is."""
    stored = await GameReader(bench.redis).load(GAME)
    return stored.seq if stored else 0


async def counters(bench: Bench) -> dict[str, int]:
    """The deployment's counters."""
    raw = await bench.redis.hgetall(keys.COUNTERS)
    return {name.decode(): int(value) for name, value in raw.items()}


async def test_events_reach_the_mirror_and_the_feed(bench: Bench) -> None:
    """What was accepted is in the mirror, in the feed and out of the inbox."""
    await bench.accept(HISTORY[:10])
    await bench.applier.apply(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert (stored.seq, stored.body["roomCode"], stored.settled) == (10, ROOM, True)
    frames = await Feed(bench.redis).after(GAME, 0)
    assert [sequence for sequence, _ in frames] == list(range(2, 11))
    assert json.loads(frames[0][1])["ev"]["type"] == "game:dice-rolled"


async def test_any_order_of_arrival_gives_the_state_in_order(bench: Bench) -> None:
    """A shuffled game, applied in pieces, ends where upstream is."""
    shuffled = HISTORY[:]
    random.Random(5).shuffle(shuffled)
    for start in range(0, len(shuffled), 30):
        await bench.accept(shuffled[start : start + 30])
        await bench.applier.apply(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert stored.finished
    assert stored.seq == len(HISTORY)


async def test_workers_at_once_apply_each_event_once(bench: Bench) -> None:
    """Eight workers on one game: one feed entry an event, and the counters add up."""
    applying = [asyncio.create_task(bench.applier.apply(GAME)) for _ in range(8)]
    for event in HISTORY[:60]:
        await bench.accept([event])
        applying.append(asyncio.create_task(bench.applier.apply(GAME)))
    await asyncio.gather(*applying)
    await bench.applier.apply(GAME)

    assert await place(bench) == 60
    assert len(await Feed(bench.redis).after(GAME, 0)) == 59
    counted = await counters(bench)
    assert counted["outcome:applied:webhook"] == counted["accepted:webhook"] == 60
    assert counted["pending:webhook"] == 0


async def test_gap_is_healed_by_the_state(bench: Bench) -> None:
    """A missing event is repaired from upstream; the ones behind it become stale."""
    await bench.accept([*HISTORY[:5], *HISTORY[6:8]])
    await bench.applier.apply(GAME)
    bench.upstream.answer = snapshot_after(9)
    await bench.applier.resync(GAME)

    assert await place(bench) == 9
    counted = await counters(bench)
    assert counted["repaired:gap"] == 1
    assert counted["outcome:stale:webhook"] == 2
    assert await Feed(bench.redis).after(GAME, 0) == []


async def test_event_that_was_passed_by_a_resync_is_stale(bench: Bench) -> None:
    """The late one changes nothing."""
    await test_gap_is_healed_by_the_state(bench)
    await bench.accept([HISTORY[5]])
    await bench.applier.apply(GAME)

    assert await place(bench) == 9
    counted = await counters(bench)
    assert counted["outcome:stale:webhook"] == 3
    assert (counted["skipped"], counted["late"]) == (4, 3)


async def test_late_sequence_counts_once_however_often_it_comes(bench: Bench) -> None:
    """Skipped less late is what never came, so a second copy must not count again."""
    await test_event_that_was_passed_by_a_resync_is_stale(bench)
    await bench.inbox.accept(delivery(HISTORY[5], "msg_again"))
    await bench.applier.apply(GAME)

    counted = await counters(bench)
    assert (counted["outcome:stale:webhook"], counted["late"]) == (4, 3)


async def test_missing_event_in_time_cancels_the_resync(redis: Redis) -> None:
    """Out of order within the wait costs no call to upstream."""
    bench = a_bench(redis, gap_wait=60_000)
    await bench.accept([*HISTORY[:5], HISTORY[6]])
    await bench.applier.resync(GAME)
    await bench.accept([HISTORY[5]])
    await bench.applier.resync(GAME)

    assert await place(bench) == 7
    assert bench.upstream.asked == 0


async def test_unreachable_upstream_leaves_the_mirror_stale_and_is_asked_again(
    bench: Bench,
) -> None:
    """The mirror stays as it is and says so; the debt is put off by a second."""
    await bench.accept([*HISTORY[:5], HISTORY[6]])
    await bench.applier.apply(GAME)
    bench.upstream.answer = Unreachable("503")
    await bench.applier.resync(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert (stored.seq, stored.stale) == (5, True)
    seconds, micro = await bench.redis.time()
    due = await bench.redis.zscore(keys.DUE, GAME)
    assert due is not None
    assert due == pytest.approx(seconds * 1000 + micro / 1000 + 1_000, abs=500)


async def test_events_are_decided_while_upstream_is_asked(bench: Bench) -> None:
    """The lease is free during the call, so the genuine event gets in."""
    await bench.accept([*HISTORY[:5], HISTORY[6]])
    await bench.applier.apply(GAME)
    seen: list[int] = []

    async def slow(_: str) -> Unreachable:
        await bench.accept([HISTORY[5]])
        await bench.applier.apply(GAME)
        seen.append(await place(bench))
        return Unreachable("too late")

    await replace(bench.applier, fetch=slow).resync(GAME)

    assert seen == [7]


async def test_slow_upstream_leaves_room_for_events(bench: Bench) -> None:
    """Without a call to spare a game's events are applied, and its debt stays due."""
    await bench.accept([*HISTORY[:5], HISTORY[6]])
    await bench.applier.apply(GAME)
    await bench.accept([HISTORY[5], HISTORY[8]])
    applier = replace(bench.applier, calls=asyncio.Semaphore(1))
    async with applier.calls:
        await applier.resync(GAME)

    assert (await place(bench), bench.upstream.asked) == (7, 0)
    assert await bench.redis.zscore(keys.DUE, GAME) is not None
    await applier.resync(GAME)
    assert bench.upstream.asked == 1


async def test_illegal_event_is_a_dead_letter_with_its_clause(bench: Bench) -> None:
    """It is kept with clause, sentence and body; the genuine one is applied after it."""
    false = told(Rolled(2, "a stranger", 3))
    await bench.inbox.accept(delivery(HISTORY[0]))
    await bench.inbox.accept(delivery(false, "msg_false"))
    await bench.inbox.accept(delivery(HISTORY[1]))
    await bench.applier.apply(GAME)

    assert await place(bench) == 2
    ((_, letter),) = await bench.redis.xrange(keys.DEAD_LETTERS)
    assert letter[b"cause"] == b"illegal"
    assert letter[b"clause"] == b"R4"
    assert json.loads(letter[b"body"])["data"]["playerId"] == "a stranger"


async def test_corrupted_but_legal_event_is_found_at_the_end(bench: Bench) -> None:
    """A finished game is compared once with upstream's final state, and replaced."""
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    truth = replace(snapshot_after(len(HISTORY)), updated_at="2026-11-21T09:00:00.000Z")
    bench.upstream.answer = truth
    await bench.applier.resync(GAME)

    stored = await GameReader(bench.redis).load(GAME)
    assert stored is not None
    assert stored.body["updatedAt"] == truth.updated_at
    assert (await counters(bench))["repaired:final"] == 1
    assert await bench.redis.hget(keys.game(GAME), "confirmed") == b"1"


async def test_game_that_nobody_knows_is_forgotten(bench: Bench) -> None:
    """Asking for a game that upstream does not know leaves nothing due."""
    await bench.claims.ask(GAME)
    bench.upstream.answer = Unknown()
    await bench.applier.resync(GAME)

    assert bench.upstream.asked == 1
    assert await bench.redis.zscore(keys.DUE, GAME) is None


async def test_game_that_did_not_end_is_listed_as_playing(bench: Bench) -> None:
    """Upstream may say that the end was none."""
    await bench.accept(HISTORY)
    await bench.applier.apply(GAME)
    over = snapshot_after(len(HISTORY))
    board = over.games[0].board._replace(due=Due.ROLL)
    going_on = over.games[0]._replace(board=board)
    bench.upstream.answer = replace(over, status=Status.PLAYING, games=(going_on,))
    await bench.applier.resync(GAME)

    games = GameReader(bench.redis)
    assert [game.game_id for game in await games.list("playing")] == [GAME]
    assert await games.list("finished") == []


async def test_worker_that_lost_its_lease_writes_nothing(bench: Bench) -> None:
    """A worker that slept past its lease is fenced out."""
    await bench.accept(HISTORY[:5])
    asleep = await bench.claims.claim(GAME)
    assert asleep is not None
    await bench.redis.delete(keys.lease(GAME))
    await bench.applier.apply(GAME)
    before = await bench.redis.hgetall(keys.game(GAME))

    await bench.applier._work(asleep)

    assert await bench.redis.hgetall(keys.game(GAME)) == before


async def test_same_delivery_twice_is_a_duplicate(bench: Bench) -> None:
    """Same id and body: 200, and only once in the inbox."""
    first, again = await bench.accept([HISTORY[0], HISTORY[0]])

    assert (first, again) == (Verdict.ACCEPTED, Verdict.DUPLICATE)
    assert await bench.redis.xlen(keys.inbox(GAME)) == 1


async def test_same_id_with_another_body_is_kept_apart(bench: Bench) -> None:
    """The id's first body counts; the second is a dead letter."""
    await bench.inbox.accept(delivery(HISTORY[0], "msg_1"))
    verdict = await bench.inbox.accept(delivery(HISTORY[1], "msg_1"))

    assert verdict is Verdict.ID_CONFLICT
    assert await bench.redis.xlen(keys.DEAD_LETTERS) == 1


async def test_hundred_copies_at_once_are_one(bench: Bench) -> None:
    """Concurrent copies of one delivery make one row."""
    verdicts = await asyncio.gather(*(bench.inbox.accept(delivery(HISTORY[0])) for _ in range(100)))

    assert verdicts.count(Verdict.ACCEPTED) == 1
    assert await bench.redis.xlen(keys.inbox(GAME)) == 1


async def test_sweeper_wakes_a_game_whose_worker_died(bench: Bench) -> None:
    """Due, without a lease, and nobody told of it: queued again."""
    await bench.accept(HISTORY[:1])
    await bench.redis.delete(keys.ARQ_QUEUE)
    assert await bench.claims.sweep() == 0
    await bench.redis.hdel(keys.game(GAME), "queued")

    await bench.redis.zadd(keys.DUE, {GAME: 1})
    assert await bench.claims.sweep() == 1
    assert await bench.redis.zcard(keys.ARQ_QUEUE) == 1
