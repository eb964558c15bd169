"""Recorded games of every mode and switch end as they always have (tests/rules/recorded)."""

import json
from pathlib import Path
from typing import Any

import pytest

from ludo.rules.audit import Audit, hear
from ludo.rules.events import Ended, Event, Started
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import SEAT_OF, Color
from ludo.upstream.wire import GameEvent, parse_event
from tests.rules.builders import DEFAULT
from tests.rules.oracle import Table

FOLDER = Path(__file__).with_name("recorded")
GAMES = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))["games"]
every_game = pytest.mark.parametrize("recorded", GAMES, ids=lambda recorded: recorded["name"])


def events_of(recorded: dict[str, Any]) -> list[Event]:
    """The events of a recording."""
    lines = (FOLDER / f"{recorded['name']}.jsonl").read_bytes().splitlines()
    told = [parse_event(line) for line in lines]
    return [each.event for each in told if isinstance(each, GameEvent)]


def audited(events: list[Event], rules: RuleSet) -> Audit:
    """The audit of all of them."""
    audit = Audit()
    for event in events:
        audit = hear(audit, event, rules)
    return audit


@every_game
def test_a_recorded_game_ends_as_it_did(recorded: dict[str, Any]) -> None:
    """Legal under its rules to the last event, with every piece and placement as held."""
    events = events_of(recorded)
    audit = audited(events, RuleSet.parse(recorded["rules"]))

    assert (audit.violation, audit.events) == (None, recorded["events"])
    assert audit.game is not None
    assert audit.game.board.due is None
    assert audit.game.board.mode == recorded["mode"]
    stand = {
        color: list(audit.game.board.of(SEAT_OF[Color(color)])) for color in recorded["pieces"]
    }
    assert stand == recorded["pieces"]
    assert isinstance(events[-1], Ended)
    assert list(events[-1].placements) == recorded["placements"]


@every_game
def test_r17_the_oracle_allows_each_recorded_event(recorded: dict[str, Any]) -> None:
    """What was recorded is legal by the second telling of the clauses, too."""
    opening, *events = events_of(recorded)
    assert isinstance(opening, Started)
    table = Table.opened(opening, RuleSet.parse(recorded["rules"]))
    for event in events:
        assert event in table.allowed()
        table.play(event)
    assert table.closed


@every_game
def test_a_switch_decides_something_in_its_recording(recorded: dict[str, Any]) -> None:
    """With every switch as written, the game is refused at the event and clause that are held."""
    audit = audited(events_of(recorded), DEFAULT)
    found = audit.violation and [audit.broken_at, audit.violation.clause]

    assert found == recorded["asWritten"]
    assert bool(found) == bool(recorded["rules"])


def test_every_mode_and_every_switch_is_recorded() -> None:
    """Each switch has been away from its default at least once, by itself."""
    assert {recorded["mode"] for recorded in GAMES} == set(GameMode)
    alone = {
        recorded["rules"].partition("=")[0] for recorded in GAMES if "," not in recorded["rules"]
    }
    assert alone - {""} == set(RuleSet.__dataclass_fields__)
