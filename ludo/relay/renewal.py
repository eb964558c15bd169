"""When a fresh token is shown on a live link."""

from typing import Final

from ludo.relay.incoming import Welcome
from ludo.relay.link import NEVER
from ludo.relay.tokens import expires

_EARLY: Final = 30.0
_EARLY_PART: Final = 0.2
_AGAIN: Final = 5.0
_SOONEST: Final = 1.0


class Renewal:
    """Asks for a fresh token a while before the present one ends."""

    def __init__(self, renewable: bool) -> None:
        self._renewable = renewable
        self._under_way = False
        self._lifetime: float | None = None
        self.due = NEVER

    def end_of(self, token: str | None, now: float, wall: float) -> float | None:
        """The end of a token as a time of ours, if it says it."""
        exp = None if token is None else expires(token)
        return None if exp is None else now + exp - wall

    def welcomed(self, welcome: Welcome, ends: float | None, now: float) -> None:
        """The relay's own word counts most: its clock decides."""
        if welcome.exp is not None:
            self._lifetime = (welcome.exp - welcome.now) / 1000
            ends = now + self._lifetime
        self._plan(ends, now)

    def shown(self, ends: float | None, now: float) -> None:
        """Another token was sent; one that does not say its end lasts as long as the first."""
        self._under_way = False
        if ends is None and self._lifetime is not None:
            ends = now + self._lifetime
        self._plan(ends, now)

    def ask(self) -> bool:
        """Whether to fetch a token now."""
        self.due = NEVER
        wanted = self._renewable and not self._under_way
        self._under_way = self._under_way or wanted
        return wanted

    def failed(self, now: float) -> None:
        """Try again soon."""
        self._under_way = False
        self.due = now + _AGAIN

    def stop(self) -> None:
        """Without a link there is nobody to show a token to."""
        self.due = NEVER

    def _plan(self, ends: float | None, now: float) -> None:
        if ends is None or not self._renewable:
            self.due = NEVER
            return
        left = ends - now
        self.due = now + max(_SOONEST, left - min(_EARLY, left * _EARLY_PART))
