"""What the relay sends, parsed: a value for every frame that is known, None for any other.

Unknown `t` and unknown fields are ignored, and so is what cannot be read: a delta that is lost
that way is missed at the next one.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from ludo.relay.patch import Operation

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
_Epoch = Annotated[str, msgspec.Meta(max_length=32)]
_Id = int | str | None


class _In(msgspec.Struct, frozen=True, tag_field="t", rename="camel"):
    pass


class Welcome(_In, frozen=True, tag="welcome"):
    """The hello was accepted; times in Unix milliseconds, `ping` in seconds."""

    now: _Number
    ping: _Seconds = 20.0
    exp: _Number | None = None
    conn: str = ""


class SnapFrame(_In, frozen=True, tag="snap"):
    """Replace everything known of this game."""

    game: str
    epoch: _Epoch
    seq: _Count
    state: dict[str, Any]
    why: str = "initial"
    as_of: _Number = 0
    stale: bool = False


class DeltaFrame(_In, frozen=True, tag="d"):
    """One event and what it changes."""

    game: str
    seq: _Count
    at: _Number = 0
    ev: dict[str, Any] = {}
    patch: Sequence[Operation] = ()


class Live(_In, frozen=True, tag="live"):
    """The end of catching up."""

    game: str
    epoch: _Epoch
    seq: _Count
    recovered: bool = False
    replayed: _Count = 0
    id: _Id = None


class MirrorFrame(_In, frozen=True, tag="mirror"):
    """How fresh the mirror is."""

    game: str
    as_of: _Number
    stale: bool


class PresenceFrame(_In, frozen=True, tag="presence"):
    """Who is here."""

    game: str
    seats: dict[str, Any] = {}


class SaidFrame(_In, frozen=True, tag="said"):
    """Somebody spoke; the frame is passed on as it is."""

    game: str


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """How a game ended."""

    winner_id: str | None = None
    placements: tuple[str, ...] = ()


class EndedFrame(_In, frozen=True, tag="ended"):
    """The game is over, and so is the subscription."""

    game: str
    epoch: _Epoch
    seq: _Count
    result: Result = Result()


class Ping(_In, frozen=True, tag="ping"):
    """Heartbeat, with the tips of the client's games."""

    n: _Number = 0
    tips: dict[str, _Count] = {}


class Pong(_In, frozen=True, tag="pong"):
    """The answer to a ping of ours."""

    n: _Number = 0
    now: _Number = 0


class Ok(_In, frozen=True, tag="ok"):
    """A request was done."""

    id: _Id = None


class Err(_In, frozen=True, tag="err"):
    """A request was refused."""

    code: str
    msg: str = ""
    retry: bool = False
    id: _Id = None
    after: _Seconds | None = None
    game: str | None = None


class Unsub(_In, frozen=True, tag="unsub"):
    """The relay ended a subscription."""

    game: str
    code: str = ""
    retry: bool = False


class Bye(_In, frozen=True, tag="bye"):
    """The relay is about to close with `code`."""

    code: int
    reason: str = ""
    reconnect: bool = True
    after: _Seconds = 0.0


Incoming = (
    Welcome
    | SnapFrame
    | DeltaFrame
    | Live
    | MirrorFrame
    | PresenceFrame
    | SaidFrame
    | EndedFrame
    | Ping
    | Pong
    | Ok
    | Err
    | Unsub
    | Bye
)

_DECODER: Final[msgspec.json.Decoder[Incoming]] = msgspec.json.Decoder(Incoming)
_ANY: Final = msgspec.json.Decoder(dict[str, Any])


def parse(text: str | bytes) -> Incoming | None:
    """The frame, or None for one that is not known or cannot be read."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def whole(text: str | bytes) -> dict[str, Any]:
    """Every field of a frame that `parse` has understood; none if one nests too deeply."""
    try:
        return _ANY.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
