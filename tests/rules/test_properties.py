"""What holds in every game: the referee against a second telling of the clauses (R2–R17)."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ludo.rules.board import Board, Game
from ludo.rules.events import Event, Moved
from ludo.rules.referee import Ruling, announce, judge
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import PIECE_IDS, SAFE_SQUARES, YARD, square_at
from tests.rules.agreement import assert_judged_alike, assert_same
from tests.rules.oracle import Table
from tests.rules.strategies import games, rule_sets

STEPS = 12


def applied(game: Game, event: Event, rules: RuleSet) -> Ruling:
    """The ruling on an event that has to be legal."""
    verdict = judge(game, event, rules)
    assert isinstance(verdict, Ruling), verdict
    return verdict


def is_sound(board: Board) -> bool:
    """Whether no unsafe square holds two colours (R9)."""
    owners: dict[int, set[int]] = {}
    for index, position in enumerate(board.pieces):
        square = square_at(index // 4, position)
        if square is not None and square not in SAFE_SQUARES:
            owners.setdefault(square, set()).add(index // 4)
    return all(len(seats) == 1 for seats in owners.values())


@settings(max_examples=150, deadline=None)
@given(start=games(), rules=rule_sets(), data=st.data())
def test_r17_the_legal_events_are_those_of_the_oracle(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """Each one leads to the same board, and to the same captures, as walking the pieces does."""
    game, table = start, Table.resumed(start, rules)
    for _ in range(STEPS):
        choices = table.allowed()
        if not choices:
            break
        event = data.draw(st.sampled_from(choices))
        ruling = applied(game, event, rules)
        assert sorted(ruling.captured) == sorted(table.play(event))
        game = ruling.game
        assert_same(game, table)


@settings(max_examples=60, deadline=None)
@given(start=games(), rules=rule_sets(), data=st.data())
def test_r17_every_corruption_is_refused_with_the_first_clause_it_breaks(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """An event that the oracle does not allow is refused, and by the clause that R17 names."""
    game, table = start, Table.resumed(start, rules)
    for _ in range(STEPS):
        choices = table.allowed()
        assert_judged_alike(game, table, rules)
        if not choices:
            break
        event = data.draw(st.sampled_from(choices))
        game = applied(game, event, rules).game
        table.play(event)


@settings(deadline=None)
@given(start=games(), rules=rule_sets(), data=st.data())
def test_r9_positions_fall_only_by_capture_and_boards_stay_sound(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """One piece goes forward by a move, captured ones go to the yard, no other changes."""
    game, table = start, Table.resumed(start, rules)
    for _ in range(STEPS):
        choices = table.allowed()
        if not choices:
            break
        event = data.draw(st.sampled_from(choices))
        ruling = applied(game, event, rules)
        table.play(event)
        assert_moved(game.board, ruling, event)
        game = ruling.game


def assert_moved(before: Board, ruling: Ruling, event: Event) -> None:
    """Only the moved piece rises, only captured ones fall, and the board is sound."""
    after = ruling.game.board
    changes = Counter[str]()
    for name, was, now in zip(PIECE_IDS, before.pieces, after.pieces, strict=True):
        if name in ruling.captured:
            assert was > now == YARD
        elif was != now:
            assert isinstance(event, Moved)
            assert (name, event.position) == (event.piece, now)
            assert now > was
            changes[name] += 1
    assert sum(changes.values()) == isinstance(event, Moved)
    assert len(after.pieces) == len(before.pieces)
    assert is_sound(after)


@settings(deadline=None)
@given(start=games(), rules=rule_sets(), data=st.data())
def test_a_legal_event_announced_has_the_effect_that_the_clauses_give_it(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """Whoever only observes a fair game sees the same game."""
    game, table = start, Table.resumed(start, rules)
    for _ in range(STEPS):
        choices = table.allowed()
        if not choices:
            break
        event = data.draw(st.sampled_from(choices))
        ruling = applied(game, event, rules)
        assert announce(game, event, rules) == ruling
        table.play(event)
        game = ruling.game
