"""Permits for calls to upstream: who gets one first when they run out."""

from enum import StrEnum
from typing import Final, Protocol

from ludo.upstream.deadline import Deadline

LONGEST_STRETCH: Final = 8.0
_AT_EASE: Final = 0.5
_LOW: Final = 0.1


class CallClass(StrEnum):
    """Why upstream is called, the most urgent first."""

    WRITE = "write"
    READ = "read"
    RESYNC = "resync"
    REFRESH = "refresh"


def stretch(left: int, limit: int) -> float:
    """What soft lifetimes are multiplied by: 1 while half of the permits are left, 8 near the end.

    So the less may be asked, the longer an answer counts as fresh, and what is left goes to those
    who have no answer at all.
    """
    part = (_AT_EASE - left / limit) / (_AT_EASE - _LOW)
    return 1.0 + (LONGEST_STRETCH - 1.0) * min(1.0, max(0.0, part))


class Budget(Protocol):
    """What upstream allows, shared by everybody who calls it with our key."""

    @property
    def stretch(self) -> float:
        """What soft lifetimes are multiplied by now, 1.0 to `LONGEST_STRETCH`."""

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        """Take one permit, waiting for it until the deadline at most; raises BudgetSpent.

        Every attempt takes one, a circuit's probe always as a WRITE. It is spent even if the
        attempt fails: upstream counts arrivals.
        """

    async def learn(self, limit: int, remaining: int, reset: float) -> None:
        """Take note of what upstream says: `reset` is when its window ends, Unix seconds.

        After a 429 without the headers `limit` is 0, unknown. Never raises.
        """


class Unlimited:
    """The budget of a client that nobody shares and nothing limits."""

    @property
    def stretch(self) -> float:
        """Nothing runs low."""
        return 1.0

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        """There is always a permit."""

    async def learn(self, limit: int, remaining: int, reset: float) -> None:
        """What upstream says changes nothing."""
