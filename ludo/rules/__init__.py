"""The game of Ludo as values: pure, standard library only.

`judge` tells whether an event is the one that the clauses (R1–R18) allow next; `engine` makes the
steps of a game; `legal_moves` and `why_illegal` answer for a single roll.
"""

from ludo.rules.audit import Audit, hear
from ludo.rules.board import Board, Due, Game
from ludo.rules.engine import end, move, next_seat, pass_turn, roll, start
from ludo.rules.events import Ended, Event, Moved, Player, Rolled, Started, TurnChanged
from ludo.rules.moves import Move, legal_moves, moves_for, why_illegal
from ludo.rules.notation import NotationError, record, replay
from ludo.rules.placements import placements, winner
from ludo.rules.referee import Ruling, Violation, announce, judge
from ludo.rules.ruleset import GameMode, RuleSet, RuleSetError
from ludo.rules.track import (
    COLORS,
    HOME,
    PIECE_IDS,
    PIECE_INDEX,
    SAFE_SQUARES,
    SEAT_OF,
    YARD,
    Color,
    square_at,
    start_square,
)

__all__ = [
    "COLORS",
    "HOME",
    "PIECE_IDS",
    "PIECE_INDEX",
    "SAFE_SQUARES",
    "SEAT_OF",
    "YARD",
    "Audit",
    "Board",
    "Color",
    "Due",
    "Ended",
    "Event",
    "Game",
    "GameMode",
    "Move",
    "Moved",
    "NotationError",
    "Player",
    "Rolled",
    "RuleSet",
    "RuleSetError",
    "Ruling",
    "Started",
    "TurnChanged",
    "Violation",
    "announce",
    "end",
    "hear",
    "judge",
    "legal_moves",
    "move",
    "moves_for",
    "next_seat",
    "pass_turn",
    "placements",
    "record",
    "replay",
    "roll",
    "square_at",
    "start",
    "start_square",
    "why_illegal",
    "winner",
]
