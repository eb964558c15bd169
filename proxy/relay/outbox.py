"""What waits to be written to one socket, bounded: the slow-reader policy as data."""

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from proxy.relay.frames import Frame, RequestId
from proxy.relay.limits import Limits
from proxy.relay.resume import Why


class Kind(Enum):
    """What becomes of a queued frame when its game falls behind."""

    CONTROL = auto()
    """Kept: answers, pings, the farewell."""
    DELTA = auto()
    """Dropped, and counted against the bounds."""
    REPLAY = auto()
    """Dropped; the subscriber asked for them at once, so only their bytes count."""
    SNAP = auto()
    """Dropped; the next one says more."""
    LIVE = auto()
    """Dropped, and owed again after the snapshot that makes up for it."""
    MIRROR = auto()
    """Dropped; the next snapshot says it too."""
    PASSING = auto()
    """Dropped: talk and presence; not even queued while the queue is full."""
    ENDED = auto()
    """Dropped, and owed again like LIVE: a client must not hear of an end that it has not seen."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One queued frame; `game` is None for frames of no game, `at` is when it was queued.

    A Struct, because one is made for every client and delta: a frozen dataclass takes ten times
    as long.
    """

    text: str
    size: int
    kind: Kind
    at: float
    game: str | None = None
    reply: RequestId | None = None
    why: Why | None = None


class Outbox:
    """A queue of frames that knows which game has fallen behind.

    It is short, and in a list, since each connection has one: an empty deque takes 700 bytes more.
    """

    __slots__ = ("_deltas", "_items", "_limits", "size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._items: list[Item] = []
        self._deltas = 0
        self.size = 0
        """Bytes queued."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether an answer that catches a subscriber up has to wait until this has drained."""
        return self.size > self._limits.backlog_bytes

    def push(self, item: Item) -> None:
        """Queue a frame."""
        self._items.append(item)
        self.size += item.size
        self._deltas += item.kind is Kind.DELTA

    def push_control(self, frame: Frame, now: float) -> None:
        """Queue a frame that is never dropped."""
        self.push(Item(frame.text, frame.size, Kind.CONTROL, now))

    def pop(self) -> Item | None:
        """The next frame to write."""
        if not self._items:
            return None
        item = self._items.pop(0)
        self.size -= item.size
        self._deltas -= item.kind is Kind.DELTA
        return item

    def behind(self, now: float) -> str | None:
        """If a bound is passed: the game with most bytes of deltas, which have to go."""
        if not self._deltas:
            return None
        over = self._deltas > self._limits.backlog_frames or self.full
        if over or now - self._oldest_delta().at > self._limits.behind:
            return self._heaviest()
        return None

    def games(self) -> frozenset[str]:
        """The games of which anything is queued."""
        return frozenset(item.game for item in self._items if item.game is not None)

    def drop(self, game: str) -> list[Item]:
        """Take a game's frames off the queue and return them."""
        return self._take(lambda item: item.game == game)

    def clear(self) -> None:
        """Drop everything."""
        self._take(lambda _: True)

    def _take(self, wanted: Callable[[Item], bool]) -> list[Item]:
        taken = [item for item in self._items if wanted(item)]
        if taken:
            self._items = [item for item in self._items if not wanted(item)]
            self.size -= sum(item.size for item in taken)
            self._deltas -= sum(item.kind is Kind.DELTA for item in taken)
        return taken

    def _oldest_delta(self) -> Item:
        if self._items[0].kind is Kind.DELTA:
            return self._items[0]
        return next(item for item in self._items if item.kind is Kind.DELTA)

    def _heaviest(self) -> str | None:
        sizes: dict[str, int] = {}
        for item in self._items:
            if item.kind is Kind.DELTA and item.game is not None:
                sizes[item.game] = sizes.get(item.game, 0) + item.size
        return max(sizes, key=sizes.__getitem__, default=None)
