"""The feed and the channel: each change encoded once."""

import json

from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.feed import (
    Feed,
    delta_message,
    encode_delta,
    freshness_message,
    replaced_message,
)
from tests.mirror.builders import a_history, settled
from tests.workers.builders import GAME, a_bench
from tests.workers.builders import a_history as a_told_history

CHANGE = settled(a_history()[:9]).changes[3]


def test_delta_is_a_whole_frame() -> None:
    """The frame carries the event for animation and the patch for the state."""
    frame = json.loads(encode_delta(CHANGE, 1_800_000_000_123))

    assert (frame["t"], frame["seq"], frame["at"]) == ("d", 5, 1_800_000_000_123)
    assert frame["ev"]["type"].startswith("game:")
    assert frame["ev"]["captured"] == []
    assert {"op": "replace", "path": "/sequence", "value": 5} in frame["patch"]


def test_messages_name_place_and_kind() -> None:
    """The header is readable without decoding the frame."""
    assert delta_message("e", 5, b'{"t":"d"}') == b'1 d e 5 {"t":"d"}'
    assert replaced_message("e", 5, "gap") == b"1 s e 5 gap"
    assert freshness_message("e", 5, 123, stale=True) == b"1 m e 5 123 1"


async def test_changes_after_a_place_come_in_order(redis: Redis) -> None:
    """A reader that knows its sequence gets exactly what follows."""
    bench = a_bench(redis)
    await bench.accept(a_told_history()[:9])
    await bench.applier.apply(GAME)

    assert [sequence for sequence, _ in await Feed(redis).after(GAME, 6)] == [7, 8, 9]
    assert await Feed(redis).after(GAME, 9) == []


async def test_published_frame_is_the_one_in_the_feed(redis: Redis) -> None:
    """Who listens and who resumes get the same bytes."""
    bench = a_bench(redis)
    async with redis.pubsub() as listener:
        await listener.subscribe(keys.channel(GAME))
        await listener.get_message(timeout=2)
        await bench.accept(a_told_history()[:2])
        await bench.applier.apply(GAME)
        message = await listener.get_message(timeout=2)

    ((_, frame),) = await Feed(redis).after(GAME, 0)
    assert message is not None
    assert message["data"].split(b" ", 4)[4] == frame
