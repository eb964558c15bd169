"""The sandbox's WebSocket: a room's events to whoever joined it, and its faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.sandbox.builders import KEY, a_sandbox, data

BOTS = {"maxPlayers": 2, "gameMode": "quick", "bots": 2, "seed": "9"}


@asynccontextmanager
async def joined(http: httpx.AsyncClient, code: str, key: str = KEY) -> AsyncIterator[Any]:
    """A connection that has joined a room."""
    address = str(http.base_url).replace("http://", "ws://") + "/ws"
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(address, additional_headers=headers, proxy=None) as connection:
        await connection.send(json.dumps({"type": "room:join", "roomCode": code}))
        yield connection


async def everything(connection: ClientConnection) -> list[dict[str, Any]]:
    """All frames until the connection ends."""
    frames = []
    try:
        async for frame in connection:
            frames.append(json.loads(frame))  # noqa: PERF401 (a cut would lose what came before)
    except ConnectionClosed:
        pass
    return frames


async def played(http: httpx.AsyncClient, connection: ClientConnection, code: str) -> Any:
    """What a listener hears of a bots' game, and the events as they truly happened."""
    hearing = asyncio.create_task(everything(connection))
    game_id = (await data(http, "POST", f"/v1/rooms/{code}/start"))["gameId"]
    frames = await asyncio.wait_for(hearing, 30)
    return frames, await data(http, "GET", f"/sandbox/games/{game_id}/events")


async def test_a_listener_hears_the_whole_game() -> None:
    """In order, as webhooks tell it, until the room is closed."""
    async with a_sandbox() as http:
        code = (await data(http, "POST", "/v1/rooms", **BOTS))["code"]
        async with joined(http, code) as connection:
            frames, truth = await played(http, connection, code)

    assert [frame for frame in frames if frame["type"].startswith("game:")] == truth
    assert frames[-1]["type"] == "room:closed"
    assert connection.close_code == 1000


async def test_frames_come_late_and_twice() -> None:
    """Everything is told, but neither once nor in order."""
    async with a_sandbox(faults="socket_late=0.2,socket_twice=0.2", longest_delay=0.01) as http:
        code = (await data(http, "POST", "/v1/rooms", **BOTS))["code"]
        async with joined(http, code) as connection:
            frames, truth = await played(http, connection, code)

    told = [frame["data"]["sequence"] for frame in frames if "sequence" in frame["data"]]
    assert told != sorted(told)
    assert len(told) > len(set(told))
    assert set(told) <= {event["data"]["sequence"] for event in truth}


async def test_a_cut_loses_the_event() -> None:
    """The connection ends without a goodbye that means the end of the game."""
    async with a_sandbox(faults="socket_cut=0.1") as http:
        code = (await data(http, "POST", "/v1/rooms", **BOTS))["code"]
        async with joined(http, code) as connection:
            frames, truth = await played(http, connection, code)

    assert len(frames) < len(truth)
    assert frames[-1:] == [] or frames[-1]["type"] != "room:closed"
    assert connection.close_code == 1011


async def test_strangers_do_not_listen() -> None:
    """Without the key the upgrade is refused; a room that is not there cannot be joined."""
    async with a_sandbox() as http:
        with pytest.raises(InvalidStatus, match="403"):
            async with joined(http, "ABC123", key="another"):
                pass
        async with joined(http, "NOROOM") as connection:
            assert await everything(connection) == []
        assert connection.close_code == 4004
