"""The pictures of docs/rules.md, drawn from the geometry that the rule engine plays by.

    python -m docs.drawing

writes them again; tests/docs/test_drawing.py holds the files to what this draws. One unit is a
square of the 15 × 15 grid. A colour is its seat (R1): what a seat has is what red has, turned
clockwise by a quarter a seat.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ludo.rules.track import (
    COLORS,
    HOME,
    LAST_ON_TRACK,
    PIECE_IDS,
    PIECES_PER_SEAT,
    SAFE_SQUARES,
    SEATS,
    TRACK_LENGTH,
    square_at,
    start_square,
)

Point = tuple[float, float]

GRID: Final = 15
UNIT: Final = 40
FOLDER: Final = Path(__file__).parent
FILLS: Final = ("#d64545", "#3f9b57", "#3b73c4", "#e0b128")
PALE: Final = ("#f6d4d2", "#d3ebd8", "#d2e0f5", "#faedc4")
PAPER: Final = "#fffdf8"
INK: Final = "#2b2b2b"

_FIRST_QUARTER: Final = (
    *((column, 6) for column in range(1, 6)),
    *((6, row) for row in range(5, -1, -1)),
    (7, 0),
    (8, 0),
)
"""Red's start square and the twelve after it, as column and row."""


def turned(point: Point, seat: int) -> Point:
    """A point of red's, as that seat has it."""
    x, y = point
    for _ in range(seat):
        x, y = GRID - y, x
    return x, y


def square_point(square: int) -> Point:
    """The centre of a shared square (R1)."""
    quarter, number = divmod(square, TRACK_LENGTH // SEATS)
    column, row = _FIRST_QUARTER[number]
    return turned((column + 0.5, row + 0.5), quarter)


def way_point(seat: int, position: int) -> Point:
    """The centre of where a seat's piece stands on its way, 0–56 (R2)."""
    square = square_at(seat, position)
    if square is not None:
        return square_point(square)
    return turned((min(position - LAST_ON_TRACK, 6) + 0.5, 7.5), seat)


def yard_point(seat: int, number: int) -> Point:
    """Where a piece waits before it enters."""
    row, column = divmod(number, 2)
    corner = turned((3, 3), seat)
    return corner[0] + 2 * column - 1, corner[1] + 2 * row - 1


def squares_drawn() -> str:
    """The board with the number of every shared square."""
    names = (_label(square_point(square), str(square)) for square in range(TRACK_LENGTH))
    return _picture("The board: 52 shared squares, 0 to 51", names)


def way_drawn(seat: int) -> str:
    """The board with the way of one seat's pieces, by position."""
    color = COLORS[seat].value
    points = [way_point(seat, position) for position in range(HOME + 1)]
    line = " ".join(f"{_px(x)},{_px(y)}" for x, y in points)
    names = (_label(point, str(position)) for position, point in enumerate(points))
    way = (
        f'<polyline points="{line}" fill="none" stroke="{FILLS[seat]}"'
        ' stroke-width="3" opacity="0.5"/>'
    )
    return _picture(f"The way of {color}: positions 0 to 56", iter((way, *names)))


def _picture(title: str, labels: Iterator[str]) -> str:
    size = GRID * UNIT
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img"'
        f' font-family="sans-serif" text-anchor="middle">',
        f"<title>{title}</title>",
        f'<rect width="{size}" height="{size}" fill="{PAPER}"/>',
        *_yards(),
        *_squares(),
        *_columns(),
        *_homes(),
        *labels,
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _yards() -> Iterator[str]:
    for seat in range(SEATS):
        yield _box(turned((3, 3), seat), 6, FILLS[seat])
        yield _box(turned((3, 3), seat), 4.4, PAPER)
        for number in range(PIECES_PER_SEAT):
            x, y = yard_point(seat, number)
            yield f'<circle cx="{_px(x)}" cy="{_px(y)}" r="24" fill="{FILLS[seat]}"/>'
            yield _label((x, y), PIECE_IDS[PIECES_PER_SEAT * seat + number], PAPER, size=10)


def _squares() -> Iterator[str]:
    starts = {start_square(seat): seat for seat in range(SEATS)}
    for square in range(TRACK_LENGTH):
        fill = FILLS[starts[square]] if square in starts else PAPER
        yield _box(square_point(square), 1, fill)
        if square in SAFE_SQUARES:
            x, y = square_point(square)
            yield f'<circle cx="{_px(x)}" cy="{_px(y)}" r="17" fill="{PAPER}" stroke="{INK}"/>'


def _columns() -> Iterator[str]:
    for seat in range(SEATS):
        for position in range(LAST_ON_TRACK + 1, HOME):
            yield _box(way_point(seat, position), 1, PALE[seat])


def _homes() -> Iterator[str]:
    for seat in range(SEATS):
        corners = (turned(point, seat) for point in ((6, 6), (7.5, 7.5), (6, 9)))
        points = " ".join(f"{_px(x)},{_px(y)}" for x, y in corners)
        yield f'<polygon points="{points}" fill="{FILLS[seat]}" stroke="{INK}"/>'


def _box(centre: Point, side: float, fill: str) -> str:
    x, y = (_px(value - side / 2) for value in centre)
    return (
        f'<rect x="{x}" y="{y}" width="{_px(side)}" height="{_px(side)}"'
        f' fill="{fill}" stroke="{INK}"/>'
    )


def _label(centre: Point, text: str, fill: str = INK, size: int = 13) -> str:
    x, y = centre
    place = f'x="{_px(x)}" y="{_px(y + 0.12)}"'
    return f'<text {place} font-size="{size}" fill="{fill}">{text}</text>'


def _px(units: float) -> str:
    return f"{units * UNIT:g}"


def pictures() -> dict[str, str]:
    """Every picture by its file name."""
    return {"board.svg": squares_drawn(), "way-of-green.svg": way_drawn(1)}


def main() -> None:
    """Writes the pictures beside this module."""
    for name, text in pictures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
