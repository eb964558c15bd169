"""A game as it goes on, end to end: changes, resyncs, its freshness and its end."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from tests.redis_servers import PrivateRedis
from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]


async def test_a_subscriber_gets_a_snapshot_and_every_change(start: Start, scribe: Scribes) -> None:
    """A hello with a game is answered by welcome, snap and live, and then deltas flow."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with watching(running.address + "/ws") as client:
        welcome = await client.hello({"game": "g1"})
        snap = await client.get("snap")
        live = await client.get("live")
        await game.advance(5)
        await wait_until(lambda: client.copies["g1"].seq == 8)

        assert welcome["limits"] == {"bytes": 4096, "rate": 120, "subs": 32}
        assert (snap["why"], snap["seq"], snap["stale"]) == ("initial", 3, False)
        assert (live["seq"], live["recovered"], live["replayed"]) == (3, False, 0)
        assert client.copies["g1"].state == game.state


async def test_leaving_a_game_ends_its_deltas(start: Start, scribe: Scribes) -> None:
    """After `unsub` is answered, nothing of that game comes any more."""
    one, two = scribe("g1"), scribe("g2")
    await one.advance()
    await two.advance()
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"}, {"game": "g2"})
        await client.get("live", game="g1")
        await client.get("live", game="g2")
        await client.send(t="unsub", id=7, game="g1")
        await client.get("ok", id=7)
        await one.advance()
        await two.advance()
        await client.get("d", game="g2")

        assert client.copies["g1"].seq == 1


async def test_a_swallowed_last_message_is_repaired(start: Start, scribe: Scribes) -> None:
    """A publication that is lost without a successor reaches everybody within two seconds."""
    game = scribe()
    await game.advance()
    running = await start(replace(QUICK, audit_every=0.5))
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await game.advance(publish=False)
        await client.get("d", timeout=2, seq=2)

        assert client.copies["g1"].state == game.state


async def test_a_hole_that_the_feed_fills_costs_no_snapshot(start: Start, scribe: Scribes) -> None:
    """A lost publication is fetched from the feed as soon as its successor is heard."""
    game = scribe()
    await game.advance()
    running = await start(replace(QUICK, audit_every=30))
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await client.get("snap")
        await game.advance(2, publish=False)
        await game.advance()
        await wait_until(lambda: client.copies["g1"].seq == 4)

        assert client.kinds() == ["d", "d", "d"]


@pytest.mark.parametrize(("new_epoch", "why"), [(True, "epoch"), (False, "gap")])
@pytest.mark.parametrize("publish", [True, False])
async def test_a_resync_reaches_everybody_as_a_snapshot(
    start: Start, scribe: Scribes, new_epoch: bool, why: str, publish: bool
) -> None:
    """A replaced mirror is pushed, heard of or found by the audit, and deltas go on from it."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await game.replace(3 if new_epoch else 9, new_epoch=new_epoch, publish=publish)
        snap = await client.get("snap", why=why)
        await game.advance(2)
        await wait_until(lambda: client.copies["g1"].state == game.state)

        assert snap["epoch"] == game.epoch
        assert client.kinds() == ["snap", "d", "d"]


async def test_a_tip_that_went_backwards_is_told(start: Start, scribe: Scribes) -> None:
    """After an older copy of Redis was restored nobody keeps a move that never was."""
    game = scribe()
    await game.advance(5)
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await game.replace(3, new_epoch=False, publish=False)
        await client.get("snap", why="ahead")

        assert client.copies["g1"].state == game.state


async def test_freshness_is_passed_on(start: Start, scribe: Scribes) -> None:
    """Watchers hear that upstream cannot be asked, and newcomers see it in their snapshot."""
    game = scribe()
    await game.advance()
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await game.freshen(5000, stale=True)
        told = await client.get("mirror")
        async with watching(running.address + "/ws/games/g1") as newcomer:
            snap = await newcomer.get("snap")

        assert (told["asOf"], told["stale"]) == (5000, True)
        assert (snap["asOf"], snap["stale"]) == (5000, True)


async def test_the_end_of_a_game_ends_its_subscriptions(start: Start, scribe: Scribes) -> None:
    """Watchers get the last delta and then the result; late comers the state, then the same."""
    game = scribe()
    await game.advance(2)
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        await game.end()
        ended = await client.get("ended")
        async with watching(running.address + "/ws/games/g1") as late:
            again = await late.get("ended")

            assert late.kinds() == ["welcome", "snap", "live"]
            assert late.copies["g1"].state == client.copies["g1"].state == game.state
        assert ended == again
        assert ended["result"] == {"winnerId": "ann", "placements": ["ann", "bob"]}


async def test_a_game_that_ended_while_away_is_replayed_to_its_end(
    start: Start, scribe: Scribes
) -> None:
    """Who comes back to a finished game gets the missing deltas before the result."""
    game = scribe()
    await game.advance(2)
    await game.end()
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1", "epoch": game.epoch, "seq": 3})
        await client.get("ended")

        assert client.kinds("welcome") == ["live"]


async def test_killed_links_are_mended_unseen(start: Start, scribe: Scribes, redis: Redis) -> None:
    """What was published while the link was down arrives, in order, once."""
    game = scribe()
    await game.advance()
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        await client.get("live")
        for _ in range(3):
            await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await game.advance(2)
            await wait_until(lambda: client.copies["g1"].state == game.state)

        assert client.kinds("welcome", "snap") == ["d"] * 6


async def test_a_redis_that_is_killed_and_comes_back_is_no_loss(
    start: Start, redis_server: PrivateRedis
) -> None:
    """Clients stay connected over the outage, and have everything soon after it."""
    redis = Redis.from_url(redis_server.url)
    game = Scribe(redis, "g1")
    await game.advance()
    running = await start(url=redis_server.url)
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        redis_server.kill()
        await wait_until(lambda: running.relay.status().link_age is None)
        redis_server.start()
        await game.advance(2)
        await wait_until(lambda: client.copies["g1"].state == game.state)
    await redis.aclose()


async def test_an_emptied_redis_is_noticed_when_the_game_returns(
    start: Start, scribe: Scribes
) -> None:
    """The game is asked for, and its new mirror replaces what the clients kept meanwhile."""
    game = scribe()
    await game.advance(5)
    running = await start()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        await game.vanish()
        await wait_until(lambda: running.asked.games == ["g1"])
        await game.replace(2, new_epoch=True, publish=False)
        await client.get("snap", why="epoch")

        assert client.copies["g1"].state == game.state
