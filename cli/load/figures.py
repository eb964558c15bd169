"""Numbers of one kind, and what one wants to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, as they were measured."""

    count: int
    min: float
    mean: float
    median: float
    p95: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figures | None":
        """The figures of some milliseconds; None of none."""
        if not values:
            return None
        cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else [values[0]] * 99
        numbers = (min(values), fmean(values), cuts[49], cuts[94], max(values))
        return cls(len(values), *(round(number, 3) for number in numbers))
