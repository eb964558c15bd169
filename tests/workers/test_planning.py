"""What follows from a situation, without a Redis."""

from dataclasses import replace

import pytest

from ludo.mirror.body import from_body, to_body
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.owed import Owed, Pace, Reason
from ludo.mirror.settle import Cause, Waiting
from ludo.rules.ruleset import RuleSet
from ludo.store.record import Record
from tests.mirror.builders import a_history, arriving, mirror_after, snapshot_after
from workers.planning import Fetched, Plan, Policy, Situation, Unknown, Unreachable, plan

HISTORY = a_history()
NOW = 10_000_000
PACE = Pace(gap_wait=1_000, silence=45_000, give_up=3_600_000, confirm=60_000)
POLICY = Policy(Referee(), PACE)


def a_record(mirror: Mirror | None, owed: Owed | None = None) -> Record:
    return Record(mirror, owed, None, NOW, stale=False, closed=False, revision=3)


def planned(
    record: Record,
    waiting: tuple[Waiting, ...] = (),
    fetched: Fetched | None = None,
    now: int = NOW,
) -> Plan:
    return plan(Situation(record, waiting, {}, now, fetched), POLICY, "epoch-2")


def test_equal_state_says_only_that_it_is_fresh() -> None:
    """A confirmed mirror is told to nobody as a change."""
    record = replace(a_record(mirror_after(HISTORY[:9]), Owed(Reason.SILENCE, NOW)), stale=True)
    commit = planned(record, fetched=snapshot_after(HISTORY[:9])).commit

    assert (commit.record.stale, commit.record.owed, commit.record.as_of) == (False, None, NOW)
    assert not commit.feed_dropped
    assert [message.split()[1] for message in commit.messages] == [b"m"]


def test_state_that_completes_the_mirror_is_told_as_a_change() -> None:
    """Its body is another one, so it has another epoch and the feed ends; nothing was repaired."""
    body = to_body(snapshot_after(HISTORY[:9])) | {"phase": None, "consecutiveSixes": None}
    mirror = replace(mirror_after(HISTORY[:9]), snapshot=from_body(body, RuleSet()))
    record = a_record(mirror, Owed(Reason.SILENCE, NOW))
    commit = planned(record, fetched=snapshot_after(HISTORY[:9])).commit

    assert commit.messages[0].split()[1:] == [b"s", b"epoch-2", b"9", b"epoch"]
    assert commit.feed_dropped
    assert commit.counters == {}


def test_equal_state_ends_the_wait_that_a_refused_event_began() -> None:
    """Upstream knows of no further event: asking again at once would never end."""
    record = a_record(mirror_after(HISTORY[:9]), Owed(Reason.GAP, NOW))
    record = replace(record, missing_since=NOW - 60_000)
    commit = planned(record, fetched=snapshot_after(HISTORY[:9])).commit

    assert (commit.record.owed, commit.record.missing_since) == (None, None)
    assert commit.next_look == NOW + PACE.silence


def test_equal_state_before_waiting_events_is_asked_for_again_later() -> None:
    """A state that lags behind the events that upstream itself sent is given time."""
    record = a_record(mirror_after(HISTORY[:9]), Owed(Reason.GAP, NOW, tries=2))
    waiting = tuple(arriving(HISTORY[10:12], start=NOW - 60_000))
    after = planned(record, waiting, snapshot_after(HISTORY[:9]))

    assert after.commit.record.owed == Owed(Reason.GAP, NOW + 4_000, tries=3)
    assert len(after.waiting) == 2


def test_newer_state_replaces_and_drops_the_feed() -> None:
    """The feed never holds a resync inside, and the repair is counted by its reason."""
    record = a_record(mirror_after(HISTORY[:9]), Owed(Reason.GAP, NOW))
    commit = planned(record, fetched=snapshot_after(HISTORY[:20])).commit

    assert commit.feed_dropped
    assert commit.counters == {"repaired:gap": 1, "skipped": 11}
    assert commit.record.skipped == 11
    assert commit.messages[0].split()[1:] == [b"s", b"epoch-1", b"20", b"gap"]


def test_game_that_was_only_asked_for_is_no_repair() -> None:
    """Nothing was lost when somebody wants to see a game that we did not know."""
    commit = planned(a_record(None, Owed(Reason.ASKED, NOW)), fetched=snapshot_after(HISTORY[:9]))

    assert commit.commit.record.mirror is not None
    assert commit.commit.counters == {"skipped": 9}


def test_answer_to_a_cancelled_question_owes_nothing() -> None:
    """The missing event came while upstream was asked; what it says now does not matter."""
    for fetched in (snapshot_after(HISTORY[:5]), Unreachable("503")):
        commit = planned(a_record(mirror_after(HISTORY[:9])), fetched=fetched).commit
        assert (commit.record.owed, commit.record.stale) == (None, False)


@pytest.mark.parametrize("length", [9, 12])
def test_hint_after_the_question_is_not_settled_by_its_answer(length: int) -> None:
    """The state may be from before what the hint is about."""
    owed = Owed(Reason.HINT, NOW - 10)
    record = a_record(mirror_after(HISTORY[:9]), owed)
    situation = Situation(record, (), {}, NOW, snapshot_after(HISTORY[:length]))

    asked_before = plan(replace(situation, asked_at=NOW - 11), POLICY, "epoch-2")
    asked_after = plan(replace(situation, asked_at=NOW - 10), POLICY, "epoch-2")

    assert (asked_before.commit.record.owed, asked_before.commit.next_look) == (owed, owed.at)
    assert asked_after.commit.record.owed is None


def test_stale_mirror_that_moves_is_said_to_be_fresh() -> None:
    """Listeners were told that it is stale, and nothing else would tell them otherwise."""
    record = replace(a_record(mirror_after(HISTORY[:9])), stale=True)
    commit = planned(record, tuple(arriving([HISTORY[9]]))).commit

    assert [message.split()[1] for message in commit.messages] == [b"d", b"m"]
    assert commit.messages[1].endswith(b" 0")


def test_game_that_is_only_asked_for_is_given_up() -> None:
    """An id that upstream cannot serve is not asked for until the end of days."""
    record, pauses = a_record(None, Owed(Reason.ASKED, NOW)), []
    for _ in range(6):
        record = planned(record, fetched=Unreachable("400")).commit.record
        pauses.append(record.owed and record.owed.at - NOW)

    assert pauses == [1_000, 2_000, 4_000, 8_000, 16_000, None]


def test_older_state_is_asked_for_again_later() -> None:
    """An upstream that is behind costs one call a second, then less."""
    record = a_record(mirror_after(HISTORY[:9]), Owed(Reason.GAP, NOW))
    record = replace(record, missing_since=NOW - 2_000)
    commit = planned(record, fetched=snapshot_after(HISTORY[:5])).commit

    assert commit.record.owed == Owed(Reason.GAP, NOW + 1_000, tries=1)
    assert commit.record.mirror == mirror_after(HISTORY[:9])


def test_events_behind_the_state_are_applied_after_it() -> None:
    """Waiting events above the snapshot are decided in the same commit."""
    record = a_record(mirror_after(HISTORY[:5]), Owed(Reason.GAP, NOW))
    waiting = tuple(arriving(HISTORY[7:12], start=NOW))
    commit = planned(record, waiting, snapshot_after(HISTORY[:9])).commit

    assert commit.record.mirror is not None
    assert commit.record.mirror.sequence == 12
    assert commit.counters["outcome:stale:webhook"] == 2
    assert [sequence for sequence, _ in commit.frames] == [10, 11, 12]


def test_hole_that_remains_starts_its_own_wait() -> None:
    """After the state, a gap further on is not owed before its own wait is over."""
    record = a_record(mirror_after(HISTORY[:5]), Owed(Reason.GAP, NOW))
    waiting = tuple(arriving([HISTORY[14]], start=NOW - 10))
    after = planned(record, waiting, snapshot_after(HISTORY[:9]))

    assert after.commit.record.owed is None
    assert after.commit.next_look == NOW - 10 + PACE.gap_wait


def test_finished_game_does_not_wait_for_ever() -> None:
    """An upstream that stays silent does not hold a finished game up."""
    record = a_record(mirror_after(HISTORY), Owed(Reason.FINAL, NOW))
    late = NOW + PACE.confirm
    commit = planned(record, fetched=Unreachable("503"), now=late).commit

    assert commit.record.closed
    assert commit.record.owed is None
    assert not commit.record.confirmed
    assert commit.next_look == NOW + PACE.hot


def test_events_of_an_unknown_source_end_as_dead_letters() -> None:
    """What waited for a day without a source is given up, and said so."""
    record = a_record(None, Owed(Reason.GAP, NOW))
    waiting = tuple(arriving([HISTORY[4]], start=NOW - PACE.give_up))
    after = planned(record, waiting, Unknown())

    assert after.waiting == ()
    assert len(after.commit.dead_letters) == 1
    assert Cause.SOURCE_UNKNOWN.value.encode() in after.commit.dead_letters[0]


def test_silent_game_is_due_when_its_silence_ends() -> None:
    """The last event's time and the setting give the next look."""
    assert planned(a_record(mirror_after(HISTORY[:9]))).commit.next_look == NOW + PACE.silence
