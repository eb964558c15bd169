"""Where the clauses leave no choice, exactly one event is legal (R17)."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Ended, Event, Moved, Rolled, TurnChanged
from ludo.rules.referee import Ruling, judge
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, PIECE_IDS, YARD
from tests.rules.builders import DEFAULT, board, game, player_id, started
from tests.rules.oracle import Table
from tests.rules.strategies import games, rule_sets

NEXT = 11
RED, GREEN, BLUE = player_id(0), player_id(1), player_id(2)


def every_event(game: Game) -> Iterator[Event]:
    """Every event that could be announced next: each kind with every value of every field."""
    number, ids = game.sequence + 1, [player.id for player in game.players]
    yield started()
    for player in [*ids, "stranger"]:
        yield TurnChanged(number, player)
        yield from (Rolled(number, player, value) for value in range(8))
        yield from (Ended(number, player, order) for order in permutations(ids))
        yield from (
            Moved(number, player, piece, position)
            for piece in PIECE_IDS
            if piece.split("-")[0] in player  # another's piece is refused before all else (R2)
            for position in range(YARD, HOME + 1)
        )


def legal_events(game: Game, rules: RuleSet) -> list[Event]:
    """Those of them that the referee allows."""
    return [event for event in every_event(game) if isinstance(judge(game, event, rules), Ruling)]


@settings(max_examples=25)
@given(start=games(), rules=rule_sets(), data=st.data())
def test_r17_exactly_one_event_is_legal_where_there_is_no_choice(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """A turn that has to pass, a game that has to end, and a single piece that can move."""
    now, table = start, Table.resumed(start, rules)
    for _ in range(data.draw(st.integers(1, 12))):
        choices = table.allowed()
        # Six ways to roll are chance and several moves are a choice; all else is forced.
        if len(choices) == 1:
            assert legal_events(now, rules) == choices
        if not choices:
            assert legal_events(now, rules) == []
            return
        event = data.draw(st.sampled_from(choices))
        verdict = judge(now, event, rules)
        assert isinstance(verdict, Ruling)
        now = verdict.game
        table.play(event)
    assume(len(table.allowed()) == 1)
    assert legal_events(now, rules) == table.allowed()


FORCED = {
    "no piece can move (R11)": (
        board(red=(55, YARD), seats=(0, 1), due=Due.PASS, dice=5),
        TurnChanged(NEXT, GREEN),
    ),
    "a 6 without a legal move (R11)": (
        board(red=(55, 54, 53, 52), seats=(0, 1), due=Due.PASS, dice=6, sixes=1),
        TurnChanged(NEXT, GREEN),
    ),
    "the third 6 is void though pieces could move (R12)": (
        board(red=(10, 20), seats=(0, 1), due=Due.PASS, dice=6, sixes=0),
        TurnChanged(NEXT, GREEN),
    ),
    "a move that earns no further roll (R10)": (
        board(red=(10, 20), seats=(0, 1), due=Due.PASS),
        TurnChanged(NEXT, GREEN),
    ),
    "the turn goes on over an empty seat (R4)": (
        board(red=(10, 20), seats=(0, 2), due=Due.PASS),
        TurnChanged(NEXT, BLUE),
    ),
    "one piece can move (R5)": (
        board(red=(10, 55), seats=(0, 1), due=Due.MOVE, dice=3),
        Moved(NEXT, RED, "red-0", 13),
    ),
    "all pieces are home (R13)": (
        board(red=(56, 56, 56, 56), seats=(0, 1), due=Due.END, finishers=(0,)),
        Ended(NEXT, RED, (RED, GREEN)),
    ),
    "the game is over (R16)": (
        board(red=(56, 56, 56, 56), seats=(0, 1), due=None, finishers=(0,)),
        None,
    ),
}


@pytest.mark.parametrize(("on", "forced"), FORCED.values(), ids=FORCED)
def test_r17_the_one_event_that_the_clauses_leave(on: Board, forced: Event | None) -> None:
    """Each reason for having no choice, with the event that is left; none after the end."""
    assert legal_events(game(on), DEFAULT) == ([] if forced is None else [forced])


def test_r17_a_turn_that_begins_leaves_six_rolls() -> None:
    """Chance is no choice: whoever is in turn has to roll, and nothing else may happen."""
    rolls = [Rolled(NEXT, RED, value) for value in range(1, 7)]

    assert legal_events(game(board(red=(10,), seats=(0, 1))), DEFAULT) == rolls
