"""`/v1/games`: list, state, roll, move, validate."""

from dataclasses import replace
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from ludo.store.listing import BadCursor, Place, Wanted, read_cursor
from ludo.upstream.budget import CallClass
from ludo.upstream.wire.fields import MAX_NUMBER
from proxy.errors import BadRequest, NotAllowed
from proxy.facade.acting import Body, acting
from proxy.facade.answers import cached_answer, json_answer
from proxy.facade.cachestatus import ARCHIVED, MIRRORED
from proxy.facade.fetching import etag_of
from proxy.facade.policy import REVALIDATED
from proxy.facade.refereeing import LocalReferee
from proxy.facade.replays import Replays
from proxy.facade.routes.naming import known
from proxy.facade.routes.passing import passed_on
from proxy.facade.routes.rooms import Asked, Key
from proxy.facade.routes.shapes import (
    READ,
    WRITE,
    AnyAnswer,
    GamesAnswer,
    Moving,
    ReplayAnswer,
    Rolling,
    StateAnswer,
    Validating,
    answers,
)
from proxy.facade.states import GameStates, Mirrored
from proxy.facade.writing import Write, Writer
from proxy.relay.callers import Caller
from proxy.telemetry import Telemetry

_TAGS: Final = ["games"]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=100)]
Player = Annotated[str | None, QueryParameter(name="player", max_length=128)]
Cursor = Annotated[str | None, QueryParameter(name="cursor", max_length=512)]
At = Annotated[int | None, QueryParameter(name="at", ge=1, le=MAX_NUMBER)]


@get("/games", tags=_TAGS, operation_id="ListGames", responses=answers(GamesAnswer, *READ))
async def list_games(
    request: Asked,
    states: NamedDependency[GameStates],
    caller: NamedDependency[Caller],
    status: FromQuery[Literal["playing", "finished", "abandoned"] | None] = None,
    player: Player = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response[bytes]:
    """Games, live and over, the last first; `nextCursor` leads to those before."""
    wanted = Wanted(status, player, _place(cursor), limit)
    listed = await states.games(wanted)
    seen = [game for game in listed.games if caller.may_watch(game["gameId"])]
    body = msgspec.json.encode({"success": True, "data": seen, "nextCursor": listed.cursor})
    headers = {
        "ETag": etag_of(body),
        "Age": "0",
        "Cache-Control": REVALIDATED,
        "Cache-Status": MIRRORED,
    }
    if listed.cursor is not None:
        headers["Link"] = f'<{_onward(request, listed.cursor)}>; rel="next"'
    return json_answer(request, body, headers)


@get(
    "/games/{game_id:str}/replay",
    tags=_TAGS,
    operation_id="ReplayGame",
    responses=answers(ReplayAnswer, *READ, 403, 409),
)
async def replay(
    request: Asked,
    replays: NamedDependency[Replays],
    caller: NamedDependency[Caller],
    game_id: FromPath[str],
    at: At = None,
) -> Response[bytes]:
    """A game played again: its state at a sequence or, without one, everything that happened."""
    if not caller.may_watch(known(game_id)):
        raise NotAllowed("expected a token for this game; found one for others")
    found = await (replays.log(game_id) if at is None else replays.state(game_id, at))
    headers = {
        "ETag": found.etag,
        "Age": "0",
        "Cache-Control": REVALIDATED,
        "Cache-Status": ARCHIVED if found.archived else MIRRORED,
    }
    return json_answer(request, found.body, headers)


def _onward(request: Asked, cursor: str) -> str:
    """The address of the next page (RFC 8288)."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"


def _place(cursor: str | None) -> Place | None:
    try:
        return None if cursor is None else read_cursor(cursor)
    except BadCursor as error:
        raise BadRequest(str(error)) from None


@get(
    "/games/{game_id:str}/state",
    tags=_TAGS,
    operation_id="GetGameState",
    responses=answers(StateAnswer, *READ),
)
async def show_state(
    request: Asked,
    states: NamedDependency[GameStates],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    telemetry: NamedDependency[Telemetry],
    game_id: FromPath[str],
) -> Response[bytes]:
    """The state of a game, never older than what the relay has pushed."""
    if not caller.may_watch(known(game_id)):
        raise NotAllowed("expected a token for this game; found one for others")
    found = await states.state(game_id, identity)
    if not isinstance(found, Mirrored):
        telemetry.read("state", found.source.value)
        return cached_answer(request, found)
    telemetry.read("state", "mirror")
    headers = {
        "ETag": found.etag,
        "Age": str(found.age),
        "Cache-Control": REVALIDATED,
        "Cache-Status": ARCHIVED if found.stored.archived else MIRRORED,
        "Ludo-Stale": "true" if found.stored.stale else "false",
    }
    return json_answer(request, found.body, headers)


@post(
    "/games/{game_id:str}/roll",
    tags=_TAGS,
    operation_id="Roll",
    responses=answers(AnyAnswer, *WRITE),
    status_code=200,
)
async def roll(
    writer: NamedDependency[Writer],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    game_id: FromPath[str],
    data: Rolling = None,
    key: Key = None,
) -> Response[bytes]:
    """Roll the dice, as the token's player."""
    write = _play("/games/{gameId}/roll", game_id, acting(data or {}, caller))
    return await passed_on(writer, write, identity, key)


@post(
    "/games/{game_id:str}/move",
    tags=_TAGS,
    operation_id="Move",
    responses=answers(AnyAnswer, *WRITE),
    status_code=200,
)
async def move(
    writer: NamedDependency[Writer],
    referee: NamedDependency[LocalReferee],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    game_id: FromPath[str],
    data: Moving,
    key: Key = None,
) -> Response[bytes]:
    """Move a piece; a move that the rules forbid is refused without asking upstream."""
    body = acting(data, caller)
    write = _play("/games/{gameId}/move", game_id, body)
    checked = replace(write, check=lambda: referee.check(game_id, body))
    return await passed_on(writer, checked, identity, key)


@post(
    "/games/{game_id:str}/validate",
    tags=_TAGS,
    operation_id="Validate",
    responses=answers(AnyAnswer, *WRITE),
    status_code=200,
)
async def validate(
    writer: NamedDependency[Writer],
    caller: NamedDependency[Caller],
    identity: NamedDependency[str],
    game_id: FromPath[str],
    data: Validating,
    key: Key = None,
) -> Response[bytes]:
    """Ask upstream whether a move would do; nothing changes by it."""
    body = acting(data, caller, name="player_id")
    params = {"gameId": known(game_id)}
    write = Write("/games/{gameId}/validate", params, body, klass=CallClass.READ)
    return await passed_on(writer, write, identity, key)


def _play(route: str, game_id: str, body: Body) -> Write:
    name = known(game_id)
    return Write(route, {"gameId": name}, body, (f"game:{name}",), game_id=name)


GAMES: Final = (list_games, show_state, replay, roll, move, validate)
