"""What upstream's headers say about when it may be called again."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = 60.0
"""Seconds; upstream's window, and the most that a header can make us wait."""
DEFAULT_WAIT: Final = 1.0
"""Seconds to wait after a 429 that does not say how long."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class RateWindow:
    """The `X-RateLimit-*` headers: calls in the window, calls left, its end in Unix seconds."""

    limit: int
    remaining: int
    reset: float


def rate_window(headers: Mapping[str, str]) -> RateWindow | None:
    """What the three headers say; None unless all are there and can be read."""
    limit = _number(headers.get("x-ratelimit-limit"))
    if limit is None:
        return None
    remaining = _number(headers.get("x-ratelimit-remaining"))
    reset = _number(headers.get("x-ratelimit-reset"))
    if remaining is None or reset is None:
        return None
    return RateWindow(limit, remaining, float(reset))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` asks for (RFC 9110 §10.2.3), at most 60; None if it does not.

    `now` is Unix seconds.
    """
    text = (headers.get("retry-after") or "").strip()
    if _DECIMAL.fullmatch(text):
        return _capped(float(text))
    try:
        moment = parsedate_to_datetime(text)
        # An HTTP date is always in GMT; without its zone it would be taken for local time.
        return _capped(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def wait_after_429(headers: Mapping[str, str], now: float) -> float:
    """Seconds until a throttled call may be tried again: Retry-After, else the window's end."""
    asked = retry_after(headers, now)
    if asked is not None:
        return asked
    reset = _number(headers.get("x-ratelimit-reset"))
    return DEFAULT_WAIT if reset is None else _capped(reset - now)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text.strip()) else None


def _capped(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else LONGEST_WAIT
