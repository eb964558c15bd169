"""Moments: Unix milliseconds inside, ISO 8601 in bodies."""

from datetime import UTC, datetime


def iso(moment: int) -> str:
    """`2026-01-31T12:00:00.250Z` for a moment in Unix milliseconds."""
    whole, millis = divmod(moment, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"
