"""`/v1/games`: the state, and what a person may do in a game."""

from typing import Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from ludo.mirror.body import to_body
from sandbox import turns
from sandbox.lobby import Lobby
from sandbox.replies import Asked, Reply, granted, reply
from sandbox.requests import Move, Roll, Validate, parse


@get("/v1/games/{game_id:str}/state")
async def show_state(lobby: NamedDependency[Lobby], game_id: FromPath[str]) -> Reply:
    """The truth about a game as it stands."""
    room, table = granted(lobby.rooms.find_game(game_id))
    return reply(to_body(table.snapshot(game_id, room.code, room.connected)))


@post("/v1/games/{game_id:str}/roll")
async def roll(lobby: NamedDependency[Lobby], request: Asked, game_id: FromPath[str]) -> Reply:
    """Roll the dice."""
    asked = granted(parse(Roll, await request.body()))
    return reply(granted(turns.roll(lobby, game_id, asked)))


@post("/v1/games/{game_id:str}/move")
async def move(lobby: NamedDependency[Lobby], request: Asked, game_id: FromPath[str]) -> Reply:
    """Move a piece."""
    asked = granted(parse(Move, await request.body()))
    return reply(granted(turns.move(lobby, game_id, asked)))


@post("/v1/games/{game_id:str}/validate")
async def validate(lobby: NamedDependency[Lobby], request: Asked, game_id: FromPath[str]) -> Reply:
    """Ask whether a move would do."""
    asked = granted(parse(Validate, await request.body()))
    return reply(granted(turns.validate(lobby, game_id, asked)))


GAMES: Final = (show_state, roll, move, validate)
