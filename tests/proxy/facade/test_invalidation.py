"""What a write makes worthless besides its own target."""

import pytest

from proxy.facade.invalidation import invalidated


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({}, []),
        ({"location": "/rooms/AB"}, ["/rooms/AB"]),
        (
            {"location": "AB", "content-location": "/rooms?status=waiting"},
            ["/AB", "/rooms?status=waiting"],
        ),
        ({"location": "/rooms"}, []),
        ({"location": "https://other.example/rooms/AB"}, []),
        ({"content-location": "//other.example/rooms/AB"}, []),
    ],
)
def test_what_an_answer_names_is_invalidated(headers: dict[str, str], more: list[str]) -> None:
    """Its Location and Content-Location, but nobody else's (RFC 9111 §4.4)."""
    assert invalidated("/rooms", headers) == ("/rooms", *more)
