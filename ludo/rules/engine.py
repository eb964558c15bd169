"""The steps of a game (R4–R15): each takes a board and gives the next one.

A step assumes that it is legal; the referee decides that. The steps made often build their board
directly: `_replace` costs several times as much, and the audit makes millions of them.
"""

from ludo.rules.board import Board, Due
from ludo.rules.moves import can_move
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import (
    HOME,
    MEETINGS,
    PIECES_PER_SEAT,
    SEATS,
    YARD,
)

ROLL, MOVE, PASS, END = Due  # a member of an enumeration takes four times as long to look up


def start(
    mode: GameMode,
    seats: tuple[int, ...],
    first: int,
    rules: RuleSet,  # noqa: ARG001 - no switch changes the start; every step is told the rules
) -> Board:
    """The board before the first roll (R4, R15)."""
    pieces = [YARD] * (SEATS * PIECES_PER_SEAT)
    if mode is GameMode.QUICK:
        for seat in seats:
            pieces[PIECES_PER_SEAT * seat] = 0
    return Board(mode, tuple(sorted(seats)), tuple(pieces), first, ROLL)


def roll(board: Board, value: int, rules: RuleSet) -> Board:
    """The board after a roll: a move is due, or the turn is to pass (R5, R11, R12)."""
    limit = rules.max_consecutive_sixes
    sixes = board.sixes + 1 if value == 6 and limit else 0
    if sixes and sixes >= limit:
        # R12: only a void roll leaves PASS, a 6 and no sixes behind; that is how it is known.
        due, sixes = PASS, 0
    else:
        due = MOVE if can_move(board, value, rules) else PASS
    return Board(
        board.mode, board.seats, board.pieces, board.turn, due, value, sixes, board.finishers
    )


def move(board: Board, piece: int, position: int, rules: RuleSet) -> tuple[Board, tuple[int, ...]]:
    """The board after a move, and the indexes of the pieces it sent back (R6–R10, R13)."""
    seat, start = piece // PIECES_PER_SEAT, board.pieces[piece]
    captured = captures(board, seat, position)
    pieces = list(board.pieces)
    pieces[piece] = position
    for other in captured:
        pieces[other] = YARD
    finishers = board.finishers
    if HOME in (start, position):
        finishers = _finishers(board, seat, pieces)
    if finishers and _is_over(board.seats, finishers, rules):
        due = END
    elif board.turn in finishers:  # R18: who has finished does not roll again
        due = PASS
    else:
        comes_home = position == HOME != start
        due = ROLL if _rolls_again(board, rules, bool(captured), comes_home) else PASS
    after = Board(
        board.mode, board.seats, tuple(pieces), board.turn, due, None, board.sixes, finishers
    )
    return after, captured


def _rolls_again(board: Board, rules: RuleSet, captures_any: bool, comes_home: bool) -> bool:
    """Whether a move earns a further roll; several reasons earn one (R10)."""
    return (
        (rules.extra_turn_on_six and board.dice == 6)
        or (rules.extra_turn_on_capture and captures_any)
        or (rules.extra_turn_on_finish and comes_home)
    )


def captures(board: Board, seat: int, position: int) -> tuple[int, ...]:
    """The pieces of other colours that a seat's piece sends back by landing there (R3, R9)."""
    hit: list[int] = []
    for other, theirs in MEETINGS[seat][position]:
        four = board.of(other)
        if theirs in four:
            first = PIECES_PER_SEAT * other
            hit += [first + number for number, found in enumerate(four) if found == theirs]
    return tuple(hit)


def next_seat(board: Board) -> int:
    """Who follows the player in turn: the next seat in order that has not finished (R4, R13)."""
    place = board.seats.index(board.turn)
    for seat in board.seats[place + 1 :] + board.seats[:place]:
        if seat not in board.finishers:
            return seat
    return board.turn


def give_turn(board: Board, seat: int) -> Board:
    """The board with a seat about to roll; the count of sixes starts again (R12)."""
    return Board(board.mode, board.seats, board.pieces, seat, ROLL, None, 0, board.finishers)


def pass_turn(board: Board) -> Board:
    """The board with the next player about to roll (R4)."""
    return give_turn(board, next_seat(board))


def end(board: Board) -> Board:
    """The board of a game that is over: nothing is due (R13)."""
    return board._replace(due=None, dice=None)


def _finishers(board: Board, seat: int, pieces: list[int]) -> tuple[int, ...]:
    first = PIECES_PER_SEAT * seat
    home = pieces[first : first + PIECES_PER_SEAT].count(HOME)
    finished = home >= board.mode.pieces_to_finish
    if finished == (seat in board.finishers):
        return board.finishers
    if finished:
        return (*board.finishers, seat)
    # Only an announced move against R7 takes a piece out of home.
    return tuple(other for other in board.finishers if other != seat)


def _is_over(seats: tuple[int, ...], finishers: tuple[int, ...], rules: RuleSet) -> bool:
    return len(seats) - len(finishers) <= 1 if rules.play_on else bool(finishers)
