"""Who comes in, who has to leave, and what follows from the paths."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from ludo.store import keys
from ludo.store.orders import Kick, Orders, Revoke
from ludo.store.scripts import Scripts
from proxy.errors import KeysUnavailable
from proxy.relay.callers import Caller, Refused
from proxy.relay.session import Session
from tests.relay.callers import Names
from tests.relay.conftest import QUICK, Running, Start
from tests.relay.scribe import Scribe
from tests.relay.watcher import Watcher, watching
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]
TWO_EACH = replace(QUICK, user_connections=2, lease=1.0, tell_every=0.2)


async def came_in(running: Running, name: str, stack: AsyncExitStack) -> Watcher:
    """A client that has said hello."""
    client = await stack.enter_async_context(watching(running.address + "/ws"))
    await client.send(t="hello", v=1, token=name)
    await wait_until(lambda: {"welcome", "bye"} & set(client.kinds()))
    return client


async def test_a_user_has_so_many_connections_over_all_replicas(start: Start) -> None:
    """One more is final, 4504; who closes one may open another; others are not touched."""
    one, two = [await start(TWO_EACH, authenticator=Names()) for _ in range(2)]
    async with AsyncExitStack() as stack:
        await came_in(one, "ann", stack)
        second = await came_in(two, "ann", stack)
        third = await came_in(one, "ann", stack)
        bye = await third.get("bye")
        assert (bye["code"], bye["reconnect"], await third.closed()) == (4504, False, 4504)
        assert (await came_in(one, "bob", stack)).kinds() == ["welcome"]

        await second.socket.close()
        async with asyncio.timeout(5):
            while "welcome" not in (await came_in(one, "ann", stack)).kinds():
                continue


async def test_connections_of_a_killed_replica_stop_counting(start: Start) -> None:
    """After a lease without a word from it, its users have their places back."""
    one, two = [await start(TWO_EACH, authenticator=Names()) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await came_in(two, "ann", stack)
        two.relay._attendance._crowd.tell = _dead  # type: ignore[method-assign]
        async with asyncio.timeout(10):
            while "welcome" not in (await came_in(one, "ann", stack)).kinds():
                continue


async def _dead(*_: object, **__: object) -> None:
    raise RuntimeError("killed")


async def test_without_redis_a_replicas_own_connections_count(start: Start) -> None:
    """Clients come in although nobody can be asked, and the bound holds here."""
    nowhere = "unix:///nowhere/redis.sock"
    running = await start(TWO_EACH, url=nowhere, authenticator=Names())
    async with AsyncExitStack() as stack:
        codes = [(await came_in(running, "ann", stack)).kinds()[0] for _ in range(3)]
    assert codes == ["welcome", "welcome", "bye"]


async def test_a_revocation_reaches_every_replica_within_a_second(
    start: Start, redis: Redis
) -> None:
    """4500, though the only message of it is lost on the way to one of them."""
    limits = replace(QUICK, look_every=0.5)
    one, two = [await start(limits, authenticator=Names()) for _ in range(2)]
    orders = Orders(redis, Scripts(redis))
    async with AsyncExitStack() as stack:
        clients = [await came_in(node, "ann", stack) for node in (one, two)]
        bob = await came_in(two, "bob", stack)
        two.relay._orders.nudge = lambda: None  # type: ignore[method-assign]
        await orders.give(Revoke(player="ann"))
        async with asyncio.timeout(1.5):
            codes = [await client.closed() for client in clients]
        byes = [await client.get("bye") for client in clients]
        again = await came_in(one, "ann", stack)

        assert codes == [4500, 4500]
        assert {bye["reconnect"] for bye in byes} == {False}
        assert (await again.get("bye"))["code"] == 4500
        assert bob.kinds() == ["welcome"]


async def test_an_operator_sends_a_player_or_a_connection_away(start: Start, redis: Redis) -> None:
    """4507 with his reason; another connection of the same player stays if only one is meant."""
    running = await start(authenticator=Names())
    orders = Orders(redis, Scripts(redis))
    async with AsyncExitStack() as stack:
        first = await came_in(running, "ann", stack)
        second = await came_in(running, "ann", stack)
        conn = (await first.get("welcome"))["conn"]
        await orders.give(Kick(conn=conn, reason="too loud"))
        bye = await first.get("bye")
        assert (bye["code"], bye["reason"], await first.closed()) == (4507, "too loud", 4507)
        assert second.kinds() == ["welcome"]

        await orders.give(Kick(player="ann"))
        assert await second.closed() == 4507
        assert (await came_in(running, "ann", stack)).kinds() == ["welcome"]


async def test_a_token_in_a_cookie_is_as_good(start: Start, scribe: Scribes) -> None:
    """Without a hello, from a page that may connect; a token in the hello goes before it."""
    await scribe().advance()
    running = await start(authenticator=Names(strict=True))
    ours = running.address.replace("ws://", "http://")
    headers = {"Cookie": "ludo_token=ann"}
    path = running.address + "/ws/games/g1"
    async with watching(path, origin=ours, additional_headers=headers) as client:
        await client.get("live")
        assert [each.who for each in running.relay._connections] == ["ann"]
    async with watching(running.address + "/ws", additional_headers=headers) as client:
        await client.hello(token="bob")
        assert "bob" in [each.who for each in running.relay._connections]


async def test_a_cookie_is_not_taken_from_any_page(start: Start) -> None:
    """`*` lets every page watch, but not in the name of whoever looks at it."""
    running = await start(authenticator=Names(strict=True), origins=("*",))
    headers = {"Cookie": "ludo_token=ann"}
    evil = "https://evil.example"
    async with watching(running.address + "/ws", origin=evil, additional_headers=headers) as client:
        await client.send(t="hello", v=1)

        assert await client.closed() == 4500


class Away:
    """Cannot verify anything now."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        raise self._error


@pytest.mark.parametrize("path", ["/ws", "/ws/games/g1"])
@pytest.mark.parametrize("error", [KeysUnavailable("no keys"), TimeoutError(), ValueError("bug")])
async def test_a_token_that_cannot_be_verified_now_is_not_refused(
    start: Start, path: str, error: Exception
) -> None:
    """4001, come back: nobody is told for good that his token is bad because our keys are away."""
    running = await start(authenticator=Away(error))
    async with watching(running.address + path) as client:
        if path == "/ws":
            await client.send(t="hello", v=1, token="x")
        bye = await client.get("bye")

        assert (bye["code"], bye["reconnect"], await client.closed()) == (4001, True, 4001)


async def test_only_players_watch_where_spectators_are_not_wanted(
    start: Start, scribe: Scribes
) -> None:
    """Others are forbidden the game, and a token named later opens it."""
    await scribe().advance()
    running = await start(replace(QUICK, spectators=False), authenticator=Names())
    async with watching(running.address + "/ws") as client:
        await client.hello({"game": "g1"})
        refused = await client.get("err", game="g1")
        await client.send(t="auth", id=1, token="ann")
        await client.get("ok", id=1)
        await client.send(t="sub", id=2, game="g1")
        await client.get("live", id=2)

    assert (refused["code"], refused["retry"]) == ("forbidden", False)


async def test_a_room_without_a_game_is_waited_for(
    start: Start, scribe: Scribes, redis: Redis
) -> None:
    """Its clients are told so, and subscribed as soon as it plays one."""
    running = await start()
    async with watching(running.address + "/ws/game/R9") as client:
        unknown = await client.get("err")
        game = scribe()
        await game.advance()
        await redis.set(keys.room_game("R9"), "g1", ex=60)
        await client.get("live")
        await game.advance()
        await wait_until(lambda: client.copies["g1"].seq == 2)

    assert (unknown["code"], unknown["retry"]) == ("not_found", True)
    await wait_until(lambda: len(running.relay._lobby) == 0)


async def test_who_waits_for_a_room_does_not_wait_for_ever(start: Start) -> None:
    """Nothing is subscribed to: 4009, and nobody is left waiting."""
    running = await start(replace(QUICK, idle_after=0.2))
    async with watching(running.address + "/ws/game/R9") as client:
        assert await client.closed() == 4009
    await wait_until(lambda: len(running.relay._lobby) == 0)


async def test_beyond_a_tenth_too_many_nobody_is_accepted(start: Start) -> None:
    """503 with Retry-After instead of a connection that only hears when to come back."""
    running = await start(replace(QUICK, connections=1))
    async with watching(running.address + "/ws") as first:
        await first.hello()
        await wait_until(lambda: running.relay.status().connections == 1)
        running.relay._admission.has_room = lambda _present: False  # type: ignore[method-assign]
        with pytest.raises(InvalidStatus) as refused:
            async with watching(running.address + "/ws"):
                pass

    assert refused.value.response.status_code == 503
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 10


def test_a_sessions_caller_is_nobody_before_his_hello() -> None:
    """An order for a player finds only who has said who he is."""
    session = Session("c", QUICK, 0.0, wall_ms=0, chance=0.5)
    session.receive(json.dumps({"t": "hello", "v": 1, "token": "ann"}), 0.0)
    assert session.caller == Caller()
