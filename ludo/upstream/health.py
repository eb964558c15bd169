"""What is known of upstream's health, and what replicas share of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Outcome(StrEnum):
    """What a call says about upstream's health."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When a circuit opens, and for how long; times in seconds.

    Thresholds fit a budget of 100 calls a minute, at which the usual ones would never be reached.
    """

    consecutive: int = 5
    ratio: float = 0.5
    fewest: int = 5
    window: float = 60.0
    open_for: float = 3.0
    jitter: float = 0.1
    probe_for: float = 15.0


@dataclass(frozen=True, slots=True)
class CircuitState:
    """What replicas tell each other. Of two states of one circuit the greater epoch holds.

    `open_for` is how many seconds from the telling it stays open.
    """

    name: str
    phase: Phase
    epoch: int
    open_for: float = 0.0


class ProbeGate(Protocol):
    """Lets one probe through, over everybody who shares the circuit."""

    async def claim(self, name: str, epoch: int, seconds: float) -> bool:
        """Whether the probe of that epoch is ours now, for so long at most; never raises."""

    def free(self, name: str, epoch: int) -> None:
        """Give the probe back without a result; must not block."""


class LocalGate:
    """The gate of a process on its own, where the circuit's own state is enough."""

    async def claim(self, name: str, epoch: int, seconds: float) -> bool:  # noqa: ARG002
        """Nobody else could have it."""
        return True

    def free(self, name: str, epoch: int) -> None:
        """There is nothing to give back."""
