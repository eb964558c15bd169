"""What can go wrong with upstream.

    UpstreamError
    ├── UpstreamTimedOut        it did not answer in time
    ├── UpstreamUnavailable     it could not be reached, or hung up
    ├── UpstreamFailed          it answered 5xx
    ├── UpstreamThrottled       it answered 429; retry_after
    ├── UpstreamRefused         it answered another 4xx; status, code, message, clause, body
    ├── UpstreamMalformed       it said something that cannot be read; expected, found
    │   ├── MalformedEvent
    │   └── MalformedState
    ├── BudgetSpent             no permit is left for this call; retry_after
    ├── CircuitOpen             it failed too often just now; retry_after
    └── DeadlinePassed          the caller's time was over first

The first six say what upstream did, the last three why it was not asked (any more).
`retry_after` is in seconds.
"""

from typing import Final

_SHOWN: Final = 200


class UpstreamError(Exception):
    """Whatever kept upstream from answering as it should."""


class UpstreamTimedOut(UpstreamError):
    """Upstream did not answer in time; whether it acted on the call is unknown."""


class UpstreamUnavailable(UpstreamError):
    """No connection, or one that broke.

    `sent` tells whether the call may have reached upstream.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class UpstreamFailed(UpstreamError):
    """Upstream answered with a 5xx; `retry_after` is what it asked for, if it did."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"expected an answer below 500; found {status}")
        self.status = status
        self.retry_after = retry_after


class UpstreamThrottled(UpstreamError):
    """Upstream answered 429: the budget is spent there, whatever we counted."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"upstream refuses further calls for {retry_after:.0f} s")
        self.retry_after = retry_after


class UpstreamRefused(UpstreamError):
    """Upstream understood and said no, with a 4xx.

    `code`, `message` and the `clause` that a refused move breaks are there where upstream gave
    them.
    """

    def __init__(
        self, status: int, code: str | None, message: str, body: bytes, clause: str | None = None
    ) -> None:
        super().__init__(f"upstream answered {status}: {message[:_SHOWN]}")
        self.status = status
        self.code = code
        self.message = message
        self.body = body
        self.clause = clause


class UpstreamMalformed(UpstreamError):
    """Upstream said something that is not what its contract says."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected = expected
        self.found = found


class MalformedEvent(UpstreamMalformed):
    """A body that is no event of the vocabulary."""


class MalformedState(UpstreamMalformed):
    """A body that describes no possible state of a game."""


class BudgetSpent(UpstreamError):
    """The budget has no permit for a call of this class."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"upstream's budget is spent; the next call fits in {retry_after:.1f} s")
        self.retry_after = retry_after


class CircuitOpen(UpstreamError):
    """Upstream failed too often just now, so it is left alone for a moment."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"the circuit of {name} is open for {retry_after:.1f} s more")
        self.name = name
        self.retry_after = retry_after


class DeadlinePassed(UpstreamError):
    """The caller's time was over before an answer was there."""
