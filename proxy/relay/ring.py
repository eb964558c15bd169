"""A game's last deltas, without a hole, ending at the tip."""

from collections import deque
from collections.abc import Iterable

from proxy.relay.news import Delta
from proxy.relay.source import Place


class Ring:
    """Where a game stands, and as many of the deltas that led there as fit."""

    __slots__ = ("_deltas", "place")

    def __init__(self, place: Place, length: int) -> None:
        self.place = place
        self._deltas: deque[Delta] = deque(maxlen=length)

    @property
    def held_from(self) -> int:
        """The first delta at hand; one above the place if none is."""
        return self.place.seq - len(self._deltas) + 1

    def is_next(self, delta: Delta) -> bool:
        """Whether this delta leads on from here."""
        return delta.place.epoch == self.place.epoch and delta.place.seq == self.place.seq + 1

    def append(self, delta: Delta) -> None:
        """Go on by the next delta."""
        self._deltas.append(delta)
        self.place = delta.place

    def prefill(self, deltas: Iterable[Delta]) -> None:
        """Take the deltas that led to this place, as far back as they come without a hole."""
        expected = self.place
        held: list[Delta] = []
        for delta in sorted(deltas, key=lambda each: each.place.seq, reverse=True):
            if delta.place.seq > expected.seq:
                continue
            if delta.place != expected:
                break
            held.append(delta)
            expected = Place(expected.epoch, expected.seq - 1)
        self._deltas.extend(reversed(held))

    def after(self, seq: int) -> tuple[Delta, ...] | None:
        """Every delta above `seq`, or None if one of them is not at hand any more."""
        if seq + 1 < self.held_from:
            return None
        return tuple(delta for delta in self._deltas if delta.place.seq > seq)
