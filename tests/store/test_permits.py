"""Upstream's budget: exact, shared, with a reserve, and closed when it cannot be counted."""

import asyncio
import time

import pytest
from redis.asyncio import Redis

from ludo.config import Rate
from ludo.store import keys
from ludo.store.connection import Patience, connect
from ludo.store.permits import BudgetUnknown, Permits, kept_back
from ludo.store.scripts import Scripts
from ludo.upstream.budget import CallClass
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

HURRIED = Patience(0.2, 0.2, 0, 0.01, ())
ORDER = [CallClass.WRITE, CallClass.READ, CallClass.RESYNC, CallClass.REFRESH]


def permits(redis: Redis, limit: int = 100, seconds: int = 60) -> Permits:
    return Permits(Scripts(redis), Rate(limit, seconds))


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
    """A replica started after the loss knows nothing, until an older one has asked."""
    old, new = permits(redis), permits(redis)
    await spend(old, 1)
    await redis.flushall()
    assert await taken(new)
    assert not await taken(old)
    assert not await taken(new)


async def test_a_restart_on_a_kept_log_changes_nothing(redis: Redis) -> None:
    """A new process goes on where the log stands."""
    await spend(permits(redis, 5), 4)
    restarted = permits(redis, 5)
    assert await taken(restarted)
    assert not await taken(restarted)


async def test_without_redis_nobody_calls(redis_server: PrivateRedis) -> None:
    """The budget fails closed, says why, and opens again with Redis."""
    budget = Permits(Scripts(redis := connect(redis_server.url, HURRIED)), Rate(10, 60))
    await spend(budget, 1)
    redis_server.kill()
    with pytest.raises(BudgetUnknown, match="cannot be counted"):
        await budget.take(CallClass.WRITE, Deadline.after(5))
    await budget.learn(10, 1, time.time() + 60)
    redis_server.start()
    assert await taken(budget)
    await redis.aclose()


async def test_a_frozen_redis_is_not_waited_for(redis_server: PrivateRedis) -> None:
    """The answer comes within a second or so."""
    budget = Permits(Scripts(redis := connect(redis_server.url)), Rate(10, 60))
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
