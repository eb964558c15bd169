"""Rooms, players and refusals as upstream's REST bodies carry them (camelCase on the wire).

Upstream documents few of these fields, so what may be absent has a default and what is not known
is ignored.
"""

from typing import Any, Final, TypeVar

import msgspec

from ludo.upstream.errors import UpstreamMalformed
from ludo.upstream.wire.fields import camelized

M = TypeVar("M")


class RoomPlayer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Somebody in a room; the colour may not be chosen yet."""

    player_id: str
    player_name: str
    color: str | None = None


class Room(msgspec.Struct, frozen=True, rename="camel"):
    """A room; `game_id` is None until its game starts."""

    code: str
    status: str
    player_count: int = 0
    max_players: int = 4
    game_mode: str = "classic"
    game_id: str | None = None
    players: tuple[RoomPlayer, ...] = ()


class JoinedRoom(Room, frozen=True, rename="camel", kw_only=True):
    """A room as its newest player sees it, with who that is in it."""

    player_id: str
    player_name: str = ""
    color: str | None = None


class LegalMove(msgspec.Struct, frozen=True, rename="camel"):
    """What a roll allows: a piece and its new position (R2)."""

    piece_id: str
    target_position: int


class RollResult(msgspec.Struct, frozen=True, rename="camel"):
    """What fell, and what may be moved with it; who is in turn now."""

    dice_value: int
    game_id: str | None = None
    player_id: str | None = None
    sequence: int | None = None
    current_player_id: str | None = None
    winner_id: str | None = None
    legal_moves: tuple[LegalMove, ...] = ()


class MoveResult(msgspec.Struct, frozen=True, rename="camel"):
    """Where the piece stands now, and which pieces it sent back."""

    piece_id: str | None = None
    position: int | None = None
    game_id: str | None = None
    player_id: str | None = None
    sequence: int | None = None
    current_player_id: str | None = None
    winner_id: str | None = None
    captured: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a move would be accepted now; if not, the clause it breaks and its sentence."""

    valid: bool
    piece_id: str | None = None
    target_position: int | None = None
    clause: str | None = None
    error: str | None = None


class PlayerAccount(msgspec.Struct, frozen=True, rename="camel"):
    """A registered player; only the answer to a registration carries the `session_token`."""

    player_id: str
    player_name: str
    session_token: str | None = None
    created_at: str | None = None

    def __repr__(self) -> str:
        return f"PlayerAccount(player_id={self.player_id!r}, player_name={self.player_name!r})"


class Refusal(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a refusal: a sentence, a code, and the clause that a refused move breaks."""

    error: str = ""
    code: str | None = None
    clause: str | None = None


_REFUSALS: Final = msgspec.json.Decoder(Refusal)


def parse_data(body: bytes, model: type[M]) -> M:
    """The `data` of a success as that model; raises UpstreamMalformed.

    A bare body, without the envelope, is taken as the data itself.
    """
    whole = camelized(decode_any(body))
    data = whole.get("data", whole) if isinstance(whole, dict) else whole
    try:
        return msgspec.convert(data, model)
    except msgspec.ValidationError as error:
        raise UpstreamMalformed(f"a body that is {_named(model)}", str(error)) from None


def parse_refusal(body: bytes) -> Refusal:
    """What a refusal's body says; an empty refusal if it cannot be read, never an error."""
    try:
        return _REFUSALS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Refusal()


def decode_any(body: bytes) -> Any:
    """The JSON in a body, of whatever shape; raises UpstreamMalformed."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamMalformed("JSON", f"something else ({error})") from None


def _named(model: object) -> str:
    return getattr(model, "__name__", str(model))
