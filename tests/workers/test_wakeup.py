"""An arq worker that wakes at once and outlives its Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from ludo import tasks
from ludo.store import keys
from ludo.store.config import StoreConfig
from ludo.store.connection import connect
from ludo.store.games import GameReader
from ludo.upstream.config import UpstreamConfig
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until
from tests.workers.builders import GAME, a_bench, a_history
from workers.config import WorkerConfig, WorkerSettings
from workers.main import make_worker
from workers.wakeup import NudgedWorker

HISTORY = a_history()


@asynccontextmanager
async def a_worker(server: PrivateRedis, *, upstream_port: int = 9) -> AsyncIterator[NudgedWorker]:
    """A worker on this Redis, with an upstream that nobody answers for."""
    settings = WorkerSettings(
        WorkerConfig(gap_wait=0.1),
        StoreConfig(data_dir=server.place.folder),
        UpstreamConfig(
            base_url=f"http://127.0.0.1:{upstream_port}/v1", attempt=60, deadline=60, limit=None
        ),
    )
    async with AsyncExitStack() as parts:
        worker = await make_worker(parts, server.url, settings)
        async with tasks.beside("polling", worker.main()):
            yield worker
            await worker.drain(1)


async def reaches(redis: Redis, sequence: int, within: float = 10, game_id: str = GAME) -> None:
    """Waits for the mirror to be so far."""

    async def there() -> bool:
        stored = await GameReader(redis).load(game_id)
        return stored is not None and stored.seq >= sequence

    await wait_until(there, timeout=within)


async def test_accepted_event_is_applied_before_the_next_poll(redis_server: PrivateRedis) -> None:
    """arq alone would look every half second; the nudge is much faster in the median."""
    async with connect(redis_server.url) as redis, a_worker(redis_server):
        bench, waits = a_bench(redis), []
        for number, event in enumerate(HISTORY[:15], start=1):
            await bench.accept([event])
            begun = perf_counter()
            await reaches(redis, number)
            waits.append(perf_counter() - begun)

    assert sorted(waits)[7] < 0.2


async def test_worker_goes_on_when_redis_comes_back(redis_server: PrivateRedis) -> None:
    """kill -9 of Redis: what was accepted is applied, and so is what comes after."""
    async with connect(redis_server.url) as redis, a_worker(redis_server):
        bench = a_bench(redis)
        await bench.accept(HISTORY[:5])
        await reaches(redis, 5)
        redis_server.kill()
        redis_server.start()
        await bench.accept(HISTORY[5:9])
        await reaches(redis, 9)


async def test_job_that_takes_long_keeps_nobody_waiting_after_a_failed_poll(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one game's state is being fetched and Redis goes, the other games do not stop."""
    async with (
        silent_upstream() as (port, asked),
        connect(redis_server.url) as redis,
        a_worker(redis_server, upstream_port=port) as worker,
    ):
        bench = a_bench(redis)
        await bench.accept([HISTORY[0], HISTORY[2]])
        await wait_until(lambda: asked.qsize() > 1)  # the census, and the state
        failed = asyncio.Event()

        async def fails_once() -> None:
            monkeypatch.undo()
            failed.set()
            raise RedisConnectionError

        monkeypatch.setattr(worker, "heart_beat", fails_once)
        await failed.wait()
        await bench.accept(a_history(2, "gm_other")[:5])
        await reaches(redis, 5, game_id="gm_other")
        assert asked.qsize() == 2


@asynccontextmanager
async def silent_upstream() -> AsyncIterator[tuple[int, asyncio.Queue[None]]]:
    """A port where every call is heard and none is answered, and the calls so far."""
    asked: asyncio.Queue[None] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.put_nowait(None)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


async def test_game_that_nobody_woke_is_swept_up(redis_server: PrivateRedis) -> None:
    """A wake-up that was lost costs a few seconds, not the game."""
    async with connect(redis_server.url) as redis:
        await a_bench(redis).accept(HISTORY[:3])
        await redis.delete(keys.ARQ_QUEUE, keys.NUDGE)
        async with a_worker(redis_server):
            await reaches(redis, 3, within=15)
