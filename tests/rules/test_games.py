"""Whole games from the start to the end, in every mode, size and switch (R15–R17)."""

from dataclasses import fields, replace

import pytest

from ludo.rules.board import Game
from ludo.rules.events import Ended, Event, Moved, Rolled, Started, TurnChanged
from ludo.rules.referee import Ruling, Violation, judge
from ludo.rules.ruleset import GameMode, RuleSet
from tests.rules.agreement import assert_judged_alike, assert_same
from tests.rules.builders import DEFAULT, play_game
from tests.rules.oracle import Table

SWITCHES = [
    DEFAULT,
    RuleSet(blocks=True),
    RuleSet(max_consecutive_sixes=0),
    RuleSet(max_consecutive_sixes=2),
    RuleSet(extra_turn_on_six=False),
    RuleSet(extra_turn_on_capture=False),
    RuleSet(extra_turn_on_finish=False),
    RuleSet(play_on=True),
    RuleSet(
        blocks=True,
        play_on=True,
        extra_turn_on_six=False,
        extra_turn_on_capture=False,
        extra_turn_on_finish=False,
    ),
]


def named(rules: RuleSet) -> str:
    """The switches that are not as written, as `LUDO_RULES` takes them."""
    values = ((field.name, getattr(rules, field.name)) for field in fields(rules))
    changed = (f"{n}={v}" for n, v in values if v != getattr(DEFAULT, n))
    return ",".join(changed) or "as-written"


def judged(events: list[Event], rules: RuleSet) -> Game:
    """The game after these events, all of which have to be legal."""
    game: Game | None = None
    for event in events:
        verdict = judge(game, event, rules)
        assert isinstance(verdict, Ruling), (event, verdict)
        game = verdict.game
    assert game is not None
    return game


@pytest.mark.parametrize("rules", SWITCHES, ids=named)
@pytest.mark.parametrize("seats", [2, 3, 4])
@pytest.mark.parametrize("mode", list(GameMode))
def test_r16_whole_games_are_legal_from_the_start_to_the_end(
    mode: GameMode, seats: int, rules: RuleSet
) -> None:
    """A game of random dice and choices ends, and has as many finishers as its switches say."""
    events = play_game(7 * seats + len(mode), mode, seats, rules)
    game = judged(events, rules)

    assert game.board.due is None
    assert len(game.board.finishers) == (seats - 1 if rules.play_on else 1)
    assert game.sequence == len(events)


@pytest.mark.parametrize("rules", SWITCHES, ids=named)
def test_a_whole_game_is_the_same_on_the_oracles_table(rules: RuleSet) -> None:
    """After every event of the game."""
    opening, *events = play_game(11, GameMode.QUICK, 3, rules)
    assert isinstance(opening, Started)
    game, table = judged([opening], rules), Table.opened(opening, rules)
    for event in events:
        verdict = judge(game, event, rules)
        assert isinstance(verdict, Ruling)
        game = verdict.game
        table.play(event)
        assert_same(game, table)


REFUSALS = {
    Rolled: {"R16", "R4", "R5", "R10", "R13"},
    Moved: {"R16", "R2", "R4", "R12", "R11", "R5", "R6", "R7", "R8"},
    TurnChanged: {"R16", "R4", "R5", "R10", "R13"},
    Ended: {"R16", "R13", "R14"},
    Started: {"R16"},
}


@pytest.mark.parametrize(
    ("rules", "seed", "seats"),
    [
        (RuleSet(blocks=True), 8, 4),
        (RuleSet(blocks=True, max_consecutive_sixes=2, play_on=True), 6, 3),
    ],
    ids=["first-home-ends-it", "play-on"],
)
def test_r17_every_clause_is_met_when_a_whole_game_is_corrupted(
    rules: RuleSet, seed: int, seats: int
) -> None:
    """Each kind of event is refused by each clause that can name it, and by no other.

    The seeds are those of games in which every clause comes up, so that none is left untried.
    """
    opening, *events = play_game(seed, GameMode.QUICK, seats, rules)
    assert isinstance(opening, Started)
    game, table = judged([opening], rules), Table.opened(opening, rules)
    refused = assert_judged_alike(game, table, rules)
    for event in events:
        verdict = judge(game, event, rules)
        assert isinstance(verdict, Ruling)
        game = verdict.game
        table.play(event)
        refused |= assert_judged_alike(game, table, rules)

    assert refused == {(kind, clause) for kind, clauses in REFUSALS.items() for clause in clauses}


def test_the_builder_gives_the_same_game_for_the_same_seed() -> None:
    """And another one for another seed; every kind of event is in it."""
    game = play_game(5)

    assert play_game(5) == game != play_game(6)
    assert {type(event) for event in game} == {Started, Rolled, Moved, TurnChanged, Ended}


def test_the_builder_stops_a_game_that_cannot_end() -> None:
    """When every 6 is void, no piece of a classic game ever leaves its yard."""
    rules = RuleSet(max_consecutive_sixes=1)
    events = play_game(5, rules=rules, limit=500)

    assert len(events) == 500
    assert set(judged(events, rules).board.pieces) == {-1}


@pytest.mark.parametrize("index", [0, 1, 100, -2, -1])
def test_r16_a_game_with_an_event_left_out_is_illegal_from_there(index: int) -> None:
    """The event after the hole is not the next one; a game without its last event has no end."""
    events = play_game(5)
    missing = index % len(events)
    holed = events[:missing] + events[missing + 1 :]
    if missing == len(events) - 1:
        assert judged(holed, DEFAULT).board.due is not None
        return
    game = judged(holed[:missing], DEFAULT) if missing else None
    verdict = judge(game, holed[missing], DEFAULT)

    assert isinstance(verdict, Violation)
    assert verdict.clause == "R16"


def test_r16_nothing_follows_a_finished_game() -> None:
    """Not even its own end once more."""
    events = play_game(5)
    again = replace(events[-1], sequence=len(events) + 1)
    verdict = judge(judged(events, DEFAULT), again, DEFAULT)

    assert isinstance(verdict, Violation)
    assert verdict.clause == "R16"
