"""What a session wants done; its driver does it."""

from dataclasses import dataclass

from proxy.relay.codes import Code
from proxy.relay.listener import Ask


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a game's room, or ask it again."""

    game: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a game's room."""

    game: str


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out who this is, and feed the answer back before any further frame.

    The one thing that has to be awaited, so it comes alone and never with other effects.
    """

    token: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """Write what is queued, then close; there is not much time left for it."""

    code: Code


Effect = Join | Leave | Close
