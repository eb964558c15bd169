"""Where everything stands and what is due: the immutable state of play.

What is made anew at every step (boards, games, moves, rulings) is a named tuple: as immutable as
a frozen dataclass, and made in half the time (docs/decisions/0012-values-that-steps-make.md).
"""

from enum import StrEnum
from typing import NamedTuple

from ludo.rules.events import Player
from ludo.rules.ruleset import GameMode
from ludo.rules.track import HOME, PIECES_PER_SEAT, SEAT_OF


class Due(StrEnum):
    """The kind of event that the clauses call for next (R16)."""

    ROLL = "roll"
    MOVE = "move"
    PASS = "pass"  # noqa: S105 - a turn is passed, nothing is secret
    END = "end"


class Board(NamedTuple):
    """One moment of a game, seen by seat.

    `pieces` holds 16 positions (R2), index 4 × seat + number; those of empty seats stay in the
    yard and never matter. `sixes` counts the 6s in a row within this turn; a void third 6 (R12)
    sets it back to 0, so `due` PASS with `dice` 6 and `sixes` 0 is a void roll. `finishers` are
    the seats that finished, in order. `due` is None when the game is over.
    """

    mode: GameMode
    seats: tuple[int, ...]
    pieces: tuple[int, ...]
    turn: int
    due: Due | None
    dice: int | None = None
    sixes: int = 0
    finishers: tuple[int, ...] = ()

    def of(self, seat: int) -> tuple[int, ...]:
        """The four positions of a seat's pieces."""
        first = PIECES_PER_SEAT * seat
        return self.pieces[first : first + PIECES_PER_SEAT]

    def home_count(self, seat: int) -> int:
        """How many pieces of a seat are home."""
        return self.of(seat).count(HOME)


class Game(NamedTuple):
    """A board with the people at it and the number of the last event applied."""

    sequence: int
    players: tuple[Player, ...]
    board: Board

    def player_at(self, seat: int) -> Player:
        """Who sits there; KeyError for an empty seat."""
        for player in self.players:
            if SEAT_OF[player.color] == seat:
                return player
        raise KeyError(seat)

    def seat_of(self, player_id: str) -> int | None:
        """Where a player sits, or None for somebody who does not play in this game."""
        for player in self.players:
            if player.id == player_id:
                return SEAT_OF[player.color]
        return None
