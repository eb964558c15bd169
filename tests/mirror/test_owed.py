"""When a resync is owed, and when a game is looked at next."""

from ludo.mirror.owed import MAX_BACKOFF_MS, Owed, Pace, Reason, next_look, owed_after
from ludo.mirror.settle import Settled
from tests.mirror.builders import a_history, settled

HISTORY = a_history()
PACE = Pace(gap_wait=1_000, silence=45_000)
GAP = settled([HISTORY[0], HISTORY[2]])
WHOLE = settled(HISTORY[:5])
OVER = settled(HISTORY)


def owing(result: Settled, now: int, owed: Owed | None = None, closed: bool = False) -> Owed | None:
    return owed_after(owed, result, now, PACE, as_of=1_000, closed=closed)


def test_gap_is_owed_only_after_its_wait() -> None:
    """Out of order by a moment costs no call."""
    assert owing(GAP, now=2_000) is None
    assert owing(GAP, now=2_001) == Owed(Reason.GAP, 2_001)


def test_game_with_a_gap_is_looked_at_when_the_wait_ends() -> None:
    """The oldest waiting event arrived at 1,001."""
    assert next_look(None, GAP, PACE, as_of=1_000, closed=False) == 2_001


def test_missing_event_cancels_the_resync() -> None:
    """The genuine m + 1 came while the resync was owed."""
    assert owing(WHOLE, now=3_000, owed=Owed(Reason.GAP, 2_001)) is None


def test_hint_is_not_cancelled_by_events() -> None:
    """A hint's fetch stays owed until it is answered."""
    owed = Owed(Reason.HINT, 1_000)
    assert owing(WHOLE, now=3_000, owed=owed) == owed


def test_live_game_that_is_silent_is_checked() -> None:
    """Silence longer than the setting owes a check."""
    assert owing(WHOLE, now=45_999) is None
    assert owing(WHOLE, now=46_000) == Owed(Reason.SILENCE, 46_000)


def test_finished_game_is_compared_once() -> None:
    """The final state is asked for until it was compared."""
    assert owing(OVER, now=3_000) == Owed(Reason.FINAL, 3_000)
    assert owing(OVER, now=3_000, closed=True) is None
    assert next_look(None, OVER, PACE, as_of=1_000, closed=True) is None


def test_tries_back_off_to_thirty_seconds() -> None:
    """1, 2, 4 … 30 seconds."""
    owed, pauses = Owed(Reason.GAP, 0), []
    for _ in range(7):
        owed = owed.later(0)
        pauses.append(owed.at)

    assert pauses == [1_000, 2_000, 4_000, 8_000, 16_000, MAX_BACKOFF_MS, MAX_BACKOFF_MS]
