"""When a game is given up, and when one that is over leaves Redis."""

from dataclasses import replace

import pytest

from ludo.mirror.log import Resynced
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.owed import Owed, Pace, Reason
from ludo.mirror.settle import Waiting
from ludo.mirror.snapshot import Status
from ludo.store.record import Record
from tests.mirror.builders import a_history, arriving, mirror_after, snapshot_after
from workers.ending import AGAIN_MS
from workers.planning import Plan, Policy, plan
from workers.situation import Fetched, Situation, Unknown, Unreachable

HISTORY = a_history()
NOW = 1_000_000_000
PACE = Pace(hot=600_000, confirm=3_600_000, give_up=86_400_000, unknown=60_000)


def playing(**changes: object) -> Record:
    """A game in the middle, that moved just now."""
    return _record(mirror_after(HISTORY[:9]), **changes)


def over(**changes: object) -> Record:
    """A game that is over, and confirmed, since just now."""
    return _record(mirror_after(HISTORY), **{"closed": True, "confirmed": True, **changes})


def _record(mirror: Mirror, **changes: object) -> Record:
    record = Record(mirror, None, None, NOW, stale=False, closed=False, revision=3, moved_at=NOW)
    return replace(record, **changes)  # type: ignore[arg-type]


def planned(
    record: Record,
    *,
    now: int = NOW,
    fetched: Fetched | None = None,
    waiting: tuple[Waiting, ...] = (),
    asked_at: int | None = None,
) -> Plan:
    """What follows; upstream was asked just now unless said otherwise."""
    asked = now if asked_at is None else asked_at
    situation = Situation(record, waiting, {}, now, fetched, asked)
    return plan(situation, Policy(Referee(), PACE), "epoch-2")


def given_up(after: Plan) -> str | None:
    """Why the game was abandoned, as its log says it; None if it goes on."""
    mirror = after.commit.record.mirror
    if mirror is None or mirror.snapshot.status is not Status.ABANDONED:
        return None
    (*_, entry) = after.commit.log
    assert isinstance(entry, Resynced)
    return entry.why


def test_game_that_upstream_denies_is_abandoned() -> None:
    """A first 404 may be a slip; after a minute of them it is believed."""
    record = playing(owed=Owed(Reason.SILENCE, NOW))
    first = planned(record, fetched=Unknown())
    assert given_up(first) is None
    assert first.commit.record.unknown_since == NOW

    again = planned(first.commit.record, now=NOW + PACE.unknown, fetched=Unknown())
    assert given_up(again) == "unknown"
    assert again.commit.counters == {"abandoned:unknown": 1}
    assert again.commit.record.owed is None


def test_event_ends_the_doubt_whether_upstream_knows_a_game() -> None:
    """A 404 from before an event counts no more after it."""
    record = playing(unknown_since=NOW - PACE.unknown, owed=Owed(Reason.SILENCE, NOW))
    after = planned(record, waiting=tuple(arriving([HISTORY[9]], start=NOW)))
    assert given_up(after) is None
    assert after.commit.record.unknown_since is None


@pytest.mark.parametrize("fetched", [None, Unreachable("503"), snapshot_after(HISTORY[:9])])
def test_game_that_does_not_move_for_a_day_is_abandoned(fetched: Fetched | None) -> None:
    """Whatever upstream says of it."""
    record = playing(moved_at=NOW - PACE.give_up, owed=Owed(Reason.SILENCE, NOW))
    assert given_up(planned(record, fetched=fetched)) == "silent"
    young = replace(record, moved_at=NOW - PACE.give_up + 1)
    assert given_up(planned(young, fetched=fetched)) is None


@pytest.mark.parametrize(
    ("fetched", "asked_at", "why"),
    [
        (Unknown(), NOW, "closed"),
        (snapshot_after(HISTORY[:9]), NOW, "closed"),
        (snapshot_after(HISTORY[:9]), NOW - 2, None),
        (snapshot_after(HISTORY[:5]), NOW, None),
        (Unreachable("503"), NOW, None),
        (None, NOW, None),
    ],
)
def test_room_that_is_closed_ends_its_game_when_nothing_more_comes(
    fetched: Fetched | None, asked_at: int, why: str | None
) -> None:
    """Upstream has to say after the end of the room that there is no more."""
    record = playing(room_closed=NOW - 1, owed=Owed(Reason.CLOSED, NOW - 1))
    assert given_up(planned(record, fetched=fetched, asked_at=asked_at)) == why


def test_closed_room_does_not_wait_for_upstream_for_ever() -> None:
    """After an hour nobody expects an answer."""
    record = playing(room_closed=NOW, owed=Owed(Reason.CLOSED, NOW))
    late = NOW + PACE.confirm
    record = replace(record, as_of=late, moved_at=late)
    assert given_up(planned(record, now=late, fetched=Unreachable("503"))) == "closed"


def test_final_state_of_a_closed_room_is_an_end_like_any_other() -> None:
    """Upstream's own end is taken instead."""
    record = playing(room_closed=NOW - 1, owed=Owed(Reason.CLOSED, NOW - 1))
    after = planned(record, fetched=snapshot_after(HISTORY)).commit.record
    assert after.mirror is not None
    assert after.mirror.snapshot.status is Status.FINISHED
    assert after.confirmed


def test_waiting_events_keep_a_denied_game() -> None:
    """They have a day of their own until they are dead."""
    record = playing(unknown_since=NOW - PACE.unknown, owed=Owed(Reason.GAP, NOW))
    waiting = tuple(arriving([HISTORY[12]], start=NOW - 5_000))
    assert given_up(planned(record, fetched=Unknown(), waiting=waiting)) is None


def test_relay_is_told_of_an_abandoned_game_by_a_new_epoch() -> None:
    """No event says it, so listeners load the state, which says that it is over."""
    after = planned(playing(moved_at=NOW - PACE.give_up)).commit
    assert after.record.mirror is not None
    assert after.record.mirror.epoch == "epoch-2"
    assert after.feed_dropped
    assert [message.split()[1] for message in after.messages] == [b"s"]


def test_game_that_is_over_stays_hot_for_its_time() -> None:
    """Not a moment less, and the next look is then."""
    early = planned(over(), now=NOW + PACE.hot - 1)
    assert not early.archive
    assert early.commit.next_look == NOW + PACE.hot
    assert planned(over(), now=NOW + PACE.hot).archive


def test_silent_upstream_holds_nothing_up_for_more_than_an_hour() -> None:
    """The game goes unconfirmed."""
    record = over(closed=False, confirmed=False, owed=Owed(Reason.FINAL, NOW))
    unreachable = Unreachable("503")
    early = planned(record, now=NOW + PACE.confirm - 1, fetched=unreachable)
    assert not early.archive
    late = planned(record, now=NOW + PACE.confirm, fetched=unreachable)
    assert late.archive
    assert not late.commit.record.confirmed


def test_events_after_the_end_are_stale_when_the_game_leaves() -> None:
    """What waits for a sequence that never comes does not hold the archive up."""
    beyond = replace(HISTORY[-1].event, sequence=len(HISTORY) + 5)
    waiting = tuple(arriving([replace(HISTORY[-1], event=beyond)], start=NOW))
    after = planned(over(), now=NOW + PACE.confirm, waiting=waiting)
    assert after.archive
    assert after.waiting == ()
    assert after.commit.counters["outcome:stale:webhook"] == 1


def test_archive_that_fails_is_tried_again_ever_later() -> None:
    """The next look is written before the attempt, so a killed worker is made up for."""
    record, now, pauses = over(), NOW + PACE.hot, []
    for _ in range(6):
        after = planned(record, now=now)
        assert after.archive
        assert after.commit.next_look is not None
        pauses.append(after.commit.next_look - now)
        record, now = after.commit.record, after.commit.next_look
    assert pauses == [AGAIN_MS, 2 * AGAIN_MS, 4 * AGAIN_MS, 8 * AGAIN_MS, 300_000, 300_000]
