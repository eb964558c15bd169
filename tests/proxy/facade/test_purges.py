"""Purges that reach every process, over a link that may break."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from ludo.mirror.incoming import RoomEvent
from ludo.store.cache import SharedCache
from ludo.store.connection import connect
from ludo.store.inbox import Delivery, Inbox
from ludo.store.scripts import Scripts
from ludo.tasks import beside
from proxy.facade.purges import HEARD_WITHIN_S, Purges
from proxy.facade.ready import Ready
from proxy.relay.reader import LINK
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Purges]:
    """A layer whose link is there."""
    purges = Purges(lambda: connect(url, LINK), time.monotonic)
    async with beside("purges", purges.run()):
        await wait_until(purges.hears)
        yield purges


def hold(purges: Purges, key: str = "a", tag: str = "rooms") -> None:
    now = time.monotonic()
    ready = Ready(200, (), b"{}", '"tag"', now, now + 60)
    purges.layer.put(key, (tag,), ready, purges.layer.ticket())
    assert purges.layer.find(key) is not None


async def test_a_purge_reaches_every_process(redis_url: str, redis: Redis) -> None:
    """By the message that the purge itself sends."""
    async with listening(redis_url) as one, listening(redis_url) as other:
        hold(one)
        hold(other)
        hold(other, "b", "room:B")
        await SharedCache(redis, Scripts(redis)).purge(["rooms"])
        await wait_until(lambda: one.layer.find("a") is None and other.layer.find("a") is None)
        assert other.layer.find("b") is not None


async def test_a_room_s_event_reaches_every_process(redis_url: str, redis: Redis) -> None:
    """The receiver's script tells of its purges as well."""
    async with listening(redis_url) as purges:
        hold(purges, "a", "room:ABCD12")
        hold(purges, "b", "rooms")
        hold(purges, "c", "room:OTHER1")
        room = RoomEvent("room:closed", "ABCD12")
        await Inbox(Scripts(redis), backlog=10).accept(Delivery("msg_1", b"{}", room))
        await wait_until(lambda: len(purges.layer) == 1)
        assert purges.layer.find("c") is not None


async def test_a_link_that_breaks_empties_the_layer(redis_url: str, redis: Redis) -> None:
    """What was purged meanwhile nobody would tell."""
    async with listening(redis_url) as purges:
        hold(purges)
        await redis.client_kill_filter(_type="pubsub")
        await wait_until(lambda: len(purges.layer) == 0)
        await wait_until(purges.hears)
        hold(purges)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_without_redis_the_layer_is_not_used(redis_server: PrivateRedis, how: str) -> None:
    """Also while the connection only seems to be there."""
    async with listening(redis_server.url) as purges:
        hold(purges)
        redis_server.kill() if how == "killed" else redis_server.freeze()
        # Before the connection itself is given up.
        await wait_until(lambda: not purges.hears(), timeout=LINK.answer_within - HEARD_WITHIN_S)
        assert purges.layer.find("a") is None
        redis_server.start() if how == "killed" else redis_server.thaw()
        await wait_until(purges.hears)


async def test_an_ended_link_leaves_nothing_behind(redis_url: str) -> None:
    """A layer that nobody keeps honest is empty."""
    async with listening(redis_url) as purges:
        hold(purges)
    assert not purges.hears()
    assert len(purges.layer) == 0
