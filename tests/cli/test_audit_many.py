"""Thousands of seeded games, as bodies: the legal ones pass, and each wrong one is caught there."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from cli.audit.command import audited
from ludo.rules.events import Event, Started
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.upstream.wire import event_body, game_event
from tests.rules.builders import play_game
from tests.rules.corruptions import corruptions
from tests.rules.oracle import Table
from tests.rules.test_games import SWITCHES

MODES = list(GameMode)
how_many = pytest.mark.parametrize(
    "games", [200, pytest.param(10_000, marks=[pytest.mark.prove, pytest.mark.timeout(3600)])]
)


def played(seed: int, rules: RuleSet) -> list[Event]:
    """A legal game; its mode and size follow from the seed too."""
    return play_game(seed, MODES[seed % 3], 2 + seed // 3 % 3, rules)


def lines(game_id: str, events: list[Event]) -> Iterator[tuple[int, bytes]]:
    """The bodies that tell these events, numbered as the lines of a file."""
    for event in events:
        told = game_event(game_id, event, room_code="K7QX2M", at="2026-11-21T08:00:00Z")
        yield event.sequence, msgspec.json.encode(event_body(told))


def corrupted(seed: int, rules: RuleSet) -> tuple[list[Event], int, str]:
    """A game with one wrong field in one event, that event's index, and the clause it breaks."""
    chance, events = random.Random(seed), played(seed, rules)
    at = chance.randrange(len(events))
    opening = events[0]
    assert isinstance(opening, Started)
    ids = [player.id for player in opening.players]
    if at == 0:
        wrong = {event: _broken_start(event, ids) for event in corruptions(opening, ids)}
    else:
        table = Table.opened(opening, rules)
        for event in events[1:at]:
            table.play(event)
        choices = table.allowed()
        tried = (event for event in corruptions(events[at], ids) if event not in choices)
        wrong = {event: table.broken(event) for event in tried}
    event, clause = chance.choice([(e, c) for e, c in wrong.items() if c != "none"])
    return [*events[:at], event, *events[at + 1 :]], at, clause


def _broken_start(event: Event, ids: list[str]) -> str:
    assert isinstance(event, Started)
    if event.sequence != 1:
        return "R16"
    return "none" if event.current in ids else "R4"


@how_many
def test_seeded_games_are_audited_without_a_violation(games: int) -> None:
    """In every mode, size and switch, each to its end."""
    for number, rules in enumerate(SWITCHES):
        told = {str(seed): played(seed, rules) for seed in range(number, games, len(SWITCHES))}
        found = audited((line for key in told for line in lines(key, told[key])), rules)

        assert list(found) == list(told)
        for key, audit in found.items():
            assert audit.violation is None, (key, audit.violation)
            assert audit.events == len(told[key])
            assert audit.game is not None
            assert audit.game.board.due is None


@how_many
def test_games_made_illegal_at_one_event_are_caught_there(games: int) -> None:
    """By the clause that the oracle names, and with everything before it taken as legal."""
    for number, rules in enumerate(SWITCHES):
        told = {str(s): corrupted(s, rules) for s in range(number, games, len(SWITCHES))}
        found = audited((line for key in told for line in lines(key, told[key][0])), rules)

        assert list(found) == list(told)
        for key, (events, at, clause) in told.items():
            audit = found[key]
            assert audit.violation is not None, (key, events[at])
            assert (audit.events, audit.broken_at) == (at + 1, events[at].sequence), key
            assert audit.violation.clause == clause, (key, events[at])
            assert (audit.game.sequence if audit.game else 0) == at
