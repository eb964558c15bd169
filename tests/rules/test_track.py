"""The geometry of the board (R1–R3) and who sits where (R4)."""

import pytest

from ludo.rules.board import Game
from ludo.rules.track import (
    PIECE_IDS,
    PIECE_INDEX,
    SAFE_SQUARES,
    SEATS,
    TRACK_LENGTH,
    position_on,
    square_at,
    start_square,
)
from tests.rules.builders import board, game, player


def test_r1_each_colour_starts_thirteen_squares_after_the_one_before() -> None:
    """Red starts on 0, green on 13, blue on 26 and yellow on 39."""
    assert [start_square(seat) for seat in range(SEATS)] == [0, 13, 26, 39]


@pytest.mark.parametrize(
    ("seat", "position", "square"),
    [(0, 0, 0), (0, 50, 50), (1, 0, 13), (1, 38, 51), (1, 39, 0), (2, 50, 24), (3, 13, 0)],
)
def test_r2_a_square_is_the_start_and_the_position_round_the_track(
    seat: int, position: int, square: int
) -> None:
    """A position of 0 to 50 lies on the shared track, counted from the seat's own start."""
    assert square_at(seat, position) == square
    assert position_on(seat, square) == position


@pytest.mark.parametrize("position", [-1, 51, 55, 56])
def test_r2_yard_home_column_and_home_are_not_on_the_track(position: int) -> None:
    """Off the track a piece stands on no shared square."""
    assert square_at(0, position) is None


@pytest.mark.parametrize("seat", range(SEATS))
def test_r2_each_seat_leaves_one_square_out(seat: int) -> None:
    """The square before a seat's own start is never reached by its pieces."""
    missed = [square for square in range(TRACK_LENGTH) if position_on(seat, square) is None]

    assert missed == [(start_square(seat) - 1) % TRACK_LENGTH]


def test_r3_the_safe_squares_are_the_starts_and_those_eight_after_them() -> None:
    """Eight squares are safe, the four starts among them."""
    starts = {start_square(seat) for seat in range(SEATS)}

    assert starts | {start + 8 for start in starts} == SAFE_SQUARES


def test_pieces_are_named_by_colour_and_number() -> None:
    """A name and an index are two ways to say the same piece."""
    assert [PIECE_IDS[index] for index in (0, 3, 4, 15)] == [
        "red-0",
        "red-3",
        "green-0",
        "yellow-3",
    ]
    assert [PIECE_INDEX[name] for name in PIECE_IDS] == list(range(16))


def test_r4_a_player_is_found_by_seat_and_a_seat_by_player() -> None:
    """The colour is the seat; who does not play has none."""
    at: Game = game(board(seats=(1, 3), turn=1))

    assert at.player_at(3) == player(3)
    assert at.seat_of("player-green") == 1
    assert at.seat_of("player-red") is None
    with pytest.raises(KeyError):
        at.player_at(0)


def test_a_board_tells_a_seats_pieces_and_how_many_are_home() -> None:
    """A seat's four positions stand together, by number."""
    at = board(green=(5, 56, 56))

    assert at.of(1) == (5, 56, 56, -1)
    assert at.home_count(1) == 2
    assert at.home_count(0) == 0
