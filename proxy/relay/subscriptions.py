"""The games of one client: what each delta, snapshot and answer does to its queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, assert_never

from proxy.relay.effects import Join, Leave
from proxy.relay.frames import Err, Frame, Live, Removed, RequestId, encode
from proxy.relay.limits import Limits
from proxy.relay.listener import (
    CaughtUp,
    Fresh,
    Fresher,
    NoSuchGame,
    NotForHim,
    Over,
    Passing,
    Renewed,
    Resume,
    Told,
)
from proxy.relay.news import Delta
from proxy.relay.outbox import Item, Kind, Outbox
from proxy.relay.resume import Why
from proxy.relay.source import Place
from proxy.relay.tally import Tally

RETRY_UNKNOWN_AFTER: Final = 2.0
"""Seconds after which asking again for an unknown game is worth it."""


class Status(Enum):
    """How a subscription gets its deltas."""

    WAITING = auto()
    """The room was asked; nothing is passed on until it answers."""
    LIVE = auto()
    """Every delta is queued."""
    LAGGING = auto()
    """Deltas are dropped; a snapshot is owed as soon as the socket has drained."""


@dataclass(slots=True)
class Subscription:
    """One game of one client; `place` is where the client is once its queue is written."""

    status: Status = Status.WAITING
    place: Place | None = None
    replies: list[RequestId | None] = field(default_factory=list)
    """The requests that the next `live` answers."""
    owed: Why = "slow"
    resynced_at: float = float("-inf")


class Subscriptions:
    """Decides what each game of one client puts into the outbox."""

    __slots__ = ("_limits", "_outbox", "_subs", "_tally")

    def __init__(self, outbox: Outbox, limits: Limits, tally: Tally | None = None) -> None:
        self._outbox = outbox
        self._limits = limits
        self._tally = tally or Tally()
        self._subs: dict[str, Subscription] = {}

    def __len__(self) -> int:
        return len(self._subs)

    def __contains__(self, game: str) -> bool:
        return game in self._subs

    def games(self) -> tuple[str, ...]:
        """The games subscribed to."""
        return tuple(self._subs)

    def tips(self) -> dict[str, int]:
        """How far the client is with each live game once its queue is written."""
        return {
            game: sub.place.seq
            for game, sub in self._subs.items()
            if sub.status is Status.LIVE and sub.place is not None
        }

    def is_behind(self, applied: Mapping[str, int]) -> bool:
        """Whether a client that has applied so much has not got all that is written to it."""
        queued = self._outbox.games()
        return any(
            applied.get(game, seq) < seq for game, seq in self.tips().items() if game not in queued
        )

    def subscribe(self, game: str, position: Place | None, reply: RequestId | None) -> Join:
        """Begin, or begin again at another position."""
        sub = self._subs.setdefault(game, Subscription())
        self._wait(game, sub, reply)
        return Join(game, Resume(position))

    def unsubscribe(self, game: str) -> Leave:
        """Forget a game and what is queued of it."""
        self._subs.pop(game, None)
        self._outbox.drop(game)
        return Leave(game)

    def remove(self, game: str, code: str, now: float) -> Leave:
        """Take a game from the client, telling it why."""
        leave = self.unsubscribe(game)
        self._outbox.push_control(encode(Removed(game, code, retry=False)), now)
        return leave

    def resync(self, game: str, reply: RequestId | None, now: float) -> Join | float:
        """Ask for a snapshot, or the seconds until that may be asked again."""
        sub = self._subs[game]
        wait = sub.resynced_at + self._limits.resync_every - now
        if wait > 0:
            return wait
        sub.resynced_at = now
        self._wait(game, sub, reply)
        return Join(game, Fresh("resync"))

    def take(self, game: str, delta: Delta) -> bool:
        """Whether a delta is the client's next; then the client counts as being there."""
        sub = self._subs.get(game)
        if sub is None or sub.status is not Status.LIVE or not _leads(sub.place, delta.place):
            return False
        sub.place = delta.place
        return True

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """Queue a delta if it is the client's next."""
        sub = self._subs.get(game)
        if sub is None or sub.status is not Status.LIVE or sub.place is None:
            return
        if delta.place.epoch == sub.place.epoch and delta.place.seq <= sub.place.seq:
            return
        if not _leads(sub.place, delta.place):
            self._fall_behind(game)  # never a hole: rather a snapshot than a wrong board
            return
        self._outbox.push(Item(delta.text, delta.size, Kind.DELTA, now, game))
        sub.place = delta.place
        self.relieve(now)

    def tell(self, game: str, told: Told, now: float) -> None:
        """Queue what a room said."""
        sub = self._subs.get(game)
        if sub is None:
            return
        match told:
            case CaughtUp():
                self._catch_up(game, sub, told, now)
            case Renewed():
                self._renew(game, sub, told, now)
            case Fresher():
                if sub.status is Status.LIVE:
                    self._push(told.mirror, Kind.MIRROR, game, now)
            case Over():
                if sub.status is Status.LIVE:
                    self._end(game, told.ended, now)
            case NoSuchGame():
                again = RETRY_UNKNOWN_AFTER
                self._deny(game, sub, now, "not_found", f"no game {game} is known yet", again)
            case NotForHim():
                self._deny(game, sub, now, "forbidden", "only its players may watch this game")
            case Passing():
                if sub.status is Status.LIVE and not self._outbox.full:
                    self._push(told.frame, Kind.PASSING, game, now)
            case _:
                assert_never(told)

    def relieve(self, now: float) -> None:
        """Drop the deltas of games that have fallen behind, until no bound is passed."""
        while (game := self._outbox.behind(now)) is not None:
            self._fall_behind(game)

    @property
    def owes(self) -> bool:
        """Whether `drained` would ask for a snapshot."""
        return any(sub.status is Status.LAGGING for sub in self._subs.values())

    def drained(self) -> Join | None:
        """Everything is written: ask for one of the snapshots that are owed."""
        for game, sub in self._subs.items():
            if sub.status is Status.LAGGING:
                sub.status = Status.WAITING
                return Join(game, Fresh(sub.owed))
        return None

    def _wait(self, game: str, sub: Subscription, reply: RequestId | None) -> None:
        # What is queued goes: the answer covers it, starting at the position the client named.
        sub.replies += _replies(self._outbox.drop(game))
        sub.replies.append(reply)
        sub.status = Status.WAITING

    def _fall_behind(self, game: str) -> None:
        dropped = self._outbox.drop(game)
        self._tally.dropped += len(dropped)
        sub = self._subs.get(game)
        if sub is None:
            if not any(item.kind is Kind.ENDED for item in dropped):
                return
            sub = self._subs[game] = Subscription()
        sub.replies += _replies(dropped)
        sub.owed = next((item.why for item in dropped if item.why is not None), "slow")
        sub.status = Status.LAGGING

    def _catch_up(self, game: str, sub: Subscription, told: CaughtUp, now: float) -> None:
        if sub.status is not Status.WAITING:
            return
        if self._outbox.full:
            sub.owed, sub.status = "slow", Status.LAGGING
            return
        for delta in told.deltas:
            self._outbox.push(Item(delta.text, delta.size, Kind.REPLAY, now, game))
        self._tally.resumes["replayed" if told.deltas else "recovered"] += 1
        self._go_live(game, sub, told, now, replayed=len(told.deltas))

    def _renew(self, game: str, sub: Subscription, told: Renewed, now: float) -> None:
        if sub.status is Status.LAGGING:
            return  # it asks for a snapshot of its own when it has drained
        sub.replies += _replies(self._outbox.drop(game))
        if self._outbox.full:
            sub.owed, sub.status = told.why, Status.LAGGING
            return
        snap = told.snap
        self._outbox.push(Item(snap.text, snap.size, Kind.SNAP, now, game, why=told.why))
        self._tally.snaps[told.why] += 1
        self._tally.resumes["snapshot"] += bool(sub.replies)
        self._go_live(game, sub, told, now, replayed=None)

    def _go_live(
        self,
        game: str,
        sub: Subscription,
        told: CaughtUp | Renewed,
        now: float,
        *,
        replayed: int | None,
    ) -> None:
        sub.place, sub.status = told.place, Status.LIVE
        for reply in sub.replies:
            live = Live(
                game=game,
                epoch=told.place.epoch,
                seq=told.place.seq,
                recovered=replayed is not None,
                replayed=replayed or 0,
                id=reply,
            )
            self._push(encode(live), Kind.LIVE, game, now, reply)
        sub.replies.clear()
        if told.ended is not None:
            self._end(game, told.ended, now)

    def _end(self, game: str, ended: Frame, now: float) -> None:
        self._push(ended, Kind.ENDED, game, now)
        del self._subs[game]

    def _deny(
        self,
        game: str,
        sub: Subscription,
        now: float,
        code: str,
        msg: str,
        after: float | None = None,
    ) -> None:
        if sub.status is not Status.WAITING:
            return
        del self._subs[game]
        retry = after is not None
        if not sub.replies:
            self._outbox.push_control(encode(Removed(game, code, retry=retry)), now)
        for reply in sub.replies:
            err = Err(code=code, msg=msg, retry=retry, id=reply, after=after, game=game)
            self._tally.errors[code] += 1
            self._outbox.push_control(encode(err), now)

    def _push(
        self, frame: Frame, kind: Kind, game: str, now: float, reply: RequestId | None = None
    ) -> None:
        self._outbox.push(Item(frame.text, frame.size, kind, now, game, reply))


def _leads(here: Place | None, there: Place) -> bool:
    return here is not None and here.seq + 1 == there.seq and here.epoch == there.epoch


def _replies(dropped: Iterable[Item]) -> list[RequestId | None]:
    return [item.reply for item in dropped if item.kind is Kind.LIVE]
