"""Who is let in."""

from dataclasses import replace

import pytest

from proxy.relay.admission import Admission
from proxy.relay.origins import is_allowed
from tests.relay.builders import LIMITS


def test_newcomers_are_let_in_at_a_rate() -> None:
    """A burst of one second's worth, then as many as the rate allows."""
    admission = Admission(replace(LIMITS, joins_per_second=2), 0.0)

    assert [admission.admit(0, 0.0) for _ in range(3)] == [True, True, False]
    assert [admission.admit(0, 0.5) for _ in range(2)] == [True, False]


def test_a_process_holds_only_so_many() -> None:
    """However slowly they come."""
    admission = Admission(replace(LIMITS, connections=2), 0.0)

    assert admission.admit(1, 5.0)
    assert not admission.admit(2, 9.0)


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "outcome"),
    [
        (None, "relay:80", (), True),
        ("https://a.example", "relay:80", ("https://a.example",), True),
        ("https://a.example", "relay:80", ("*",), True),
        ("http://Relay:80", "relay:80", (), True),
        ("https://b.example", "relay:80", ("https://a.example",), False),
        ("https://a.example.evil", "relay:80", ("https://a.example",), False),
        ("null", "relay:80", (), False),
        ("http://[", "relay:80", (), False),
        ("https://a.example", None, (), False),
    ],
)
def test_pages_are_known_by_their_origin(
    origin: str | None, host: str | None, allowed: tuple[str, ...], outcome: bool
) -> None:
    """Listed ones, our own, and whatever is no page at all."""
    assert is_allowed(origin, host, allowed) is outcome
