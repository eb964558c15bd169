"""Why the proxy does not do what a caller asked.

    ProxyError
    ├── NotAuthenticated     no token, or a bad one
    ├── NotAllowed           a good token that does not reach this
    ├── KeysUnavailable      a token that cannot be checked just now
    ├── TooManyConnections   of one caller; close another first
    ├── NotNow               this replica cannot serve a stream at the moment; retry_after
    ├── QuotaExceeded        the caller asked too often; retry_after
    ├── BadRequest           a path, a header or a body that means nothing here
    ├── UnknownPath          nothing is there; upstream was not asked
    ├── NotReached           a sequence that the game does not have; last
    ├── ReplayGap            a sequence that a resync went past; next
    ├── IllegalMove          the mirror shows that the rules forbid it; clause
    ├── KeyReused            an idempotency key came back with another body
    ├── KeyBusy              the first request with this idempotency key is still running
    └── NothingCached        upstream failed a moment ago, and no earlier answer is kept

Each message is one sentence for the caller: what was expected, what was found, what to do.
`problems.py` alone knows which status each of them becomes.
"""

from collections.abc import Mapping

from ludo.config import Rate


class ProxyError(Exception):
    """The base of this room's errors."""


class NotAuthenticated(ProxyError):
    """The caller has to show a token that we can verify."""


class NotAllowed(ProxyError):
    """The caller is known, and may not do this."""


class KeysUnavailable(ProxyError):
    """The key that a token was signed with could not be fetched."""


class TooManyConnections(ProxyError):
    """The caller has as many connections to the relay as one caller may have."""


class NotNow(ProxyError):
    """The relay is overloaded, or leaving; `retry_after` is in seconds."""

    def __init__(self, sentence: str, retry_after: float) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class QuotaExceeded(ProxyError):
    """A window of the caller's quota is used up.

    `retry_after` is in seconds; `headers` tell what is left of every window, `policy` is the name
    that they give to the one that is used up.
    """

    def __init__(
        self, rate: Rate, retry_after: int, headers: Mapping[str, str], policy: str = ""
    ) -> None:
        super().__init__(
            f"the quota of {rate.limit} requests in {rate.seconds} s is used up; "
            f"ask again in {retry_after} s"
        )
        self.retry_after = retry_after
        self.headers = headers
        self.policy = policy


class BadRequest(ProxyError):
    """The request means nothing here, whoever sends it."""


class UnknownPath(ProxyError):
    """There is nothing at this path."""


class NotReached(ProxyError):
    """The game has no such sequence; `last` is its last one."""

    def __init__(self, last: int, found: int) -> None:
        super().__init__(f"at: expected a sequence from 1 to {last}; found {found}")
        self.last = last


class ReplayGap(ProxyError):
    """The events of this sequence never came here; `next` is the next one that can be shown."""

    def __init__(self, sequence: int, next_known: int) -> None:
        super().__init__(
            f"the state at {sequence} is not known: a resync went past it; "
            f"the next that is known is at {next_known}"
        )
        self.next = next_known


class IllegalMove(ProxyError):
    """The rules forbid this move; `clause` is the one that does."""

    def __init__(self, clause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.clause = clause


class KeyReused(ProxyError):
    """An idempotency key belongs to one body only."""


class KeyBusy(ProxyError):
    """The answer to the first request with this key is not there yet."""


class NothingCached(ProxyError):
    """Another request's attempt failed a moment ago; `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("upstream did not answer a moment ago, and no earlier answer is kept")
        self.retry_after = retry_after
