"""One game as a client has it: the client rule of design section 8, and nothing else; pure."""

from dataclasses import dataclass
from typing import Final

from ludo.relay.changes import Delta, Ended, Place, Snapshot, State
from ludo.relay.errors import PatchUnfit
from ludo.relay.incoming import DeltaFrame, EndedFrame, SnapFrame
from ludo.relay.patch import patched

ANSWER_WITHIN: Final = 5.0
TIP_PATIENCE: Final = 1.0
MOST_GROWTH: Final = 8 * 1024 * 1024
"""Bytes of deltas on one snapshot: a game takes a tenth; more only a hostile relay sends."""
NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A delta that is known already, or of another epoch."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something lies between my place and this delta: ask for what follows my place."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """My copy cannot take this delta, so it is not what the relay has: ask for a snapshot."""


@dataclass(slots=True)
class Follower:
    """A copy of one game, its place, and what was asked about it.

    `asked` is the number of the request that waits for an answer until `asked_until`; at `ask_at`
    the game is to be asked for again. `tip` is one that was ahead of us until `tip_until`.
    """

    game: str
    place: Place | None = None
    state: State | None = None
    as_of: int = 0
    stale: bool = False
    ended: Ended | None = None
    asked: int | None = None
    asked_until: float = NEVER
    ask_at: float = NEVER
    tip: int = 0
    tip_until: float = NEVER
    grown: int = 0

    @property
    def seq(self) -> int:
        """My sequence; 0 before the first snapshot."""
        return 0 if self.place is None else self.place.seq

    @property
    def over(self) -> bool:
        """Whether the game has ended, and I have seen all of it."""
        return self.ended is not None

    @property
    def due(self) -> float:
        """When there is something to ask, if nothing comes before."""
        return min(self.asked_until, self.ask_at, self.tip_until)

    def wanted(self) -> dict[str, object]:
        """The game and my place in it, as `hello` and `sub` tell it."""
        if self.place is None:
            return {"game": self.game}
        return {"game": self.game, "epoch": self.place.epoch, "seq": self.place.seq}

    def snap(self, frame: SnapFrame) -> Snapshot:
        """A snapshot replaces everything."""
        self.place, self.state = Place(frame.epoch, frame.seq), frame.state
        self.as_of, self.stale, self.grown = frame.as_of, frame.stale, 0
        self.tip_until = NEVER
        return Snapshot(self.game, self.place, frame.state, frame.why, frame.as_of, frame.stale)

    def delta(
        self, frame: DeltaFrame, epoch: str | None, size: int
    ) -> Delta | Dropped | Missing | Wrong:
        """The next delta is applied; `epoch` is the one of the link that brought it.

        A delta does not say its epoch, so one of a link in another epoch than mine, which is the
        link that I am moving away from, must not be mistaken for the next.
        """
        if self.over or self.place is None or self.state is None or epoch != self.place.epoch:
            return Dropped()
        if frame.seq <= self.place.seq:
            return Dropped()
        if frame.seq > self.place.seq + 1:
            return Missing()
        before = self.state
        try:
            after = patched(before, frame.patch)
        except PatchUnfit:
            return Wrong()
        self.grown += size
        if not isinstance(after, dict) or self.grown > MOST_GROWTH:
            return Wrong()
        self.place, self.state = Place(self.place.epoch, frame.seq), after
        return Delta(self.game, frame.seq, frame.at, frame.ev, before, after)

    def end(self, frame: EndedFrame) -> Ended | None:
        """The end, or None while something before it is missing here."""
        if self.place is None or self.place.epoch != frame.epoch or self.place.seq < frame.seq:
            return None
        self.ended = Ended(self.game, frame.result.winner_id, frame.result.placements)
        return self.ended

    def snapshot(self, why: str) -> Snapshot | None:
        """What I have, if I have anything."""
        if self.place is None or self.state is None:
            return None
        return Snapshot(self.game, self.place, self.state, why, self.as_of, self.stale)

    def distrust(self) -> None:
        """My copy is wrong: whatever answers next has to be a snapshot."""
        self.place = None

    def hear_tip(self, tip: int, now: float) -> None:
        """The relay says how far it is; if that stays ahead of me for a second, I ask."""
        if tip <= self.seq or self.over:
            self.tip_until = NEVER
        elif self.tip_until == NEVER:
            self.tip, self.tip_until = tip, now + TIP_PATIENCE
        else:
            self.tip = max(tip, self.tip)

    def is_to_ask(self, now: float) -> bool:
        """Whether to ask now; whatever has come due is forgotten."""
        ask = False
        if self.asked_until <= now:
            self.answered()
            ask = True
        if self.tip_until <= now:
            self.tip_until = NEVER
            ask = ask or self.tip > self.seq
        if self.ask_at <= now:
            self.ask_at = NEVER
            ask = True
        return ask and not self.over

    def asks(self, request: int, now: float) -> None:
        """A request is under way."""
        self.asked, self.asked_until, self.ask_at = request, now + ANSWER_WITHIN, NEVER

    def answered(self) -> None:
        """No request is under way any more."""
        self.asked, self.asked_until = None, NEVER

    def ask_later(self, at: float) -> None:
        """Ask again at a time."""
        self.answered()
        self.ask_at = at
