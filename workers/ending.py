"""How a game leaves Redis: abandoned if nothing ends it, archived when it is over; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ludo.mirror.log import Entry, Resynced
from ludo.mirror.owed import Pace
from ludo.mirror.settle import Decided, Outcome, Settled
from ludo.mirror.snapshot import Snapshot, abandoned
from ludo.store.feed import replaced_message
from ludo.store.record import Record
from workers.situation import Situation, Unknown

AGAIN_MS: Final = 20_000
"""Longer than an attempt to archive can take, so that two are never made at once."""
LONGEST_AGAIN_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Ending:
    """A record and its events after the question whether its game ends here.

    `archive_at` is when the game leaves Redis (Unix ms), None while it is played.
    """

    record: Record
    settled: Settled
    log: tuple[Entry, ...] = ()
    messages: tuple[bytes, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    archive: bool = False
    archive_at: int | None = None


def ended(
    record: Record, settled: Settled, situation: Situation, pace: Pace, new_epoch: str
) -> Ending:
    """What is left of a game that was decided: it goes on, is given up, waits, or is archived."""
    mirror, now = settled.mirror, situation.now
    if mirror is None:
        return Ending(record, settled)
    if not mirror.snapshot.over:
        why = _why_given_up(record, settled, situation, pace)
        return (
            _given_up(record, settled, why, now, pace, new_epoch)
            if why
            else Ending(record, settled)
        )
    at = _archive_at(record, settled, pace)
    if now < at:
        return Ending(record, settled, archive_at=at)
    return _left(record, settled, now)


def _why_given_up(record: Record, settled: Settled, situation: Situation, pace: Pace) -> str | None:
    """Why a game that is played is abandoned; what waits for it has its own end."""
    now = situation.now
    if settled.waiting:
        return None
    if now >= record.still_since + pace.give_up:
        return "silent"
    if record.unknown_since is not None and now >= record.unknown_since + pace.unknown:
        return "unknown"
    if record.room_closed is not None and _room_is_left(record, situation, pace):
        return "closed"
    return None


def _room_is_left(record: Record, situation: Situation, pace: Pace) -> bool:
    """Whether nothing comes after a room's end: upstream was asked since, or cannot be."""
    closed_at = record.room_closed or 0
    if situation.now >= closed_at + pace.confirm:
        return True
    if situation.asked_at < closed_at:
        return False
    match situation.fetched:
        case Unknown():
            return True
        case Snapshot(sequence=sequence):
            return record.mirror is not None and sequence == record.mirror.sequence
        case _:
            return False


def _given_up(
    record: Record, settled: Settled, why: str, now: int, pace: Pace, new_epoch: str
) -> Ending:
    """The game is over for us; the relay is told by a new epoch, since no event says it."""
    assert settled.mirror is not None  # noqa: S101 (the caller has looked)
    snapshot = abandoned(settled.mirror.snapshot)
    mirror = replace(settled.mirror, epoch=new_epoch, snapshot=snapshot, floor=snapshot.sequence)
    over = replace(
        record,
        mirror=mirror,
        owed=None,
        missing_since=None,
        stale=False,
        closed=True,
        moved_at=now,
    )
    return Ending(
        over,
        replace(settled, mirror=mirror, missing_since=None),
        log=(Resynced(snapshot, why),),
        messages=(replaced_message(new_epoch, snapshot.sequence, "epoch"),),
        counters={f"abandoned:{why}": 1},
        archive_at=now + pace.hot,
    )


def _archive_at(record: Record, settled: Settled, pace: Pace) -> int:
    """When a game that is over leaves Redis; nothing holds it up for more than `confirm`."""
    is_settled = record.closed and record.owed is None and not settled.waiting
    return record.still_since + (pace.hot if is_settled else max(pace.hot, pace.confirm))


def _left(record: Record, settled: Settled, now: int) -> Ending:
    """Off to the archive; events that still wait come too late.

    The next look is there for the case that this attempt fails.
    """
    late = tuple(Decided(item, Outcome.STALE) for item in settled.waiting)
    pause = min(AGAIN_MS * 2 ** min(record.archive_tries, 5), LONGEST_AGAIN_MS)
    leaving = replace(
        record,
        owed=None,
        missing_since=None,
        closed=True,
        archive_tries=record.archive_tries + 1,
    )
    return Ending(
        leaving,
        replace(settled, decided=(*settled.decided, *late), waiting=(), missing_since=None),
        archive=True,
        archive_at=now + pause,
    )
