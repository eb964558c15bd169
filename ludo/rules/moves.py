"""Which moves a roll allows (R5–R8)."""

from typing import Final, NamedTuple

from ludo.rules import sentences
from ludo.rules.board import Board, Due
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, MEETINGS, PIECES_PER_SEAT, SEATS, YARD, square_at
from ludo.rules.verdict import Violation


class Move(NamedTuple):
    """A piece (index 0–15) and the position (R2) that it goes to."""

    piece: int
    position: int


def _landings(dice: int) -> dict[int, int]:
    onward = {start: start + dice for start in range(HOME - dice + 1)}
    return {YARD: 0, **onward} if dice == 6 else onward


LANDINGS: Final = {dice: _landings(dice) for dice in range(1, 7)}
"""Where each roll takes a piece, by where it stands; from elsewhere it cannot move (R6, R7)."""

_MOVES: Final = {
    (dice, seat): tuple(
        {start: Move(PIECES_PER_SEAT * seat + number, end) for start, end in landings.items()}
        for number in range(PIECES_PER_SEAT)
    )
    for dice, landings in LANDINGS.items()
    for seat in range(SEATS)
}
"""The same as moves: for each roll and seat, those of its four pieces by where they stand."""


def legal_moves(board: Board, rules: RuleSet) -> tuple[Move, ...]:
    """The moves of which the player in turn has to make one; none unless a move is due."""
    if board.due is not Due.MOVE or board.dice is None:
        return ()
    return moves_for(board, board.dice, rules)


def moves_for(board: Board, dice: int, rules: RuleSet) -> tuple[Move, ...]:
    """The moves that a roll would allow the player in turn, by piece."""
    four = zip(board.of(board.turn), _MOVES.get((dice, board.turn), ()), strict=False)
    moves = tuple([moves_from[start] for start, moves_from in four if start in moves_from])
    if rules.blocks:
        return tuple(move for move in moves if block_ahead(board, *move) is None)
    return moves


def can_move(board: Board, dice: int, rules: RuleSet) -> bool:
    """Whether a roll would allow the player in turn any move (R5, R11)."""
    if rules.blocks:
        return bool(moves_for(board, dice, rules))
    return not LANDINGS.get(dice, {}).keys().isdisjoint(board.of(board.turn))


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
        square = block_ahead(board, piece, position)
        if square is not None:
            return sentences.blocked(piece, square)
    return None


def block_ahead(board: Board, piece: int, position: int) -> int | None:
    """The first square on a piece's way to a position that another colour blocks (R8)."""
    seat = piece // PIECES_PER_SEAT
    for step in range(board.pieces[piece] + 1, position + 1):
        if any(board.of(other).count(theirs) > 1 for other, theirs in MEETINGS[seat][step]):
            return square_at(seat, step)
    return None
