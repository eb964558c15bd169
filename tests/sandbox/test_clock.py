"""Moments as bodies carry them."""

import pytest

from sandbox.clock import iso


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (1_699_999_999_999, "2023-11-14T22:13:19.999Z"),
    ],
)
def test_moments_are_written_in_milliseconds(moment: int, text: str) -> None:
    """ISO 8601 in UTC, never rounded into the next second."""
    assert iso(moment) == text
