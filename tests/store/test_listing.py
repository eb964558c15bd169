"""Pages of several sources: every game once, in order, none left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludo.store.games import Stored
from ludo.store.listing import BadCursor, Found, Place, page_of, read_cursor, write_cursor


def stored(game_id: str) -> Stored:
    """Any game of that name."""
    return Stored(game_id, "e", 1, b"{}", 0, stale=False, settled=True)


def source(places: list[Place], before: Place | None, limit: int, reach: int) -> Found:
    """What a source has before a place, if it looks at so many games at most."""
    ahead = sorted((each for each in places if before is None or each < before), reverse=True)
    seen = ahead[:reach]
    horizon = seen[-1] if len(ahead) > reach else None
    return Found([(place, stored(place.game_id)) for place in seen[: limit + 1]], horizon)


places = st.lists(
    st.builds(Place, st.integers(0, 5), st.text("ab", min_size=1, max_size=3)),
    unique_by=lambda place: place.game_id,
    max_size=12,
)


@given(places, places, st.integers(1, 4), st.integers(5, 8))
@settings(max_examples=60)
def test_pages_together_are_the_whole_list(
    one: list[Place], other: list[Place], limit: int, reach: int
) -> None:
    """Whatever the size of a page and however far each source looks."""
    known = {place.game_id for place in one}
    other = [place for place in other if place.game_id not in known]
    listed: list[str] = []
    before: Place | None = None
    for _ in range(60):
        sources = [source(one, before, limit, reach), source(other, before, limit, reach)]
        page = page_of(sources, limit)
        listed += [game.game_id for game in page.games]
        before = page.next
        if before is None:
            break
    expected = [place.game_id for place in sorted([*one, *other], reverse=True)]
    assert listed == expected


def test_game_in_two_places_is_listed_once() -> None:
    """Between the commit of the archive and the tombstone both have it."""
    place = Place(3, "gm")
    hot, cold = stored("gm"), stored("gm")
    page = page_of([Found([(place, hot)]), Found([(place, cold)])], 5)
    assert page.games == [hot]
    assert page.games[0] is hot


def test_cursor_tells_its_place() -> None:
    """Whatever the id."""
    place = Place(1_795_000_000_000, "gm_ü/..&=")
    assert read_cursor(write_cursor(place)) == place
    assert write_cursor(place).isascii()


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "bnVsbA", "WzIsMSwieCJd", "WzEsIngiLCJ4Il0"])
def test_other_texts_are_no_cursor(cursor: str) -> None:
    """Each is refused with what was expected."""
    with pytest.raises(BadCursor, match="cursor: expected"):
        read_cursor(cursor)
