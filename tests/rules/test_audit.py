"""An audit hears one game, and stops at the first event that the clauses forbid."""

from dataclasses import replace

from ludo.rules.audit import Audit, hear
from ludo.rules.events import Event, Rolled
from tests.rules.builders import DEFAULT, play_game


def heard(events: list[Event]) -> Audit:
    """The audit after these events."""
    audit = Audit()
    for event in events:
        audit = hear(audit, event, DEFAULT)
    return audit


def test_a_legal_game_is_heard_to_its_end() -> None:
    """Every event counts, and the game is the last one."""
    events = play_game(5)
    audit = heard(events)

    assert audit.violation is audit.broken_at is None
    assert audit.events == len(events)
    assert audit.game is not None
    assert (audit.game.sequence, audit.game.board.due) == (len(events), None)


def test_the_first_violation_is_kept_with_the_game_before_it() -> None:
    """The illegal event is counted, and takes no effect."""
    events = play_game(5)
    wrong = replace(events[1], player="stranger")
    audit = heard([events[0], wrong])

    assert audit.violation is not None
    assert (audit.violation.clause, audit.broken_at, audit.events) == ("R4", 2, 2)
    assert audit.game == heard(events[:1]).game


def test_r17_nothing_is_heard_behind_a_violation() -> None:
    """Neither the genuine event nor another illegal one changes or counts anything."""
    events = play_game(5)
    broken = heard([events[0], replace(events[1], player="stranger")])

    assert hear(broken, events[1], DEFAULT) == broken
    assert hear(broken, events[0], DEFAULT) == broken


def test_r16_a_game_without_a_start_has_no_state() -> None:
    """The violation carries the sequence that the event itself claims."""
    audit = heard([Rolled(7, "player-red", 6)])

    assert audit.game is None
    assert audit.violation is not None
    assert (audit.violation.clause, audit.broken_at, audit.events) == ("R16", 7, 1)
