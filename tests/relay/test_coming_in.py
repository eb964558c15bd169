"""Who may come in, to what, and who is sent away again, end to end."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from proxy.relay.callers import Caller, Refused
from tests.relay.conftest import QUICK, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]


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
