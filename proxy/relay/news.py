"""What the workers publish on a game's channel: one space separated header, then the rest.

`1 d <epoch> <seq> <frame>` · `1 s <epoch> <seq> <why>` · `1 m <epoch> <seq> <asOf> <0|1>`
and, from the relay itself, `1 t <said frame>` · `1 p <seats as JSON>`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from proxy.relay.frames import Frame, SeatFrame
from proxy.relay.framing import framed, text_of
from proxy.relay.source import Place

_VERSION: Final = b"1"
_MARK_OF_THE_END: Final = b'"game:ended"'


@dataclass(frozen=True, slots=True)
class Delta:
    """One change: the complete `d` frame as it goes to every client, encoded and framed once.

    `size` is that of the text in `wire`. `may_end` says that it mentions `game:ended`; only such
    a frame is looked into.
    """

    place: Place
    wire: bytes
    size: int
    may_end: bool

    @property
    def text(self) -> str:
        """The frame's JSON."""
        return text_of(self.wire)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A resync has put another mirror in this place."""

    place: Place


@dataclass(frozen=True, slots=True)
class Freshness:
    """Upstream confirmed the mirror, or could not be asked; `as_of` in Unix milliseconds."""

    place: Place
    as_of: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """Somebody at the table said something; `to` is None if it is for everybody."""

    frame: Frame
    sender: str | None
    to: str | None

    def is_for(self, who: str | None) -> bool:
        """Whether somebody gets to hear it: in private, the two whom it concerns."""
        return self.to is None or (who is not None and who in (self.to, self.sender))


@dataclass(frozen=True, slots=True)
class Attended:
    """Which players are here, over all nodes, by player id."""

    seats: Mapping[str, SeatFrame]


@dataclass(frozen=True, slots=True)
class Garbled:
    """A message that cannot be read; the tip audit makes up for it."""

    reason: str


News = Delta | Replaced | Freshness
"""What concerns the mirror, and therefore has a place."""
Chat = Talk | Attended
"""What passes by without one."""


class _Envelope(msgspec.Struct, rename={"sender": "from"}):
    sender: str | None = None
    to: str | None = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_SEATS: Final = msgspec.json.Decoder(dict[str, SeatFrame])


def read_delta(epoch: str, seq: int, frame: bytes) -> Delta:
    """The delta of a `d` frame from the channel or the feed; raises UnicodeDecodeError."""
    if not frame.isascii():
        frame.decode()  # a client must close on text that is not UTF-8 (RFC 6455, 8.1)
    return Delta(Place(epoch, seq), framed(frame), len(frame), _MARK_OF_THE_END in frame)


def read_news(payload: bytes) -> News | Chat | Garbled:
    """What a message says; total, since anybody with the Redis may publish."""
    version, _, rest = payload.partition(b" ")
    if version != _VERSION:
        return Garbled(f"expected version 1; found {version[:20]!r}")
    try:
        return _read(rest)
    except ValueError as error:
        return Garbled(f"expected `kind epoch seq …`; found {payload[:60]!r} ({error})")


def _read(rest: bytes) -> News | Chat | Garbled:
    if rest.startswith(b"t "):
        envelope = _ENVELOPE.decode(rest[2:])
        return Talk(Frame(rest[2:].decode(), len(rest) - 2), envelope.sender, envelope.to)
    if rest.startswith(b"p "):
        return Attended(_SEATS.decode(rest[2:]))
    kind, epoch, seq, tail = rest.split(b" ", 3)
    place = Place(epoch.decode(), int(seq))
    match kind:
        case b"d":
            return read_delta(place.epoch, place.seq, tail)
        case b"s":
            return Replaced(place)
        case b"m":
            as_of, stale = tail.split(b" ", 1)
            return Freshness(place, int(as_of), stale == b"1")
        case _:
            return Garbled(f"expected kind d, s or m; found {kind[:20]!r}")
