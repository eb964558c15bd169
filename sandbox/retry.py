"""What follows from the answer to a delivery: done, again later, or given up."""

from dataclasses import dataclass
from typing import Final, Literal

_PATIENCE: Final = 60.0
"""The longest Retry-After that is honoured, in seconds."""

Verdict = Literal["acknowledged", "given-up"] | float
"""A number is how many seconds to wait before the next attempt."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How the receiver answered; `status` 0 is no answer at all."""

    status: int
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits between attempts, in seconds, and how many attempts there are; the last repeats."""

    waits: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
    attempts: int = 120

    def after(self, attempt: int, reply: Reply) -> Verdict:
        """What to do after that attempt, counted from 1, was answered so.

        2xx is done and 410 is a receiver that wants no more; everything else is tried again, a
        redirect too (Standard Webhooks 1.0.0). 429 and 503 may say when.
        """
        if 200 <= reply.status < 300:
            return "acknowledged"
        if reply.status == 410 or attempt >= self.attempts:
            return "given-up"
        wait = self.waits[min(attempt, len(self.waits)) - 1]
        if reply.status in (429, 503) and reply.retry_after is not None:
            return max(wait, min(reply.retry_after, _PATIENCE))
        return wait
