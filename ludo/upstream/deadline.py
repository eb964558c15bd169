"""The moment after which nobody waits for an answer any more."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from ludo.upstream.errors import DeadlinePassed

Clock = Callable[[], float]
"""Seconds that never run backwards."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One moment for everything that a call does: every wait takes what is left of it."""

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Self:
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    def left(self) -> float:
        """The seconds that are left, 0 when it has passed."""
        return max(0.0, self.at - self.clock())

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """Ends what is awaited inside when the time is over; raises DeadlinePassed then."""
        try:
            async with asyncio.timeout(self.left()):
                yield
        except TimeoutError:
            raise DeadlinePassed("the caller's time was over before upstream was asked") from None
