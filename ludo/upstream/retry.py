"""Trying again: only what may be repeated, only while there is time, and never a storm of it.

tenacity runs the attempts after one that failed; whether and when there is another one is decided
here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState

from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import (
    UpstreamError,
    UpstreamFailed,
    UpstreamThrottled,
    UpstreamTimedOut,
    UpstreamUnavailable,
)

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""RFC 9110 §9.2.2."""
SHORTEST_ATTEMPT: Final = 0.1
"""Seconds below which an attempt is not worth its permit."""
_PASSING: Final = frozenset({500, 502, 503, 504})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long; times in seconds.

    The nth wait is a random part of `base` × 2ⁿ⁻¹, at most `cap` (full jitter). Upstream's own
    wish is added to it; a wish above `longest` is left to the caller.
    """

    attempts: int = 3
    base: float = 0.1
    cap: float = 2.0
    longest: float = 5.0


class RetryBudget:
    """Lets retries be at most a part of all calls, with a few for those who call rarely.

    Without it a failing upstream would get several times its usual load from us.
    """

    def __init__(self, calls_per_retry: int = 10, floor: int = 3, most: int = 10) -> None:
        self._price = calls_per_retry
        self._most = most * calls_per_retry
        self._left = floor * calls_per_retry

    def earn(self) -> None:
        """A call was made for the first time."""
        self._left = min(self._most, self._left + 1)

    def spend(self) -> bool:
        """Whether one more retry may be made; it is counted if so."""
        if self._left < self._price:
            return False
        self._left -= self._price
        return True


def is_passing(error: BaseException | None) -> bool:
    """Whether the same call could well succeed a moment later."""
    match error:
        case UpstreamTimedOut() | UpstreamUnavailable() | UpstreamThrottled():
            return True
        case UpstreamFailed():
            return error.status in _PASSING
        case _:
            return False


def next_wait(
    error: BaseException | None, attempt: int, policy: RetryPolicy, part: float
) -> float | None:
    """Seconds until the attempt after this one, None if there is none.

    `attempt` counts from 1; `part` is the random part of the wait, 0 to 1.
    """
    if attempt >= policy.attempts or not is_passing(error):
        return None
    asked = 0.0
    if isinstance(error, UpstreamThrottled | UpstreamFailed):
        asked = error.retry_after or 0.0
    if asked > policy.longest:
        return None
    # Added to what was asked, so that not everybody comes back in the same moment.
    return asked + part * min(policy.cap, policy.base * 2.0 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Retries:
    """Makes a call as often as it takes and is allowed."""

    policy: RetryPolicy
    budget: RetryBudget
    chance: Random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @classmethod
    def usual(cls, attempts: int = 3) -> "Retries":
        """With the usual waits, and a retry budget of its own."""
        return cls(RetryPolicy(attempts=attempts), RetryBudget(), Random())

    async def run(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        deadline: Deadline,
        may_repeat: Callable[[], bool],
    ) -> T:
        """The answer of the first attempt that has one, else the last one's error.

        `may_repeat` is asked before every further attempt.
        """
        self.budget.earn()
        try:
            return await attempt()
        except UpstreamError as error:
            failed: UpstreamError | None = error

        async def again() -> T:
            # The first attempt counts as tenacity's first. It is made without it, because a call
            # that goes well would spend a tenth of its processor time there.
            nonlocal failed
            if failed is None:
                return await attempt()
            first, failed = failed, None
            raise first

        plan = _Plan(self, deadline, may_repeat)
        retrying = AsyncRetrying(retry=plan.goes_on, wait=plan.wait, sleep=self.sleep, reraise=True)
        return await retrying(again)


class _Plan:
    """The next wait of one call; tenacity asks first whether there is one, then how long it is."""

    def __init__(
        self, retries: Retries, deadline: Deadline, may_repeat: Callable[[], bool]
    ) -> None:
        self._retries = retries
        self._deadline = deadline
        self._may_repeat = may_repeat
        self._wait = 0.0

    def goes_on(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, UpstreamError):
            return False
        retries = self._retries
        wait = next_wait(error, state.attempt_number, retries.policy, retries.chance.random())
        if wait is None or wait + SHORTEST_ATTEMPT > self._deadline.left():
            return False
        self._wait = wait
        return self._may_repeat() and retries.budget.spend()

    def wait(self, state: RetryCallState) -> float:  # noqa: ARG002
        return self._wait
