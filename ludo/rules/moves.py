"""Which moves a roll allows (R5–R8)."""

from dataclasses import dataclass

from ludo.rules import sentences
from ludo.rules.board import Board, Due
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import (
    HOME,
    LAST_ON_TRACK,
    PIECES_PER_SEAT,
    SAFE_SQUARES,
    TRACK_LENGTH,
    YARD,
    position_on,
    start_square,
)
from ludo.rules.verdict import Violation


@dataclass(frozen=True, slots=True)
class Move:
    """A piece (index 0–15) and the position (R2) that it goes to."""

    piece: int
    position: int


def legal_moves(board: Board, rules: RuleSet) -> tuple[Move, ...]:
    """The moves of which the player in turn has to make one; none unless a move is due."""
    if board.due is not Due.MOVE or board.dice is None:
        return ()
    return moves_for(board, board.dice, rules)


def moves_for(board: Board, dice: int, rules: RuleSet) -> tuple[Move, ...]:
    """The moves that a roll would allow the player in turn, by piece."""
    first = PIECES_PER_SEAT * board.turn
    return tuple(
        [
            Move(first + number, start + dice if start != YARD else 0)
            for number, start in enumerate(board.of(board.turn))
            if _may_move(board, start, dice, rules)
        ]
    )


def can_move(board: Board, dice: int, rules: RuleSet) -> bool:
    """Whether a roll would allow the player in turn any move (R5, R11)."""
    for start in board.of(board.turn):  # noqa: SIM110 - asked at every roll; any() takes twice as long
        if _may_move(board, start, dice, rules):
            return True
    return False


def _may_move(board: Board, start: int, dice: int, rules: RuleSet) -> bool:
    """Whether a piece of the player in turn may go on from there by the roll (R6–R8)."""
    if start == YARD:
        return dice == 6  # to a start square, which is safe and so never blocked
    if start + dice > HOME:
        return False
    return not rules.blocks or block_ahead(board, board.turn, start, start + dice) is None


def why_illegal(board: Board, piece: int, position: int, rules: RuleSet) -> Violation | None:
    """The first of R6, R7 and R8 that moving this piece there by the roll breaks, if any.

    The piece is one of the player in turn, and the roll (`board.dice`) is known; R2, R4 and R5 are
    the referee's.
    """
    dice, start = board.dice or 0, board.pieces[piece]
    if start == YARD:
        if dice != 6 or position != 0:
            return sentences.stays_in_yard(piece, dice, position)
    elif start == HOME:
        return sentences.already_home(piece)
    elif start + dice > HOME:
        return sentences.overshoots(piece, start, dice)
    elif start + dice != position:
        return sentences.inexact(piece, start, dice, position)
    if rules.blocks:
        square = block_ahead(board, board.turn, start, position)
        if square is not None:
            return sentences.blocked(piece, square)
    return None


def block_ahead(board: Board, seat: int, start: int, position: int) -> int | None:
    """The first square on the way from start to position that another colour blocks (R8)."""
    for step in range(start + 1, min(position, LAST_ON_TRACK) + 1):
        square = (start_square(seat) + step) % TRACK_LENGTH
        if square not in SAFE_SQUARES and _is_block(board, seat, square):
            return square
    return None


def _is_block(board: Board, seat: int, square: int) -> bool:
    for other in board.seats:
        if other != seat:
            position = position_on(other, square)
            if position is not None and board.of(other).count(position) > 1:
                return True
    return False
