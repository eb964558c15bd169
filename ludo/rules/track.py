"""The board's geometry: seats, colours, squares and the names of pieces (R1–R4)."""

from enum import StrEnum
from typing import Final

SEATS: Final = 4
PIECES_PER_SEAT: Final = 4
TRACK_LENGTH: Final = 52
YARD: Final = -1
LAST_ON_TRACK: Final = 50
HOME: Final = 56
SAFE_SQUARES: Final = frozenset({0, 8, 13, 21, 26, 34, 39, 47})


class Color(StrEnum):
    """A seat's colour; the order of the members is the seat order (R1)."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"


COLORS: Final = tuple(Color)
SEAT_OF: Final = {color: seat for seat, color in enumerate(COLORS)}
PIECE_IDS: Final = tuple(f"{color}-{n}" for color in COLORS for n in range(PIECES_PER_SEAT))
"""Every piece's name, by seat and number: index `4 * seat + number`."""
PIECE_INDEX: Final = {name: index for index, name in enumerate(PIECE_IDS)}


def start_square(seat: int) -> int:
    """The square on which a seat's pieces enter the track (R1)."""
    return 13 * seat


def square_at(seat: int, position: int) -> int | None:
    """The shared square under a piece, or None in the yard, a home column or at home (R2)."""
    if 0 <= position <= LAST_ON_TRACK:
        return (13 * seat + position) % TRACK_LENGTH
    return None


def position_on(seat: int, square: int) -> int | None:
    """The position of a seat's piece on a shared square, or None where its way has left it (R2)."""
    position = (square - 13 * seat) % TRACK_LENGTH
    return position if position <= LAST_ON_TRACK else None


def _meetings(seat: int, position: int) -> tuple[tuple[int, int], ...]:
    square = square_at(seat, position)
    if square is None or square in SAFE_SQUARES:
        return ()
    others = ((other, position_on(other, square)) for other in range(SEATS) if other != seat)
    return tuple((other, theirs) for other, theirs in others if theirs is not None)


MEETINGS: Final = tuple(
    {position: _meetings(seat, position) for position in range(YARD, HOME + 1)}
    for seat in range(SEATS)
)
"""Whom a piece can harm or be hindered by where it stands, by its seat and position (R8, R9).

Each entry is another seat, and the position of that seat's pieces on the same square. Safe squares
and what no other colour enters have none.
"""
