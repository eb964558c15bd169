"""Commands that share one deadline: what becomes of their answers, and of the connection."""

import asyncio

import hiredis
import pytest
from redis.exceptions import RedisError, ResponseError

from ludo.store.connection import connect
from ludo.store.pipeline import ask
from tests.redis_servers import PrivateRedis

PING = hiredis.pack_command(("PING",))
WRONG = hiredis.pack_command(("NOSUCH",))


async def test_a_broken_connection_is_replaced(redis_server: PrivateRedis) -> None:
    """A pooled connection that died unnoticed costs nobody an answer."""
    async with connect(redis_server.url) as redis:
        assert await ask(redis, [PING]) == [b"PONG"]
        redis_server.kill()
        redis_server.start()
        assert await ask(redis, [PING, PING]) == [b"PONG"] * 2


async def test_what_redis_refuses_is_an_answer(redis_url: str) -> None:
    """It takes nothing from those before and behind it."""
    async with connect(redis_url) as redis:
        first, second, third = await ask(redis, [PING, WRONG, PING])

    assert (first, third) == (b"PONG", b"PONG")
    assert isinstance(second, ResponseError)


async def test_a_late_answer_is_nobody_elses(redis_server: PrivateRedis) -> None:
    """Whoever gives up leaves no answer behind for the next who takes the connection."""
    async with connect(redis_server.url) as redis:
        await ask(redis, [PING])
        redis_server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask(redis, [PING] * 3)
        redis_server.thaw()
        assert await ask(redis, [hiredis.pack_command(("ECHO", "mine"))]) == [b"mine"]


async def test_nobody_there_is_an_error(redis_server: PrivateRedis) -> None:
    """As with every other command."""
    redis_server.kill()
    async with connect(redis_server.url) as redis:
        with pytest.raises(RedisError):
            await ask(redis, [PING])
