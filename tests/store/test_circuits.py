"""Circuits of several replicas: one opens, all know; one probes, none else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.circuits import SharedCircuits
from ludo.store.connection import Patience, connect
from ludo.store.scripts import Scripts
from ludo.upstream.circuits import Circuits
from ludo.upstream.errors import CircuitOpen, UpstreamTimedOut
from ludo.upstream.health import CircuitPolicy, CircuitState, Phase
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

ROUTE = "/rooms"
QUICK = CircuitPolicy(open_for=0.3, jitter=0.0)
SLOW = CircuitPolicy(open_for=60, jitter=0.0)
HURRIED = Patience(0.2, 0.2, 0, 0.01, ())


@asynccontextmanager
async def running(redis: Redis, policy: CircuitPolicy = QUICK) -> AsyncIterator[Circuits]:
    """One replica's circuits, shared while the block runs."""
    shared = SharedCircuits(redis, Scripts(redis), policy)
    task = asyncio.create_task(shared.run())
    try:
        yield shared.circuits
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def replicas(redis: Redis) -> AsyncIterator[list[Circuits]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(redis)) for _ in range(3)]


async def fail(circuits: Circuits, times: int = 5) -> None:
    for _ in range(times):
        passage = await circuits.admit(ROUTE)
        passage.settle(UpstreamTimedOut("no answer"))
        passage.release()


def phases(replicas: list[Circuits]) -> set[Phase]:
    return {circuits.of(ROUTE).phase for circuits in replicas}


async def opened(replicas: list[Circuits]) -> None:
    await fail(replicas[0])
    await wait_until(lambda: phases(replicas) == {Phase.OPEN})


async def admitted(circuits: Circuits) -> bool:
    try:
        await circuits.admit(ROUTE)
    except CircuitOpen:
        return False
    return True


async def test_what_one_replica_learns_all_know(redis: Redis) -> None:
    """A circuit that opens in one of them opens in all."""
    async with running(redis, SLOW) as first, running(redis, SLOW) as second:
        await opened([first, second])
        assert not await admitted(first)
        assert not await admitted(second)


async def test_one_probe_goes_out_for_all_replicas(replicas: list[Circuits]) -> None:
    """Of 60 calls at once after the open time, one gets through."""
    await opened(replicas)
    await asyncio.sleep(QUICK.open_for + 0.05)
    entered = await asyncio.gather(*(admitted(replicas[n % 3]) for n in range(60)))
    assert sum(entered) == 1


async def test_a_good_probe_closes_all(replicas: list[Circuits]) -> None:
    """Upstream is well again: everybody may call."""
    await opened(replicas)
    await asyncio.sleep(QUICK.open_for + 0.05)
    passage = await replicas[1].admit(ROUTE)
    passage.settle(None)
    passage.release()
    await wait_until(lambda: phases(replicas) == {Phase.CLOSED})


async def test_a_probe_without_a_result_is_given_back(replicas: list[Circuits]) -> None:
    """Its caller hung up: another replica may probe, long before the key would expire."""
    await opened(replicas)
    await asyncio.sleep(QUICK.open_for + 0.05)
    (await replicas[0].admit(ROUTE)).release()
    await wait_until(lambda: admitted(replicas[1]))


async def test_a_new_replica_takes_over_what_is_known(
    redis: Redis, replicas: list[Circuits]
) -> None:
    """It does not have to fail five times by itself."""
    await fail(replicas[0])
    await wait_until(lambda: redis.exists(keys.CIRCUITS))
    async with running(redis) as newcomer:
        await wait_until(lambda: newcomer.of(ROUTE).epoch == 1)


async def test_an_older_epoch_does_not_come_back(redis: Redis) -> None:
    """A replica that was asleep cannot reopen what has closed since."""
    async with running(redis) as circuits:
        circuits.take_over(CircuitState(ROUTE, Phase.CLOSED, 7))
        script = Scripts(redis)
        await script.run("tell_circuit", keys=[keys.CIRCUITS], args=[ROUTE, "closed", 7, 0, 60_000])
        told = await script.run(
            "tell_circuit", keys=[keys.CIRCUITS], args=[ROUTE, "open", 6, 9_000, 60_000]
        )
        assert told == 0
        assert circuits.of(ROUTE).phase is Phase.CLOSED


async def test_without_redis_each_replica_finds_out_by_itself(redis_server: PrivateRedis) -> None:
    """Circuits go on opening and probing, and sharing when Redis is back."""
    redis = connect(redis_server.url, HURRIED)
    async with running(redis) as one, running(redis) as other:
        redis_server.kill()
        await fail(one)
        assert one.of(ROUTE).phase is Phase.OPEN
        await asyncio.sleep(QUICK.open_for + 0.05)
        assert await admitted(one)
        redis_server.start()
        await fail(other)
        await wait_until(lambda: redis.exists(keys.CIRCUITS))
    await redis.aclose()
