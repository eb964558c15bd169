"""Callers' quotas: exact over replicas, in several windows, and never a reason to fail."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from ludo.config import Rate, parse_rates
from ludo.store import keys
from ludo.store.batching import BatchedScripts
from ludo.store.connection import Patience, connect
from ludo.store.quota import LocalQuota, Quota
from ludo.store.scripts import Scripts
from ludo.store.windows import Outcome, Spent, Taken, Window, count
from ludo.tasks import beside
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

HURRIED = Patience(0.2, 0.2, 0, 0.01, ())


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def batched(redis: Redis) -> AsyncIterator[BatchedScripts]:
    """What a proxy asks Redis through: many at once need no connection each."""
    scripts = BatchedScripts(redis)
    async with beside("scripts", scripts.serve()):
        yield scripts


def quota(redis: Redis, rates: str = "5/60s") -> Quota:
    return Quota(Scripts(redis), parse_rates(rates), Clock())


def left(outcome: Outcome) -> list[int]:
    return [allowance.remaining for allowance in outcome.allowances]


async def test_replicas_together_let_exactly_the_limit_through(batched: BatchedScripts) -> None:
    """Of 400 requests at once over four replicas, exactly 100 pass."""
    replicas = [Quota(batched, parse_rates("100/60s"), Clock()) for _ in range(4)]
    outcomes = await asyncio.gather(*(replicas[n % 4].take("ann") for n in range(400)))
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 100


async def test_callers_do_not_share_a_quota(redis: Redis) -> None:
    """One caller's flood costs another nothing."""
    shared = quota(redis, "1/60s")
    assert isinstance(await shared.take("ann"), Taken)
    assert isinstance(await shared.take("ann"), Spent)
    assert isinstance(await shared.take("bob"), Taken)


async def test_what_is_left_is_told(redis: Redis) -> None:
    """Each request tells how many more fit, and when there will be more."""
    shared = quota(redis)
    outcomes = [await shared.take("ann") for _ in range(3)]
    assert [left(outcome) for outcome in outcomes] == [[4], [3], [2]]
    assert 1 <= outcomes[-1].allowances[0].reset <= 60


async def test_every_window_has_to_have_room(redis: Redis) -> None:
    """A refusal by one window takes nothing from the others."""
    shared = quota(redis, "2/60s,5/3600s")
    outcomes = [await shared.take("ann") for _ in range(4)]
    assert [type(outcome) for outcome in outcomes] == [Taken, Taken, Spent, Spent]
    assert left(outcomes[-1]) == [0, 3]
    assert isinstance(outcomes[-1], Spent)
    assert outcomes[-1].rate == Rate(2, 60)


async def test_a_refusal_says_when_to_come_again(redis: Redis) -> None:
    """`retry_after` is at least what is left of the window."""
    shared = quota(redis, "1/60s")
    await shared.take("ann")
    refused = await shared.take("ann")
    assert isinstance(refused, Spent)
    assert refused.retry_after == refused.allowances[0].reset >= 60


async def test_off_lets_everybody_through(redis: Redis) -> None:
    """Without a rate nothing is counted, and nothing is told."""
    assert await quota(redis, "off").take("ann") == Taken(())
    assert await redis.keys("ludo:quota:*") == []


async def test_without_redis_this_process_counts(redis_server: PrivateRedis) -> None:
    """A lost Redis neither lifts the quota nor fails a request."""
    redis = connect(redis_server.url, HURRIED)
    shared = Quota(Scripts(redis), parse_rates("2/60s"), Clock())
    redis_server.kill()
    outcomes = [await shared.take("ann") for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Taken, Taken, Spent]
    await redis.aclose()


def test_a_refused_caller_may_come_again_when_he_was_told() -> None:
    """Not a second earlier, and not a second later."""
    clock = Clock()
    local = LocalQuota([Rate(3, 10)], clock)
    for _ in range(3):
        local.take("ann")
    refused = local.take("ann")
    assert isinstance(refused, Spent)
    clock.now += refused.retry_after - 1.001
    assert isinstance(local.take("ann"), Spent)
    clock.now += 1.001
    assert isinstance(local.take("ann"), Taken)


@given(
    limit=st.integers(1, 20),
    seconds=st.integers(1, 20),
    pauses=st.lists(st.integers(0, 15_000), min_size=1, max_size=60),
)
def test_no_stretch_of_time_lets_twice_the_limit_through(
    limit: int, seconds: int, pauses: list[int]
) -> None:
    """The window slides: its edge is no second chance."""
    clock = Clock()
    local = LocalQuota([Rate(limit, seconds)], clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause / 1000
        if isinstance(local.take("ann"), Taken):
            passed.append(clock.now)
    for begin in passed:
        inside = [at for at in passed if begin <= at < begin + seconds]
        assert len(inside) < max(2, 2 * limit)


@pytest.mark.parametrize(
    ("ago", "current", "previous"),
    [(40_000, 7, 2), (70_000, 7, 7), (29_000, 3, 7), (15_000, 3, 8), (15_000, 2, 8), (500, 7, 0)],
)
async def test_redis_and_this_process_count_alike(
    redis: Redis, ago: int, current: int, previous: int
) -> None:
    """The script and the Python beside it give the same answers to the same windows."""
    rates = parse_rates("7/30s")
    now = await redis_ms(redis)
    window = Window(now - ago, current, previous)
    key = keys.quota("ann", "7/30s")
    await redis.hset(key, mapping={"s": window.start, "c": current, "p": previous})
    await redis.pexpire(key, 60_000)
    theirs = await quota(redis, "7/30s").take("ann")
    _, mine = count([window], rates, await redis_ms(redis), 1)
    assert type(mine) is type(theirs)
    assert left(mine) == left(theirs)


async def redis_ms(redis: Redis) -> int:
    seconds, micros = await redis.time()
    return int(seconds * 1000 + micros // 1000)


async def test_memory_is_bounded_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of callers pushes out those who came first."""
    monkeypatch.setattr("ludo.store.quota.LOCAL_CALLERS", 10)
    local = LocalQuota([Rate(1, 60)], Clock())
    for number in range(50):
        local.take(f"caller-{number}")
    assert isinstance(local.take("caller-0"), Taken)
    assert isinstance(local.take("caller-49"), Spent)


async def often(quota: Quota, clock: Clock, number: int, caller: str = "ann") -> list[Outcome]:
    """So many requests of one caller, a millisecond apart."""
    outcomes = []
    for _ in range(number):
        clock.now += 0.001
        outcomes.append(await quota.take(caller))
    return outcomes


class Counting(Scripts):
    """Scripts that count how often Redis was asked."""

    asked = 0

    async def run(self, name: str, **how: Any) -> Any:
        self.asked += 1
        return await super().run(name, **how)


async def test_who_asks_often_is_asked_about_seldom(redis: Redis) -> None:
    """A thousand requests cost few round trips, and each is told what is left."""
    scripts, clock = Counting(redis), Clock()
    shared = Quota(scripts, parse_rates("100000/60s"), clock)
    outcomes = await often(shared, clock, 1000)
    assert scripts.asked < 100
    assert [left(outcome)[0] for outcome in outcomes] == list(range(99_999, 98_999, -1))


async def test_who_asks_seldom_has_nothing_taken_ahead(redis: Redis) -> None:
    """What Redis has counted is what was used."""
    clock = Clock()
    shared = Quota(Scripts(redis), parse_rates("1000/60s"), clock)
    for _ in range(5):
        clock.now += 0.2
        await shared.take("ann")
    assert await redis.hget(keys.quota("ann", "1000/60s"), "c") == b"5"


@pytest.mark.parametrize("limit", [100, 300, 1000])
async def test_a_flood_over_replicas_gets_exactly_the_limit(
    batched: BatchedScripts, limit: int
) -> None:
    """Four replicas, each asked limit times one after another: what was taken ahead is used."""
    clock = Clock()
    replicas = [Quota(batched, parse_rates(f"{limit}/60s"), clock) for _ in range(4)]
    outcomes = await asyncio.gather(*(often(replica, clock, limit) for replica in replicas))
    assert sum(isinstance(each, Taken) for some in outcomes for each in some) == limit


async def test_what_was_not_used_is_given_back(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second after the last request Redis has counted what was used, and no more."""
    monkeypatch.setattr("ludo.store.quota.AHEAD_S", 0.01)
    clock = Clock()
    shared = Quota(Scripts(redis), parse_rates("10000/60s,20000/3600s"), clock)
    await often(shared, clock, 200)
    clock.now += 2
    async with beside("quota", shared.run()):
        for rate in ("10000/60s", "20000/3600s"):
            name = keys.quota("ann", rate)
            await wait_until(partial(counted, redis, name, 200))


async def counted(redis: Redis, name: str, number: int) -> bool:
    return int(await redis.hget(name, "c") or 0) == number


async def test_the_same_is_given_back_once(redis: Redis) -> None:
    """However often the script is sent."""
    scripts, name = Scripts(redis), keys.quota("ann", "1000/60s")
    await Quota(scripts, parse_rates("1000/60s"), Clock()).take("ann", 50)
    start = (await redis.hget(name, "s") or b"").decode()
    for _ in range(3):
        await scripts.run("give_back_quota", keys=[name], args=["once", 20, start])
    assert await counted(redis, name, 30)


async def test_nothing_is_given_back_to_another_window(redis: Redis) -> None:
    """What was taken from a window that is over has gone with it."""
    scripts, name = Scripts(redis), keys.quota("ann", "1000/60s")
    await Quota(scripts, parse_rates("1000/60s"), Clock()).take("ann", 50)
    await scripts.run("give_back_quota", keys=[name], args=["late", 20, 12345])
    assert await counted(redis, name, 50)


async def test_a_cost_is_taken_whole_or_not_at_all(redis: Redis) -> None:
    """Also from what was taken ahead."""
    shared = quota(redis, "10/60s")
    assert left(await shared.take("ann", 7)) == [3]
    assert isinstance(await shared.take("ann", 4), Spent)
    assert left(await shared.take("ann", 3)) == [0]


async def test_a_silent_redis_is_not_asked_by_everybody(redis_server: PrivateRedis) -> None:
    """After one request has waited in vain the next ones are counted here."""
    redis = connect(redis_server.url, HURRIED)
    scripts, clock = Counting(redis), Clock()
    shared = Quota(scripts, parse_rates("10/60s"), clock)
    redis_server.freeze()
    outcomes = [await shared.take("ann") for _ in range(5)]
    assert (scripts.asked, [left(each) for each in outcomes]) == (1, [[9], [8], [7], [6], [5]])
    redis_server.thaw()
    await redis.aclose()
