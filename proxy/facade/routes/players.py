"""`/v1/players`: register and look up."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from proxy.errors import NotAuthenticated
from proxy.facade import policy
from proxy.facade.answers import cached_answer
from proxy.facade.reading import Reader
from proxy.facade.routes.naming import known
from proxy.facade.routes.passing import passed_on
from proxy.facade.routes.rooms import Asked, Key
from proxy.facade.routes.shapes import READ, WRITE, NewPlayer, PlayerAnswer, answers
from proxy.facade.writing import Write, Writer
from proxy.relay.callers import Caller
from proxy.telemetry import Telemetry

_TAGS: Final = ["players"]
_ME: Final = "me"


@get(
    "/players/{player_id:str}",
    tags=_TAGS,
    operation_id="GetPlayer",
    responses=answers(PlayerAnswer, *READ),
)
async def show_player(
    request: Asked,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    telemetry: NamedDependency[Telemetry],
    player_id: FromPath[str],
) -> Response[bytes]:
    """A registered player; `me` is the token's."""
    served = await reader.read(policy.player(known(_meant(player_id, caller))))
    telemetry.read("player", served.source.value)
    return cached_answer(request, served)


@post(
    "/players",
    tags=_TAGS,
    operation_id="CreatePlayer",
    responses=answers(PlayerAnswer, *WRITE, status=201),
)
async def create_player(
    writer: NamedDependency[Writer],
    identity: NamedDependency[str],
    data: NewPlayer,
    key: Key = None,
) -> Response[bytes]:
    """Register a player; only this answer carries the session token."""
    return await passed_on(writer, Write("/players", {}, data), identity, key)


def _meant(player_id: str, caller: Caller) -> str:
    if player_id != _ME:
        return player_id
    if caller.sub is None:
        raise NotAuthenticated("expected a token that says who `me` is; found none")
    return caller.sub


PLAYERS: Final = (show_player, create_player)
