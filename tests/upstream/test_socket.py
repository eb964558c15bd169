"""`LudoSocket` against a WebSocket server that does as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from ludo import tasks
from ludo.mirror.incoming import GameEvent, Hint, RoomEvent, UnknownEvent
from ludo.upstream.backoff import Backoff
from ludo.upstream.socket import Heard, LudoSocket
from ludo.upstream.wire.events import Kind
from tests.waiting import wait_until

ROOM = "ABCD12"
CLOSED = {"type": "room:closed", "data": {}}
ROLLED = {
    "type": "game:dice-rolled",
    "data": {"gameId": "gm_1", "sequence": 2, "playerId": "plr_a", "value": 3},
}
Script = Callable[[ServerConnection], Awaitable[None]]


def say(*frames: dict[str, Any] | str) -> Script:
    """A connection that says these frames and is closed."""

    async def script(connection: ServerConnection) -> None:
        for frame in frames:
            await connection.send(frame if isinstance(frame, str) else json.dumps(frame))

    return script


async def cut(connection: ServerConnection) -> None:
    """A connection that breaks."""
    connection.transport.abort()


@dataclass
class Server:
    """An upstream: each connection follows the next script, the last of which repeats."""

    scripts: list[Script]
    url: str = ""
    joins: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.keys.append(connection.request.headers.get("Authorization"))
        self.joins.append(json.loads(await connection.recv()))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        await script(connection)


@asynccontextmanager
async def a_server(*scripts: Script) -> AsyncIterator[Server]:
    server = Server(list(scripts))
    async with serve(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


def a_socket(server: Server, **options: Any) -> tuple[LudoSocket, list[Heard]]:
    """A socket that comes back at once, and what it hears."""
    socket = LudoSocket(server.url, ROOM, backoff=Backoff(first=0.001, longest=0.01), **options)
    heard: list[Heard] = []

    async def note(one: Heard) -> None:
        heard.append(one)

    socket.on_any(note)
    return socket, heard


async def test_it_joins_and_stops_when_the_room_is_closed() -> None:
    """The key on the upgrade, a flat join frame, and no second connection."""
    async with a_server(say(ROLLED, CLOSED)) as server:
        socket, heard = a_socket(server, api_key="lk_1", player_token="jwt")
        await asyncio.wait_for(socket.run(), 20)

    assert server.joins == [{"type": "room:join", "roomCode": ROOM, "playerToken": "jwt"}]
    assert server.keys == ["Bearer lk_1"]
    assert [each.kind for each in heard] == [Kind.ROLLED, Kind.ROOM_CLOSED]


async def test_after_a_cut_it_joins_again_and_says_so() -> None:
    """Whoever keeps a state has to fetch it then: what was said meanwhile is lost."""
    async with a_server(cut, say(ROLLED), say(CLOSED)) as server:
        socket, heard = a_socket(server)
        joined: list[bool] = []

        async def note(again: bool) -> None:
            joined.append(again)

        socket.on_joined(note)
        await asyncio.wait_for(socket.run(), 20)

    assert joined == [False, True, True]
    assert [each.kind for each in heard] == [Kind.ROLLED, Kind.ROOM_CLOSED]


async def test_handlers_get_the_events_of_their_type() -> None:
    """Each its own, with the fields at hand."""
    async with a_server(say(ROLLED, CLOSED)) as server:
        socket, _ = a_socket(server)
        values: list[int] = []

        async def rolled(heard: Heard) -> None:
            values.append(heard.data["value"])

        socket.on(Kind.ROLLED, rolled)
        await asyncio.wait_for(socket.run(), 20)

    assert values == [3]


async def test_what_upstream_leaves_out_is_completed() -> None:
    """Its frames name neither room nor game: the connection does."""
    bare = {"type": "game:dice-rolled", "data": {"value": 3}}
    async with a_server(say(bare, CLOSED)) as server:
        socket, heard = a_socket(server, game_id="gm_1")
        await asyncio.wait_for(socket.run(), 20)

    assert [each.incoming for each in heard] == [
        Hint(Kind.ROLLED, "gm_1"),
        RoomEvent(Kind.ROOM_CLOSED, ROOM),
    ]
    assert json.loads(heard[0].body)["data"] == {"value": 3, "gameId": "gm_1"}


async def test_a_complete_frame_is_kept_byte_for_byte() -> None:
    """The same event said twice has the same digest."""
    text = json.dumps(ROLLED, indent=1)
    async with a_server(say(text, CLOSED)) as server:
        socket, heard = a_socket(server)
        await asyncio.wait_for(socket.run(), 20)

    assert heard[0].body == text.encode()
    assert isinstance(heard[0].incoming, GameEvent)


async def test_nonsense_is_passed_over() -> None:
    """Neither broken JSON nor an unknown type ends the connection."""
    nonsense: list[dict[str, Any] | str] = [
        "{",
        "[]",
        '{"type": 7}',
        {"type": "game:dice-rolled", "data": {"gameId": "g", "sequence": 0}},
        {"type": "chat:said"},
    ]
    async with a_server(say(*nonsense, CLOSED)) as server:
        socket, heard = a_socket(server)
        await asyncio.wait_for(socket.run(), 20)

    assert [type(each.incoming) for each in heard] == [UnknownEvent, RoomEvent]
    assert len(server.joins) == 1


async def test_a_handler_that_fails_has_the_event_fetched() -> None:
    """The connection counts as broken, because nobody else tells what was lost."""
    async with a_server(say(ROLLED), say(CLOSED)) as server:
        socket, heard = a_socket(server)
        failures = [OSError("the store is away")]

        async def fail(_: Heard) -> None:
            if failures:
                raise failures.pop()

        socket.on(Kind.ROLLED, fail)
        await asyncio.wait_for(socket.run(), 20)

    assert len(server.joins) == 2
    assert [each.kind for each in heard] == [Kind.ROLLED, Kind.ROOM_CLOSED]


async def test_an_upstream_that_is_away_is_tried_again() -> None:
    """Until it is back, without an end and without an error."""
    async with a_server(say(CLOSED)) as server:
        url = server.url
    tried = LudoSocket(url, ROOM, backoff=Backoff(first=0.001, longest=0.01))
    running = asyncio.create_task(tried.run())
    await asyncio.sleep(0.1)
    assert not running.done()
    async with serve(
        Server([say(CLOSED)]).serve, "127.0.0.1", int(url.rsplit(":", 1)[1]), reuse_address=True
    ):
        await asyncio.wait_for(running, 20)


class Counting(Backoff):
    """A backoff that notes how often it was told of a success."""

    resets = 0

    def reset(self) -> None:
        self.resets += 1
        super().reset()


@pytest.mark.parametrize(("script", "resets"), [(say(), 0), (say(ROLLED), 1)])
async def test_only_a_connection_that_brings_something_is_a_success(
    script: Script, resets: int
) -> None:
    """One that is accepted and dropped at once is waited for longer and longer."""
    async with a_server(script) as server:
        backoff = Counting(first=0.01, longest=0.01)
        socket = LudoSocket(server.url, ROOM, backoff=backoff)
        running = asyncio.create_task(socket.run())
        await wait_until(lambda: len(server.joins) >= 3)
        await tasks.end(running)

    assert bool(backoff.resets) is bool(resets)
