"""Frames on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.relay.codes import Code
from proxy.relay.frames import (
    Bad,
    Err,
    Hello,
    Ignored,
    Live,
    Pong,
    Result,
    Sub,
    Wish,
    decode,
    encode,
    result_of,
)
from tests.relay.builders import LIMITS, final_delta


def test_known_frames_become_values() -> None:
    """Unknown fields are ignored."""
    hello = decode('{"t":"hello","v":1,"subs":[{"game":"g","seq":3}],"client":{}}', LIMITS)

    assert hello == Hello(subs=[Wish("g", None, 3)])
    assert decode('{"t":"sub","id":"x","game":"g"}', LIMITS) == Sub("g", "x")
    assert decode('{"t":"pong","n":1,"at":{"g":3}}', LIMITS) == Pong(1, {"g": 3})


@pytest.mark.parametrize("text", ['{"t":"sing","text":"hi"}', "{}", '{"t":7}', '{"t":null}'])
def test_unknown_kinds_are_ignored(text: str) -> None:
    """A client of a later version may say more than we know."""
    assert decode(text, LIMITS) == Ignored()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", Code.BAD_REQUEST),
        ("[]", Code.BAD_REQUEST),
        ('"hello"', Code.BAD_REQUEST),
        ("{", Code.BAD_REQUEST),
        (b"{}", Code.BAD_REQUEST),
        ('{"t":"sub"}', Code.BAD_REQUEST),
        ('{"t":"sub","game":""}', Code.BAD_REQUEST),
        ('{"t":"ping","n":1e99}', Code.BAD_REQUEST),
        ('{"t":"x","a":' + "[" * 3000 + "}", Code.BAD_REQUEST),
        ('{"t":"hello"}', Code.VERSION),
        ('{"t":"hello","v":2,"subs":0}', Code.VERSION),
        ('{"t":"hello","v":"1"}', Code.VERSION),
        ('{"t":"hello","v":true}', Code.VERSION),
    ],
)
def test_frames_that_end_the_connection(message: str | bytes, code: Code) -> None:
    """Not a JSON object, a known kind with wrong fields, another version."""
    bad = decode(message, LIMITS)

    assert isinstance(bad, Bad)
    assert bad.code == code


@pytest.mark.parametrize(("kind", "limit"), [("ping", 4096), ("hello", 16384)])
def test_sizes_are_bounded_in_bytes(kind: str, limit: int) -> None:
    """A frame of exactly the limit passes, one byte more does not; a hello may be longer."""
    empty = len(json.dumps({"t": kind, "v": 1, "x": ""}))
    fits = json.dumps({"t": kind, "v": 1, "x": "x" * (limit - empty)})
    over = json.dumps({"t": kind, "v": 1, "x": "é" + "x" * (limit - empty - 1)}, ensure_ascii=False)

    assert not isinstance(decode(fits, LIMITS), Bad)
    assert decode(over, LIMITS) == Bad(
        Code.TOO_BIG, f"expected at most {limit} bytes; found {limit + 1}"
    )


@given(st.text() | st.binary() | st.recursive(st.none(), st.lists).map(json.dumps))
def test_anything_may_be_sent(message: str | bytes) -> None:
    """Decoding is total."""
    decode(message, LIMITS)


def test_answers_leave_out_what_does_not_apply() -> None:
    """Optional fields are absent rather than null; flags are always there."""
    live = encode(Live(game="g", epoch="e", seq=3, recovered=False, replayed=0))
    err = encode(Err(code="rate", msg="Zoë", retry=True, id=4, after=1.5))

    assert json.loads(live.text) == {
        "t": "live", "game": "g", "epoch": "e", "seq": 3, "recovered": False, "replayed": 0,
    }  # fmt: skip
    assert set(json.loads(err.text)) == {"t", "id", "code", "msg", "retry", "after"}
    assert err.size == len(err.text.encode())


def test_only_the_end_of_a_game_has_a_result() -> None:
    """A player who calls himself `game:ended` ends nothing."""
    assert result_of(final_delta(1).text) == Result("ann", ["ann", "bob"])
    assert result_of('{"ev":{"type":"game:started","playerName":"game:ended"}}') is None
    assert result_of('{"t":"d","ev":7}') is None
