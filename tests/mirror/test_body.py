"""Bodies and snapshots say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.mirror.body import from_body, to_body
from ludo.mirror.decide import Applied, Divergent, decide
from ludo.mirror.mirror import Mirror, Referee
from ludo.rules.events import Rolled
from ludo.rules.ruleset import RuleSet
from tests.mirror.builders import EPOCH, a_history, body_after, snapshot_after, told

RULES = RuleSet()


@given(st.integers(0, 5), st.integers(1, 400))
def test_body_and_back_is_the_same_snapshot(seed: int, length: int) -> None:
    """A snapshot survives its own body."""
    snapshot = snapshot_after(a_history(seed)[:length])
    assert from_body(to_body(snapshot), RULES) == snapshot


@given(st.integers(0, 5), st.integers(1, 400))
def test_body_with_holes_admits_the_truth(seed: int, length: int) -> None:
    """Without phase, sixes and finish order, the true game is among those that fit."""
    truth = snapshot_after(a_history(seed)[:length])
    body = to_body(truth)
    for name in ("phase", "consecutiveSixes", "finishOrder"):
        del body[name]

    assert truth.games[0] in from_body(body, RULES).games


@pytest.mark.parametrize("seed", range(4))
def test_provisional_mirror_follows_a_legal_game(seed: int) -> None:
    """From any moment, an incomplete body takes every event of the true game that follows."""
    history = a_history(seed)
    for start in range(2, len(history), 17):
        body = body_after(history[:start])
        body |= {"phase": None, "consecutiveSixes": None, "finishOrder": None}
        mirror = Mirror(EPOCH, from_body(body, RULES), floor=start)
        for event in history[start : start + 12]:
            decision = decide(mirror, event, None, Referee(), EPOCH)
            assert isinstance(decision, Applied)
            mirror = decision.mirror


def test_provisional_mirror_is_certain_after_a_turn_change() -> None:
    """The next game:turn-change settles what the body left open."""
    history = a_history(2)
    turn = next(n for n, e in enumerate(history) if type(e.event).__name__ == "TurnChanged")
    body = body_after(history[:2]) | {"phase": None, "consecutiveSixes": None}
    mirror = Mirror(EPOCH, from_body(body, RULES), floor=2)
    for event in history[2 : turn + 1]:
        decision = decide(mirror, event, None, Referee(), EPOCH)
        assert isinstance(decision, Applied)
        mirror = decision.mirror

    assert not mirror.snapshot.provisional


def test_provisional_mirror_still_refuses_what_nothing_allows() -> None:
    """No value of the missing fields makes a stranger's roll legal."""
    body = body_after(a_history()[:1]) | {"phase": None, "consecutiveSixes": None}
    mirror = Mirror(EPOCH, from_body(body, RULES), floor=1)
    decision = decide(mirror, told(Rolled(2, "a stranger", 3)), None, Referee(), EPOCH)

    assert isinstance(decision, Divergent)
