"""The in-process layer: a few answers as bytes, in front of the cache that all replicas share.

It is used only while it surely hears of purges, and never for longer than an answer's soft
lifetime. What was looked up before a purge was heard is not put in after it, so a purge that has
reached this process is never undone by it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from proxy.facade.ready import Ready

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_OF_ONE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Held:
    ready: Ready
    tags: tuple[str, ...]


class Layer:
    """Answers of this process by the key of their plan (`policy.Plan.key`).

    `clock` gives monotonic seconds; `hears` says whether purges surely arrive. Bounded by bytes:
    what was used longest ago leaves first.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        hears: Callable[[], bool],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._clock = clock
        self._hears = hears
        self._most = most_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._tagged: dict[str, set[str]] = {}
        self._news = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def find(self, key: str) -> Ready | None:
        """An answer that may go out now, else None."""
        held = self._held.get(key)
        if held is None:
            return None
        if not self._hears():
            return None
        if self._clock() >= held.ready.until:
            self._drop(key)
            return None
        self._held.move_to_end(key)
        return held.ready

    def ticket(self) -> int:
        """What `put` wants to know: how much had been heard before the shared cache was asked."""
        return self._news

    def put(self, key: str, tags: Iterable[str], ready: Ready, ticket: int) -> None:
        """Hold an answer, unless a purge was heard since the ticket was taken."""
        if ticket != self._news or not self._hears() or ready.size > MOST_OF_ONE:
            return
        if self._clock() >= ready.until:
            return
        self._drop(key)
        held = _Held(ready, tuple(tags))
        self._held[key] = held
        self.bytes += ready.size
        for tag in held.tags:
            self._tagged.setdefault(tag, set()).add(key)
        while self.bytes > self._most:
            self._drop(next(iter(self._held)))

    def purge(self, tag: str) -> None:
        """Forget everything with this tag."""
        self._news += 1
        for key in tuple(self._tagged.get(tag, ())):
            self._drop(key)

    def clear(self) -> None:
        """Forget everything: a purge may have been missed."""
        self._news += 1
        self._held.clear()
        self._tagged.clear()
        self.bytes = 0

    def _drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is None:
            return
        self.bytes -= held.ready.size
        for tag in held.tags:
            keys = self._tagged[tag]
            keys.discard(key)
            if not keys:
                del self._tagged[tag]
