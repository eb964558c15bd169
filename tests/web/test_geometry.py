"""Where the board's squares are drawn."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from ludo.rules.track import SAFE_SQUARES, SEATS, TRACK_LENGTH, square_at, start_square

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Point = tuple[float, float]
ALL = """async () => {
    const g = await import("/geometry.js");
    const at = ({ x, y }) => [x, y];
    const seats = [0, 1, 2, 3], four = [0, 1, 2, 3];
    return {
        squares: Array.from({ length: 52 }, (_, square) => at(g.squarePoint(square))),
        columns: seats.map((s) => [51, 52, 53, 54, 55].map((p) => at(g.pointOf(s, 0, p)))),
        yards: seats.map((s) => four.map((n) => at(g.pointOf(s, n, -1)))),
        homes: seats.map((s) => four.map((n) => at(g.pointOf(s, n, 56)))),
        onTrack: seats.map((s) => Array.from({ length: 58 }, (_, p) => g.squareAt(s, p - 1))),
        starts: seats.map(g.startSquare),
        safe: g.SAFE_SQUARES,
        fans: Array.from({ length: 17 }, (_, count) => g.fan(count)),
        steps: [g.stepsBetween(-1, 0), g.stepsBetween(49, 53), g.stepsBetween(5, -1)],
    };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drawn(modules: Page) -> dict[str, Any]:
    """Everything that geometry.js says, as points in units of the grid."""
    told: dict[str, Any] = await modules.evaluate(ALL)
    return told


def apart(one: Point, other: Point) -> float:
    """How many squares lie between, diagonally or straight."""
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]))


async def test_track_is_a_ring_of_52_neighbours(drawn: dict[str, Any]) -> None:
    """All squares are distinct and on the grid, and each touches the next one."""
    squares = [tuple(point) for point in drawn["squares"]]
    assert len(set(squares)) == TRACK_LENGTH
    assert all(x % 1 == y % 1 == 0.5 and 0 < x < 15 and 0 < y < 15 for x, y in squares)
    following = [*squares[1:], squares[0]]
    assert all(apart(*pair) == 1 for pair in zip(squares, following, strict=True))


async def test_positions_lead_over_the_squares_of_the_rules(drawn: dict[str, Any]) -> None:
    """R1–R3: starts, safe squares and every piece's way are those of the rule engine."""
    ways = [[square_at(seat, position) for position in range(-1, 57)] for seat in range(SEATS)]
    assert drawn["onTrack"] == ways
    assert drawn["starts"] == [start_square(seat) for seat in range(SEATS)]
    assert set(drawn["safe"]) == SAFE_SQUARES


async def test_home_columns_lead_straight_from_the_track_to_the_centre(
    drawn: dict[str, Any],
) -> None:
    """R2: five squares in a line, from the square of position 50 to the home triangle."""
    for seat, column in enumerate(drawn["columns"]):
        entrance = drawn["squares"][square_at(seat, 50)]
        way = [entrance, *column]
        assert all(apart(*pair) == 1 for pair in zip(way, column, strict=False))
        assert len({x for x, _ in way}) == 1 or len({y for _, y in way}) == 1
        assert apart(column[-1], (7.5, 7.5)) == 2


async def test_columns_yards_and_homes_overlap_nothing(drawn: dict[str, Any]) -> None:
    """Nothing private is drawn on the track or on what belongs to another seat."""
    places = [tuple(point) for point in drawn["squares"]]
    for kind in ("columns", "yards", "homes"):
        places += [tuple(point) for seat in drawn[kind] for point in seat]
    assert len(places) == len(set(places)) == 52 + 4 * (5 + 4 + 4)


async def test_yards_and_homes_are_at_their_seats_corner(drawn: dict[str, Any]) -> None:
    """Red is top left and the seats follow clockwise; home is the triangle on a seat's side."""
    corners = [(3, 3), (12, 3), (12, 12), (3, 12)]
    sides = [(6.5, 7.5), (7.5, 6.5), (8.5, 7.5), (7.5, 8.5)]
    for seat in range(SEATS):
        assert all(apart(point, corners[seat]) <= 2 for point in drawn["yards"][seat])
        assert all(apart(point, sides[seat]) < 1 for point in drawn["homes"][seat])


async def test_shared_squares_fan_their_pieces_out(drawn: dict[str, Any]) -> None:
    """Up to sixteen pieces on one square stand beside each other and within it."""
    for count, offsets in enumerate(drawn["fans"]):
        spots = {(round(each["dx"], 3), round(each["dy"], 3)) for each in offsets}
        assert len(offsets) == len(spots) == count
        assert all(abs(dx) <= 0.31 and abs(dy) <= 0.31 for dx, dy in spots)


async def test_pieces_step_forward_square_by_square(drawn: dict[str, Any]) -> None:
    """A way holds every position on it; back there is no way."""
    assert drawn["steps"] == [[0], [50, 51, 52, 53], []]
