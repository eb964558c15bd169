"""How often a client may speak: an exact count of its frames in the last minute."""

from typing import Final

_MINUTE: Final = 60.0


class Pace:
    """Remembers when the last frames came; at most `limit` times of at most a minute ago.

    In a list, since each connection has one: an empty deque takes 700 bytes more.
    """

    __slots__ = ("_limit", "_times")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: list[float] = []

    def too_fast(self, now: float) -> float:
        """Take note of a frame; 0, or the seconds after which it would have been in time."""
        while self._times and self._times[0] <= now - _MINUTE:
            del self._times[0]
        if len(self._times) >= self._limit:
            return self._times[0] + _MINUTE - now
        self._times.append(now)
        return 0.0
