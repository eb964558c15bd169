"""The relay end to end: a real server, a real Redis, real clients."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from proxy.relay.callers import Caller, Refused
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


async def test_an_unknown_game_is_asked_for_once_and_then_refused(start: Start) -> None:
    """Nobody knows it in time: every waiter is told when to ask again."""
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello()
        await client.send(t="sub", id=1, game="nope")
        await client.send(t="sub", id="two", game="nope")
        errors = [await client.get("err"), await client.get("err")]

        assert [error["id"] for error in errors] == [1, "two"]
        assert {(e["code"], e["retry"], e["after"]) for e in errors} == {("not_found", True, 2)}
        assert running.asked.games == ["nope"]


async def test_an_unknown_game_that_is_fetched_in_time_is_served(
    start: Start, scribe: Scribes
) -> None:
    """A game that appears while the client waits needs no second try."""
    game = scribe()
    running = await start(replace(QUICK, unknown_for=2.0))
    async with watching(running.address + "/ws/games/g1") as client:
        await wait_until(lambda: running.asked.games)
        await game.advance()
        await client.get("live")

        assert client.copies["g1"].state == game.state


async def test_a_path_that_names_a_room_subscribes_to_its_game(
    start: Start, scribe: Scribes, redis: Redis
) -> None:
    """`/ws/game/{roomCode}` needs neither a hello nor the game's id."""
    await scribe().advance()
    await redis.set("ludo:room:R1:game", "g1", ex=60)
    running = await start()
    async with watching(running.address + "/ws/game/R1") as client:
        live = await client.get("live")
    async with watching(running.address + "/ws/game/R2") as client:
        unknown = await client.get("err")

    assert live["game"] == "g1"
    assert (unknown["code"], unknown["retry"]) == ("not_found", True)


async def test_a_slow_reader_gets_one_snapshot_when_it_reads_again(
    start: Start, scribe: Scribes
) -> None:
    """Deltas that a client does not take are dropped; one snapshot makes up for all of them."""
    game = scribe(padding=8000)
    await game.advance()
    running = await start()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = running.address.removeprefix("ws://").split(":")
    slow.connect((host, int(port)))
    async with (
        watching(running.address + "/ws/games/g1", sock=slow, max_queue=1) as client,
        watching(running.address + "/ws/games/g1") as quick,
    ):
        await client.get("live")
        await quick.get("live")
        client.reading.clear()
        await game.advance(60)
        await wait_until(lambda: quick.copies["g1"].seq == 61)
        client.reading.set()
        await client.get("snap", why="slow")
        await game.advance(2)
        await wait_until(lambda: client.copies["g1"].seq == game.seq)

        assert client.copies["g1"].state == game.state
        assert client.kinds().count("d") < 60
        assert "slow" not in {frame.get("why") for frame in quick.frames}


async def test_a_reader_that_makes_no_progress_is_sent_away(start: Start, scribe: Scribes) -> None:
    """Somebody who takes nothing for too long loses the connection, and nothing else."""
    game = scribe(padding=8000)
    await game.advance()
    running = await start(replace(QUICK, stuck_after=0.3, close_within=0.2))
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = running.address.removeprefix("ws://").split(":")
    slow.connect((host, int(port)))
    async with watching(running.address + "/ws/games/g1", sock=slow, max_queue=1) as client:
        await client.get("live")
        client.reading.clear()
        await game.advance(60)
        await wait_until(lambda: running.relay.status().connections == 0)


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


async def test_a_drain_says_bye_while_deltas_still_flow(start: Start, scribe: Scribes) -> None:
    """Farewells are spread over the window, and what happens meanwhile is delivered."""
    game = scribe()
    await game.advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        drain = asyncio.create_task(running.relay.drain(0.4))
        bye = await client.get("bye")
        await game.advance()
        await client.get("d", seq=2)
        code = await client.closed()
        await drain

    assert (bye["code"], bye["reconnect"], code) == (4000, True, 4000)


async def test_who_comes_during_a_drain_is_served_and_sent_on(
    start: Start, scribe: Scribes
) -> None:
    """The listener stays open; a newcomer is told to move like everybody else."""
    await scribe().advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as first:
        await first.get("live")
        drain = asyncio.create_task(running.relay.drain(0.6))
        async with watching(running.address + "/ws/games/g1") as client:
            await client.get("live")
            bye = await client.get("bye")
        await drain

    assert bye["code"] == 4000


async def test_a_drain_at_once_closes_everybody_now(start: Start, scribe: Scribes) -> None:
    """Without a window the farewell and the close follow each other."""
    await scribe().advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.get("live")
        slow = asyncio.create_task(running.relay.drain(60))
        await asyncio.sleep(0)
        await running.relay.drain(0)
        code = await client.closed()
        await slow

        assert code == 4000
        assert client.kinds("welcome", "snap", "d")[-1:] == ["bye"]


async def test_a_page_of_another_origin_is_refused(start: Start) -> None:
    """A browser may come from the listed origins and from our own pages only."""
    running = await start(origins=("https://game.example",))
    ours = running.address.replace("ws://", "http://")
    for origin in ("https://game.example", ours, None):
        async with watching(running.address + "/ws", origin=origin) as client:
            await client.hello()
    with pytest.raises(InvalidStatus) as refused:
        async with watching(running.address + "/ws", origin="https://evil.example"):
            pass

    assert refused.value.response.status_code == 403


class Tokens:
    """Knows two tokens, and lets nobody in without one."""

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        if token == "ann":
            return Caller("ann", None, frozenset({"g1"}))
        return Caller("bob", 1) if token == "expired" else Refused("a good token is required")


async def test_tokens_decide_who_may_listen_to_what(start: Start, scribe: Scribes) -> None:
    """A bad token is final, an expired one is not, and `games` bounds what may be watched."""
    await scribe().advance()
    running = await start(authenticator=Tokens())
    codes = {}
    for token in ("nobody", "expired"):
        async with watching(running.address + "/ws/games/g1") as client:
            await client.send(t="hello", v=1, token=token)
            await client.get("bye")
            codes[token] = await client.closed()
    async with watching(running.address + "/ws/games/g1") as client:
        await client.hello({"game": "g2"}, token="ann")
        await client.get("live", game="g1")
        refused = await client.get("err")

    assert codes == {"nobody": 4500, "expired": 4005}
    assert (refused["code"], refused["game"], refused["retry"]) == ("forbidden", "g2", False)


async def test_who_never_says_hello_is_sent_away(start: Start) -> None:
    """A connection without a hello ends with 4007 and may come back."""
    running = await start(replace(QUICK, hello_within=0.1))
    async with watching(running.address + "/ws") as client:
        bye = await client.get("bye")
        code = await client.closed()

    assert (bye["code"], bye["reconnect"], code) == (4007, True, 4007)


async def test_too_many_newcomers_are_told_to_come_later(start: Start) -> None:
    """Beyond the bound a client is accepted only to hear when to come back."""
    running = await start(replace(QUICK, connections=1))
    async with watching(running.address + "/ws") as first:
        await first.hello()
        async with watching(running.address + "/ws") as second:
            bye = await second.get("bye")

    assert bye["code"] == 4008
    assert 1 <= bye["after"] <= 10


async def test_the_subprotocol_is_named_if_it_was_offered(start: Start) -> None:
    """A client may ask for `ludorelay.v1`, and need not."""
    running = await start()
    async with watching(running.address + "/ws", subprotocols=["ludorelay.v1"]) as client:
        assert client.socket.subprotocol == "ludorelay.v1"


async def test_an_oversized_frame_ends_the_connection(start: Start) -> None:
    """Over 4 KiB is too big for anything but a hello."""
    running = await start()
    async with watching(running.address + "/ws") as client:
        await client.hello(padding="x" * 10_000)
        await client.send(t="ping", n=1, padding="x" * 5000)

        assert await client.closed() == 4502


async def test_clients_that_break_off_leave_nothing_behind(start: Start, scribe: Scribes) -> None:
    """At whatever moment they go: no connection, room, subscription or task remains."""
    await scribe().advance()
    running = await start()
    for n in range(40):
        async with watching(running.address + "/ws") as client:
            if n % 3:
                await client.send(t="hello", v=1, subs=[{"game": "g1" if n % 2 else f"nope{n}"}])
            if n % 2:
                await client.get("live") if n % 3 else await asyncio.sleep(0.01)
            client.socket.transport.abort()
    await wait_until(lambda: running.relay.status().connections == 0)
    await wait_until(lambda: running.relay.status().rooms == 0)
    await wait_until(lambda: running.relay.status().subscriptions == 0)


async def test_garbage_ends_a_connection_and_nothing_else(start: Start, scribe: Scribes) -> None:
    """Whatever bytes one client sends, the others go on."""
    game = scribe()
    await game.advance()
    running = await start()
    async with watching(running.address + "/ws/games/g1") as other:
        for message in ("", "[]", b"\x00", "x" * 20_000, '{"t":' + "[" * 4000, "\U0001f3b2" * 900):
            async with watching(running.address + "/ws") as client:
                await client.socket.send(message)
                bye = await client.get("bye")
                assert bye["code"] == await client.closed()
        await game.advance()
        await wait_until(lambda: other.copies["g1"].seq == 2)
