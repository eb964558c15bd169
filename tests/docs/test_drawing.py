"""The pictures of the rules show the board that the engine plays on."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from docs.drawing import FOLDER, GRID, Point, pictures, square_point, way_point, yard_point
from ludo.rules.track import HOME, LAST_ON_TRACK, SEATS, TRACK_LENGTH


def apart(one: Point, other: Point) -> float:
    """How many squares lie between, diagonally or straight."""
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]))


@pytest.mark.parametrize("name", pictures())
def test_a_picture_is_what_the_code_draws(name: str) -> None:
    """A change of the geometry or the drawing is followed by `python -m docs.drawing`."""
    drawn = pictures()[name]

    assert (FOLDER / name).read_text(encoding="utf-8") == drawn
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert f"]({name})" in (FOLDER / "rules.md").read_text(encoding="utf-8")


def test_r1_the_track_is_a_ring_of_neighbours() -> None:
    """All squares are on the grid, no two are the same, and each touches the next."""
    ring = [square_point(square) for square in range(TRACK_LENGTH)]

    assert len(set(ring)) == TRACK_LENGTH
    assert all(x % 1 == y % 1 == 0.5 and 0 < x < GRID and 0 < y < GRID for x, y in ring)
    assert all(apart(*pair) == 1 for pair in pairwise([*ring, ring[0]]))


@pytest.mark.parametrize("seat", range(SEATS))
def test_r2_a_way_leads_step_by_step_from_the_start_to_the_centre(seat: int) -> None:
    """The column is straight, and home is beside the middle of the board."""
    way = [way_point(seat, position) for position in range(HOME + 1)]

    assert len(set(way)) == HOME + 1
    assert all(apart(*pair) == 1 for pair in pairwise(way))
    column = way[LAST_ON_TRACK:]
    assert len({x for x, _ in column}) == 1 or len({y for _, y in column}) == 1
    assert apart(way[HOME], (GRID / 2, GRID / 2)) == 1


def test_yards_are_apart_from_the_track() -> None:
    """Four places a seat, none of them on a square."""
    places = {yard_point(seat, number) for seat in range(SEATS) for number in range(4)}

    assert len(places) == 16
    for square in range(TRACK_LENGTH):
        assert all(apart(place, square_point(square)) >= 1 for place in places)
