"""The Python client against a real relay on a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import jwt
import pytest
from websockets.asyncio.server import ServerConnection, serve

from ludo.relay import (
    Caught,
    Change,
    Connection,
    Delta,
    Ended,
    GameGone,
    Relay,
    RelayStopped,
    RequestUnanswered,
    Snapshot,
)
from proxy.relay.callers import Caller, Refused
from tests.relay.conftest import QUICK, Start
from tests.relay.front import Relays
from tests.relay.scribe import Scribe
from tests.waiting import wait_until

Scribes = Callable[..., Scribe]
KEY = "k" * 32


class Watching:
    """Takes every change of a game in the background."""

    def __init__(self, relay: Relay, *games: str) -> None:
        self.changes: list[Change] = []
        self.task = asyncio.create_task(self._take(relay, *games))

    async def _take(self, relay: Relay, *games: str) -> None:
        async for change in relay.watch(*games):
            self.changes.append(change)

    def of(self, kind: type[Change]) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if isinstance(change, kind)]


@asynccontextmanager
async def watching(
    url: str, *games: str, **options: object
) -> AsyncIterator[tuple[Relay, Watching]]:
    """A client and what it takes."""
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(Relay(url, **options))  # type: ignore[arg-type]
        watching = Watching(relay, *games)
        yield relay, watching
        watching.task.cancel()
        with suppress(asyncio.CancelledError, GameGone, RelayStopped):
            await watching.task


async def at(relay: Relay, game: Scribe) -> None:
    """Wait until the client has what the game has."""

    def equal() -> bool:
        held = relay.snapshot(game.game)
        return held is not None and held.state == game.state

    await wait_until(equal)


async def test_a_game_is_followed_to_its_end(start: Start, scribe: Scribes) -> None:
    """Snapshot, caught up, every delta, the end; then the iteration is over."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with watching(running.address + "/ws", "g1") as (relay, watched):
        await at(relay, game)
        await game.advance(2)
        await game.end()
        await asyncio.wait_for(watched.task, 5)
    kinds = [type(each) for each in watched.changes]
    assert kinds == [Snapshot, Caught, Delta, Delta, Delta, Ended]
    assert watched.changes[-1] == Ended("g1", "ann", ("ann", "bob"))


async def test_a_drain_is_not_noticed(start: Start, scribe: Scribes) -> None:
    """Sent away by one relay, the client is on the next before it leaves: no snapshot, no gap."""
    game = scribe()
    await game.advance(3)
    one, two = await start(), await start()
    states: list[Connection] = []
    async with Relays(one.address, two.address) as relays:
        relays.leave_out(1)
        url, more = relays.url, {"on_connection": states.append}
        async with watching(url, "g1", **more) as (relay, watched):
            await at(relay, game)
            draining = asyncio.create_task(one.relay.drain(5))
            relays.leave_out(0)
            while not draining.done():
                await game.advance()
                await asyncio.sleep(0.005)
            await game.advance()
            await at(relay, game)
            assert [type(each) for each in watched.of(Snapshot)] == [Snapshot]
            seqs = [each.seq for each in watched.of(Delta) if isinstance(each, Delta)]
            assert seqs == list(range(4, game.seq + 1))
    assert states[:2] == [Connection.CONNECTING, Connection.LIVE]
    assert Connection.RECONNECTING not in states


async def test_a_cut_is_recovered(start: Start, scribe: Scribes) -> None:
    """After a broken connection what was missed is replayed, without a second snapshot."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with Relays(running.address) as relays, watching(relays.url, "g1") as (relay, watched):
        await at(relay, game)
        relays.cut()
        await game.advance(5)
        await at(relay, game)
        assert len(watched.of(Snapshot)) == 1
        caught = watched.of(Caught)[-1]
        assert isinstance(caught, Caught)
        assert caught.recovered


async def test_two_watches_of_a_game_share_a_subscription(start: Start, scribe: Scribes) -> None:
    """Both begin with a snapshot; when one stops, the other goes on."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with watching(running.address + "/ws", "g1") as (relay, first):
        await at(relay, game)
        second = Watching(relay, "g1")
        await wait_until(lambda: second.of(Snapshot))
        second.task.cancel()
        await asyncio.gather(second.task, return_exceptions=True)
        await game.advance(2)
        await wait_until(lambda: len(first.of(Delta)) == 2)
        assert relay.connection is Connection.LIVE


class Covered:
    """Lets a token in for its games; the token itself says until when."""

    def __init__(self, games: frozenset[str] | None = None) -> None:
        self.shown: list[str | None] = []
        self._games = games

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        self.shown.append(token)
        if token is None:
            return Refused("a token is needed")
        exp = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False})["exp"]
        return Caller(sub="ann", exp=int(exp * 1000), games=self._games)


async def test_a_refused_game_is_raised(start: Start, scribe: Scribes) -> None:
    """A token that does not cover the game: no silence, an error that names it."""
    running = await start(authenticator=Covered(frozenset({"other"})))
    token = jwt.encode({"exp": 4_000_000_000}, KEY)
    async with Relay(running.address + "/ws", token=token) as relay:
        with pytest.raises(GameGone, match=r"g1.*forbidden"):
            async for _ in relay.watch("g1"):
                pass


async def test_a_client_that_is_not_wanted_stops(start: Start) -> None:
    """Without the token that is required: the code and the reason, for every later call too."""
    running = await start(authenticator=Covered())
    async with Relay(running.address + "/ws") as relay:
        for _ in range(2):
            with pytest.raises(RelayStopped, match=r"4500.*token is needed"):
                async for _ in relay.watch("g1"):
                    pass
        assert relay.connection is Connection.STOPPED


async def test_tokens_are_renewed_on_the_live_connection(start: Start, scribe: Scribes) -> None:
    """A token of two seconds is replaced before it ends; nothing is cut and nothing is resent."""
    game = scribe()
    await game.advance(3)
    door = Covered()
    running = await start(authenticator=door)
    loop = asyncio.get_running_loop()
    ends = iter(range(10))

    def token() -> str:
        lifetime = 2.2 if next(ends) == 0 else 600
        return jwt.encode({"exp": time.time() + lifetime}, KEY)

    async with watching(running.address + "/ws", "g1", token=token) as (relay, watched):
        await at(relay, game)
        begun = loop.time()
        await wait_until(lambda: len(door.shown) == 2, timeout=10)
        assert loop.time() - begun < 2.2
        await asyncio.sleep(max(0.0, begun + 2.4 - loop.time()))
        await game.advance()
        await at(relay, game)
        assert len(watched.of(Snapshot)) == 1
        assert running.relay.status().connections == 1


async def test_a_ping_measures_the_way(start: Start) -> None:
    """Seconds there and back; without a connection it says so."""
    running = await start()
    async with Relay(running.address + "/ws") as relay:
        with pytest.raises(RequestUnanswered):
            await relay.ping()
        await wait_until(lambda: relay.connection is Connection.LIVE)
        assert 0 < await relay.ping() < 5


async def test_a_fresh_snapshot_can_be_asked_for(start: Start, scribe: Scribes) -> None:
    """It comes as a change."""
    game = scribe()
    await game.advance(3)
    running = await start()
    async with watching(running.address + "/ws", "g1") as (relay, watched):
        await at(relay, game)
        relay.resync("g1")
        await wait_until(lambda: len(watched.of(Snapshot)) == 2)
        fresh = watched.of(Snapshot)[-1]
        assert isinstance(fresh, Snapshot)
        assert fresh.why == "resync"


async def test_a_relay_that_cannot_be_reached_is_tried_again(start: Start, scribe: Scribes) -> None:
    """Nobody is there at first; once somebody is, everything begins."""
    game = scribe()
    await game.advance()
    async with Relays() as relays, watching(relays.url, "g1") as (relay, _):
        await asyncio.sleep(0.3)
        running = await start(replace(QUICK, linger=0.01))
        relays.addresses.append(running.address)
        await at(relay, game)


async def test_a_relay_that_sends_rubbish_does_no_harm() -> None:
    """Text, binary, and messages beyond the bound: the client comes back and goes on."""
    rubbish: list[str | bytes] = ["", "{", '{"t":"d"}', b"\x00\xff", "x" * 2_000_000]

    async def relay(socket: ServerConnection) -> None:
        await socket.recv()
        for message in rubbish:
            await socket.send(message)
        await socket.wait_closed()

    async with serve(relay, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Relay(f"ws://127.0.0.1:{port}") as client:
            await wait_until(lambda: client.connection is Connection.RECONNECTING)
