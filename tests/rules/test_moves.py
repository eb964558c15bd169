"""Which moves a roll allows (R5–R8)."""

import pytest

from ludo.rules.board import Due
from ludo.rules.moves import Move, can_move, legal_moves, moves_for, why_illegal
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import YARD
from tests.rules.builders import DEFAULT, board

BLOCKS = RuleSet(blocks=True)


@pytest.mark.parametrize("dice", [1, 2, 3, 4, 5])
def test_r6_only_a_six_leaves_the_yard(dice: int) -> None:
    """With all pieces in the yard nothing but a 6 allows a move."""
    assert moves_for(board(), dice, DEFAULT) == ()
    assert not can_move(board(), dice, DEFAULT)


def test_r6_a_six_brings_any_piece_of_the_yard_to_position_0() -> None:
    """A 6 does not carry the piece any further than its start."""
    assert moves_for(board(turn=2), 6, DEFAULT) == tuple(Move(piece, 0) for piece in (8, 9, 10, 11))


def test_r7_a_piece_moves_by_exactly_the_roll_onto_its_column_and_home() -> None:
    """Track, home column and home are one way, taken by exact count."""
    at = board(red=(0, 48, 53, 56))

    assert moves_for(at, 3, DEFAULT) == (Move(0, 3), Move(1, 51), Move(2, 56))


def test_r7_nothing_moves_beyond_home() -> None:
    """A roll that is too large for a piece moves it not at all."""
    assert moves_for(board(red=(51, 54, 55, 56)), 6, DEFAULT) == ()
    assert moves_for(board(red=(50, 54, 55, 56)), 6, DEFAULT) == (Move(0, 56),)


def test_r8_own_pieces_may_share_a_square() -> None:
    """One's own pieces are never in the way, with blocks on or off."""
    at = board(red=(3, 3, 1))

    assert Move(2, 3) in moves_for(at, 2, BLOCKS)
    assert Move(2, 5) in moves_for(at, 4, BLOCKS)


@pytest.mark.parametrize("dice", [2, 3])
def test_r8_a_block_is_neither_landed_on_nor_passed(dice: int) -> None:
    """Two greens on square 15 stop red's piece behind them when blocks are on."""
    at = board(red=(13,), green=(2, 2))

    assert moves_for(at, dice, BLOCKS) == ()
    assert moves_for(at, dice, DEFAULT) == (Move(0, 13 + dice),)


def test_r8_the_squares_before_a_block_are_free() -> None:
    """A block stands in the way of what is behind it, not of what stops short."""
    assert moves_for(board(red=(13,), green=(2, 2)), 1, BLOCKS) == (Move(0, 14),)


def test_r8_a_block_that_a_piece_leaves_from_does_not_hold_it() -> None:
    """What shares a square with two of another colour may go on."""
    assert moves_for(board(red=(15,), green=(2, 2)), 4, BLOCKS) == (Move(0, 19),)


def test_r8_three_pieces_of_one_colour_block_too() -> None:
    """Two or more means more as well."""
    assert moves_for(board(red=(13,), green=(2, 2, 2)), 4, BLOCKS) == ()


def test_r8_two_pieces_of_different_colours_are_no_block() -> None:
    """A block is of one colour."""
    at = board(red=(13,), green=(2,), blue=(41,))

    assert moves_for(at, 4, BLOCKS) == (Move(0, 17),)


def test_r8_there_are_no_blocks_on_safe_squares() -> None:
    """Two greens on their start, square 13, let red by."""
    assert moves_for(board(red=(12,), green=(0, 0)), 4, BLOCKS) == (Move(0, 16),)


def test_r8_nothing_blocks_the_home_column() -> None:
    """Two greens on square 51 are not on red's way from 49 into its column."""
    at = board(red=(49,), green=(38, 38))

    assert moves_for(at, 4, BLOCKS) == (Move(0, 53),)


def test_r8_the_last_square_before_the_column_can_be_blocked() -> None:
    """Two greens on square 50 keep red out of its column."""
    assert moves_for(board(red=(49,), green=(37, 37)), 4, BLOCKS) == ()


def test_r8_blocks_are_found_across_the_end_of_the_track() -> None:
    """Yellow's piece on square 50 cannot pass two reds on square 1."""
    at = board(red=(1, 1), yellow=(11,), turn=3)

    assert moves_for(at, 2, BLOCKS) == (Move(12, 13),)
    assert moves_for(at, 4, BLOCKS) == ()


def test_r8_pieces_in_yards_and_columns_block_nothing() -> None:
    """Only what stands on the track can be in the way."""
    at = board(red=(10,), green=(YARD, YARD, 51, 51), blue=(56, 56))

    assert moves_for(at, 5, BLOCKS) == (Move(0, 15),)


def test_legal_moves_are_those_of_the_roll_on_the_board() -> None:
    """When a move is due, the choice is what the dice allows."""
    at = board(red=(4,), due=Due.MOVE, dice=5)

    assert legal_moves(at, DEFAULT) == (Move(0, 9),)


@pytest.mark.parametrize("due", [Due.ROLL, Due.PASS, Due.END, None])
def test_there_are_no_legal_moves_unless_one_is_due(due: Due | None) -> None:
    """A void 6 on the board, for one, is not to be moved by."""
    assert legal_moves(board(red=(4,), due=due, dice=6), DEFAULT) == ()


@pytest.mark.parametrize("dice", [0, 7])
def test_a_roll_that_no_die_shows_allows_nothing(dice: int) -> None:
    """A board that follows announcements may be told any number (R5)."""
    at = board(red=(4, -1))

    assert moves_for(at, dice, DEFAULT) == ()
    assert can_move(at, dice, DEFAULT) is False


@pytest.mark.parametrize("rules", [DEFAULT, BLOCKS])
@pytest.mark.parametrize("dice", range(1, 7))
def test_why_illegal_agrees_with_the_list_of_legal_moves(rules: RuleSet, dice: int) -> None:
    """For every piece and position: no reason if, and only if, the move is listed."""
    at = board(red=(-1, 9, 53, 56), green=(0, 1, 1), due=Due.MOVE, dice=dice)
    free = [
        Move(piece, position)
        for piece in range(4)
        for position in range(-1, 57)
        if why_illegal(at, piece, position, rules) is None
    ]

    assert tuple(free) == moves_for(at, dice, rules)
    assert bool(free) == can_move(at, dice, rules)
