"""How long to wait before the next attempt: full jitter, so that a herd does not stay together."""

from random import Random
from typing import Final

FIRST: Final = 0.25
MOST: Final = 10.0
_ENOUGH: Final = 16


def wait(attempt: int, chance: Random) -> float:
    """Seconds before attempt 0, 1, 2 …: anything up to 0.25, 0.5, 1 … 10."""
    return chance.random() * min(MOST, FIRST * 2.0 ** min(attempt, _ENOUGH))
