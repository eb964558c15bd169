"""Accepting: durable, once, and honest about a Redis that does not answer."""

import pytest
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.connection import connect
from ludo.store.errors import StoreUnavailable
from ludo.store.inbox import Inbox, Verdict
from ludo.store.scripts import Scripts
from tests.redis_servers import PrivateRedis
from tests.workers.builders import GAME, a_bench, a_history, delivery

HISTORY = a_history()


async def test_accepted_event_wakes_one_worker(redis: Redis) -> None:
    """Ten events in a row queue one job, not ten."""
    await a_bench(redis).accept(HISTORY[:10])

    assert await redis.xlen(keys.inbox(GAME)) == 10
    assert await redis.zcard(keys.ARQ_QUEUE) == 1
    assert await redis.llen(keys.NUDGE) == 1


async def test_full_backlog_stores_nothing(redis: Redis) -> None:
    """Beyond the global bound the delivery leaves no trace, so its retry is a first one."""
    inbox = Inbox(Scripts(redis), backlog=1)
    assert await inbox.accept(delivery(HISTORY[0])) is Verdict.ACCEPTED
    assert await inbox.accept(delivery(HISTORY[1])) is Verdict.FULL

    assert await redis.hget(keys.COUNTERS, "accepted:webhook") == b"1"
    assert not await redis.hexists(keys.seen(GAME), f"i:{delivery(HISTORY[1]).webhook_id}")


async def test_accepted_events_survive_the_death_of_redis(redis_server: PrivateRedis) -> None:
    """kill -9 right after the answer: the event is there when Redis is back."""
    async with connect(redis_server.url) as redis:
        verdicts = await a_bench(redis).accept(HISTORY[:20])
        assert verdicts == [Verdict.ACCEPTED] * 20
        redis_server.kill()
        redis_server.start()
        assert await redis.xlen(keys.inbox(GAME)) == 20


async def test_redis_that_is_away_is_said_to_be(redis_server: PrivateRedis) -> None:
    """Nothing is reported as stored that was not."""
    async with Redis.from_url(redis_server.url) as redis:
        redis_server.kill()
        with pytest.raises(StoreUnavailable):
            await Inbox(Scripts(redis), backlog=10).accept(delivery(HISTORY[0]))
