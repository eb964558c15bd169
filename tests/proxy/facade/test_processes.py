"""The cache over four processes of `serve`: thousands of misses, kills, and an upstream that dies.

Long runs, in `make prove` only.
"""

import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from redis.asyncio import Redis

from ludo.store.cache import SharedCache
from ludo.store.scripts import Scripts
from tests.proxy.facade.origin import Origin, an_origin
from tests.proxy.test_server import Serving, a_free_port, serving
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300)]
READERS = 1_000
OUTAGE_S = 20.0


@asynccontextmanager
async def four(redis_url: str, upstream_url: str, **more: str) -> AsyncIterator[list[Serving]]:
    """Four processes on one Redis, without quotas."""
    environ = {
        "LUDO_API_BASE_URL": upstream_url,
        "LUDO_QUOTA": "off",
        "LUDO_UPSTREAM_LIMIT": "6000/60s",
        **more,
    }
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(serving(redis_url, "--role", "api", **environ))
            for _ in range(4)
        ]
        yield [await each for each in starting]


@asynccontextmanager
async def a_client() -> AsyncIterator[aiohttp.ClientSession]:
    """As many connections as there are readers."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http


async def read(http: aiohttp.ClientSession, process: Serving, path: str) -> tuple[int, bytes]:
    """The status and the body; 0 if the connection broke."""
    try:
        async with http.get(f"{process.url}{path}") as answer:
            return answer.status, await answer.read()
    except (aiohttp.ClientError, OSError):
        return 0, b""


async def test_a_thousand_misses_are_one_call(redis_server: PrivateRedis) -> None:
    """At once over four processes: upstream hears of one, and all get the same answer."""
    async with (
        an_origin(a_free_port(), delay=1.0) as origin,
        four(redis_server.url, origin.url) as processes,
        a_client() as http,
    ):
        reads = (read(http, processes[n % 4], "/v1/rooms/R1") for n in range(READERS))
        answers = await asyncio.gather(*reads)
        assert Counter(status for status, _ in answers) == {200: READERS}
        assert len({body for _, body in answers}) == 1
        assert origin.arrived == {"/v1/rooms/R1": 1}


async def test_with_the_leader_killed_they_are_two(redis_server: PrivateRedis) -> None:
    """Another process takes over; whoever waited at a living one gets an answer."""
    async with (
        an_origin(a_free_port(), delay=2.0) as origin,
        four(redis_server.url, origin.url) as processes,
        a_client() as http,
    ):
        leader, living = processes[0], processes[1:]
        first = asyncio.create_task(read(http, leader, "/v1/rooms/R1"))
        await wait_until(lambda: origin.arrived)
        reads = [
            asyncio.create_task(read(http, living[n % 3], "/v1/rooms/R1")) for n in range(READERS)
        ]
        await asyncio.sleep(0.3)
        leader.process.kill()
        answers = await asyncio.gather(*reads)
        assert (await first)[0] == 0
        assert Counter(status for status, _ in answers) == {200: READERS}
        assert origin.arrived["/v1/rooms/R1"] <= 2


async def timed(http: aiohttp.ClientSession, process: Serving, path: str) -> tuple[float, int, str]:
    """How long an answer took, its status, and what it says of the cache or of a later try."""
    begun = time.perf_counter()
    async with http.get(f"{process.url}{path}") as answer:
        await answer.read()
        told = answer.headers.get("Retry-After") or answer.headers["Cache-Status"]
        return time.perf_counter() - begun, answer.status, told


async def test_an_outage_is_hardly_noticed(
    redis_server: PrivateRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    """Upstream dead for ten minutes, scaled down: what was known is told, the rest is 503."""
    port = a_free_port()
    known = [f"/v1/rooms/R{number}" for number in range(20)]
    stale: list[float] = []
    refused: list[float] = []
    async with a_client() as http, AsyncExitStack() as upstream:
        origin = await upstream.enter_async_context(an_origin(port))
        async with four(redis_server.url, origin.url) as processes:
            for number, path in enumerate(known):
                assert (await read(http, processes[number % 4], path))[0] == 200
            await upstream.aclose()
            ends = time.monotonic() + OUTAGE_S
            number = 0
            while time.monotonic() < ends:
                number += 1
                took, status, _ = await timed(http, processes[number % 4], known[number % 20])
                assert status == 200
                stale.append(took)
                if number % 5 == 0:
                    unknown = f"/v1/rooms/X{number}"
                    took, status, told = await timed(http, processes[number % 4], unknown)
                    assert (status, int(told) >= 1) == (503, True)
                    refused.append(took)
                await asyncio.sleep(0.02)
            async with an_origin(port):
                healed = time.monotonic()
                await wait_until(lambda: _answers(http, processes[0]), timeout=30)
                healing = time.monotonic() - healed
    with capsys.disabled():
        sys.stdout.write(
            f"\noutage of {OUTAGE_S:.0f} s: {len(stale)} stale answers, {spread(stale)}; "
            f"{len(refused)} refusals, {spread(refused)}; healed within {healing:.1f} s\n"
        )
    assert healing < 10


async def _answers(http: aiohttp.ClientSession, process: Serving) -> bool:
    return (await read(http, process, "/v1/rooms/RNEW"))[0] == 200


def spread(seconds: list[float]) -> str:
    """The median and the 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms"


async def purge_times(processes: list[Serving], origin: Origin, redis_url: str) -> list[float]:
    """Seconds from a purge until the last process tells the new answer, again and again."""
    took = []
    async with a_client() as http, Redis.from_url(redis_url) as redis:
        cache, path = SharedCache(redis, Scripts(redis)), "/v1/rooms/R1"
        for _ in range(60):
            for process in processes * 2:
                await read(http, process, path)
            before = origin.arrived[path]
            begun = time.perf_counter()
            await cache.purge(["room:R1"])
            expected = b'"playerCount":%d' % (before + 1)
            waiting = list(processes)
            while waiting:
                answers = await asyncio.gather(*(read(http, each, path) for each in waiting))
                waiting = [
                    each
                    for each, (_, body) in zip(waiting, answers, strict=True)
                    if expected not in body
                ]
            took.append(time.perf_counter() - begun)
    return took


async def test_a_purge_is_seen_everywhere_within_a_quarter_of_a_second(
    redis_server: PrivateRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the layers of four processes that hold the answer as bytes."""
    async with (
        an_origin(a_free_port()) as origin,
        four(redis_server.url, origin.url) as processes,
    ):
        took = await purge_times(processes, origin, redis_server.url)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(took)} purges over four processes: {spread(took)}\n")
    assert statistics.median(took) < 0.25
