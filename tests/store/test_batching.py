"""Calls that share pipelines: cheaper together, and each for itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from ludo.store import batching, keys
from ludo.store import inbox as inbox_of
from ludo.store.batching import BatchedScripts
from ludo.store.connection import connect
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Inbox, Verdict
from ludo.tasks import beside, end
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until
from tests.workers.builders import GAME, a_history, delivery

HISTORY = a_history()
HELD: Final = "msg_held"


@asynccontextmanager
async def serving(redis: Redis) -> AsyncIterator[BatchedScripts]:
    scripts = BatchedScripts(redis)
    async with beside("accepting", scripts.serve()):
        yield scripts


@pytest.fixture
async def scripts(redis: Redis) -> AsyncIterator[BatchedScripts]:
    async with serving(redis) as each:
        yield each


async def commands(redis: Redis) -> int:
    """How many commands Redis has been asked by clients so far; a pipeline is many."""
    return int((await redis.info("stats"))["total_commands_processed"])


async def reads(redis: Redis) -> int:
    """How often Redis has read from a client so far; a pipeline is one or two."""
    return int((await redis.info("stats"))["total_reads_processed"])


async def test_calls_of_one_moment_go_together(redis: Redis, scripts: BatchedScripts) -> None:
    """Sixty deliveries are a few reads for Redis, and sixty rows."""
    inbox = Inbox(scripts, backlog=1_000)
    await inbox.accept(delivery(HISTORY[0]))
    before = await reads(redis)
    verdicts = await asyncio.gather(*(inbox.accept(delivery(each)) for each in HISTORY[1:61]))

    assert verdicts == [Verdict.ACCEPTED] * 60
    assert await redis.xlen(keys.inbox(GAME)) == 61
    assert await reads(redis) - before < 20


async def test_each_call_has_its_own_answer(redis: Redis, scripts: BatchedScripts) -> None:
    """One that Redis refuses takes nothing from those beside it."""
    await redis.set(keys.inbox("gm_broken"), "not a stream", ex=60)
    inbox = Inbox(scripts, backlog=1_000)
    broken = a_history(game_id="gm_broken")[0]
    good, bad, other = await asyncio.gather(
        inbox.accept(delivery(HISTORY[0])),
        inbox.accept(delivery(broken)),
        inbox.accept(delivery(HISTORY[1])),
        return_exceptions=True,
    )

    assert (good, other) == (Verdict.ACCEPTED, Verdict.ACCEPTED)
    assert isinstance(bad, StoreUnavailable)
    assert isinstance(bad.__cause__, ResponseError)


async def test_a_redis_that_forgot_its_scripts_is_told_them(
    redis: Redis, scripts: BatchedScripts
) -> None:
    """NOSCRIPT is not an answer that anybody waits for."""
    inbox = Inbox(scripts, backlog=1_000)
    await inbox.accept(delivery(HISTORY[0]))
    await redis.script_flush()
    verdicts = await asyncio.gather(*(inbox.accept(delivery(each)) for each in HISTORY[1:9]))

    assert verdicts == [Verdict.ACCEPTED] * 8


async def test_a_caller_who_leaves_takes_nobody_along(
    redis: Redis, scripts: BatchedScripts
) -> None:
    """A sender that hangs up in the middle of a batch."""
    inbox = Inbox(scripts, backlog=1_000)
    tasks = [asyncio.create_task(inbox.accept(delivery(each))) for each in HISTORY[:10]]
    await asyncio.sleep(0)
    tasks[3].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers[3], asyncio.CancelledError)
    assert [each for at, each in enumerate(answers) if at != 3] == [Verdict.ACCEPTED] * 9


async def test_nobody_waits_longer_than_the_deadline(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen Redis is said to be unavailable; thawed, it takes deliveries again."""
    monkeypatch.setattr(inbox_of, "DEADLINE_S", 0.2)  # long before the connection's own ends
    async with connect(redis_server.url) as redis, serving(redis) as scripts:
        inbox = Inbox(scripts, backlog=1_000)
        await inbox.accept(delivery(HISTORY[0]))
        redis_server.freeze()
        answers = await asyncio.gather(
            *(inbox.accept(delivery(each)) for each in HISTORY[1:5]), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 4
        causes = [answer.__cause__ for answer in answers if isinstance(answer, Exception)]
        assert [type(cause) for cause in causes] == [TimeoutError] * 4
        redis_server.thaw()
        assert await wait_until(lambda: accepted(inbox, 5))


async def accepted(inbox: Inbox, number: int) -> bool:
    try:
        return await inbox.accept(delivery(HISTORY[number])) is not Verdict.FULL
    except StoreUnavailable:
        return False


async def test_too_many_waiting_are_refused_at_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded: what could not be answered in time is not taken in."""
    monkeypatch.setattr(batching, "WAITING", 2)
    scripts = BatchedScripts(redis)
    waiting = [asyncio.create_task(scripts.run("sweep", keys=[], args=[])) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await scripts.run("sweep", keys=[], args=[])
    await end(*waiting)


async def test_what_nobody_waits_for_is_not_sent(redis: Redis) -> None:
    """A delivery whose deadline passed before its turn leaves no trace."""
    scripts = BatchedScripts(redis)
    inbox = Inbox(scripts, backlog=1_000)
    task = asyncio.create_task(inbox.accept(delivery(HISTORY[0])))
    await asyncio.sleep(0)
    await end(task)
    async with beside("accepting", scripts.serve()):
        assert await inbox.accept(delivery(HISTORY[1])) is Verdict.ACCEPTED

    assert await redis.xlen(keys.inbox(GAME)) == 1


async def test_the_end_of_the_process_is_told_to_whoever_waits(redis_server: PrivateRedis) -> None:
    """Nobody hangs on a task that is gone."""
    async with connect(redis_server.url) as redis:
        scripts = BatchedScripts(redis)
        async with beside("accepting", scripts.serve()):
            redis_server.freeze()
            waiting = [asyncio.create_task(scripts.run("sweep", keys=[], args=[]))]
            await asyncio.sleep(0.05)
            waiting.append(asyncio.create_task(scripts.run("sweep", keys=[], args=[])))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        redis_server.thaw()

        assert [type(answer) for answer in answers] == [RedisConnectionError] * 2
        with pytest.raises(RedisError):
            await scripts.run("sweep", keys=[], args=[])


async def test_a_slow_pipeline_holds_up_nobody_behind_it(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one batch waits for Redis the next goes out, and never more than the bound at once."""
    gate, under_way, most = asyncio.Event(), 0, 0
    sent = BatchedScripts._piped

    async def held(self: BatchedScripts, calls: list[Any]) -> list[Any]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            if calls[0].args[1] == HELD:
                await gate.wait()
            return await sent(self, calls)
        finally:
            under_way -= 1

    monkeypatch.setattr(BatchedScripts, "_piped", held)
    monkeypatch.setattr(batching, "BATCH", 1)
    async with serving(redis) as scripts:
        inbox = Inbox(scripts, backlog=1_000)
        first = asyncio.create_task(inbox.accept(delivery(HISTORY[0], webhook_id=HELD)))
        others = await asyncio.gather(*(inbox.accept(delivery(each)) for each in HISTORY[1:21]))

        assert others == [Verdict.ACCEPTED] * 20
        assert not first.done()
        assert 2 <= most <= batching.UNDER_WAY
        gate.set()
        assert await first is Verdict.ACCEPTED


async def test_a_pipeline_that_never_began_tells_its_callers(redis: Redis) -> None:
    """The process may end between taking calls off the queue and the first step of their task."""
    scripts = BatchedScripts(redis)
    serve = asyncio.create_task(scripts.serve())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(scripts.run("sweep", keys=[], args=[]))
    await asyncio.sleep(0)  # the call is in the queue, and wakes the server
    asyncio.get_running_loop().call_soon(serve.cancel)
    with pytest.raises(RedisConnectionError):
        async with asyncio.timeout(5):
            await waiting
    await end(serve)
