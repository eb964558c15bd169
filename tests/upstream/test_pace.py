"""What upstream's headers say about when it may be called again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.upstream.pace import RateWindow, rate_window, retry_after, wait_after_429

NOW = 1_792_567_670.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("86400", 60.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 10.0),
        ("Wed, 21 Oct 2026 07:28:00 -0000", 10.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Fri, 21 Oct 2050 07:28:00 GMT", 60.0),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    """Both forms are honoured, within a minute; what is neither is passed over."""
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_a_date_is_never_in_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in another time zone reads the same moment."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert retry_after({"retry-after": "Wed, 21 Oct 2026 07:28:00 -0000"}, NOW) == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()


@given(text=st.text(max_size=40))
def test_no_header_raises(text: str) -> None:
    """Whatever upstream writes there, the wait is bounded."""
    headers = dict.fromkeys(("retry-after", "x-ratelimit-reset", "x-ratelimit-limit"), text)
    assert 0 <= wait_after_429(headers, NOW) <= 60
    window = rate_window(headers)
    assert window is None or window.limit >= 0


def test_a_throttled_call_waits_for_the_end_of_the_window() -> None:
    """Without Retry-After the reset counts, and without either a second."""
    assert wait_after_429({"retry-after": "2", "x-ratelimit-reset": str(NOW + 9)}, NOW) == 2
    assert wait_after_429({"x-ratelimit-reset": str(int(NOW) + 9)}, NOW) == 9
    assert wait_after_429({"x-ratelimit-reset": str(int(NOW) - 9)}, NOW) == 0
    assert wait_after_429({}, NOW) == 1


def test_a_window_needs_its_three_headers() -> None:
    """Half of the story teaches nothing."""
    headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "99"}
    assert rate_window(headers) == RateWindow(100, 7, 99.0)
    for name in headers:
        assert rate_window({**headers, name: "many"}) is None
