"""Coming back, end to end: what a client that was here before gets."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]


async def test_a_client_that_comes_back_gets_what_it_missed(start: Start, scribe: Scribes) -> None:
    """A place that the feed still covers is replayed and recovered, with no snapshot."""
    game = scribe()
    await game.advance(2)
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        seen = client.copies["g1"]
    await game.advance(3)
    async with watching(running.address + "/ws") as client:
        client.copies["g1"] = seen
        await client.hello({"game": "g1", "epoch": seen.epoch, "seq": seen.seq})
        live = await client.get("live")

        assert (live["recovered"], live["replayed"], live["seq"]) == (True, 3, 5)
        assert client.kinds() == ["d", "d", "d"]
        assert client.copies["g1"].state == game.state


async def test_a_quiet_client_recovers_although_the_feed_has_expired(
    start: Start, scribe: Scribes
) -> None:
    """Somebody at the tip missed nothing, whatever has become of the feed."""
    game = scribe()
    await game.advance(2)
    await game.forget_feed()
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1", "epoch": game.epoch, "seq": 2})
        live = await client.get("live")

        assert (live["recovered"], live["replayed"]) == (True, 0)
        assert client.kinds() == []


@pytest.mark.parametrize(
    ("epoch", "seq", "why"),
    [(None, 1, "too_old"), (None, 500, "ahead"), ("elsewhere", 100, "epoch")],
)
async def test_any_other_place_gets_a_snapshot_that_says_why(
    start: Start, scribe: Scribes, epoch: str | None, seq: int, why: str
) -> None:
    """Too far behind, ahead of the tip, or in another epoch: a snapshot, never a part."""
    game = scribe()
    await game.advance(100)
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1", "epoch": epoch or game.epoch, "seq": seq})
        snap = await client.get("snap")
        live = await client.get("live")

        assert (snap["why"], live["recovered"]) == (why, False)
        assert client.copies["g1"].state == game.state


async def test_a_place_of_which_the_link_has_not_heard_yet_is_not_ahead(
    start: Start, scribe: Scribes
) -> None:
    """Who learned of an event elsewhere recovers, though our message is still under way."""
    game = scribe()
    await game.advance(2)
    running = await start(replace(QUICK, audit_every=30))
    async with watching(running.address + "/ws") as other:
        await other.hello({"game": "g1"})
        await other.get("live")
        await game.advance(publish=False)
        async with watching(running.address + "/ws") as client:
            await client.hello({"game": "g1", "epoch": game.epoch, "seq": 3})
            live = await client.get("live")
        await wait_until(lambda: other.copies["g1"].seq == 3)

        assert (live["recovered"], live["replayed"], live["seq"]) == (True, 0, 3)
