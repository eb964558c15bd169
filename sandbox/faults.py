"""Which faults an event or an answer suffers: decided by seed alone, never by timing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sandbox import chance
from sandbox.errors import FaultsError


class Fault(StrEnum):
    """One way in which a sender or a server lets its callers down."""

    LATE = "late"
    """The event arrives after later ones of its game, seconds behind."""
    TWICE = "twice"
    """A second delivery of the event, under the same id."""
    OUT_OF_ORDER = "out_of_order"
    """The event changes places with the next of its game."""
    TAMPERED = "tampered"
    """One byte of the first delivery is changed after signing; the retry is right."""
    DROPPED = "dropped"
    """The event is never sent."""
    FORGED = "forged"
    """Wrong content under a valid signature arrives first, the genuine event after it."""
    FORGED_LOST = "forged_lost"
    """Wrong content under a valid signature arrives instead of the event."""
    SERVER_ERROR = "server_error"
    """An answer is 500, 502 or 503 and nothing was done."""
    SLOW = "slow"
    """An answer takes seconds."""
    RESET = "reset"
    """The work is done, and the connection is cut in the middle of the answer."""
    STATE_DOWN = "state_down"
    """A game's state is answered by 503."""
    SOCKET_LATE = "socket_late"
    """A frame comes after later ones of its game."""
    SOCKET_TWICE = "socket_twice"
    """A frame comes twice."""
    SOCKET_CUT = "socket_cut"
    """Instead of a frame, the room's connections end; what waits on them is lost."""


OF_EVENTS: Final = (
    Fault.LATE,
    Fault.TWICE,
    Fault.OUT_OF_ORDER,
    Fault.TAMPERED,
    Fault.DROPPED,
    Fault.FORGED,
    Fault.FORGED_LOST,
)
OF_FRAMES: Final = (Fault.SOCKET_CUT, Fault.SOCKET_LATE, Fault.SOCKET_TWICE)
OF_ANSWERS: Final = (Fault.SERVER_ERROR, Fault.SLOW, Fault.RESET)

_LOSSLESS: Final = {
    Fault.LATE: 0.02,
    Fault.TWICE: 0.03,
    Fault.OUT_OF_ORDER: 0.02,
    Fault.TAMPERED: 0.02,
    Fault.SOCKET_LATE: 0.02,
    Fault.SOCKET_TWICE: 0.03,
}
_ALL: Final = {
    **_LOSSLESS,
    Fault.DROPPED: 0.004,
    Fault.FORGED: 0.001,
    Fault.FORGED_LOST: 0.001,
    Fault.SOCKET_CUT: 0.005,
    Fault.SERVER_ERROR: 0.03,
    Fault.SLOW: 0.02,
    Fault.RESET: 0.02,
}
PROFILES: Final[Mapping[str, Mapping[Fault, float]]] = MappingProxyType(
    {"none": {}, "lossless": _LOSSLESS, "all": _ALL}
)
"""Named rates. `lossless` drops nothing and forges nothing: every event arrives in the end."""


def parse_rates(text: str) -> Mapping[Fault, float]:
    """The rates that `PROFILE,fault=rate,…` describes, as `lossless,late=0.2,state_down=1`.

    The profile comes first and may be left out; a rate is a probability from 0 to 1.
    Raises FaultsError with what was expected and what was found.
    """
    first, *rest = [part.strip() for part in text.split(",") if part.strip()] or ["none"]
    rates = {} if "=" in first else dict(_profile(first))
    for entry in [first, *rest] if "=" in first else rest:
        fault, _, rate = (side.strip() for side in entry.partition("="))
        rates[_fault(fault)] = _rate(fault, rate)
    return MappingProxyType(rates)


def _profile(name: str) -> Mapping[Fault, float]:
    if name not in PROFILES:
        raise FaultsError(f"expected a profile ({', '.join(PROFILES)}); found {name!r}")
    return PROFILES[name]


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        raise FaultsError(f"expected one of {', '.join(Fault)}; found {name!r}") from None


def _rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise FaultsError(f"expected {name}=<a number from 0 to 1>; found {text!r}")
    return rate


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one run: a seed, a rate for each fault, and the longest delay in seconds."""

    seed: str
    rates: Mapping[Fault, float] = field(default_factory=dict)
    longest: float = 1.5

    def with_rates(self, rates: Mapping[Fault, float]) -> "Faults":
        """The same run under other rates."""
        return replace(self, rates=rates)

    def of_event(self, game_id: str, sequence: int, attempt: int = 1) -> frozenset[Fault]:
        """What befalls one attempt to deliver an event; a retry suffers nothing.

        A dropped or replaced event cannot suffer anything else: the worst fault stands alone.
        """
        if attempt > 1:
            return frozenset()
        drawn = {fault for fault in OF_EVENTS if self._hit(fault, game_id, sequence)}
        for alone in (Fault.DROPPED, Fault.FORGED_LOST):
            if alone in drawn:
                return frozenset({alone})
        if Fault.LATE in drawn:
            drawn.discard(Fault.OUT_OF_ORDER)
        return frozenset(drawn)

    def of_frame(self, game_id: str, sequence: int) -> Fault | None:
        """What befalls an event on its way over the WebSocket."""
        return next((each for each in OF_FRAMES if self._hit(each, game_id, sequence)), None)

    def of_answer(self, route: str, nth: int) -> Fault | None:
        """What befalls the nth request to a route, a method with its path."""
        for fault in OF_ANSWERS:
            if self._hit(fault, route, nth):
                return fault
        if route.startswith("GET ") and route.endswith("/state"):
            return Fault.STATE_DOWN if self._hit(Fault.STATE_DOWN, route, nth) else None
        return None

    def delay(self, fault: Fault, what: str, nth: int) -> float:
        """How many seconds a late event, a second delivery or a slow answer waits."""
        share = 0.1 + 0.9 * chance.fraction(self.seed, fault, "delay", what, nth)
        return self.longest * share

    def draw(self, what: str, nth: int) -> int:
        """A number for choosing which byte, which status or which wrong content."""
        return chance.number(self.seed, "draw", what, nth)

    def _hit(self, fault: Fault, what: str, nth: int) -> bool:
        rate = self.rates.get(fault, 0.0)
        return rate > 0 and chance.fraction(self.seed, fault, what, nth) < rate
