"""The table of design section 7, a row a test."""

from dataclasses import replace

from ludo.mirror.decide import (
    Applied,
    Conflict,
    Decision,
    Divergent,
    Duplicate,
    Gap,
    Stale,
    decide,
)
from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import MAX_DIVERGENCES, Mirror, Referee, Strictness
from ludo.mirror.snapshot import Status
from ludo.rules.events import Rolled
from tests.mirror.builders import EPOCH, a_history, another, mirror_after, told

HISTORY = a_history()


def deciding(
    mirror: Mirror | None,
    event: GameEvent,
    applied: str | None = None,
    referee: Referee | None = None,
) -> Decision:
    return decide(mirror, event, applied, referee or Referee(), EPOCH)


def test_first_event_creates_the_mirror() -> None:
    """Sequence 1 makes a mirror with a new epoch."""
    decision = deciding(None, HISTORY[0])

    assert isinstance(decision, Applied)
    assert decision.mirror.epoch == EPOCH
    assert decision.mirror.sequence == 1
    assert decision.mirror.snapshot.room_code == HISTORY[0].room_code


def test_later_event_without_mirror_is_a_gap_at_one() -> None:
    """Without a mirror any sequence above 1 waits for the first."""
    assert deciding(None, HISTORY[4]) == Gap(1)


def test_next_event_is_applied() -> None:
    """m + 1 is applied and carries the event's time."""
    decision = deciding(mirror_after(HISTORY[:5]), HISTORY[5])

    assert isinstance(decision, Applied)
    assert decision.mirror.sequence == 6
    assert decision.mirror.snapshot.updated_at == HISTORY[5].at


def test_event_beyond_the_next_waits() -> None:
    """m + 2 says which one is missing."""
    assert deciding(mirror_after(HISTORY[:5]), HISTORY[6]) == Gap(6)


def test_same_event_again_is_a_duplicate() -> None:
    """An applied sequence with the applied digest is a duplicate."""
    event = HISTORY[2]
    assert deciding(mirror_after(HISTORY[:5]), event, event.digest) == Duplicate()


def test_another_event_under_an_applied_sequence_is_a_conflict() -> None:
    """An applied sequence with another digest is a conflict."""
    event = HISTORY[2]
    assert deciding(mirror_after(HISTORY[:5]), another(event), event.digest) == Conflict()


def test_event_that_a_resync_has_passed_is_stale() -> None:
    """Below the floor of a resync nothing conflicts any more."""
    mirror = replace(mirror_after(HISTORY[:5]), floor=5)

    assert deciding(mirror, HISTORY[2]) == Stale()
    assert deciding(mirror, another(HISTORY[2]), HISTORY[2].digest) == Stale()


def test_illegal_next_event_diverges_with_its_clause() -> None:
    """The event is refused, the mirror keeps its state and counts the divergence."""
    mirror = mirror_after(HISTORY[:1])
    false = told(Rolled(2, "somebody else", 3))
    decision = deciding(mirror, false)

    assert isinstance(decision, Divergent)
    assert decision.violation.clause == "R4"
    assert decision.mirror == replace(mirror, divergences=1, refused=false.digest)


def test_copies_of_one_false_event_are_one_divergence() -> None:
    """Whoever repeats a false event must not get it applied when the referee only observes."""
    mirror = mirror_after(HISTORY[:1])
    for _ in range(MAX_DIVERGENCES + 2):
        decision = deciding(mirror, told(Rolled(2, "somebody else", 3)))
        assert isinstance(decision, Divergent)
        assert decision.mirror is not None
        mirror = decision.mirror

    assert mirror.divergences == 1


def test_illegal_event_is_applied_as_announced_when_observing() -> None:
    """Observing applies what upstream says and names the clause."""
    mirror = mirror_after(HISTORY[:1])
    observing = Referee(strictness=Strictness.OBSERVE)
    decision = deciding(mirror, told(Rolled(2, "somebody else", 3)), referee=observing)

    assert isinstance(decision, Applied)
    assert decision.breach is not None
    assert decision.mirror.snapshot.games[0].board.dice == 3


def test_referee_that_is_off_names_no_clause() -> None:
    """Off applies without judging."""
    mirror = mirror_after(HISTORY[:1])
    off = Referee(strictness=Strictness.OFF)
    decision = deciding(mirror, told(Rolled(2, "somebody else", 3)), referee=off)

    assert isinstance(decision, Applied)
    assert decision.breach is None


def test_game_that_diverged_three_times_is_only_observed() -> None:
    """After three divergences the game's events are applied as announced."""
    mirror = replace(mirror_after(HISTORY[:1]), divergences=MAX_DIVERGENCES)
    decision = deciding(mirror, told(Rolled(2, "somebody else", 3)))

    assert isinstance(decision, Applied)
    assert decision.breach is not None


def test_last_event_finishes_the_mirror() -> None:
    """game:ended makes the status finished."""
    decision = deciding(mirror_after(HISTORY[:-1]), HISTORY[-1])

    assert isinstance(decision, Applied)
    assert decision.mirror.snapshot.status is Status.FINISHED
