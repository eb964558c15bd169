"""What is to be written for one game: a pure function of what was read and fetched."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, assert_never

from ludo.mirror.log import Entry, Happened, Resynced
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.owed import Owed, Pace, Reason, next_look, owed_after
from ludo.mirror.reconcile import Behind, Confirmed, Replaced, reconcile
from ludo.mirror.settle import Cause, Decided, Outcome, Settled, Waiting, settle
from ludo.mirror.snapshot import Snapshot
from ludo.store.claims import Commit
from ludo.store.feed import delta_message, encode_delta, freshness_message, replaced_message
from ludo.store.record import Record
from workers.ending import Ending, ended
from workers.letters import dead_letters, redriven
from workers.situation import Fetched, Situation, Unknown, Unreachable

__all__ = ["Fetched", "Plan", "Policy", "Situation", "Unknown", "Unreachable", "plan"]

ASKED_TRIES: Final = 5
"""Half a minute: a reader who waits for a game has left by then, or has asked again."""
_TOLD: Final = (Reason.HINT, Reason.OVERFLOW, Reason.RECONNECT, Reason.CLOSED)
"""Debts that something which came in makes, whatever is under way."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that a decision depends on."""

    referee: Referee
    pace: Pace


@dataclass(frozen=True, slots=True)
class Plan:
    """The commit to write, the events that go on waiting, and whether to archive the game then."""

    commit: Commit
    waiting: tuple[Waiting, ...]
    archive: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """The record after the answer of upstream, and what the relay is told of it."""

    record: Record
    messages: tuple[bytes, ...] = ()
    feed_dropped: bool = False
    repaired: Reason | None = None
    skipped: int = 0
    log: tuple[Entry, ...] = ()


def plan(situation: Situation, policy: Policy, new_epoch: str) -> Plan:
    """The commit that follows from a situation: upstream's answer first, then the events."""
    asked = _asked(situation, policy, new_epoch)
    record, now = asked.record, situation.now
    settled = settle(
        record.mirror,
        situation.waiting,
        situation.applied_digests,
        policy.referee,
        new_epoch,
        record.missing_since,
    )
    settled = _given_up(settled, now, policy.pace)
    after = _record_after(record, settled, now, policy.pace)
    ending = ended(after, settled, situation, policy.pace, new_epoch)
    return Plan(
        _commit(asked, after, ending, situation, policy.pace),
        ending.settled.waiting,
        ending.archive,
    )


def _commit(
    asked: _Asked, after: Record, ending: Ending, situation: Situation, pace: Pace
) -> Commit:
    """Everything to write: what upstream said, what the events did, and whether the game ended."""
    settled = ending.settled
    frames = _frames(settled, situation.now)
    fresh_again = asked.record.stale and not after.stale
    return Commit(
        record=ending.record,
        next_look=_next_look(ending, pace),
        decided_entries=[item.waiting.entry for item in settled.decided],
        applied_digests=_digests(settled.decided, Outcome.APPLIED),
        late_digests=_late(settled),
        counters={**_counters(settled.decided, asked), **ending.counters},
        feed_dropped=asked.feed_dropped or bool(ending.log),
        # The feed of an epoch that ends in this commit helps nobody.
        frames=[] if ending.log else frames,
        dead_letters=dead_letters(settled.decided),
        redriven=redriven(settled.decided),
        messages=[
            *asked.messages,
            *_told(after, frames, fresh_again=fresh_again),
            *ending.messages,
        ],
        log=[*asked.log, *_happened(settled.decided), *ending.log],
    )


def _next_look(ending: Ending, pace: Pace) -> int | None:
    record = ending.record
    look = next_look(record.owed, ending.settled, pace, as_of=record.as_of, closed=record.closed)
    return min((at for at in (look, ending.archive_at) if at is not None), default=None)


def _asked(situation: Situation, policy: Policy, new_epoch: str) -> _Asked:
    record, now = situation.record, situation.now
    match situation.fetched:
        case None:
            return _Asked(record)
        case Snapshot() as snapshot:
            return _reconciled(situation, snapshot, policy.pace, new_epoch)
        case Unknown():
            if record.mirror is None and not situation.waiting:
                return _Asked(replace(record, owed=None))
            denied = replace(record, unknown_since=record.unknown_since or now)
            return _unanswered(denied, now, policy.pace)
        case Unreachable():
            return _unanswered(record, now, policy.pace)
        case _:
            assert_never(situation.fetched)


def _reconciled(situation: Situation, snapshot: Snapshot, pace: Pace, new_epoch: str) -> _Asked:
    record, now = situation.record, situation.now
    reconciled = reconcile(record.mirror, snapshot, new_epoch)
    match reconciled:
        case Behind():
            return _unanswered(record, now, pace, stale=record.stale)
        case Confirmed(mirror=mirror):
            known = replace(
                record,
                mirror=mirror,
                unknown_since=None,
                confirmed=snapshot.over,
                owed=_owed_since(situation) or _owed_though_equal(situation, mirror.sequence),
                missing_since=None,
                as_of=now,
                stale=False,
                closed=snapshot.over,
            )
            changed = record.mirror is not None and mirror.epoch != record.mirror.epoch
            message = (
                replaced_message(mirror.epoch, mirror.sequence, "epoch")
                if changed
                else freshness_message(mirror.epoch, mirror.sequence, now, stale=False)
            )
            return _Asked(known, (message,), changed, log=_narrowed(record, mirror))
        case Replaced(mirror=mirror, why=why):
            skipped = mirror.sequence - (record.mirror.sequence if record.mirror else 0)
            known = replace(
                record,
                mirror=mirror,
                owed=_owed_since(situation),
                missing_since=None,
                as_of=now,
                stale=False,
                closed=snapshot.over,
                skipped=record.skipped + skipped,
                moved_at=now,
                unknown_since=None,
                confirmed=snapshot.over,
            )
            message = replaced_message(mirror.epoch, mirror.sequence, why)
            return _Asked(
                known,
                (message,),
                feed_dropped=True,
                repaired=_repaired(record),
                skipped=skipped,
                log=(Resynced(mirror.snapshot, _why(record)),),
            )
        case _:
            assert_never(reconciled)


def _narrowed(record: Record, mirror: Mirror) -> tuple[Entry, ...]:
    """What upstream's answer told of a provisional mirror, which no event tells."""
    was = record.mirror.snapshot.games if record.mirror else ()
    if mirror.snapshot.games == was:
        return ()
    return (Resynced(mirror.snapshot, _why(record)),)


def _why(record: Record) -> str:
    return (record.owed.reason if record.owed else Reason.ASKED).value


def _owed_since(situation: Situation) -> Owed | None:
    """What upstream told us only after it was asked: its answer may be from before that."""
    owed = situation.record.owed
    if owed is None or owed.at <= situation.asked_at:
        return None
    return owed if owed.reason in _TOLD else None


def _owed_though_equal(situation: Situation, sequence: int) -> Owed | None:
    """Upstream's state may lag behind its own events: while some wait, it is asked again later.

    Otherwise nothing is missing, whatever refused event made it look so.
    """
    if all(item.event.event.sequence <= sequence for item in situation.waiting):
        return None
    tries = situation.record.owed.tries if situation.record.owed else 0
    return Owed(Reason.GAP, situation.now, tries).later(situation.now)


def _repaired(record: Record) -> Reason | None:
    """Why a repair was needed; a game that somebody merely asked for was not broken."""
    reason = record.owed.reason if record.owed else Reason.ASKED
    return None if reason is Reason.ASKED else reason


def _unanswered(record: Record, now: int, pace: Pace, *, stale: bool = True) -> _Asked:
    """Upstream said nothing of use: the mirror stays, and it is asked again later.

    A finished game does not wait for its final state for ever.
    """
    mirror = record.mirror
    if mirror and mirror.snapshot.over and now >= record.as_of + pace.confirm:
        return _Asked(replace(record, owed=None, closed=True))
    if record.owed is None:  # what was missing came while upstream was asked
        return _Asked(record)
    if _in_vain(record, record.owed):
        return _Asked(replace(record, owed=None))
    after = replace(record, owed=record.owed.later(now), stale=stale and mirror is not None)
    if mirror is None or after.stale == record.stale:
        return _Asked(after)
    told = freshness_message(mirror.epoch, mirror.sequence, record.as_of, stale=after.stale)
    return _Asked(after, (told,))


def _in_vain(record: Record, owed: Owed) -> bool:
    """Whether a game that was only asked for cannot be had; who still wants it asks again."""
    nothing_known = record.mirror is None and record.missing_since is None
    return (
        nothing_known and owed.reason in (Reason.ASKED, Reason.CENSUS) and owed.tries >= ASKED_TRIES
    )


def _given_up(settled: Settled, now: int, pace: Pace) -> Settled:
    """Events that waited for too long become dead letters: their source is unknown."""
    late = [item for item in settled.waiting if now >= item.arrived + pace.give_up]
    if not late:
        return settled
    dead = tuple(Decided(item, Outcome.DEAD, Cause.SOURCE_UNKNOWN) for item in late)
    left = tuple(item for item in settled.waiting if item not in late)
    since = min((item.arrived for item in left), default=None)
    return replace(settled, decided=(*settled.decided, *dead), waiting=left, missing_since=since)


def _record_after(record: Record, settled: Settled, now: int, pace: Pace) -> Record:
    applied = any(item.outcome is Outcome.APPLIED for item in settled.decided)
    as_of = now if applied else record.as_of
    owed = owed_after(record.owed, settled, now, pace, as_of=as_of, closed=record.closed)
    return replace(
        record,
        mirror=settled.mirror,
        owed=owed,
        missing_since=settled.missing_since,
        as_of=as_of,
        stale=record.stale and not applied,
        moved_at=now if applied else record.moved_at,
        unknown_since=None if applied else record.unknown_since,
    )


def _told(after: Record, frames: list[tuple[int, bytes]], *, fresh_again: bool) -> list[bytes]:
    """What the relay is told of the events that were applied."""
    if after.mirror is None:
        return []
    epoch = after.mirror.epoch
    told = [delta_message(epoch, sequence, frame) for sequence, frame in frames]
    if fresh_again:
        told.append(freshness_message(epoch, after.mirror.sequence, after.as_of, stale=False))
    return told


def _happened(decided: Iterable[Decided]) -> list[Entry]:
    """The applied events; `settle` decides in the order in which it applies."""
    return [Happened(item.waiting.event) for item in decided if item.outcome is Outcome.APPLIED]


def _frames(settled: Settled, now: int) -> list[tuple[int, bytes]]:
    return [(change.event.event.sequence, encode_delta(change, now)) for change in settled.changes]


def _digests(decided: Iterable[Decided], outcome: Outcome) -> dict[int, str]:
    return {
        item.waiting.event.event.sequence: item.waiting.event.digest
        for item in decided
        if item.outcome is outcome
    }


def _late(settled: Settled) -> dict[int, str]:
    """What came after the mirror had passed it; a stale event beyond the end is not missed."""
    place = settled.mirror.sequence if settled.mirror else 0
    stale = _digests(settled.decided, Outcome.STALE)
    return {sequence: digest for sequence, digest in stale.items() if sequence <= place}


def _counters(decided: Iterable[Decided], asked: _Asked) -> dict[str, int]:
    counters: Counter[str] = Counter()
    for item in decided:
        counters[f"outcome:{item.outcome.value}:{item.waiting.source}"] += 1
        counters[f"pending:{item.waiting.source}"] -= 1
        if item.breach is not None:
            counters[f"divergent:{item.breach.clause}"] += 1
    if asked.repaired is not None:
        counters[f"repaired:{asked.repaired.value}"] += 1
    if asked.skipped:
        counters["skipped"] += asked.skipped
    return dict(counters)
