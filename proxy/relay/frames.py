"""Every frame of `ludorelay.v1`, both ways: the one place that knows the names of fields.

Incoming text becomes a value or a refusal, never an exception; unknown `t` and unknown fields are
ignored. Times are Unix milliseconds; `ping` and `after` are seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from proxy.relay.codes import Code
from proxy.relay.limits import Limits
from proxy.relay.resume import Why

VERSION: Final = 1
SUBPROTOCOL: Final = "ludorelay.v1"

# Echoed numbers stay within what every JSON reader holds exactly.
_Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
RequestId = _Number | Annotated[str, msgspec.Meta(max_length=64)]
GameId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


# ---- client → server


class Wish(msgspec.Struct, frozen=True):
    """A game that a hello asks for, and where the client stands in it."""

    game: GameId
    epoch: str | None = None
    seq: int | None = None


class Hello(msgspec.Struct, frozen=True, tag_field="t", tag="hello"):
    """The first frame: who, and which games."""

    token: str | None = None
    subs: list[Wish] = []


class Sub(msgspec.Struct, frozen=True, tag_field="t", tag="sub"):
    """Subscribe, or go on from `(epoch, seq)`."""

    game: GameId
    id: RequestId | None = None
    epoch: str | None = None
    seq: int | None = None


class Unsub(msgspec.Struct, frozen=True, tag_field="t", tag="unsub"):
    """Leave a game."""

    game: GameId
    id: RequestId | None = None


class Auth(msgspec.Struct, frozen=True, tag_field="t", tag="auth"):
    """A fresh token for this connection."""

    id: RequestId | None = None
    token: str | None = None


class Resync(msgspec.Struct, frozen=True, tag_field="t", tag="resync"):
    """The client's copy is wrong: it wants a snapshot."""

    game: GameId
    id: RequestId | None = None
    why: str | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="t", tag="ping"):
    """Is anybody there?"""

    n: _Number = 0


class Pong(msgspec.Struct, frozen=True, tag_field="t", tag="pong"):
    """The answer to our ping; `at` is what the client has applied."""

    n: _Number = 0
    at: dict[str, int] | None = None


TalkKind = Literal["text", "emote", "typing"]
"""What somebody at the table does: says something, shows an emote by its name, or types."""


class Say(msgspec.Struct, frozen=True, tag_field="t", tag="say"):
    """Table talk: to everybody who watches the game, or to one player; nothing is kept."""

    game: GameId
    id: RequestId | None = None
    to: GameId | None = None
    text: str = ""
    kind: TalkKind = "text"


ClientFrame = Hello | Sub | Unsub | Auth | Resync | Say | Ping | Pong


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame of a kind that we do not know."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A frame that ends the connection."""

    code: Code
    reason: str


class _Head(msgspec.Struct):
    t: object = None
    v: object = None


_HEAD: Final = msgspec.json.Decoder(_Head)
_BODIES: Final[dict[object, msgspec.json.Decoder[ClientFrame]]] = {
    kind.__struct_config__.tag: msgspec.json.Decoder(kind)
    for kind in (Hello, Sub, Unsub, Auth, Resync, Say, Ping, Pong)
}


def decode(message: str | bytes, limits: Limits) -> ClientFrame | Ignored | Bad:
    """What a client sent; only a hello may be longer than an ordinary frame."""
    if isinstance(message, bytes):
        return Bad(Code.BAD_REQUEST, "expected a text frame; found a binary one")
    data = message.encode("utf-8", "replace")
    if len(data) > limits.hello:
        return _too_big(len(data), limits.hello)
    try:
        return _decode(data, limits)
    except msgspec.DecodeError as error:
        return Bad(Code.BAD_REQUEST, f"expected a frame of {SUBPROTOCOL}; found: {error}"[:120])
    except RecursionError:
        return Bad(Code.BAD_REQUEST, "expected a flat JSON object; found it nested too deeply")


def _decode(data: bytes, limits: Limits) -> ClientFrame | Ignored | Bad:
    head = _HEAD.decode(data)
    if head.t != "hello" and len(data) > limits.frame:
        return _too_big(len(data), limits.frame)
    body = _BODIES.get(head.t) if isinstance(head.t, str) else None
    if body is None:
        return Ignored()
    if head.t == "hello" and not (type(head.v) is int and head.v == VERSION):
        return Bad(Code.VERSION, f"expected v {VERSION}; found {str(head.v)[:20]}")
    return body.decode(data)


def _too_big(size: int, limit: int) -> Bad:
    return Bad(Code.TOO_BIG, f"expected at most {limit} bytes; found {size}")


# ---- server → client


@dataclass(frozen=True, slots=True)
class Frame:
    """An encoded frame; `size` is in bytes."""

    text: str
    size: int


class _Out(msgspec.Struct, frozen=True, tag_field="t", omit_defaults=True):
    pass


class ToldLimits(msgspec.Struct, frozen=True):
    """What a client may do: bytes a frame, frames a minute, subscriptions."""

    bytes: int
    rate: int
    subs: int


class Welcome(_Out, frozen=True, tag="welcome"):
    """The hello was accepted."""

    conn: str
    v: int
    now: int
    ping: float
    limits: ToldLimits
    exp: int | None = None


class SnapFrame(_Out, frozen=True, tag="snap"):
    """Replace everything known of this game."""

    game: str
    epoch: str
    seq: int
    state: msgspec.Raw
    why: Why
    asOf: int  # noqa: N815
    stale: bool


class Live(_Out, frozen=True, tag="live"):
    """The end of catching up."""

    game: str
    epoch: str
    seq: int
    recovered: bool
    replayed: int
    id: RequestId | None = None


class MirrorFrame(_Out, frozen=True, tag="mirror"):
    """How fresh the mirror is."""

    game: str
    asOf: int  # noqa: N815
    stale: bool


class SeatFrame(msgspec.Struct, frozen=True):
    """Whether a player is connected, since when."""

    online: bool
    since: int


class PresenceFrame(_Out, frozen=True, tag="presence"):
    """Who is here: the players of the game that were seen so far, by player id."""

    game: str
    seats: Mapping[str, SeatFrame]


class SaidFrame(_Out, frozen=True, tag="said", rename={"sender": "from"}):
    """Somebody said something; `from` is missing if nobody knows who, `to` if it is for all."""

    game: str
    kind: TalkKind
    text: str
    at: int
    sender: str | None = None
    to: str | None = None


class Result(msgspec.Struct, frozen=True):
    """How a game ended: player ids, best first."""

    winnerId: str | None = None  # noqa: N815
    placements: Sequence[str] = ()


class Ended(_Out, frozen=True, tag="ended"):
    """The game is over, and so is the subscription."""

    game: str
    epoch: str
    seq: int
    result: Result


class ServerPing(_Out, frozen=True, tag="ping"):
    """Heartbeat, with the tips of the client's games."""

    n: int
    tips: dict[str, int]


class ServerPong(_Out, frozen=True, tag="pong"):
    """The answer to a client's ping."""

    n: int
    now: int


class Ok(_Out, frozen=True, tag="ok"):
    """A request was done."""

    id: RequestId | None = None


class Err(_Out, frozen=True, tag="err"):
    """A request was refused; `retry` says whether it may be sent again, `after` how soon."""

    code: str
    msg: str
    retry: bool
    id: RequestId | None = None
    after: float | None = None
    game: str | None = None


class Removed(_Out, frozen=True, tag="unsub"):
    """The server ended a subscription."""

    game: str
    code: str
    retry: bool


class Bye(_Out, frozen=True, tag="bye"):
    """The connection is about to be closed with `code`."""

    code: int
    reason: str
    reconnect: bool
    after: float


_ENCODER: Final = msgspec.json.Encoder()


def encode(frame: _Out) -> Frame:
    """A frame as it goes over the wire."""
    data = _ENCODER.encode(frame)
    return Frame(data.decode(), len(data))


class _EndedEvent(msgspec.Struct):
    type: str = ""
    winnerId: str | None = None  # noqa: N815
    placements: list[str] = []


class _EndedDelta(msgspec.Struct):
    ev: _EndedEvent


_ENDED_DELTA: Final = msgspec.json.Decoder(_EndedDelta)


def result_of(delta: str) -> Result | None:
    """How the game ended, if this `d` frame is its end; None for any other."""
    try:
        event = _ENDED_DELTA.decode(delta).ev
    except msgspec.DecodeError:
        return None
    if event.type != "game:ended":
        return None
    return Result(event.winnerId, event.placements)
