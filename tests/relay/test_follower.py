"""The client rule for one game."""

import json
from typing import Any

import pytest

from ludo.relay.changes import Delta, Place
from ludo.relay.follower import MOST_GROWTH, Dropped, Follower, Missing, Wrong
from ludo.relay.incoming import DeltaFrame, EndedFrame, SnapFrame, parse
from tests.relay.follower_builders import d, ended, snap


def parsed(frame: dict[str, Any], kind: type) -> Any:
    """The frame as it is read."""
    found = parse(json.dumps(frame))
    assert isinstance(found, kind)
    return found


def delta(seq: int) -> DeltaFrame:
    """A delta as it is read."""
    return parsed(d(seq), DeltaFrame)  # type: ignore[no-any-return]


def at(seq: int) -> Follower:
    """A follower at a place of epoch e."""
    follower = Follower("g")
    follower.snap(parsed(snap(seq), SnapFrame))
    return follower


def test_the_next_delta_is_applied() -> None:
    """One above my place: the state goes on, and the one before stays as it was."""
    follower = at(5)
    outcome = follower.delta(delta(6), "e", 100)
    assert isinstance(outcome, Delta)
    assert (outcome.before["sequence"], outcome.state["sequence"]) == (5, 6)
    assert follower.place == Place("e", 6)


@pytest.mark.parametrize(
    ("seq", "epoch", "outcome"),
    [(5, "e", Dropped()), (1, "e", Dropped()), (7, "e", Missing()), (6, "f", Dropped())],
)
def test_any_other_delta_changes_nothing(seq: int, epoch: str, outcome: object) -> None:
    """Known ones and those of another epoch are dropped, later ones are asked for."""
    follower = at(5)
    assert follower.delta(delta(seq), epoch, 100) == outcome
    assert follower.place == Place("e", 5)


def test_before_a_snapshot_deltas_are_dropped() -> None:
    """Without a state there is nothing to apply to."""
    assert Follower("g").delta(delta(1), "e", 100) == Dropped()


def test_a_patch_that_does_not_fit_is_wrong() -> None:
    """My copy is not what the relay has; it stays as it is."""
    follower = at(5)
    assert follower.state is not None
    follower.state = {**follower.state, "sequence": 99}
    assert follower.delta(delta(6), "e", 100) == Wrong()
    assert follower.place == Place("e", 5)


def test_a_state_does_not_grow_for_ever() -> None:
    """After more deltas than any game has, a snapshot is wanted."""
    follower = at(5)
    assert isinstance(follower.delta(delta(6), "e", MOST_GROWTH), Delta)
    assert follower.delta(delta(7), "e", 1) == Wrong()


def test_an_end_counts_only_where_i_am() -> None:
    """Who has not seen everything before the end has not seen the end."""
    follower = at(5)
    assert follower.end(parsed(ended(6), EndedFrame)) is None
    follower.delta(delta(6), "e", 1)
    told = follower.end(parsed(ended(6), EndedFrame))
    assert told is not None
    assert (told.winner, told.placements) == ("ann", ("ann", "bob"))
    assert follower.over


def test_a_tip_that_stays_ahead_is_asked_about() -> None:
    """For a second the delta may be under way; then it is asked for."""
    follower = at(5)
    follower.hear_tip(6, 10.0)
    follower.hear_tip(7, 10.5)
    assert follower.due == 11.0
    assert not follower.is_to_ask(10.9)
    assert follower.is_to_ask(11.0)
    assert follower.due == float("inf")


def test_a_tip_that_was_reached_is_not_asked_about() -> None:
    """The delta came in time."""
    follower = at(5)
    follower.hear_tip(6, 10.0)
    follower.delta(delta(6), "e", 1)
    assert not follower.is_to_ask(11.0)
    follower.hear_tip(6, 12.0)
    assert follower.due == float("inf")


def test_a_question_without_an_answer_is_asked_again() -> None:
    """Five seconds after it was sent."""
    follower = at(5)
    follower.asks(1, 10.0)
    assert not follower.is_to_ask(14.9)
    assert follower.is_to_ask(15.0)
    assert follower.asked is None
