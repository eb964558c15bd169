"""What callers send and get, as the description of the API tells it.

Bodies are passed on as they are, so these shapes describe; upstream decides.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body

from ludo.rules.ruleset import GameMode
from ludo.rules.track import Color
from ludo.upstream.wire.models import PlayerAccount, Room
from proxy.problems import MEDIA_TYPE


class ProblemBody(msgspec.Struct, rename="camel"):
    """An error (RFC 9457); `error` repeats `detail`, as upstream's envelope has it."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    success: bool = False
    clause: str | None = None


class RoomAnswer(msgspec.Struct):
    """One room."""

    success: bool
    data: Room


class RoomsAnswer(msgspec.Struct):
    """Rooms."""

    success: bool
    data: list[Room]


class PlayerAnswer(msgspec.Struct):
    """A player."""

    success: bool
    data: PlayerAccount


class AnyAnswer(msgspec.Struct):
    """Upstream's envelope around data that upstream defines."""

    success: bool
    data: Any


class ListedPlayer(msgspec.Struct, rename="camel"):
    """Somebody at a table."""

    player_id: str
    player_name: str
    color: Color


class ListedGame(msgspec.Struct, rename="camel"):
    """A mirrored game in a list."""

    game_id: str
    room_code: str
    game_mode: GameMode
    status: str
    sequence: int
    players: list[ListedPlayer]
    current_player_id: str
    updated_at: str


class GamesAnswer(msgspec.Struct, rename="camel"):
    """Games, the last first; `nextCursor` is null on the last page."""

    success: bool
    data: list[ListedGame]
    next_cursor: str | None


class StatePlayer(ListedPlayer, rename="camel"):
    """A player in a state."""

    connected: bool
    finished_pieces: int


class StatePiece(msgspec.Struct, rename="camel"):
    """A piece: `position` is -1 in the yard, 0–50 on the track, 51–55 in its column, 56 home."""

    piece_id: str
    player_id: str
    color: Color
    position: int
    finished: bool


class State(msgspec.Struct, rename="camel"):
    """A whole game at one sequence."""

    game_id: str
    room_code: str
    game_mode: GameMode
    status: str
    sequence: int
    players: list[StatePlayer]
    pieces: list[StatePiece]
    current_player_id: str
    dice_value: int | None
    phase: str | None
    consecutive_sixes: int | None
    finish_order: list[str] | None
    winner_id: str | None
    updated_at: str


class StateAnswer(msgspec.Struct):
    """The state of a game."""

    success: bool
    data: State


class ReplayEntry(msgspec.Struct, rename="camel"):
    """An event as it was applied, or a resync with the whole state; `at` is Unix milliseconds."""

    number: int
    kind: Literal["event", "resync"]
    sequence: int
    at: int
    why: str | None
    body: dict[str, Any]


class ReplayLog(msgspec.Struct, rename="camel"):
    """Everything that made a game what it is."""

    game_id: str
    status: str
    sequence: int
    entries: list[ReplayEntry]


class LogAnswer(msgspec.Struct):
    """Everything that made a game what it is."""

    success: bool
    data: ReplayLog


# Of whole answers: msgspec knows no field that holds one of two untagged structs.
ReplayAnswer = StateAnswer | LogAnswer
"""The state at the sequence that was asked for or, without one, the log."""


def answers(success: Any, *refusals: int, status: int = 200) -> dict[int, ResponseSpec]:
    """The answers of a route: one success, and problems."""
    told = {status: ResponseSpec(success, description="Upstream's envelope")}
    names = {
        304: "Not modified since the ETag that was sent",
        400: "A request that means nothing here",
        401: "No token, or a bad one",
        403: "Another player's turn to act, or not this token's game",
        404: "Nothing there",
        409: "Not possible as things stand; `illegal-move` names the clause",
        422: "The Idempotency-Key came with another body before",
        429: "The quota is used up; see Retry-After",
        502: "Upstream's answer is of no use",
        503: "Not now; see Retry-After",
    }
    for refusal in refusals:
        problem = ProblemBody if refusal >= 400 else None
        media = MEDIA_TYPE if refusal >= 400 else "application/json"
        told[refusal] = ResponseSpec(problem, description=names[refusal], media_type=media)
    return told


READ: Final = (304, 400, 401, 404, 429, 502, 503)
WRITE: Final = (400, 401, 403, 404, 409, 422, 429, 502, 503)


def _object(example: dict[str, Any], required: list[str]) -> Any:
    kinds: dict[type, str] = {str: "string", int: "integer"}
    properties = {name: {"type": kinds[type(value)]} for name, value in example.items()}
    schema = {"type": "object", "properties": properties, "required": required}
    return Body(examples=[Example(value=example)], schema_extra=schema)


Anything = dict[str, Any]
NewRoom = Annotated[Anything, _object({"maxPlayers": 4, "gameMode": "classic"}, [])]
Joining = Annotated[Anything, _object({"playerName": "Ann", "color": "red"}, ["playerName"])]
NewPlayer = Annotated[
    Anything, _object({"playerName": "Ann", "deviceId": "d-1", "platform": "web"}, ["playerName"])
]
Rolling = Annotated[Anything | None, _object({"playerId": "plr_1"}, [])]
Moving = Annotated[
    Anything,
    _object(
        {"pieceId": "red-0", "targetPosition": 0, "playerId": "plr_1"},
        ["pieceId", "targetPosition"],
    ),
]
Validating = Annotated[
    Anything,
    _object(
        {"player_id": "plr_1", "token_index": 0, "dice_value": 6}, ["token_index", "dice_value"]
    ),
]
