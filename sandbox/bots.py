"""How a bot plays: mostly well, sometimes on a whim, always the same from one seed."""

from random import Random
from typing import Final

from ludo.rules.board import Board
from ludo.rules.engine import captures
from ludo.rules.moves import Move
from ludo.rules.track import HOME, LAST_ON_TRACK, PIECES_PER_SEAT, SAFE_SQUARES, YARD, square_at

BOTS: Final = (
    "Ada", "Alan", "Barbara", "Claude", "Dennis", "Donald", "Edsger", "Emmy",
    "Frances", "Grace", "Hedy", "Jean", "John", "Katherine", "Ken", "Kurt",
    "Leslie", "Margaret", "Niklaus", "Radia", "Rózsa", "Sophie", "Tony", "Wang",
)  # fmt: skip
"""The bots' names; a bot keeps its player id from game to game."""
_WHIM: Final = 0.2


def choose(board: Board, moves: tuple[Move, ...], chance: Random) -> Move:
    """One of the legal moves: the most promising, or now and then any."""
    if chance.random() < _WHIM:
        return chance.choice(moves)
    return max(moves, key=lambda move: _promise(board, move))


def _promise(board: Board, move: Move) -> tuple[int, int]:
    """How good a move looks, and how far it leads."""
    seat, start = move.piece // PIECES_PER_SEAT, board.pieces[move.piece]
    if move.position == HOME:
        return 4, move.position
    if captures(board, seat, move.position):
        return 5, move.position
    if start == YARD:
        return 3, move.position
    if start <= LAST_ON_TRACK < move.position:
        return 2, move.position
    return int(square_at(seat, move.position) in SAFE_SQUARES), move.position
