"""arq as it has to be set for what we build on it, each point with what it prevents."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from arq.constants import in_progress_key_prefix, result_key_prefix
from redis.asyncio import Redis

from ludo import tasks
from ludo.store import claims, keys
from ludo.store.claims import Arrivals, Claimed, Commit, Flight, Mode
from ludo.store.config import StoreConfig
from ludo.store.connection import WORKER
from ludo.upstream.client import LudoClient
from ludo.upstream.config import UpstreamConfig
from tests.proxy.upstream import Upstream
from tests.waiting import wait_until
from tests.workers.builders import GAME, a_bench, a_history
from workers.applying import CLAIM_DEADLINE_S, QUANTUM
from workers.config import WorkerConfig, WorkerSettings
from workers.main import JOB_TIMEOUT_S, make_worker
from workers.planning import Unreachable
from workers.source import WITHIN_S, fetch_state
from workers.wakeup import NudgedWorker

HISTORY = a_history()


async def made(parts: AsyncExitStack, url: str) -> NudgedWorker:
    folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
    upstream = UpstreamConfig(base_url="http://127.0.0.1:9/v1")
    settings = WorkerSettings(WorkerConfig(), StoreConfig(data_dir=folder), upstream)
    return await make_worker(parts, url, settings)


async def test_arq_is_tuned(redis_url: str, redis: Redis) -> None:
    """No results that block ids, a queue that is read far enough, a heartbeat, no pickle."""
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        for function in worker.functions.values():
            assert function.keep_result_s in (None, 0)
        assert worker.keep_result_s == 0
        assert worker.queue_read_limit >= 1000
        # A game whose worker was killed is blocked for as long as this, plus ten seconds.
        assert worker.in_progress_timeout_s <= 45
        assert worker.health_check_interval == 5
        assert worker.job_serializer is msgspec.json.encode
        assert worker.job_deserializer is msgspec.json.decode
        assert WORKER.attempts == -1
        assert worker.pool.connection_pool.connection_kwargs["retry"]._retries == -1
        await worker.pool.aclose()


async def test_workers_leave_nothing_of_a_job_behind(redis_url: str, redis: Redis) -> None:
    """Its id is never used again, so a result or a mark of it would only fill Redis."""
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        await parts.enter_async_context(tasks.beside("polling", worker.main()))
        await a_bench(redis).accept(HISTORY[:3])

        async def is_idle() -> bool:
            return not await redis.keys("arq:job:apply*") and bool(
                await redis.hget(keys.game(GAME), "seq")
            )

        await wait_until(is_idle, 20)
        assert await redis.keys(f"{result_key_prefix}*") == []
        assert await redis.keys(f"{in_progress_key_prefix}apply*") == []
        await worker.drain(5)


def test_an_answer_of_upstream_comes_while_somebody_waits_for_it() -> None:
    """The job outlives question and claim."""
    assert WITHIN_S + CLAIM_DEADLINE_S < JOB_TIMEOUT_S


async def test_a_flight_lasts_as_long_as_the_question_and_ends_soon_after_a_death(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow answer is not asked for twice; after a worker that was killed another one asks."""
    monkeypatch.setattr(claims, "FLIGHT_MS", 150)
    bench = a_bench(redis)
    await bench.claims.ask(GAME)
    flight = await bench.claims.begin_resync(GAME)
    assert flight is not None

    async with bench.claims.prolonged(GAME, flight):
        await asyncio.sleep(0.4)
        assert await bench.claims.begin_resync(GAME) is None

    async def another_asks() -> Flight | None:
        return await bench.claims.begin_resync(GAME)

    await wait_until(another_asks)


async def test_a_long_deadline_does_not_outlive_the_flight() -> None:
    """LUDO_UPSTREAM_DEADLINE is for callers; a resync gives up earlier if it must."""
    upstream = Upstream()
    upstream.hold()
    async with LudoClient("http://upstream/v1", transport=upstream) as client:
        fetched = await asyncio.wait_for(fetch_state(client, GAME, within=0.1), 20)

    assert isinstance(fetched, Unreachable)


async def test_a_hot_game_goes_to_the_back_of_the_queue(redis: Redis) -> None:
    """However fast its events come, after a quantum of commits the others have their turn."""
    bench = a_bench(redis)
    commits: list[Mode] = []

    class Hot(type(bench.claims)):  # type: ignore[misc]
        async def commit(
            self,
            claimed: Claimed,
            commit: Commit,
            mode: Mode,
            *,
            last: str,
            flight: Flight | None = None,
        ) -> Arrivals | None:
            await bench.accept([HISTORY[len(commits) + 1]])
            commits.append(mode)
            arrivals: Arrivals | None = await bench.claims.commit(
                claimed, commit, mode, last=last, flight=flight
            )
            return arrivals

    await bench.accept(HISTORY[:1])
    await redis.delete(keys.ARQ_QUEUE)
    hot = object.__new__(Hot)
    hot.__dict__.update(bench.claims.__dict__)
    await replace(bench.applier, claims=hot).apply(GAME)

    assert commits == ["release"] * (QUANTUM - 1) + ["yield"]
    assert await redis.exists(keys.lease(GAME)) == 0
    assert await redis.zcard(keys.ARQ_QUEUE) == 1


async def test_a_failing_game_is_tried_again_and_holds_nobody_up(
    redis_url: str, redis: Redis
) -> None:
    """Its events stay where they are; every other game is applied to its end."""
    bench, others = a_bench(redis), [f"gm_{n}" for n in range(15)]
    await bench.accept(a_history(1, "gm_poison")[:1])
    await redis.xadd(keys.inbox("gm_poison"), {"v": "unreadable"})
    async with AsyncExitStack() as parts:
        worker = await made(parts, redis_url)
        await parts.enter_async_context(tasks.beside("polling", worker.main()))
        for game_id in others:
            await bench.accept(a_history(1, game_id)[:5])

        async def applied() -> bool:
            places = [await redis.hget(keys.game(game_id), "seq") for game_id in others]
            return places == [b"5"] * len(others)

        await wait_until(applied, 90)
        await worker.drain(5)
    assert await redis.xlen(keys.inbox("gm_poison")) == 2
    assert await redis.zscore(keys.DUE, "gm_poison") is not None
