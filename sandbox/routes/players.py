"""`/v1/players`: register and look up."""

from typing import Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.answers import not_found
from sandbox.lobby import Lobby
from sandbox.replies import Asked, Reply, granted, reply
from sandbox.requests import RegisterPlayer, parse
from sandbox.tokens import SessionTokens


@post("/v1/players")
async def register_player(
    lobby: NamedDependency[Lobby], tokens: NamedDependency[SessionTokens], request: Asked
) -> Reply:
    """Register a player; only this answer carries the session token."""
    asked = granted(parse(RegisterPlayer, await request.body()))
    account = lobby.register(asked.player_name)
    token = tokens.make(account.id, account.created_at)
    return reply(account.body() | {"sessionToken": token}, 201)


@get("/v1/players/{player_id:str}")
async def show_player(lobby: NamedDependency[Lobby], player_id: FromPath[str]) -> Reply:
    """A registered player, or a bot that plays."""
    account = lobby.accounts.find(player_id)
    return reply(granted(account or not_found("player", player_id)).body())


PLAYERS: Final = (register_player, show_player)
