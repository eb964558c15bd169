"""One game as this process follows it, without I/O: what is known of it, and who listens.

What has to be awaited is a chore: the keeper does it and feeds the outcome back. A room passes
deltas on only while it is sure of its place; what it hears otherwise waits in `_early`. A waiter
is answered and made a listener in one step, so no delta can fall between the two.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import assert_never

from proxy.relay.answers import Answer, Copy, Need, answer
from proxy.relay.frames import Frame, MirrorFrame, PresenceFrame, SeatFrame, encode, result_of
from proxy.relay.limits import Limits
from proxy.relay.listener import (
    Ask,
    Fresher,
    Listener,
    NoSuchGame,
    NotForHim,
    Over,
    Passing,
    Renewed,
    Told,
)
from proxy.relay.news import Attended, Chat, Delta, Freshness, News, Replaced, Talk
from proxy.relay.resume import Why
from proxy.relay.ring import Ring
from proxy.relay.snapshot import Snapshot, ended_frame
from proxy.relay.source import Place


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing is known yet: read the mirror, and the feed up to it."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Read the feed after `place`, where we are."""

    place: Place


@dataclass(frozen=True, slots=True)
class Load:
    """Read the mirror; we are at `place`."""

    place: Place


Chore = Open | Fill | Load
"""What a room needs from the store next."""


class Doubt(Enum):
    """Why a room is not sure of its place."""

    DEAF = auto()
    """The link to Redis was lost, so anything may have been missed; the audit settles it."""
    HOLE = auto()
    """A delta came that is not the next."""
    CHANGED = auto()
    """The mirror was replaced, or the feed could not fill the hole."""


@dataclass(slots=True)
class Waiter:
    """Somebody who has no answer yet; `checked`: the feed was read since."""

    ask: Ask
    checked: bool = False


class Room:
    """Follows one game for all its listeners in this process.

    `tuned` says that the channel is subscribed to; `link` counts the times it was lost, so that
    what was read before can be told from what was read after.
    """

    def __init__(self, game: str, limits: Limits) -> None:
        self.game = game
        self.tuned = False
        self.link = 0
        self._limits = limits
        self._copy: Copy | None = None
        self._doubt: Doubt | None = None
        self._early: deque[News] = deque(maxlen=limits.early)
        self._listeners: dict[Listener, None] = {}
        self._waiting: dict[Listener, Waiter] = {}
        self._needs: set[Need] = set()
        self._seats: Mapping[str, SeatFrame] = {}
        self.times_attended = 0
        """How often we heard who is here."""

    @property
    def place(self) -> Place | None:
        """Where this room is; None before it is open."""
        return None if self._copy is None else self._copy.ring.place

    @property
    def idle(self) -> bool:
        """Whether nobody is here."""
        return not self._listeners and not self._waiting

    @property
    def players_here(self) -> frozenset[str]:
        """The players of this game that listen in this process."""
        if self._copy is None:
            return frozenset()
        present = {listener.who for listener in self._listeners}
        return self._copy.snapshot.players & present

    def chore(self) -> Chore | None:
        """What to do next, if anything."""
        if not self.tuned:
            return None
        if self._copy is None:
            return Open() if self._waiting else None
        place = self._copy.ring.place
        match self._doubt:
            case None:
                return self._chore_for_waiters(place)
            case Doubt.DEAF:
                return None
            case Doubt.HOLE:
                return Fill(place)
            case Doubt.CHANGED:
                return Load(place)
            case _:
                assert_never(self._doubt)

    def _chore_for_waiters(self, place: Place) -> Chore | None:
        if not self._waiting or not self._needs:
            return None
        return Fill(place) if Need.FEED in self._needs else Load(place)

    # ---- who is here

    def join(self, listener: Listener, ask: Ask, now: float) -> None:
        """Answer somebody as soon as that is possible, and let him listen from there on."""
        self._listeners.pop(listener, None)
        self._waiting[listener] = Waiter(ask)
        self._settle(now)

    def leave(self, listener: Listener) -> None:
        """Forget somebody."""
        self._listeners.pop(listener, None)
        self._waiting.pop(listener, None)

    # ---- what is heard

    def deafen(self) -> None:
        """The link is lost: from here on anything may be missed."""
        self.tuned = False
        self.link += 1
        if self._copy is not None:
            self._doubt = Doubt.DEAF

    def hear(self, news: News, now: float) -> None:
        """Something was published."""
        if self._copy is None or self._doubt is not None:
            self._early.append(news)
        else:
            self._take(self._copy, news, now)

    def overhear(self, chat: Chat, now: float) -> None:
        """Something passed by that has no place: it waits for nothing, and nobody for it."""
        match chat:
            case Talk():
                for listener in tuple(self._listeners):
                    if chat.is_for(listener.who):
                        listener.tell(self.game, Passing(chat.frame), now)
            case Attended(seats):
                self.times_attended += 1
                if seats != self._seats:
                    self._seats = seats
                    self._tell_all(Passing(self._presence()), now)
            case _:
                assert_never(chat)

    def _presence(self) -> Frame:
        return encode(PresenceFrame(self.game, self._seats))

    def _take(self, copy: Copy, news: News, now: float) -> None:
        match news:
            case Delta():
                self._take_delta(copy, news, now)
            case Replaced(place):
                ours = copy.ring.place
                if place.epoch != ours.epoch or place.seq > ours.seq:
                    self._doubt = Doubt.CHANGED
            case Freshness():
                self._refresh(copy, news, now)
            case _:
                assert_never(news)

    def _take_delta(self, copy: Copy, delta: Delta, now: float) -> None:
        if copy.ring.is_next(delta):
            self._advance(copy, delta, now)
        elif delta.place.epoch != copy.ring.place.epoch:
            self._doubt = Doubt.CHANGED
        elif delta.place.seq > copy.ring.place.seq:
            self._doubt = Doubt.HOLE

    def _advance(self, copy: Copy, delta: Delta, now: float) -> None:
        copy.ring.append(delta)
        for listener in tuple(self._listeners):
            listener.advance(self.game, delta, now)
        result = result_of(delta.text) if delta.may_end else None
        if result is not None:
            copy.ended = ended_frame(self.game, delta.place, result)
            self._tell_all(Over(copy.ended), now)
            self._listeners.clear()

    def _refresh(self, copy: Copy, news: Freshness, now: float) -> None:
        copy.snapshot = replace(copy.snapshot, as_of=news.as_of, stale=news.stale)
        mirror = encode(MirrorFrame(self.game, news.as_of, news.stale))
        self._tell_all(Fresher(mirror), now)

    # ---- what chores and the audit bring

    def open(self, snapshot: Snapshot, feed: Sequence[Delta], now: float) -> None:
        """The mirror, and what the feed holds of the deltas that led to it."""
        ring = Ring(snapshot.place, self._limits.ring)
        ring.prefill(feed)
        self._copy, self._doubt = Copy(ring, snapshot, snapshot.ended), None
        self._go_on(now, loaded=True)

    def absent(self, now: float) -> None:
        """Nobody knows this game, and nobody could find out in time."""
        self._early.clear()
        self._turn_away(tuple(self._waiting), NoSuchGame(), now)

    def fill(self, deltas: Sequence[Delta], now: float) -> None:
        """What the feed holds after our place."""
        if self._copy is None:
            return
        for waiter in self._waiting.values():
            waiter.checked = True
        before = self._copy.ring.place
        for delta in deltas:
            if self._copy.ring.is_next(delta):
                self._advance(self._copy, delta, now)
        if self._doubt is Doubt.HOLE:
            self._doubt = Doubt.CHANGED if self._copy.ring.place == before else None
        self._go_on(now)

    def load(self, snapshot: Snapshot | None, before: Place, now: float) -> None:
        """The mirror as it is now; `before` was our place when it was asked for."""
        if self._copy is None:
            return
        if snapshot is None:
            self._lose(now)
            return
        why = self._difference(self._copy.ring.place, before, snapshot.place)
        if why is None:
            self._copy.snapshot = snapshot
        else:
            self._replace(snapshot, why, now)
        self._doubt = None
        self._go_on(now, loaded=True)

    def audit(self, before: Place, tip: Place | None, now: float) -> None:
        """Compare with the tip in Redis, read when our place was `before`; None: it has none."""
        ours = self.place
        if ours is None or ours.epoch != before.epoch or self._doubt not in (None, Doubt.DEAF):
            return
        if tip is None:
            self._doubt = Doubt.CHANGED if self._doubt is Doubt.DEAF else None
        elif tip.epoch != before.epoch or tip.seq < before.seq:
            self._doubt = Doubt.CHANGED
        elif tip.seq > ours.seq:
            self._doubt = Doubt.HOLE
        elif self._doubt is Doubt.DEAF:
            self._doubt = None
            self._go_on(now)

    def _difference(self, ours: Place, before: Place, loaded: Place) -> Why | None:
        if loaded.epoch != ours.epoch:
            return "epoch"
        if loaded.seq < before.seq:
            return "ahead"
        # Without a doubt the mirror is merely newer than what has been published to us so far.
        return "gap" if self._doubt is not None and loaded.seq > ours.seq else None

    def _replace(self, snapshot: Snapshot, why: Why, now: float) -> None:
        self._copy = Copy(Ring(snapshot.place, self._limits.ring), snapshot, snapshot.ended)
        frame = snapshot.frame(why)
        self._tell_all(Renewed(snapshot.place, frame, why, snapshot.ended), now)
        if snapshot.ended is not None:
            self._listeners.clear()

    def _lose(self, now: float) -> None:
        # Redis was emptied. Listeners keep what they have; whatever comes next has a new epoch.
        self._doubt = None
        self._go_on(now)
        if Need.MIRROR in self._needs:
            self._turn_away(tuple(self._waiting), NoSuchGame(), now)

    def _go_on(self, now: float, *, loaded: bool = False) -> None:
        while self._early and self._doubt is None and self._copy is not None:
            self._take(self._copy, self._early.popleft(), now)
        self._settle(now, loaded=loaded)

    # ---- answers

    def _settle(self, now: float, *, loaded: bool = False) -> None:
        self._needs.clear()
        if self._copy is None or self._doubt is not None:
            return
        for listener, waiter in tuple(self._waiting.items()):
            if not self._limits.spectators and listener.who not in self._copy.snapshot.players:
                self._turn_away((listener,), NotForHim(), now)
                continue
            found = answer(self._copy, waiter.ask, checked=waiter.checked, loaded=loaded)
            if isinstance(found, Need):
                self._needs.add(found)
            else:
                del self._waiting[listener]
                self._deliver(listener, found, now)

    def _deliver(self, listener: Listener, found: Answer, now: float) -> None:
        listener.tell(self.game, found.told, now)
        for delta in found.since:
            listener.advance(self.game, delta, now)
        if found.over is not None:
            listener.tell(self.game, found.over, now)
        if not found.final:
            self._listeners[listener] = None
            if any(seat.online for seat in self._seats.values()):
                listener.tell(self.game, Passing(self._presence()), now)

    def _turn_away(self, listeners: Sequence[Listener], told: Told, now: float) -> None:
        for listener in listeners:
            del self._waiting[listener]
            listener.tell(self.game, told, now)

    def _tell_all(self, told: Told, now: float) -> None:
        for listener in tuple(self._listeners):
            listener.tell(self.game, told, now)
