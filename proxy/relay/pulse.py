"""The clocks of one connection: what is due when (times are seconds of a monotonic clock)."""

from enum import Enum, auto

from proxy.relay.limits import Limits

NEVER = float("inf")
_JITTER = 0.1


class Alarm(Enum):
    """What has come due."""

    HELLO_MISSING = auto()
    TOKEN_EXPIRED = auto()
    NO_PONG = auto()
    PING = auto()
    STUCK = auto()
    IDLE = auto()
    DRAIN = auto()
    GONE = auto()


class Pulse:
    """Heartbeat, deadlines and the drain of one connection.

    `chance` in [0, 1) places its heartbeat within ±10 %, so that a herd that came together does
    not stay together. `answered` says whether the other side can answer pings.
    """

    __slots__ = ("_answered", "_due", "_interval", "_limits")

    def __init__(self, limits: Limits, now: float, chance: float, *, answered: bool = True) -> None:
        self._limits = limits
        self._answered = answered
        self._interval = limits.ping_every * (1 - _JITTER + 2 * _JITTER * chance)
        self._due: dict[Alarm, float] = {Alarm.HELLO_MISSING: now + limits.hello_within}

    @property
    def due(self) -> float:
        """When to look next."""
        return min(self._due.values(), default=NEVER)

    def rings(self, now: float) -> tuple[Alarm, ...]:
        """What has come due, each once; in the order of `Alarm`."""
        if now < self.due:
            return ()
        ringing = tuple(alarm for alarm in Alarm if self._due.get(alarm, NEVER) <= now)
        for alarm in ringing:
            del self._due[alarm]
        return ringing

    def welcomed(self, now: float, expires: float, *, any_game: bool) -> None:
        """The hello was accepted; the token is good until `expires`."""
        self._due.pop(Alarm.HELLO_MISSING, None)
        self._due[Alarm.PING] = now + self._interval
        self.renewed(expires)
        self.subscribed(any_game, now)

    def renewed(self, expires: float) -> None:
        """The token is good until `expires`."""
        self._due[Alarm.TOKEN_EXPIRED] = expires

    def heard(self) -> None:
        """A frame came: whoever sent it is there."""
        self._due.pop(Alarm.NO_PONG, None)

    def pinged(self, now: float) -> None:
        """We asked whether anybody is there."""
        self._due[Alarm.PING] = now + self._interval
        if self._answered:
            self._due.setdefault(Alarm.NO_PONG, now + self._limits.pong_within)

    def subscribed(self, any_game: bool, now: float) -> None:
        """Whether the client listens to anything."""
        if any_game:
            self._due.pop(Alarm.IDLE, None)
        else:
            self._due.setdefault(Alarm.IDLE, now + self._limits.idle_after)

    def writing(self, since: float) -> None:
        """Frames wait behind a write that began at `since`."""
        self._due[Alarm.STUCK] = since + self._limits.stuck_after

    def written(self) -> None:
        """The write was taken."""
        self._due.pop(Alarm.STUCK, None)

    def draining(self, at: float, gone_at: float) -> None:
        """Say farewell at `at`, and be gone at `gone_at`."""
        if Alarm.GONE not in self._due or gone_at < self._due[Alarm.GONE]:
            self._due[Alarm.DRAIN] = at
            self._due[Alarm.GONE] = gone_at
