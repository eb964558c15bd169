"""What a conversation wants done; its driver does it, in this order."""

from dataclasses import dataclass

from ludo.relay.changes import Change, Connection
from ludo.relay.incoming import Err


@dataclass(frozen=True, slots=True)
class Dial:
    """Get a token, open a socket, then call `connected` or `lost`."""

    link: int


@dataclass(frozen=True, slots=True)
class Send:
    """Write a text frame."""

    link: int
    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close a socket; nothing more of it is to be told."""

    link: int


@dataclass(frozen=True, slots=True)
class Renew:
    """Get a fresh token, then call `renewed` or `not_renewed`."""


@dataclass(frozen=True, slots=True)
class Became:
    """The connection has another state."""

    connection: Connection
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """Something about a game."""

    change: Change


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request: an `err`, None for `ok`."""

    request: int
    refused: Err | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The link that carried a request is gone."""

    request: int


@dataclass(frozen=True, slots=True)
class Ponged:
    """The answer to `ping`."""

    request: int


Action = Dial | Send | HangUp | Renew | Became | Tell | Answer | NoAnswer | Ponged
