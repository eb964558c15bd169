"""Upstream's budget: exact, shared, with a reserve, and closed when it cannot be counted."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from ludo.config import Rate
from ludo.store import keys
from ludo.store.connection import Patience, connect
from ludo.store.permits import (
    EVERY_S,
    LEASE_S,
    MOST_AHEAD,
    SETTLE_S,
    BudgetUnknown,
    Permits,
    kept_back,
    leased_ahead,
)
from ludo.store.scripts import Scripts
from ludo.tasks import beside
from ludo.upstream.budget import LONGEST_STRETCH, CallClass
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent
from tests.redis_servers import PrivateRedis
from tests.upstream.fakes import Clock
from tests.waiting import wait_until

HURRIED = Patience(0.2, 0.2, 0, 0.01, ())
ORDER = [CallClass.WRITE, CallClass.READ, CallClass.RESYNC, CallClass.REFRESH]


def permits(
    redis: Redis, limit: int = 100, seconds: int = 60, *, settle: float = 0, ahead: int = 2
) -> Permits:
    return Permits(Scripts(redis), Rate(limit, seconds), settle=settle, ahead=ahead)


async def taken(budget: Permits, klass: CallClass = CallClass.WRITE) -> bool:
    try:
        await budget.take(klass, Deadline.after(5))
    except BudgetSpent:
        return False
    return True


async def spend(budget: Permits, number: int) -> None:
    for _ in range(number):
        assert await taken(budget)


async def test_replicas_together_never_take_more_than_the_limit(redis: Redis) -> None:
    """Of 120 calls at once over three replicas, exactly the limit goes out."""
    replicas = [permits(redis, 50) for _ in range(3)]
    granted = await asyncio.gather(*(taken(replicas[n % 3]) for n in range(120)))
    assert sum(granted) == 50


async def test_a_spent_window_says_when_the_next_call_fits(redis: Redis) -> None:
    """The wait is what is left of the window, with the margin for clocks."""
    budget = permits(redis, 2)
    await spend(budget, 2)
    with pytest.raises(BudgetSpent) as spent:
        await budget.take(CallClass.WRITE, Deadline.after(5))
    assert 59 < spent.value.retry_after <= 61


async def test_permits_come_back_one_window_after_they_were_taken(redis: Redis) -> None:
    """Not a moment earlier, however often it is asked."""
    budget, begun = permits(redis, 1, 1), time.monotonic()
    await spend(budget, 1)
    await wait_until(lambda: taken(budget))
    assert 2.0 <= time.monotonic() - begun < 3.5


async def test_urgent_classes_still_get_what_others_leave(redis: Redis) -> None:
    """Refreshes stop first, then resyncs, then reads; writes take the last permit."""
    budget = permits(redis, 40)
    stopped = []
    for klass in reversed(ORDER):
        while await taken(budget, klass):
            pass
        stopped.append(budget.left)
    assert stopped == [kept_back(klass, 40) for klass in reversed(ORDER)]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 20, 100, 10_000])
def test_every_class_can_get_a_permit_from_a_full_budget(limit: int) -> None:
    """However small the limit is, no class is shut out for ever."""
    kept = [kept_back(klass, limit) for klass in ORDER]
    assert kept == sorted(kept)
    assert kept[-1] < limit


async def test_upstream_s_own_count_holds_if_it_is_lower(redis: Redis) -> None:
    """Calls that somebody else made with our key are counted until upstream's window ends."""
    budget = permits(redis, 10)
    await spend(budget, 1)
    await budget.learn(10, 3, time.time() + 30)
    assert budget.left == 3
    await spend(budget, 3)
    with pytest.raises(BudgetSpent) as spent:
        await budget.take(CallClass.WRITE, Deadline.after(5))
    assert 29 < spent.value.retry_after <= 32


async def test_upstream_s_higher_count_changes_nothing(redis: Redis) -> None:
    """A fixed window that has just begun there does not lift our sliding one."""
    budget = permits(redis, 5)
    await spend(budget, 5)
    await budget.learn(5, 5, time.time() + 60)
    assert not await taken(budget)


@pytest.mark.parametrize("reset", [-10_000.0, 10_000.0])
async def test_a_wrong_clock_upstream_closes_for_a_window_at_most(
    redis: Redis, reset: float
) -> None:
    """A reset in the past or the far future is taken as between a second and a window away."""
    budget = permits(redis, 5)
    await budget.learn(5, 0, time.time() + reset)
    with pytest.raises(BudgetSpent) as spent:
        await budget.take(CallClass.WRITE, Deadline.after(5))
    assert 0 < spent.value.retry_after <= 61


async def test_a_first_start_may_call_at_once(redis: Redis) -> None:
    """Nobody has called before, so there is nothing to wait for."""
    assert await taken(permits(redis))


async def test_an_emptied_log_stays_closed_for_one_window(redis: Redis) -> None:
    """Redis lost what upstream still counts: whoever remembers that closes the new log."""
    budget = permits(redis)
    await spend(budget, 3)
    await redis.flushall()
    with pytest.raises(BudgetSpent) as spent:
        await budget.take(CallClass.WRITE, Deadline.after(5))
    assert 59 < spent.value.retry_after <= 61


async def test_one_replica_that_remembers_closes_the_log_for_all(redis: Redis) -> None:
    """A replica started after the loss knows nothing; a new log rests until older ones spoke."""
    old, new = permits(redis), permits(redis, settle=2 * EVERY_S)
    await spend(old, 1)
    await redis.flushall()
    async with beside("old", old.run()):
        assert not await taken(new)
    assert await redis.zcard(keys.PERMITS) == 0


async def test_calls_that_redis_forgot_close_the_log(redis: Redis) -> None:
    """A Redis that lost its last second gave fewer permits than somebody remembers."""
    budget = permits(redis)
    await spend(budget, 3)
    await redis.hincrby(keys.PERMITS_STATE, "count", -1)
    await redis.zpopmax(keys.PERMITS)
    with pytest.raises(BudgetSpent) as spent:
        await budget.take(CallClass.WRITE, Deadline.after(5))
    assert 59 < spent.value.retry_after <= 61


async def test_after_redis_started_the_log_rests_for_a_moment(redis: Redis) -> None:
    """So that whoever remembers more can say so; the first call waits that long, and goes."""
    assert await taken(permits(redis))
    await redis.hset(keys.PERMITS_STATE, "run", "another")
    begun = time.monotonic()
    assert await taken(permits(redis, settle=0.2))
    assert time.monotonic() - begun >= 0.2


async def test_a_new_log_rests_for_a_moment(redis: Redis) -> None:
    """Redis may have been emptied: whoever comes first knows no better than to wait."""
    budget = permits(redis, settle=0.2)
    with pytest.raises(BudgetSpent) as resting:
        await budget.take(CallClass.WRITE, Deadline.after(0.05))
    assert 0.1 < resting.value.retry_after <= 0.2
    begun = time.monotonic()
    assert await taken(permits(redis, settle=0.2))
    assert time.monotonic() - begun > 0.05


def test_the_rest_is_long_enough_for_everybody_to_look() -> None:
    """Every process looks at the log once in `EVERY_S`, and needs a moment to be answered."""
    assert SETTLE_S >= 2 * EVERY_S


@pytest.mark.parametrize(
    ("limit", "ahead"), [(20, 0), (100, 2), (2_000, 40), (999_999_999, MOST_AHEAD)]
)
def test_a_process_leases_two_in_a_hundred(limit: int, ahead: int) -> None:
    """Of a small budget nothing, and never more than an outage of seconds needs."""
    assert leased_ahead(limit) == ahead


async def leasing(budget: Permits, number: int = 2) -> None:
    await wait_until(lambda: budget.leased == number)


async def test_without_redis_only_what_was_leased_goes_out(redis_server: PrivateRedis) -> None:
    """Two callers who wait get through, then nobody; a refresh never does."""
    redis = connect(redis_server.url, HURRIED)
    budget = permits(redis)
    async with beside("permits", budget.run()):
        await leasing(budget)
        redis_server.kill()
        classes = [CallClass.REFRESH, CallClass.READ, CallClass.RESYNC, *[CallClass.WRITE] * 5]
        assert [await taken(budget, klass) for klass in classes] == [
            False,
            True,
            False,
            True,
            *[False] * 4,
        ]
        redis_server.start()
        await leasing(budget)
        # Two that were used, and two new ones: the log forgot nothing.
        assert await redis.zcard(keys.PERMITS) == 4
    await redis.aclose()


async def test_a_leased_permit_is_counted_until_a_window_after_its_lease(redis: Redis) -> None:
    """Whenever it is used, upstream's window is over when the log's is."""
    budget = permits(redis)
    async with beside("permits", budget.run()):
        await leasing(budget)
        seconds, _ = await redis.time()
        scores = [score for _, score in await redis.zrange(keys.PERMITS, 0, -1, withscores=True)]
    assert all(LEASE_S - 2 <= score / 1000 - seconds <= LEASE_S + 2 for score in scores)
    assert len(scores) == 2


async def test_what_was_leased_is_given_back_at_the_end(redis: Redis) -> None:
    """A process that leaves takes no permit with it."""
    budget = permits(redis)
    async with beside("permits", budget.run()):
        await leasing(budget)
    assert await redis.zcard(keys.PERMITS) == 0


async def test_a_lease_ends_when_it_was_said_to(redis_server: PrivateRedis) -> None:
    """After ten seconds without Redis the permits are anybody's."""
    redis, clock = connect(redis_server.url, HURRIED), Clock()
    budget = Permits(Scripts(redis), Rate(100, 60), clock, settle=0, ahead=2)
    async with beside("permits", budget.run()):
        await leasing(budget)
        redis_server.kill()
        clock.now += LEASE_S
        assert not await taken(budget)
    await redis.aclose()


async def test_a_low_budget_leases_nothing(redis: Redis) -> None:
    """What is left is for those who ask now, and what was leased goes back."""
    budget, other = permits(redis, 20), permits(redis, 20)
    async with beside("permits", budget.run()):
        await leasing(budget)
        await spend(other, 16)
        await leasing(budget, 0)
        for _ in range(4):
            await wait_until(lambda: taken(other))


async def test_a_spent_log_still_gives_what_was_leased(redis: Redis) -> None:
    """Nobody is refused for a permit that this process holds."""
    budget, other = permits(redis, 20), permits(redis, 20)
    async with beside("permits", budget.run()):
        await leasing(budget)
        await spend(other, 18)
        assert [await taken(budget) for _ in range(3)] == [True, True, False]


async def test_upstream_s_lower_limit_holds_from_then_on(redis: Redis) -> None:
    """The setting may promise more than the plan gives; the next window knows it."""
    budget = permits(redis, 1000)
    await budget.learn(20, 20, time.time() + 60)
    assert budget.limit == 20
    await spend(budget, 20)
    assert not await taken(budget)
    assert not await taken(permits(redis, 1000))


async def test_leases_do_not_hide_the_calls_of_others(redis: Redis) -> None:
    """Upstream has not seen what is leased, so it cannot be part of its count."""
    budget = permits(redis, 20)
    async with beside("permits", budget.run()):
        await leasing(budget)
        await budget.learn(20, 15, time.time() + 60)
        # Fifteen are left upstream, of which two are leased.
        assert budget.left == 13


async def test_lifetimes_stretch_with_the_log(redis: Redis) -> None:
    """A process hears of what others take."""
    budget, other = permits(redis, 20), permits(redis, 20)
    assert budget.stretch == 1.0
    async with beside("permits", budget.run()):
        await spend(other, 18)
        await wait_until(lambda: budget.stretch == LONGEST_STRETCH)


async def test_a_restart_on_a_kept_log_changes_nothing(redis: Redis) -> None:
    """A new process goes on where the log stands."""
    await spend(permits(redis, 5), 4)
    restarted = permits(redis, 5)
    assert await taken(restarted)
    assert not await taken(restarted)


async def test_without_redis_nobody_calls(redis_server: PrivateRedis) -> None:
    """The budget fails closed, says why, and opens again with Redis."""
    budget = Permits(Scripts(redis := connect(redis_server.url, HURRIED)), Rate(10, 60), settle=0)
    await spend(budget, 1)
    redis_server.kill()
    with pytest.raises(BudgetUnknown, match="cannot be counted"):
        await budget.take(CallClass.WRITE, Deadline.after(5))
    await budget.learn(10, 1, time.time() + 60)
    redis_server.start()
    await wait_until(lambda: taken(budget))
    await redis.aclose()


async def test_a_frozen_redis_is_not_waited_for(redis_server: PrivateRedis) -> None:
    """The answer comes within a second or so."""
    budget = Permits(Scripts(redis := connect(redis_server.url)), Rate(10, 60), settle=0)
    await spend(budget, 1)
    redis_server.freeze()
    begun = time.monotonic()
    assert not await taken(budget)
    assert time.monotonic() - begun < 2
    redis_server.thaw()
    await redis.aclose()


async def test_the_log_holds_no_more_than_the_limit(redis: Redis) -> None:
    """Refused calls leave no trace."""
    budget = permits(redis, 3)
    await asyncio.gather(*(taken(budget) for _ in range(30)))
    assert await redis.zcard(keys.PERMITS) == 3
