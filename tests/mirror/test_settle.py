"""Any order, repetition and delay of a game's events ends in the same mirror."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ludo.mirror.body import to_body
from ludo.mirror.mirror import Referee
from ludo.mirror.settle import Cause, Outcome, settle
from ludo.rules.events import Rolled
from tests.mirror.builders import (
    EPOCH,
    a_history,
    another,
    arriving,
    body_after,
    mirror_after,
    settled,
    told,
)

HISTORY = a_history()


@given(st.integers(0, 7), st.randoms(use_true_random=False), st.integers(1, 40))
def test_any_order_and_repetition_ends_in_the_same_state(
    seed: int, chance: random.Random, batch: int
) -> None:
    """Shuffled, repeated and cut into batches, a history gives the state it gives in order."""
    history = a_history(seed)[:120]
    deliveries = [*history, *chance.choices(history, k=20)]
    chance.shuffle(deliveries)
    arrivals = arriving(deliveries)
    mirror, digests, waiting = None, dict[int, str](), tuple(arrivals[:0])
    for start in range(0, len(arrivals), batch):
        coming = (*waiting, *arrivals[start : start + batch])
        result = settle(mirror, coming, digests, Referee(), EPOCH)
        for item in result.decided:
            if item.outcome is Outcome.APPLIED:
                digests[item.waiting.event.event.sequence] = item.waiting.event.digest
        mirror, waiting = result.mirror, result.waiting

    assert mirror is not None
    assert to_body(mirror.snapshot) == body_after(history)
    assert waiting == ()


def test_every_event_has_one_outcome_or_waits() -> None:
    """Nothing that arrives is silently skipped."""
    result = settled([HISTORY[0], HISTORY[0], HISTORY[2], HISTORY[1], HISTORY[5]])

    outcomes = [item.outcome for item in result.decided]
    assert outcomes == [Outcome.APPLIED, Outcome.DUPLICATE, Outcome.APPLIED, Outcome.APPLIED]
    assert [item.event for item in result.waiting] == [HISTORY[5]]


def test_gap_is_missing_since_its_oldest_waiting_event() -> None:
    """The wait counts from the arrival of the oldest event that waits."""
    result = settle(None, arriving([HISTORY[4], HISTORY[2]], start=500), {}, Referee(), EPOCH)

    assert result.missing_since == 500


def test_genuine_event_is_applied_after_an_illegal_one() -> None:
    """An illegal event is a dead letter; the genuine one with its sequence still comes."""
    false = told(Rolled(2, "somebody else", 3))
    result = settled([HISTORY[0], false, HISTORY[1]])

    dead = [item for item in result.decided if item.cause is Cause.ILLEGAL]
    assert [item.waiting.event for item in dead] == [false]
    assert dead[0].breach is not None
    assert result.mirror is not None
    assert result.mirror.sequence == 2
    assert result.missing_since is None


def test_illegal_event_alone_leaves_its_sequence_missing() -> None:
    """With nothing behind it, the refused event's own arrival starts the wait."""
    result = settled([HISTORY[0], told(Rolled(2, "somebody else", 3))])

    assert result.missing_since == 1_001


def test_conflict_is_kept_and_reported() -> None:
    """Another content under an applied sequence is a dead letter, and a resync is owed."""
    rolled = next(event for event in HISTORY if isinstance(event.event, Rolled))
    known = {rolled.event.sequence: rolled.digest}
    mirror = mirror_after(HISTORY[: rolled.event.sequence + 1])
    result = settle(mirror, arriving([another(rolled)]), known, Referee(), EPOCH)

    assert result.conflict
    assert [item.cause for item in result.decided] == [Cause.CONFLICT]
    assert result.mirror == mirror


def test_changes_lead_from_state_to_state() -> None:
    """Each change but the first event's carries the patch from the state before."""
    result = settled(HISTORY[:30])

    assert [change.event for change in result.changes] == list(HISTORY[1:30])
    assert all(change.patch for change in result.changes)
