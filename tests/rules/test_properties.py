"""What holds in every game: the referee against a second telling of the clauses (R2–R17)."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from ludo.rules.board import Board, Due, Game
from ludo.rules.events import Event, Moved
from ludo.rules.moves import legal_moves
from ludo.rules.referee import Ruling, announce, judge
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import HOME, PIECE_IDS, SAFE_SQUARES, SEATS, YARD, square_at
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


def walked(
    start: Game, rules: RuleSet, data: st.DataObject
) -> Iterator[tuple[Game, Event, Ruling]]:
    """Steps of a legal game that hypothesis chooses: the game before, the event, the ruling."""
    game, table = start, Table.resumed(start, rules)
    for _ in range(STEPS):
        choices = table.allowed()
        if not choices:
            return
        event = data.draw(st.sampled_from(choices))
        ruling = applied(game, event, rules)
        yield game, event, ruling
        table.play(event)
        game = ruling.game


@given(start=games(), rules=rule_sets(), data=st.data())
def test_every_legal_event_leads_to_a_sound_position(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """No unsafe square is shared, who is in turn plays, and what is due can be done."""
    for _, _, ruling in walked(start, rules, data):
        board = ruling.game.board
        finished = [
            seat for seat in board.seats if board.home_count(seat) >= board.mode.pieces_to_finish
        ]
        assert is_sound(board)
        assert board.turn in board.seats
        assert sorted(board.finishers) == finished
        assert bool(legal_moves(board, rules)) == (board.due is Due.MOVE)
        assert board.due is not Due.ROLL or board.turn not in board.finishers


@given(start=games(), rules=rule_sets(), data=st.data())
def test_pieces_are_conserved(start: Game, rules: RuleSet, data: st.DataObject) -> None:
    """Each seat has its four pieces on the board, and no event but a move shifts one."""
    for before, event, ruling in walked(start, rules, data):
        pieces = ruling.game.board.pieces
        assert len(pieces) == len(PIECE_IDS)
        assert all(YARD <= position <= HOME for position in pieces)
        idle = {seat for seat in range(SEATS) if seat not in ruling.game.board.seats}
        assert all(set(ruling.game.board.of(seat)) == {YARD} for seat in idle)
        assert isinstance(event, Moved) == (pieces != before.board.pieces)


@given(start=games(), rules=rule_sets(), data=st.data())
def test_r9_positions_fall_only_by_capture(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """The moved piece goes forward, captured ones go to the yard, no other changes."""
    for before, event, ruling in walked(start, rules, data):
        pairs = zip(PIECE_IDS, before.board.pieces, ruling.game.board.pieces, strict=True)
        for name, was, now in pairs:
            if name in ruling.captured:
                assert was > now == YARD
            elif isinstance(event, Moved) and name == event.piece:
                assert was < now == event.position
            else:
                assert was == now


@given(start=games(), rules=rule_sets(), data=st.data())
def test_replaying_the_events_gives_the_same_position(
    start: Game, rules: RuleSet, data: st.DataObject
) -> None:
    """From the same position the same events lead to the same one, judged or as announced."""
    steps = list(walked(start, rules, data))
    judged, announced = start, start
    for _, event, ruling in steps:
        judged = applied(judged, event, rules).game
        announced = announce(announced, event, rules).game
        assert judged == announced == ruling.game
