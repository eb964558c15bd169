"""What a command prints: a stranger's text made harmless, and a value as one line of JSON."""

from datetime import UTC, datetime
from typing import Any

import msgspec


def printable(text: str) -> str:
    """A text of a stranger as a terminal may show it: no escape sequences."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def json_line(value: Any) -> str:
    """The value as one line for a script."""
    return msgspec.json.encode(value).decode()


def moment(unix_ms: int) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")
