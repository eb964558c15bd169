"""Requests: paths that stay below their route, and what may be repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.upstream.call import Call


@given(code=st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_parameter_is_one_segment(code: str) -> None:
    """No id reaches another path, whatever characters it has."""
    try:
        code.encode()
    except UnicodeEncodeError:
        return
    path = Call("GET", "/rooms/{code}/join", {"code": code}).path
    assert path.count("/") == 3
    assert not set("?#%\\ \n").intersection(path.replace("%", "", path.count("%")))


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_a_parameter_that_climbs_is_refused(code: str) -> None:
    """`/rooms/..` would be another endpoint."""
    with pytest.raises(ValueError, match="expected an id as code"):
        Call("GET", "/rooms/{code}", {"code": code})


def test_a_missing_parameter_is_refused() -> None:
    """The template is not sent as it is."""
    with pytest.raises(ValueError, match="expected an id as code; found None"):
        Call("GET", "/rooms/{code}")


@pytest.mark.parametrize("value", ["a\r\nX-Other: 1", "é", "x" * 1025])
def test_a_header_that_cannot_be_sent_is_refused(value: str) -> None:
    """A caller's idempotency key cannot add headers to our request."""
    with pytest.raises(ValueError, match="expected visible ASCII in the header Idempotency-Key"):
        Call("POST", "/rooms", headers={"Idempotency-Key": value})


@pytest.mark.parametrize(
    ("method", "headers", "repeatable"),
    [
        ("GET", {}, True),
        ("PUT", {}, True),
        ("POST", {}, False),
        ("PATCH", {"x": "1"}, False),
        ("POST", {"idempotency-key": "k"}, True),
    ],
)
def test_what_may_be_sent_twice(method: str, headers: dict[str, str], repeatable: bool) -> None:
    """Idempotent by its method, or made so by a key."""
    assert Call(method, "/rooms", headers=headers).repeatable is repeatable
