"""The pub/sub link, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

import pytest
from redis.asyncio import Redis

from ludo.store.connection import connect
from ludo.tasks import end
from proxy.relay.reader import LINK, Reader
from tests.redis_servers import PrivateRedis
from tests.waiting import wait_until


@dataclass
class Ear:
    """Remembers what it heard, and which channels it can hear."""

    channels: set[str] = field(default_factory=set)
    tunings: int = 0
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    relinked: int = 0

    def tuned(self, channel: str) -> None:
        """See `Audience`."""
        self.channels.add(channel)
        self.tunings += 1

    def deafened(self, channels: Iterable[str]) -> None:
        """See `Audience`."""
        self.channels -= set(channels)

    def heard(self, channel: str, payload: bytes) -> None:
        """See `Audience`."""
        self.messages.append((channel, payload))

    def is_relinked(self) -> None:
        """Every wanted channel is heard again."""
        self.relinked += 1


@pytest.fixture
async def ear() -> Ear:
    """Somebody who listens."""
    return Ear()


@pytest.fixture
async def reader(redis_url: str, ear: Ear) -> AsyncIterator[Reader]:
    """A running reader."""
    reader = Reader(lambda: connect(redis_url, LINK), asyncio.get_running_loop().time)
    task = asyncio.create_task(reader.run(ear, ear.is_relinked))
    yield reader
    await end(task)


async def subscribers(redis: Redis, channel: str) -> int:
    """How many links Redis has for a channel."""
    return dict(await redis.pubsub_numsub(channel))[channel.encode()]


async def test_only_wanted_channels_are_heard(reader: Reader, ear: Ear, redis: Redis) -> None:
    """From the moment that Redis confirmed, until nobody wants them any more."""
    assert not reader.want("a")
    await wait_until(lambda: ear.channels == {"a"})
    assert reader.want("a")
    await redis.publish("b", "not for us")
    await redis.publish("a", "one")
    await wait_until(lambda: ear.messages)
    reader.unwant("a")
    await wait_until(lambda: reader.subscriptions == 0)

    assert ear.messages == [("a", b"one")]
    assert await subscribers(redis, "a") == 0


async def test_a_new_listener_is_not_deaf_after_the_last_one_left(
    reader: Reader, ear: Ear, redis: Redis
) -> None:
    """An unsubscribe under way and a new subscribe do not cross."""
    for _ in range(20):
        ear.channels.clear()
        reader.want("a")
        await asyncio.sleep(0)
        reader.unwant("a")
        await asyncio.sleep(0)
        if not reader.want("a"):
            await wait_until(lambda: "a" in ear.channels)
        ear.messages.clear()
        await redis.publish("a", "x")
        await wait_until(lambda: ear.messages)


async def test_only_the_last_answer_says_that_a_channel_is_heard(
    ear: Ear, redis_server: PrivateRedis
) -> None:
    """Subscribed, left and subscribed again before Redis could answer: it is heard once."""
    reader = Reader(lambda: connect(redis_server.url, LINK), asyncio.get_running_loop().time)
    task = asyncio.create_task(reader.run(ear, ear.is_relinked))
    await wait_until(lambda: ear.relinked)
    redis_server.freeze()
    for wish, sent in ((reader.want, 1), (reader.unwant, 0), (reader.want, 1)):
        wish("a")
        await wait_until(lambda sent=sent: reader.subscriptions == sent)
    redis_server.thaw()
    await wait_until(lambda: ear.channels)
    await end(task)

    assert ear.tunings == 1


async def test_a_killed_link_is_told_and_mended(reader: Reader, ear: Ear, redis: Redis) -> None:
    """All channels are deaf at once, and all are heard again before that is said."""
    names = {f"c{n}" for n in range(1200)}
    for name in names:
        reader.want(name)
    await wait_until(lambda: ear.channels == names and ear.relinked == 1)
    for again in (2, 3):
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_until(lambda again=again: ear.relinked == again)
        assert ear.channels == names
        assert await subscribers(redis, "c7") == 1


async def test_a_redis_that_is_away_is_waited_for(ear: Ear, redis_server: PrivateRedis) -> None:
    """The reader never ends, however often it fails."""
    redis_server.stop()
    reader = Reader(lambda: connect(redis_server.url, LINK), asyncio.get_running_loop().time)
    task = asyncio.create_task(reader.run(ear, ear.is_relinked))
    reader.want("a")
    await asyncio.sleep(0.2)
    assert reader.heard_at is None
    redis_server.start()
    await wait_until(lambda: ear.channels == {"a"})
    await end(task)


async def test_a_silent_redis_is_noticed(ear: Ear, redis_server: PrivateRedis) -> None:
    """A link that brings nothing although it is pinged is given up."""
    patience = replace(LINK, answer_within=0.3)
    reader = Reader(
        lambda: connect(redis_server.url, patience),
        asyncio.get_running_loop().time,
        ping_every=0.1,
    )
    task = asyncio.create_task(reader.run(ear, ear.is_relinked))
    reader.want("a")
    await wait_until(lambda: ear.channels)
    redis_server.freeze()
    await wait_until(lambda: not ear.channels)
    redis_server.thaw()
    await wait_until(lambda: ear.channels)
    await end(task)


async def test_what_the_audience_does_wrong_does_not_end_it(
    reader: Reader, ear: Ear, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours costs the link, not the reader."""
    reader.want("a")
    await wait_until(lambda: ear.channels)

    def fail(channel: str, payload: bytes) -> None:
        monkeypatch.undo()
        raise KeyError(channel)

    monkeypatch.setattr(ear, "heard", fail)
    await redis.publish("a", "one")
    await wait_until(lambda: ear.relinked == 2)
    await redis.publish("a", "two")
    await wait_until(lambda: ear.messages == [("a", b"two")])


async def test_it_ends_when_told_to_though_the_link_fails_at_that_moment(
    redis_url: str, ear: Ear, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation is not lost in the error that came with it."""
    reader = Reader(lambda: connect(redis_url, LINK), asyncio.get_running_loop().time)
    task = asyncio.create_task(reader.run(ear, ear.is_relinked))
    reader.want("a")
    await wait_until(lambda: ear.channels)

    def fail(channel: str, payload: bytes) -> None:
        task.cancel()
        raise KeyError(channel)

    monkeypatch.setattr(ear, "heard", fail)
    await redis.publish("a", "one")
    done, _ = await asyncio.wait([task], timeout=2)
    task.cancel()

    assert done == {task}
