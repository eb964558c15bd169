"""Whether one more client may come in (times are seconds of a monotonic clock)."""

from typing import Final

from proxy.relay.limits import Limits

_SENT_AWAY_AT_MOST: Final = 1.1


class Admission:
    """A token bucket of newcomers, and a bound on how many may be here at once."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._tokens = limits.joins_per_second
        self._at = now

    def has_room(self, present: int) -> bool:
        """Whether a newcomer can at least be accepted, to be told to come later."""
        return present < self._limits.connections * _SENT_AWAY_AT_MOST

    def admit(self, present: int, now: float) -> bool:
        """Whether to let somebody in while `present` clients are here."""
        rate = self._limits.joins_per_second
        self._tokens = min(rate, self._tokens + (now - self._at) * rate)
        self._at = now
        if present >= self._limits.connections or self._tokens < 1:
            return False
        self._tokens -= 1
        return True
