"""What a client of the relay is told, as values.

A state is the `data` of GET state (design section 5). It is never changed in place, so it may be
kept; whoever changes it spoils the next ones.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

State = dict[str, Any]


class Connection(StrEnum):
    """How a client stands with the relay."""

    IDLE = "idle"
    """Not opened, closed, or sent away because nothing was watched."""
    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"
    """Sent away for good."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has come in a game; places of different epochs cannot be compared."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Replace everything; `as_of` is in Unix milliseconds, `why` as in `snap`.

    `why` is `behind` when the caller did not take changes fast enough and some were left out.
    """

    game: str
    place: Place
    state: State
    why: str
    as_of: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Delta:
    """One event, and the states around it; `at` is in Unix milliseconds."""

    game: str
    seq: int
    at: int
    event: dict[str, Any]
    before: State
    state: State


@dataclass(frozen=True, slots=True)
class Caught:
    """Caught up: what follows is live. `recovered`: nothing was left out since the last place."""

    game: str
    recovered: bool
    replayed: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh the relay's mirror is; `as_of` in Unix milliseconds."""

    game: str
    as_of: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The game is over; nothing follows. `placements` are player ids, best first."""

    game: str
    winner: str | None
    placements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """Who of a game's seats is here, as the frame has it."""

    game: str
    seats: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody spoke at the table; `frame` is the whole `said` frame."""

    game: str
    frame: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delayed:
    """The relay cannot give the game now (`not_found`: it does not know it yet); asked again."""

    game: str
    code: str
    after: float


@dataclass(frozen=True, slots=True)
class Gone:
    """The relay will not give the game; `watch` raises this as `GameGone`."""

    game: str
    code: str


Change = Snapshot | Delta | Caught | Freshness | Ended | Presence | Said | Delayed | Gone
