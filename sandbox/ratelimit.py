"""Upstream's limit: so many requests a window for each key, said on every answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands after a request: `reset` is the Unix second at which its window ends."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The three headers upstream puts on every answer."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RateLimit:
    """A fixed window for each key, opened by the key's first request.

    Upstream's page says "window" and "resets" and nothing of a sliding log, so a caller may get
    through twice the limit around the end of a window, as there.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str, now: float) -> Standing:
        """Count one request; over the limit it is not allowed."""
        ends, used = self._windows.get(key, (0.0, 0))
        if now >= ends:
            ends, used = now + self._seconds, 0
        self._windows[key] = (ends, used + 1)
        return Standing(
            allowed=used < self._limit,
            limit=self._limit,
            remaining=max(0, self._limit - used - 1),
            reset=ceil(ends),
        )
