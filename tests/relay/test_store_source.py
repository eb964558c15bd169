"""The relay's view of our own store."""

import json
import time
from contextlib import aclosing
from pathlib import Path

import msgspec
from redis.asyncio import Redis
from sqlalchemy import URL

from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.feed import Feed
from ludo.store.games import GameReader
from ludo.store.library import Library
from proxy.relay.hub import Hub
from proxy.relay.listener import Renewed, Resume
from proxy.relay.store_source import StoreSource
from tests.relay.builders import LIMITS, Recorder, place
from tests.relay.conftest import Asked
from tests.relay.library import Radio
from tests.relay.scribe import Scribe
from tests.store.archive.builders import a_game, a_log
from tests.waiting import wait_until


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


async def test_a_subscriber_of_an_archived_game_gets_its_end(redis: Redis, tmp_path: Path) -> None:
    """A snapshot from the archive, `live`, and `ended`; the subscription is over."""
    archive = Archive(make_engine(URL.create("sqlite+aiosqlite", database=str(tmp_path / "x.db"))))
    async with aclosing(archive):
        await archive.save(a_game("gm_1"), a_log())
        source = StoreSource(Library(redis, archive, RuleSet()), Feed(redis), Asked())
        radio, listener = Radio(), Recorder()
        hub = Hub(source, radio, LIMITS, time.monotonic)
        hub.join("gm_1", listener, Resume(None))
        await wait_until(lambda: listener.told)
        (room,) = hub.rooms
        await hub.aclose()
    told = listener.last
    body = msgspec.json.decode(a_game("gm_1").body_json)

    assert isinstance(told, Renewed)
    assert told.place == place(body["sequence"], "e1")
    assert json.loads(told.snap.text)["state"] == body
    assert told.ended is not None
    assert json.loads(told.ended.text)["result"]["winnerId"] == body["winnerId"]
    assert room.idle
