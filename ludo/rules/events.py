"""What happens in a game, as upstream announces it (R16): values, past tense."""

from dataclasses import dataclass

from ludo.rules.ruleset import GameMode
from ludo.rules.track import Color


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody at the table; the colour is the seat (R4)."""

    id: str
    name: str
    color: Color


@dataclass(frozen=True, slots=True)
class Started:
    """`game:started`: who plays, and who begins."""

    sequence: int
    mode: GameMode
    players: tuple[Player, ...]
    current: str


@dataclass(frozen=True, slots=True)
class Rolled:
    """`game:dice-rolled`."""

    sequence: int
    player: str
    value: int


@dataclass(frozen=True, slots=True)
class Moved:
    """`game:piece-moved`: the piece's name and its new position (R2)."""

    sequence: int
    player: str
    piece: str
    position: int


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """`game:turn-change`: who is in turn now."""

    sequence: int
    current: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`game:ended`: the winner, and all players by placement (R14)."""

    sequence: int
    winner: str
    placements: tuple[str, ...]


Event = Started | Rolled | Moved | TurnChanged | Ended
