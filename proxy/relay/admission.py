"""Whether one more client may come in (times are seconds of a monotonic clock)."""

from proxy.relay.limits import Limits


class Admission:
    """A token bucket of newcomers, and a bound on how many may be here at once."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._tokens = limits.joins_per_second
        self._at = now

    def admit(self, present: int, now: float) -> bool:
        """Whether to let somebody in while `present` clients are here."""
        rate = self._limits.joins_per_second
        self._tokens = min(rate, self._tokens + (now - self._at) * rate)
        self._at = now
        if present >= self._limits.connections or self._tokens < 1:
            return False
        self._tokens -= 1
        return True
