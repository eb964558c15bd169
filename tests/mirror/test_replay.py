"""A log played again ends where the mirror was, and every sequence in it can be seen."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludo.mirror.decide import Applied, decide
from ludo.mirror.incoming import GameEvent
from ludo.mirror.log import Entry, Happened, Resynced
from ludo.mirror.mirror import Referee, Strictness
from ludo.mirror.replay import Beyond, BrokenLog, Passed, leads_to, replay, state_at
from ludo.mirror.snapshot import Snapshot, abandoned
from ludo.rules.events import Moved
from ludo.rules.ruleset import RuleSet
from tests.mirror.builders import EPOCH, a_history, mirror_after, snapshot_after, told

RULES = RuleSet()
HISTORY = a_history()


def happened(events: tuple[GameEvent, ...]) -> list[Entry]:
    """The log of a game without a resync."""
    return [Happened(event) for event in events]


def resynced(length: int) -> Resynced:
    """A resync to the state after so many events."""
    return Resynced(snapshot_after(HISTORY[:length]), "gap")


@cache
def states_of(seed: int) -> tuple[Snapshot, ...]:
    """The state after each event of a game."""
    return tuple(snapshot for _, snapshot in replay(happened(a_history(seed)), RULES))


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Entry], dict[int, Snapshot]]:
    """A log with resyncs that went past some events, and the state at each of its sequences."""
    seed = draw(st.integers(1, 3))
    history, states = a_history(seed), states_of(seed)
    log: list[Entry] = []
    kept: set[int] = set()
    at = 0
    for stop in sorted(draw(st.sets(st.integers(1, 120), min_size=1, max_size=5))):
        if draw(st.booleans()):
            log.append(Resynced(states[stop - 1], "gap"))
            kept.add(stop)
        else:
            log += happened(history[at:stop])
            kept.update(range(at + 1, stop + 1))
        at = stop
    return log, {sequence: states[sequence - 1] for sequence in kept}


@given(logs(), st.sets(st.integers(1, 120), max_size=4))
@settings(max_examples=30)
def test_replay_goes_through_every_state_that_was(
    drawn: tuple[list[Entry], dict[int, Snapshot]], some: set[int]
) -> None:
    """Each kept sequence gives its state, each passed one the next that is known."""
    log, states = drawn
    last = max(states)
    assert leads_to(log, states[last], RULES)
    assert state_at(log, last + 1, RULES) == Beyond(last)
    for sequence in (each for each in {*some, 1, last} if each <= last):
        if sequence in states:
            assert state_at(log, sequence, RULES) == states[sequence]
        else:
            after = min(kept for kept in states if kept > sequence)
            assert state_at(log, sequence, RULES) == Passed(after)


def test_replay_is_what_the_mirror_was() -> None:
    """Played again, events give the states that they gave when they came."""
    for length in (1, 2, 60, len(HISTORY)):
        assert states_of(1)[length - 1] == snapshot_after(HISTORY[:length])


def test_correction_at_the_same_sequence_counts() -> None:
    """A resync that contradicted what was pushed is what the game was."""
    wrong = replace(HISTORY[8], at="2020-01-01T00:00:00.000Z")
    log = [*happened((*HISTORY[:8], wrong)), resynced(9)]
    assert state_at(log, 9, RULES) == snapshot_after(HISTORY[:9])


def test_replay_needs_only_what_follows_the_last_resync() -> None:
    """What stands before it may be anything."""
    log = [*happened(HISTORY[3:5]), resynced(9), *happened(HISTORY[9:12])]
    assert leads_to(log, snapshot_after(HISTORY[:12]), RULES)


def test_another_end_is_found() -> None:
    """A log that leads elsewhere, or nowhere, is not taken for the game's."""
    final = snapshot_after(HISTORY)
    assert not leads_to(happened(HISTORY[:-1]), final, RULES)
    assert not leads_to(happened(HISTORY[1:]), final, RULES)
    assert not leads_to([], final, RULES)
    assert not leads_to(happened(HISTORY), abandoned(final), RULES)


def test_hole_breaks_a_log() -> None:
    """An event that does not follow is told with its place."""
    with pytest.raises(BrokenLog, match="follows sequence 2; found 4"):
        list(replay(happened((*HISTORY[:2], HISTORY[3])), RULES))


def test_events_that_were_only_observed_are_replayed_as_announced() -> None:
    """What the referee let pass, the replay lets pass."""
    first = HISTORY[0].event
    mover = first.current  # type: ignore[union-attr]
    color = next(p.color.value for p in first.players if p.id == mover)  # type: ignore[union-attr]
    illegal = told(Moved(2, mover, f"{color}-0", 40))
    mirror = mirror_after(HISTORY[:1])
    observed = decide(mirror, illegal, None, Referee(RULES, Strictness.OBSERVE), EPOCH)
    assert isinstance(observed, Applied)
    assert observed.breach is not None
    assert leads_to(happened((HISTORY[0], illegal)), observed.mirror.snapshot, RULES)


def test_abandoned_game_is_over() -> None:
    """Nothing is due in it, and its pieces stand where they stood."""
    was = snapshot_after(HISTORY[:9])
    left = abandoned(was)
    assert left.over
    assert left.games[0].board.due is None
    assert left.games[0].board.pieces == was.games[0].board.pieces
