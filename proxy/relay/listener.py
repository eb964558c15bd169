"""What a room and its listeners say to each other."""

from dataclasses import dataclass
from typing import Protocol

from proxy.relay.frames import Frame
from proxy.relay.news import Delta
from proxy.relay.resume import Why
from proxy.relay.source import Place


@dataclass(frozen=True, slots=True)
class Resume:
    """A listener joins, standing at `position` (None: nowhere yet)."""

    position: Place | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """A listener wants a snapshot whatever it has."""

    why: Why


Ask = Resume | Fresh


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """`deltas` lead from the listener's position to `place`; what follows is live.

    `ended` is the `ended` frame of a game that is over; nothing follows it.
    """

    place: Place
    deltas: tuple[Delta, ...]
    ended: Frame | None


@dataclass(frozen=True, slots=True)
class Renewed:
    """`snap` puts the listener at `place`; what follows is live. For `ended` see CaughtUp."""

    place: Place
    snap: Frame
    why: Why
    ended: Frame | None


@dataclass(frozen=True, slots=True)
class Fresher:
    """How fresh the mirror is now: a `mirror` frame."""

    mirror: Frame


@dataclass(frozen=True, slots=True)
class Over:
    """The game has ended after the last delta; nothing follows."""

    ended: Frame


@dataclass(frozen=True, slots=True)
class NoSuchGame:
    """Nobody knows this game; the listener is not joined."""


@dataclass(frozen=True, slots=True)
class NotForHim:
    """Only players watch this game here, and the listener is none; he is not joined."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A `said` or `presence` frame: worth hearing now, and never again."""

    frame: Frame


Told = CaughtUp | Renewed | Fresher | Over | NoSuchGame | NotForHim | Passing


class Listener(Protocol):
    """Somebody in a room. No method may raise, wait, or call the room back."""

    @property
    def who(self) -> str | None:
        """The player's id; None for an anonymous listener."""
        ...

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """The game went on by one."""
        ...

    def tell(self, game: str, told: Told, now: float) -> None:
        """Anything rarer."""
        ...
