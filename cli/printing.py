"""What a command prints: a stranger's text made harmless, and a value as one line of JSON."""

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
