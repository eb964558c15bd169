"""What can keep a client of the relay from what it asked for.

    RelayError
    ├── PatchUnfit              a patch does not fit; mended by a snapshot, never raised to you
    ├── GameGone                the relay does not give this game; game, code
    ├── RelayStopped            the relay sent us away for good; code, reason
    ├── RequestRefused          a request was answered with `err`; code, retry, after
    ├── RequestUnanswered       the connection was lost before the answer; it may have been done
    └── QueueFull               offline, and enough waits already

`after` is in seconds.
"""


class RelayError(Exception):
    """Whatever kept a client of the relay from what it asked for."""


class PatchUnfit(RelayError):
    """The state is not what the patch was made for."""


class GameGone(RelayError):
    """The relay ended a subscription, or refused it, and asking again is of no use."""

    def __init__(self, game: str, code: str) -> None:
        super().__init__(f"the relay does not give game {game} to this caller: {code}")
        self.game = game
        self.code = code


class RelayStopped(RelayError):
    """The connection ended with a close code after which one does not come back."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the relay closed with {code} ({reason}); do not connect again as is")
        self.code = code
        self.reason = reason


class RequestRefused(RelayError):
    """A request was refused; with `retry` it may be sent again, `after` seconds from now."""

    def __init__(self, code: str, message: str, *, retry: bool, after: float | None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.retry = retry
        self.after = after


class RequestUnanswered(RelayError):
    """No answer came on the connection that carried the request: it may or may not be done."""


class QueueFull(RelayError):
    """As many requests wait for a connection, or for an answer, as may."""
