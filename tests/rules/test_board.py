"""What a board and a game tell of themselves."""

import pytest

from ludo.rules.track import HOME, YARD
from tests.rules.builders import board, game, player_id

MIDDLE = board(red=(3, HOME), blue=(12,), seats=(0, 2))


def test_pieces_of_a_seat_are_its_four() -> None:
    """A seat's positions come by number, the yard included."""
    assert MIDDLE.of(0) == (3, HOME, YARD, YARD)
    assert MIDDLE.of(2) == (12, YARD, YARD, YARD)


def test_home_count_is_per_seat() -> None:
    """Only a seat's own pieces count towards its end (R13)."""
    assert [MIDDLE.home_count(seat) for seat in (0, 2)] == [1, 0]


def test_people_are_found_by_seat_and_seats_by_people() -> None:
    """The colour is the seat (R4)."""
    played = game(MIDDLE)

    assert played.player_at(2).id == player_id(2)
    assert played.seat_of(player_id(2)) == 2


def test_nobody_sits_on_an_empty_seat() -> None:
    """A seat that is not in play has no player, and a stranger no seat."""
    played = game(MIDDLE)

    assert played.seat_of("a stranger") is None
    with pytest.raises(KeyError, match=r"^1$"):
        played.player_at(1)
