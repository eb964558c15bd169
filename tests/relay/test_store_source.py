"""The relay's view of our own store."""

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.feed import Feed
from ludo.store.games import GameReader
from proxy.relay.store_source import StoreSource
from tests.relay.conftest import Asked
from tests.relay.scribe import Scribe


def source_of(redis: Redis) -> StoreSource:
    """A source that reads this Redis."""
    return StoreSource(GameReader(redis), Feed(redis), Asked())


async def test_a_feed_is_read_only_in_its_own_epoch(redis: Redis) -> None:
    """Deltas of another epoch never come back, whatever their numbers."""
    game = Scribe(redis, "g1")
    await game.advance(5)
    source, old = source_of(redis), game.epoch
    before = await source.after("g1", old, 3)
    await game.replace(4, new_epoch=True)
    await game.advance(2)

    assert [seq for seq, _ in before] == [4, 5]
    assert await source.after("g1", old, 4) == []
    assert [seq for seq, _ in await source.after("g1", game.epoch, 4)] == [5, 6]


async def test_tips_and_mirrors_are_those_of_the_store(redis: Redis) -> None:
    """Unknown games are absent."""
    game = Scribe(redis, "g1")
    await game.advance(2)
    source = source_of(redis)
    found = await source.load("g1")

    assert await source.tips(["g1", "nope"]) == {"g1": (game.epoch, 2)}
    assert found is not None
    assert (found.epoch, found.seq, found.body) == (game.epoch, 2, game.state)
    assert await source.load("nope") is None
    assert source.channel("g1") == keys.channel("g1")
