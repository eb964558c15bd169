"""How long to wait before connecting again."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Longer waits after each failure, with full jitter; a success begins anew. Seconds."""

    first: float = 0.5
    longest: float = 30.0
    chance: random.Random = field(default_factory=random.Random)
    _failures: int = 0

    def next(self) -> float:
        """The wait after one more failure: anything up to twice the bound before."""
        bound = min(self.longest, self.first * 2 ** min(self._failures, 16))
        self._failures += 1
        return self.chance.uniform(0, bound)

    def reset(self) -> None:
        """It went well."""
        self._failures = 0
