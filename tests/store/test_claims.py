"""The lease and the one script: who may write, and what is never forgotten."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from ludo.mirror.incoming import Hint
from ludo.store import keys
from ludo.store.claims import Claimed, Commit, LeaseLost
from ludo.store.errors import UnknownVersion
from ludo.store.inbox import Delivery
from tests.workers.builders import GAME, Bench, a_bench, a_history

HISTORY = a_history()


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return a_bench(redis)


async def claimed(bench: Bench) -> Claimed:
    """The game, claimed."""
    claim = await bench.claims.claim(GAME)
    assert claim is not None
    return claim


def nothing_new(claim: Claimed) -> Commit:
    """A commit that leaves the game as it is."""
    return Commit(claim.record, next_look=None)


async def hint(bench: Bench, webhook_id: str = "msg_hint") -> None:
    """Upstream says that something happened, but not what."""
    await bench.inbox.accept(Delivery(webhook_id, b"{}", Hint("game:dice-rolled", GAME)))


async def test_game_has_one_holder(bench: Bench) -> None:
    """While one worker holds the game no other gets it."""
    await claimed(bench)
    assert await bench.claims.claim(GAME) is None


async def test_former_holder_cannot_write_while_another_holds(bench: Bench) -> None:
    """The token decides, even if the new holder has written nothing yet."""
    former = await claimed(bench)
    await bench.redis.delete(keys.lease(GAME))
    await claimed(bench)

    with pytest.raises(LeaseLost):
        await bench.claims.commit(former, nothing_new(former), "release", last="")


async def test_decision_on_an_older_record_is_refused(bench: Bench) -> None:
    """A revision that moved on under the holder, as after a restored copy, is never overwritten."""
    claim = await claimed(bench)
    await bench.redis.hset(keys.game(GAME), "rev", 9)
    await bench.redis.expire(keys.game(GAME), 60)

    with pytest.raises(LeaseLost):
        await bench.claims.commit(claim, nothing_new(claim), "release", last="")


async def test_event_that_arrives_before_the_release_is_handed_out(bench: Bench) -> None:
    """Between the last read and the release nothing is lost: the holder goes on."""
    claim = await claimed(bench)
    await bench.accept(HISTORY[:1])

    more = await bench.claims.commit(claim, nothing_new(claim), "release", last="")

    assert more is not None
    assert [item.event for item in more.waiting] == HISTORY[:1]
    assert await bench.claims.claim(GAME) is None


async def test_yielded_game_is_free_and_queued_again(bench: Bench) -> None:
    """A busy game goes to the back of the queue with what is left."""
    await bench.accept(HISTORY[:1])
    await bench.redis.delete(keys.ARQ_QUEUE)
    claim = await claimed(bench)

    assert await bench.claims.commit(claim, nothing_new(claim), "yield", last="") is None
    assert await bench.redis.zcard(keys.ARQ_QUEUE) == 1
    assert len((await claimed(bench)).arrivals.waiting) == 1


async def test_hint_that_comes_while_a_worker_decides_stays_owed(bench: Bench) -> None:
    """The decision does not know of it, so it neither settles it nor leaves the game undue."""
    claim = await claimed(bench)
    await hint(bench)
    await bench.claims.commit(claim, nothing_new(claim), "release", last="")

    assert await bench.redis.hget(keys.game(GAME), "owed") == b"hint"
    assert await bench.redis.zscore(keys.DUE, GAME) is not None
    assert await bench.claims.begin_resync(GAME) is not None


async def test_hint_takes_the_place_of_a_gap(bench: Bench) -> None:
    """The missing event ends a gap, but says nothing of what the hint was about."""
    await bench.accept([HISTORY[0], HISTORY[2]])
    await bench.applier.apply(GAME)
    await hint(bench)
    await bench.accept([HISTORY[1]])
    await bench.applier.apply(GAME)

    assert await bench.redis.hget(keys.game(GAME), "owed") == b"hint"


async def test_game_is_not_queued_for_its_debt_while_upstream_is_asked(bench: Bench) -> None:
    """Such a job would find the flight, commit, and queue the next one, without an end."""
    await bench.accept([HISTORY[0], HISTORY[2]])
    await bench.applier.apply(GAME)
    await bench.claims.begin_resync(GAME)
    await bench.redis.delete(keys.ARQ_QUEUE)
    await bench.applier.resync(GAME)

    assert await bench.redis.zcard(keys.ARQ_QUEUE) == 0
    due = await bench.redis.zscore(keys.DUE, GAME)
    assert due is not None
    assert due / 1000 > (await bench.redis.time())[0]


async def test_waiting_game_is_queued_once_for_its_next_look(redis: Redis) -> None:
    """Each event behind a gap is decided, but none of them adds a job for the gap's end."""
    bench = a_bench(redis, gap_wait=1_500)
    for event in (HISTORY[0], *HISTORY[2:12]):
        await bench.accept([event])
        await bench.redis.delete(keys.ARQ_QUEUE)
        await bench.applier.apply(GAME)
        queued = await redis.zcard(keys.ARQ_QUEUE)
        assert queued == (event is HISTORY[2])


async def test_game_that_nobody_knows_is_kept_for_a_minute(bench: Bench) -> None:
    """Anybody may ask for any id."""
    await bench.claims.ask(GAME)
    claim = await claimed(bench)
    forgotten = Commit(replace(claim.record, owed=None), next_look=None)
    await bench.claims.commit(claim, forgotten, "release", last="")

    assert 0 < await bench.redis.ttl(keys.game(GAME)) <= 60


async def test_resync_has_one_flight_at_a_time(bench: Bench) -> None:
    """Two workers that see the same debt ask upstream once."""
    await bench.claims.ask(GAME)

    assert await bench.claims.begin_resync(GAME) is not None
    assert await bench.claims.begin_resync(GAME) is None


async def test_event_while_a_worker_holds_the_game_queues_no_job(bench: Bench) -> None:
    """The holder sees it at its commit; a job would find nothing to do."""
    await claimed(bench)
    await bench.accept(HISTORY[:2])

    assert await bench.redis.zcard(keys.ARQ_QUEUE) == 0
    assert await bench.redis.zscore(keys.DUE, GAME) is not None


async def test_sweeper_leaves_a_held_game_alone(bench: Bench) -> None:
    """A game with a lease is somebody's work; it is looked at again soon."""
    await bench.accept(HISTORY[:1])
    await bench.redis.hdel(keys.game(GAME), "queued")
    await claimed(bench)
    await bench.redis.zadd(keys.DUE, {GAME: 1})

    assert await bench.claims.sweep() == 0
    assert (await bench.redis.zscore(keys.DUE, GAME) or 0) > 1


async def test_full_inbox_buries_and_owes_a_resync(bench: Bench) -> None:
    """Beyond a game's bound events are dead letters, and the state is fetched instead."""
    for number in range(1_000):
        await bench.redis.xadd(keys.inbox(GAME), {"s": number})
    await bench.accept(HISTORY[:1])

    assert await bench.redis.hget(keys.game(GAME), "owed") == b"overflow"
    ((_, letter),) = await bench.redis.xrange(keys.DEAD_LETTERS)
    assert letter[b"cause"] == b"overflow"
    await bench.redis.delete(keys.inbox(GAME))


async def test_event_of_a_newer_version_is_left_in_the_inbox(bench: Bench) -> None:
    """An older worker neither guesses at it nor loses it."""
    await bench.redis.xadd(keys.inbox(GAME), {"v": "2", "s": "1", "b": "{}"})
    with pytest.raises(UnknownVersion):
        await bench.claims.claim(GAME)

    assert await bench.redis.xlen(keys.inbox(GAME)) == 1
    await bench.redis.expire(keys.inbox(GAME), 60)
