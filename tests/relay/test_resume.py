"""The resume table of design section 8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.relay.resume import REPLAY_AT_MOST, Recovered, Replay, Snap, resume
from proxy.relay.source import Place
from tests.relay.builders import place

seqs = st.integers(0, 400)


@pytest.mark.parametrize(
    ("position", "outcome"),
    [
        (None, Snap("initial")),
        (place(100, "other"), Snap("epoch")),
        (place(90, "other"), Snap("epoch")),
        (place(100), Recovered()),
        (place(101), Snap("ahead")),
        (place(99), Replay(99)),
        (place(36), Replay(36)),
        (place(35), Snap("too_old")),
    ],
)
def test_the_table(position: Place | None, outcome: object) -> None:
    """Each row of the table, at a tip of 100 of which 1…100 are at hand."""
    assert resume(position, place(100), held_from=1) == outcome


def test_a_gap_that_is_not_held_any_more_is_never_replayed_in_part() -> None:
    """One missing delta makes it a snapshot."""
    assert resume(place(94), place(100), held_from=95) == Replay(94)
    assert resume(place(93), place(100), held_from=95) == Snap("too_old")


def test_the_tip_is_recovered_though_nothing_is_held() -> None:
    """Who missed nothing needs nothing."""
    assert resume(place(100), place(100), held_from=101) == Recovered()


@given(seqs, seqs, seqs)
def test_a_replay_is_whole_and_bounded(position: int, tip: int, held_from: int) -> None:
    """Whatever is replayed begins right after the position, is held, and is at most 64 long."""
    outcome = resume(place(position), place(tip), held_from)

    if isinstance(outcome, Replay):
        assert outcome.after == position
        assert held_from <= position + 1
        assert 0 < tip - position <= REPLAY_AT_MOST
