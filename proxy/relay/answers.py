"""What a room answers to somebody who asks, from what it knows of the game; pure."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from proxy.relay.frames import Frame
from proxy.relay.listener import Ask, CaughtUp, Fresh, Over, Renewed, Resume
from proxy.relay.news import Delta
from proxy.relay.resume import Recovered, Replay, Snap, Why, resume
from proxy.relay.ring import Ring
from proxy.relay.snapshot import Snapshot
from proxy.relay.source import Place


@dataclass(slots=True)
class Copy:
    """What this process knows of a game: the tip, the deltas before it, the last mirror loaded.

    The mirror may be older than the tip, or newer, when the link is slower than a read. `ended`
    is the `ended` frame once the game is over at the tip.
    """

    ring: Ring
    snapshot: Snapshot
    ended: Frame | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell, the deltas that came since, and the end if they lead there."""

    told: CaughtUp | Renewed
    since: tuple[Delta, ...] = ()
    over: Over | None = None

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self.over is not None or self.told.ended is not None


class Need(Enum):
    """What is missing for an answer."""

    FEED = auto()
    """Somebody claims to be ahead of us: his link may have been faster than ours."""
    MIRROR = auto()
    """A snapshot, and the one at hand is too old."""


def answer(copy: Copy, ask: Ask, *, checked: bool, loaded: bool) -> Answer | Need:
    """How somebody gets from where he is to the tip.

    `checked`: the feed was read since he asked; `loaded`: the mirror was.
    """
    match ask:
        case Fresh(why):
            return _snapshot(copy, why, loaded=loaded)
        case Resume(position):
            return _resume(copy, position, checked=checked, loaded=loaded)
        case _:
            assert_never(ask)


def _resume(copy: Copy, position: Place | None, *, checked: bool, loaded: bool) -> Answer | Need:
    ring = copy.ring
    outcome = resume(position, ring.place, ring.held_from)
    match outcome:
        case Recovered():
            return Answer(CaughtUp(ring.place, (), copy.ended))
        case Replay(after):
            return Answer(CaughtUp(ring.place, ring.after(after) or (), copy.ended))
        case Snap("ahead") if not checked:
            return Need.FEED
        case Snap("ahead") if position == copy.snapshot.place:
            return Answer(CaughtUp(position, (), copy.snapshot.ended))
        case Snap(why):
            return _snapshot(copy, why, loaded=loaded)
        case _:
            assert_never(outcome)


def _snapshot(copy: Copy, why: Why, *, loaded: bool) -> Answer | Need:
    snapshot = copy.snapshot
    since = copy.ring.after(snapshot.place.seq)
    # A mirror older than the tip will do only if it was just read: at the next look it would be
    # older again, and a busy game would never answer.
    if since is None or (since and not loaded):
        return Need.MIRROR
    told = Renewed(snapshot.place, snapshot.frame(why), why, snapshot.ended)
    over = Over(copy.ended) if since and copy.ended is not None else None
    return Answer(told, since, over)
