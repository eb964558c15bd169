"""What a round of deliveries came to."""

from dataclasses import dataclass, field
from typing import Final

SHARES: Final = (0.5, 0.99, 0.999)
WHO: Final = ("server", "Redis", "sender")


@dataclass
class Answers:
    """How many came in how many seconds, and in `ms` what each of `SHARES` stayed below.

    `cpu` is the processor time that each of `WHO` spent on one, in microseconds.
    """

    number: int
    refused: int
    seconds: float
    ms: dict[float, float]
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Deliveries acknowledged a second."""
        return (self.number - self.refused) / self.seconds


def below(latencies: list[float], share: float) -> float:
    """The latency that this share of the answers stayed below."""
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
