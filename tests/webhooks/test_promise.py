"""A Redis that loses what it acknowledges is met later, or becomes one, and gets no deliveries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from redis.asyncio import Redis

from ludo.store import durability
from ludo.store.connection import connect
from ludo.tasks import beside
from proxy.webhooks import promise
from proxy.webhooks.promise import Promise
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until
from tests.webhooks.builders import OTHER, Receiver, an_app, an_intake, bytes_of
from tests.workers.builders import a_history

BODY = bytes_of(a_history()[0])


@asynccontextmanager
async def a_receiver_on(redis: Redis, kept: Promise) -> AsyncIterator[Receiver]:
    intake = replace(an_intake(redis), trouble=lambda: kept.trouble)
    transport = httpx.ASGITransport(an_app(intake))
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as http:
        yield Receiver(http)


async def test_nothing_is_taken_by_a_redis_that_became_volatile(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown and volatile are 503 with Retry-After; durable again, it takes what comes again."""
    monkeypatch.setattr(promise, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(promise, "AWAY_S", 0.01)
    async with connect(redis_server.url) as redis:
        kept = Promise(redis, allow_volatile=False)
        async with a_receiver_on(redis, kept) as receiver:
            unknown = await receiver.deliver(BODY)
            async with beside("promise", kept.run()):
                await redis.config_set("appendonly", "no")
                await wait_until(lambda: kept.trouble is not None and "appendonly" in kept.trouble)
                volatile = await receiver.deliver(BODY)
                forged = await receiver.deliver(BODY, secret=OTHER)
                await redis.config_set("appendonly", "yes")
                await wait_until(lambda: kept.trouble is None)
                durable = await receiver.deliver(BODY)

    assert (unknown.status_code, volatile.status_code) == (503, 503)
    assert int(volatile.headers["retry-after"]) > 0
    assert "appendonly" in volatile.json()["detail"]
    assert (forged.status_code, durable.status_code) == (401, 202)


async def test_one_that_was_away_is_looked_at_again(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one may have come in its place."""
    monkeypatch.setattr(promise, "LOOK_EVERY_S", 0.01)
    async with connect(redis_server.url) as redis:
        kept = Promise(redis, allow_volatile=False)
        async with beside("promise", kept.run()):
            await wait_until(lambda: kept.trouble is None)
            redis_server.kill()
            await wait_until(lambda: kept.trouble is not None)
            redis_server.start()
            await wait_until(lambda: kept.trouble is None)


async def test_an_operator_may_accept_a_volatile_one(redis: Redis) -> None:
    """LUDO_ALLOW_VOLATILE_REDIS=1: nothing is looked at, nothing refused."""
    kept = Promise(redis, allow_volatile=True)
    await kept.run()
    assert kept.trouble is None


async def test_nothing_ends_the_looking(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a look meets: a receiver that looks no longer would refuse for ever."""
    monkeypatch.setattr(promise, "AWAY_S", 0.01)
    looks = iter([RuntimeError("the handler is closed"), ValueError("no settings")])

    async def ask(asked: Redis) -> durability.Durability:
        for error in looks:
            raise error
        return await really_ask(asked)

    really_ask = durability.ask
    monkeypatch.setattr(durability, "ask", ask)
    kept = Promise(redis, allow_volatile=False)
    async with beside("promise", kept.run()):
        await wait_until(lambda: kept.trouble is None)
