"""What a token says of its own end."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.relay.tokens import expires

KEY = "k" * 32


def test_a_jwt_names_its_end() -> None:
    """In Unix seconds, whoever signed it."""
    assert expires(jwt.encode({"exp": 1_700_000_000}, KEY)) == 1_700_000_000


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "..", jwt.encode({"sub": "x"}, KEY)])
def test_any_other_token_names_none(token: str) -> None:
    """What is no JWT, or has no end."""
    assert expires(token) is None


@given(st.text() | st.lists(st.text("abc_-=", max_size=9), min_size=3, max_size=3).map(".".join))
def test_nothing_is_raised(token: str) -> None:
    """Whatever it is."""
    expires(token)
