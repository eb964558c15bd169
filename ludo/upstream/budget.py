"""Permits for calls to upstream: who gets one first when they run out."""

from enum import StrEnum
from typing import Protocol

from ludo.upstream.deadline import Deadline


class CallClass(StrEnum):
    """Why upstream is called, the most urgent first."""

    WRITE = "write"
    READ = "read"
    RESYNC = "resync"
    REFRESH = "refresh"


class Budget(Protocol):
    """What upstream allows, shared by everybody who calls it with our key."""

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

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        """There is always a permit."""

    async def learn(self, limit: int, remaining: int, reset: float) -> None:
        """What upstream says changes nothing."""
