"""How strictly a game's events are judged."""

import pytest

from ludo.mirror.mirror import MAX_DIVERGENCES, Referee, Strictness
from tests.mirror.builders import a_history, mirror_after


def test_place_is_the_last_event_in_it() -> None:
    """A mirror's sequence is its snapshot's."""
    assert mirror_after(a_history()[:7]).sequence == 7


@pytest.mark.parametrize("divergences", range(MAX_DIVERGENCES))
def test_referee_enforces_while_a_game_is_sane(divergences: int) -> None:
    """A few illegal events are set aside."""
    assert Referee().strictness_for(divergences) is Strictness.ENFORCE


def test_referee_observes_a_game_that_keeps_diverging() -> None:
    """Then the rules in force are not upstream's, and enforcing them would only cost events."""
    assert Referee().strictness_for(MAX_DIVERGENCES) is Strictness.OBSERVE


def test_referee_that_is_off_stays_off() -> None:
    """A setting is never made stricter."""
    off = Referee(strictness=Strictness.OFF)
    assert off.strictness_for(MAX_DIVERGENCES) is Strictness.OFF
