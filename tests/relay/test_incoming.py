"""What the relay sends, parsed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.relay.incoming import Live, Ping, SnapFrame, parse, whole
from tests.relay.follower_builders import live, snap


def test_a_snapshot_is_read() -> None:
    """With its place, its state and its freshness; unknown fields are ignored."""
    frame = parse(json.dumps(snap(5, stale=True, new="field")))
    assert isinstance(frame, SnapFrame)
    assert (frame.epoch, frame.seq, frame.as_of, frame.stale) == ("e", 5, 1, True)
    assert frame.state["sequence"] == 5


def test_ids_are_numbers_or_words() -> None:
    """Ours are numbers; a path that subscribes by itself has none."""
    frame = parse(json.dumps(live(5, id=7)))
    assert isinstance(frame, Live)
    assert frame.id == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"t": 1}',
        '{"t": "news from the future"}',
        '{"t": "d", "game": "g"}',
        '{"t": "d", "game": "g", "seq": -1}',
        '{"t": "d", "game": "g", "seq": 1e300}',
        '{"t": "d", "game": "g", "seq": 1, "patch": [{"op": "add"}]}',
        '{"t": "snap", "game": "g", "epoch": "' + "e" * 33 + '", "seq": 1, "state": {}}',
        '{"t": "snap", "game": "g", "epoch": "e", "seq": 1, "state": 5}',
        '{"t": "bye", "code": 4000, "after": 1e9}',
        '{"t": "ping", "tips": {"g": "far"}}',
        '{"t": "snap", "x": ' + "[" * 100_000,
        '"\ud800"',
    ],
)
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    """Unknown, malformed, out of range or nested without end: ignored, never raised."""
    assert parse(text) is None


@given(st.text() | st.binary())
def test_no_message_raises(message: str | bytes) -> None:
    """Whatever it is."""
    parse(message)


def test_a_frame_can_be_had_whole() -> None:
    """For what is passed on as it is."""
    assert whole('{"t": "said", "game": "g", "text": "hi"}')["text"] == "hi"
    assert whole('{"t": "said", "x": ' + "[" * 100_000) == {}
    assert isinstance(parse('{"t": "ping"}'), Ping)
