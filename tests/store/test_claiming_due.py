"""Claiming many games at once: each by one worker, and none forgotten."""

import asyncio
from dataclasses import replace
from itertools import chain

import pytest
from arq.constants import in_progress_key_prefix, job_key_prefix
from redis.asyncio import Redis
from redis.exceptions import WatchError

from ludo.mirror.incoming import Hint
from ludo.rules.ruleset import RuleSet
from ludo.store import claims, keys
from ludo.store.claims import Claims, Commit, Due
from ludo.store.inbox import Delivery
from tests.store.test_inbox import TwiceSent
from tests.workers.builders import GAME, Bench, a_bench, a_history

HISTORY = a_history()


@pytest.fixture
def bench(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench on which a claim takes little, so that few games are many."""
    monkeypatch.setattr(claims, "ENOUGH", 5)
    monkeypatch.setattr(claims, "MOST", 4)
    return a_bench(redis)


def names(due: Due) -> list[str]:
    return [taken.game_id for taken in due.games]


async def begun(bench: Bench, games: int, events: int = 1) -> list[str]:
    """So many games with so many events each that nobody has looked at."""
    ids = [f"gm_{number:03d}" for number in range(games)]
    histories = (a_history(1, game_id)[:events] for game_id in ids)
    await asyncio.gather(*(bench.accept(history) for history in histories))
    for place, game_id in enumerate(ids, start=1):
        await bench.redis.zadd(keys.DUE, {game_id: place})
    return ids


async def owing(bench: Bench, game_id: str = GAME) -> None:
    """A game of which upstream said that something happened."""
    await bench.inbox.accept(Delivery(f"msg_{game_id}", b"{}", Hint("game:ended", game_id)))


async def queued(redis: Redis) -> list[str]:
    """Whose jobs are in arq's queue, and what they are to do."""
    return [each.decode().rsplit(":", 1)[0] for each in await redis.zrange(keys.ARQ_QUEUE, 0, -1)]


async def test_each_game_is_taken_once_by_workers_at_once(bench: Bench) -> None:
    """Eight workers claim until nothing is left: no game goes to two, and none is left out."""
    ids = await begun(bench, 19)

    async def claimed_by_one() -> list[str]:
        found: list[str] = []
        while (due := await bench.claims.claim_due()).games or due.more:
            found += names(due)
        return found

    taken = await asyncio.gather(*(claimed_by_one() for _ in range(8)))

    assert sorted(chain(*taken)) == ids


async def test_wake_up_of_a_claimed_game_is_gone(bench: Bench) -> None:
    """A job that finds nothing to do costs arq as much as any, and nobody else need come."""
    await begun(bench, 3)
    await bench.claims.claim_due()

    assert await queued(bench.redis) == []
    assert await bench.redis.keys(f"{job_key_prefix}*") == []
    assert await bench.redis.exists(keys.NUDGE) == 0


async def test_wake_up_that_arq_has_begun_stays(bench: Bench) -> None:
    """arq complains of a job that it runs and that has no arguments; it finds nothing to do."""
    await bench.accept(HISTORY[:1])
    (job,) = await bench.redis.zrange(keys.ARQ_QUEUE, 0, -1)
    await bench.redis.psetex(in_progress_key_prefix + job.decode(), 60_000, b"1")
    await bench.claims.claim_due()

    assert await bench.redis.zrange(keys.ARQ_QUEUE, 0, -1) == [job]
    assert await bench.redis.exists(job_key_prefix + job.decode())


async def test_arq_does_not_begin_a_wake_up_that_is_taken_back_meanwhile(bench: Bench) -> None:
    """Between its last look at a job and its start, arq watches the mark of a job begun."""
    await bench.accept(HISTORY[:1])
    (job,) = await bench.redis.zrange(keys.ARQ_QUEUE, 0, -1)
    begun_mark = in_progress_key_prefix + job.decode()
    async with bench.redis.pipeline(transaction=True) as starting:
        await starting.watch(begun_mark)
        await bench.claims.claim_due()
        starting.multi()
        starting.psetex(begun_mark, 1_000, b"1")
        with pytest.raises(WatchError):
            await starting.execute()
    assert await bench.redis.exists(begun_mark) == 0


async def test_full_games_are_shared_out(bench: Bench) -> None:
    """Who has enough events takes no further game."""
    ids = await begun(bench, 3, events=3)
    first, second = await bench.claims.claim_due(), await bench.claims.claim_due()

    assert (names(first), first.more) == (ids[:2], True)
    assert await bench.redis.llen(keys.NUDGE) == 0
    assert (names(second), second.more) == (ids[2:], False)


async def test_one_nudge_tells_of_what_is_left(bench: Bench) -> None:
    """However many came, one idle worker is enough to go on."""
    await begun(bench, 3, events=3)
    await bench.claims.claim_due()

    assert await bench.redis.llen(keys.NUDGE) == 1


async def test_longest_due_is_taken_first(bench: Bench) -> None:
    """A busy game that was given back is behind those that wait."""
    ids = await begun(bench, 8)
    for place, game_id in enumerate(reversed(ids)):
        await bench.redis.zadd(keys.DUE, {game_id: place})

    assert names(await bench.claims.claim_due()) == list(reversed(ids))[:4]


async def test_games_that_others_hold_do_not_hide_those_behind(bench: Bench) -> None:
    """They are looked at again a little later."""
    held, *free = await begun(bench, 4)
    assert await bench.claims.claim(held) is not None

    assert names(await bench.claims.claim_due()) == free
    seconds, micro = await bench.redis.time()
    due = await bench.redis.zscore(keys.DUE, held)
    assert due is not None
    assert due > seconds * 1000 + micro / 1000


async def test_games_of_a_dead_worker_are_due_when_its_leases_end(bench: Bench) -> None:
    """What it had taken is taken again, with all its events."""
    ids = await begun(bench, 3, events=2)
    dead = await bench.claims.claim_due()
    assert names(await bench.claims.claim_due()) == []
    for game_id in ids:
        await bench.redis.delete(keys.lease(game_id))
        await bench.redis.zadd(keys.DUE, {game_id: 1})  # as if the pause were over

    again = await bench.claims.claim_due()

    assert sorted(names(again)) == sorted(names(dead)) == ids
    assert [len(bench.claims.read(taken).arrivals.waiting) for taken in again.games] == [2, 2, 2]


async def test_sweeper_finds_the_games_of_a_dead_worker(bench: Bench) -> None:
    """Also when no other worker claims: their wake-ups were taken back with the claim."""
    (game_id,) = await begun(bench, 1)
    await bench.claims.claim_due()
    assert await bench.claims.sweep() == 0
    await bench.redis.delete(keys.lease(game_id))
    await bench.redis.zadd(keys.DUE, {game_id: 1})

    assert await bench.claims.sweep() == 1
    assert await queued(bench.redis) == [f"apply_game:{game_id}"]


async def test_claim_that_is_sent_twice_hands_out_the_same(redis: Redis) -> None:
    """redis-py sends it again when a connection breaks before the answer."""
    await begun(a_bench(redis), 3)

    assert len((await Claims(TwiceSent(redis), RuleSet()).claim_due()).games) == 3


async def test_game_that_owes_a_resync_is_left_to_its_job(bench: Bench) -> None:
    """Upstream is asked by a job, which has the time for it; the job is there already."""
    await owing(bench)
    due = await bench.claims.claim_due()

    assert (names(due), due.owing) == ([], True)
    assert await queued(bench.redis) == [f"resync_game:{GAME}"]
    assert (await bench.claims.claim_due()).owing is False


async def test_job_for_a_resync_takes_the_place_of_a_wake_up(bench: Bench) -> None:
    """The event came first, and its wake-up keeps the hint from queueing another job."""
    await bench.accept(HISTORY[:1])
    await owing(bench)
    assert await queued(bench.redis) == [f"apply_game:{GAME}"]

    assert (await bench.claims.claim_due()).owing
    assert await queued(bench.redis) == [f"resync_game:{GAME}"]


async def test_events_are_taken_while_upstream_is_asked(bench: Bench) -> None:
    """The resync's job waits for upstream; what comes meanwhile does not."""
    await owing(bench)
    assert await bench.claims.begin_resync(GAME) is not None
    await bench.accept(HISTORY[:1])

    assert names(await bench.claims.claim_due()) == [GAME]


async def test_job_for_a_resync_is_not_taken_back(bench: Bench) -> None:
    """Whoever claims the game for its events has not asked upstream."""
    await owing(bench)
    assert await bench.claims.claim(GAME) is not None

    assert await queued(bench.redis) == [f"resync_game:{GAME}"]


async def test_resync_whose_job_was_lost_gets_another(bench: Bench) -> None:
    """Though its game is looked at so often that it is never due for the sweeper."""
    await owing(bench)
    await bench.redis.delete(keys.ARQ_QUEUE)
    await bench.redis.hset(keys.game(GAME), "queued", "1")
    assert (await bench.claims.claim_due()).owing

    assert await queued(bench.redis) == [f"resync_game:{GAME}"]


async def test_job_that_a_commit_queued_for_a_resync_is_enough(redis: Redis) -> None:
    """The gap's end has its own job; a second one would find upstream asked."""
    bench = a_bench(redis)
    await bench.accept([HISTORY[0], HISTORY[2]])
    (taken,) = (await bench.claims.claim_due()).games
    await bench.applier.finish(taken)
    assert await queued(redis) == [f"resync_game:{GAME}"]

    assert (await bench.claims.claim_due()).owing
    assert await queued(redis) == [f"resync_game:{GAME}"]


async def test_game_that_is_gone_is_due_no_more(bench: Bench) -> None:
    """Its keys expired: there is nothing to claim."""
    await bench.redis.zadd(keys.DUE, {"gm_gone": 1})

    assert names(await bench.claims.claim_due()) == []
    assert await bench.redis.zcard(keys.DUE) == 0


async def test_thousand_events_are_decided_in_one_commit(bench: Bench) -> None:
    """As many arguments as a full inbox has fit into one command each."""
    await bench.accept(HISTORY[:1])
    (taken,) = (await bench.claims.claim_due()).games
    claimed = bench.claims.read(taken)
    digests = {number: f"{number:032x}" for number in range(1, 1_101)}
    entries = [f"{number}-0" for number in range(1, 1_101)]
    full = Commit(
        replace(claimed.record),
        next_look=None,
        applied_digests=digests,
        decided_entries=[*entries, claimed.arrivals.last],
    )
    assert await bench.claims.commit(claimed, full, "release", last="") is None

    seen = await bench.redis.hgetall(keys.seen(GAME))
    assert [seen[f"s:{number}".encode()].decode() for number in digests] == [*digests.values()]
    assert await bench.redis.xlen(keys.inbox(GAME)) == 0
