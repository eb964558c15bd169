"""Clients that survive what happens to a Redis."""

import asyncio
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ludo.store.config import StoreConfig
from ludo.store.connection import WORKER, connect, connect_arq, redis_address
from tests.redis_servers import PrivateRedis


async def test_request_survives_a_restart_between_two_commands(redis_server: PrivateRedis) -> None:
    """A pooled connection that died unnoticed costs the caller nothing."""
    async with connect(redis_server.url) as client:
        await client.set("a", "1")
        redis_server.kill()
        redis_server.start()
        assert await client.get("a") == b"1"


async def test_a_transport_closed_a_moment_ago_is_a_lost_connection(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop says so by a RuntimeError, which no loop that outlives lost connections expects."""

    def closed(_: object) -> None:
        raise RuntimeError("the handler is closed")

    async with connect(redis_server.url) as client:
        pool = client.connection_pool
        connection = await pool.get_connection()
        monkeypatch.setattr(connection._writer, "writelines", closed)
        with pytest.raises(RedisConnectionError, match="the handler is closed"):
            await connection.send_command("PING")

        await connection.connect()
        monkeypatch.setattr(connection._writer, "writelines", closed)
        await pool.release(connection)
        assert await client.get("a") is None  # asked again over another transport


async def test_request_is_not_kept_waiting_by_an_absent_redis(redis_server: PrivateRedis) -> None:
    """With nobody listening the answer is an error within the deadline."""
    redis_server.kill()
    begun = time.monotonic()
    async with connect(redis_server.url) as client:
        with pytest.raises((RedisConnectionError, RedisTimeoutError)):
            await client.get("a")
    assert time.monotonic() - begun < 2


async def test_request_is_not_kept_waiting_by_a_silent_redis(redis_server: PrivateRedis) -> None:
    """A Redis that accepts and never answers is given up after one deadline, not several."""
    async with connect(redis_server.url) as client:
        await client.ping()
        redis_server.freeze()
        begun = time.monotonic()
        with pytest.raises(RedisError):
            await client.get("a")
        assert time.monotonic() - begun < 2.5


async def test_worker_waits_for_redis_to_come_back(redis_server: PrivateRedis) -> None:
    """A worker's command outlasts an outage of any length."""
    async with connect(redis_server.url, WORKER) as client:
        await client.set("a", "1")
        redis_server.kill()
        waiting = asyncio.create_task(client.get("a"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        redis_server.start()
        async with asyncio.timeout(5):
            assert await waiting == b"1"


async def test_waiting_worker_can_be_stopped(redis_server: PrivateRedis) -> None:
    """Patience ends at once when the task is cancelled."""
    redis_server.kill()
    async with connect(redis_server.url, WORKER) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get("a")


async def test_more_callers_than_connections_take_turns(redis_url: str) -> None:
    """The pool is bounded, and a burst beyond it is served, not refused."""
    async with connect(redis_url) as client:
        answers = await asyncio.gather(*(client.ping() for _ in range(300)))
        assert all(answers)
        assert len(await client.client_list()) <= 66


async def test_arq_client_queues_a_job(redis_url: str) -> None:
    """arq takes the client as it is, over a unix socket too."""
    async with connect_arq(redis_url) as client:
        assert await client.enqueue_job("work", _job_id="one")
        await client.delete("arq:queue")


async def test_configured_address_is_used_as_it_is() -> None:
    """With REDIS_URL no server is started, and none has to be there yet."""
    config = StoreConfig(redis_url=SecretStr("redis://elsewhere:6379/0"))
    async with redis_address(config) as url:
        assert url == "redis://elsewhere:6379/0"


async def test_without_an_address_a_server_is_bundled(tmp_path: Path) -> None:
    """Unset REDIS_URL means a server of our own in the data folder."""
    async with redis_address(StoreConfig(data_dir=tmp_path)) as url, connect(url) as client:
        assert await client.ping()
