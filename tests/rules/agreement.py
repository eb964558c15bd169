"""Do the referee and the oracle say the same of a game, and of every event that may follow it?"""

from collections.abc import Iterator

from ludo.rules.board import Game
from ludo.rules.events import Event, Moved
from ludo.rules.referee import Violation, judge
from ludo.rules.ruleset import RuleSet
from ludo.rules.track import PIECE_IDS
from tests.rules.corruptions import corruptions, substitutes
from tests.rules.oracle import Table


def assert_same(game: Game, table: Table) -> None:
    """The game and the oracle's table show the same."""
    board = game.board
    for piece in table.steps:
        assert board.pieces[PIECE_IDS.index(piece)] == table.position(piece)
    assert board.turn == game.seat_of(table.current)
    assert (None if board.due is None else board.due.value) == table.phase
    assert board.dice == table.roll
    assert board.sixes == table.sixes
    assert [game.player_at(seat).id for seat in board.finishers] == table.finished
    assert game.sequence == table.sequence


def assert_judged_alike(game: Game, table: Table, rules: RuleSet) -> set[tuple[type, str]]:
    """What the oracle allows is legal, all else breaks the clause that the oracle names.

    The answer is what was refused: kinds of event with their clauses.
    """
    choices, refused = set(table.allowed()), set()
    for event in choices | set(_wrong(game, table)):
        verdict = judge(game, event, rules)
        clause = verdict.clause if isinstance(verdict, Violation) else "none"
        assert clause == ("none" if event in choices else table.broken(event)), (event, verdict)
        if isinstance(verdict, Violation):
            assert verdict.sentence.startswith(f"{clause}: ")
            refused.add((type(event), clause))
    return refused


def _wrong(game: Game, table: Table) -> Iterator[Event]:
    yield from substitutes(game.sequence + 1, table.ids)
    for choice in table.allowed():
        yield from corruptions(choice, table.ids)
    for piece in table.own(table.current):  # right but for what may stand in the way (R8)
        target = table.target(piece, table.roll or 1)
        if target is not None:
            yield Moved(game.sequence + 1, table.current, piece, target - 1)
