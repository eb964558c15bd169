"""Bodies read in one step say the same as bodies read field by field."""

from unittest.mock import patch

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire import Told, events, parse_told
from ludo.upstream.wire.fields import snake
from ludo.upstream.wire.plain import read_plainly
from tests.upstream.builders import DATA, body_of, encoded

PLAIN = ("game:dice-rolled", "game:piece-moved", "game:turn-change")
LONGEST, GREATEST = "x" * 128, 2**53 - 1

values = st.sampled_from(
    [
        *(None, True, "", "é", LONGEST, LONGEST + "x", [], {}),
        *(-2, -1, 0, 1, 6, 7, 5.0, 56, 57, GREATEST, GREATEST + 1, 2**64),
    ]
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A body of one of the three types: changed fields, twins, ones left out; then its bytes."""
    kind = draw(st.sampled_from(PLAIN))
    names = st.sampled_from([*DATA[kind], "roomCode"])
    data = DATA[kind] | draw(st.dictionaries(names | names.map(snake), values, max_size=2))
    for name in draw(st.sets(names, max_size=1)):
        data.pop(name, None)
    whole = {"type": kind, "timestamp": draw(values | st.just("now")), "data": data}
    body = encoded(dict(draw(st.permutations(list(whole.items())))))
    if draw(st.integers(0, 2)):
        return body
    at = draw(st.integers(0, len(body)))
    piece = draw(st.sampled_from([b"", b"\n", b"\\", b'"', b"\xff", b"1", b",", b'"type":"a",']))
    return body[:at] + piece + body[at + draw(st.integers(0, 1)) :]


def told(body: bytes) -> object:
    """What it says, or why it is refused."""
    try:
        return parse_told(body)
    except MalformedEvent as error:
        return str(error)


@given(body=written())
@example(body=b'{"type":"game:turn-change","data":{},"type":"room:closed"}')
@example(body=body_of("game:turn-change")[:-1] + b',"type":"later"}')
def test_both_ways_of_reading_say_the_same(body: bytes) -> None:
    """Twins, doubles, odd types, broken bytes: one step or many, the same event or refusal."""
    with patch.object(events, "read_plainly", return_value=None):
        slowly = told(body)
    assert told(body) == slowly


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("room", [{}, {"roomCode": "K7QX2M"}, {"roomCode": None}])
def test_what_is_written_plainly_is_read_in_one_step(kind: str, room: dict[str, str]) -> None:
    """As the contract writes it, with or without a room: nothing is left for the other way."""
    body = body_of(kind, **room)
    with patch.object(events, "decode", side_effect=AssertionError("read field by field")):
        assert isinstance(parse_told(body), Told)


@pytest.mark.parametrize("kind", ["game:started", "game:ended", "room:closed"])
def test_other_types_are_read_field_by_field(kind: str) -> None:
    """They are rare, and more than three texts and a number."""
    assert read_plainly(body_of(kind)) is None


def test_a_number_that_no_machine_holds_matters_only_where_it_is_read() -> None:
    """The one difference between the two ways: an ignored field is not even measured."""
    body = msgspec.json.encode({"type": "game:turn-change", "data": DATA["game:turn-change"]})
    with_more = body[:-1] + b',"more":1e999}'

    assert parse_told(with_more) == parse_told(body)
