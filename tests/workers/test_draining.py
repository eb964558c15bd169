"""A worker that leaves finishes what it has begun, and begins nothing else."""

import asyncio

import msgspec
from arq.constants import in_progress_key_prefix, retry_key_prefix
from arq.worker import func
from redis.asyncio import Redis

from ludo import tasks
from ludo.store import keys
from ludo.store.connection import WORKER, connect, connect_arq
from tests.waiting import wait_until
from workers.wakeup import NudgedWorker


async def test_draining_finishes_what_was_begun_and_consumes_no_try(
    redis_url: str, redis: Redis
) -> None:
    """The job at work ends by itself; one that comes meanwhile waits untouched for the next."""
    begun, ended, may_end = list[str](), list[str](), asyncio.Event()

    async def job(_: object, name: str) -> None:
        begun.append(name)
        await may_end.wait()
        ended.append(name)

    async with connect(redis_url, WORKER) as nudges:
        pool = connect_arq(
            redis_url, serializer=msgspec.json.encode, deserializer=msgspec.json.decode
        )
        worker = NudgedWorker(
            nudges=nudges,
            redis_pool=pool,
            functions=[func(job, name="job")],  # type: ignore[arg-type]
            handle_signals=False,
            keep_result=0,
            job_serializer=msgspec.json.encode,
            job_deserializer=msgspec.json.decode,
        )
        async with tasks.beside("polling", worker.main()):
            await pool.enqueue_job("job", "first", _job_id="first")
            await wait_until(lambda: begun == ["first"], 20)
            draining = asyncio.create_task(worker.drain(60))
            await asyncio.sleep(0)
            await pool.enqueue_job("job", "second", _job_id="second")
            may_end.set()
            await draining
        assert (begun, ended) == (["first"], ["first"])
        assert await redis.zrange(keys.ARQ_QUEUE, 0, -1) == [b"second"]
        assert await redis.keys(f"{retry_key_prefix}*") == []
        assert await redis.keys(f"{in_progress_key_prefix}*") == []
        await pool.aclose()
