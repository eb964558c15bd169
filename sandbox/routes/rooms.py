"""`/v1/rooms`: open, list, look, join, leave, start."""

from typing import Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sandbox.lobby import Lobby
from sandbox.replies import Asked, Reply, granted, reply
from sandbox.requests import CreateRoom, JoinRoom, LeaveRoom, parse
from sandbox.room import player_body


@get("/v1/rooms")
async def list_rooms(lobby: NamedDependency[Lobby], status: FromQuery[str | None] = None) -> Reply:
    """Rooms of a status, or all that are open."""
    return reply([room.body() for room in lobby.rooms.of(status)])


@post("/v1/rooms")
async def open_room(lobby: NamedDependency[Lobby], request: Asked) -> Reply:
    """Open a room."""
    asked = granted(parse(CreateRoom, await request.body()))
    return reply(lobby.open(asked.order()).body(), 201)


@get("/v1/rooms/{code:str}")
async def show_room(lobby: NamedDependency[Lobby], code: FromPath[str]) -> Reply:
    """A room by its code."""
    return reply(granted(lobby.rooms.find(code)).body())


@post("/v1/rooms/{code:str}/join")
async def join_room(lobby: NamedDependency[Lobby], request: Asked, code: FromPath[str]) -> Reply:
    """Take a seat: the room, and who the caller is in it."""
    asked = granted(parse(JoinRoom, await request.body()))
    room, player = granted(lobby.join(code, asked.player_name, asked.color, asked.player_id))
    return reply(room.body() | player_body(player))


@post("/v1/rooms/{code:str}/leave")
async def leave_room(lobby: NamedDependency[Lobby], request: Asked, code: FromPath[str]) -> Reply:
    """Leave a room; in a game the seat stays taken."""
    asked = granted(parse(LeaveRoom, await request.body()))
    return reply(granted(lobby.leave(code, asked.player_id)).body())


@post("/v1/rooms/{code:str}/start")
async def start_room(lobby: NamedDependency[Lobby], code: FromPath[str]) -> Reply:
    """Start the game with those who are there."""
    return reply(granted(lobby.start(code)).body())


ROOMS: Final = (list_rooms, open_room, show_room, join_room, leave_room, start_room)
