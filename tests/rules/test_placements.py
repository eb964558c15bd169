"""Who won, and how the others are placed (R14)."""

from ludo.rules.placements import placements, winner
from ludo.rules.ruleset import GameMode
from tests.rules.builders import board


def test_r14_finishers_come_first_in_the_order_of_their_finish() -> None:
    """The winner is the one who finished first, not the lowest seat."""
    at = board(red=(56,) * 4, blue=(56,) * 4, finishers=(2, 0))

    assert placements(at) == (2, 0, 1, 3)
    assert winner(at) == 2


def test_r14_more_pieces_home_come_before_a_greater_sum() -> None:
    """One piece home outranks four that are close to it."""
    at = board(red=(56,) * 4, green=(55, 55, 55, 55), blue=(56, 56), finishers=(0,))

    assert placements(at) == (0, 2, 1, 3)


def test_r14_the_greater_sum_comes_first_among_equals() -> None:
    """With the same number home, who has come further is placed better."""
    assert placements(board(green=(3, 4), blue=(5,), yellow=(9,))) == (3, 1, 2, 0)


def test_r14_a_piece_in_the_yard_counts_minus_one() -> None:
    """A piece on position 0 is further than one in the yard."""
    assert placements(board(seats=(1, 3), yellow=(0,))) == (3, 1)


def test_r14_the_lower_seat_decides_a_tie() -> None:
    """Nothing else is left to tell them apart."""
    assert placements(board(red=(7,), green=(2, 4), blue=(7,), yellow=(8,))) == (3, 0, 1, 2)


def test_r14_only_players_of_the_game_are_listed() -> None:
    """An empty seat has no place."""
    assert placements(board(seats=(0, 2), blue=(1,))) == (2, 0)


def test_r15_in_quick_the_others_are_placed_by_the_same_measure() -> None:
    """The sum of all four positions counts there too."""
    at = board(red=(56,), green=(5, 5), blue=(9,), finishers=(0,), mode=GameMode.QUICK)

    assert placements(at) == (0, 1, 2, 3)
