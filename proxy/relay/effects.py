"""What a session wants done; its driver does it."""

from dataclasses import dataclass

from proxy.relay.codes import Code
from proxy.relay.frames import Say
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
class Speak:
    """Have all nodes hear this, and feed back what became of it before any further frame.

    `speaker` is what his pace is counted under. Comes alone, like `Authenticate`.
    """

    say: Say
    sender: str | None
    speaker: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """It was said."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """It was not said: `code` and `reason` for the client, who may try again after `after` s."""

    code: str
    reason: str
    after: float


@dataclass(frozen=True, slots=True)
class Close:
    """Write what is queued, then close; there is not much time left for it."""

    code: Code


Effect = Join | Leave | Close
Awaited = Authenticate | Speak
