"""How many ways on are there? Counted once with the engine, and once with the oracle."""

import copy
from collections.abc import Iterator

from ludo.rules import engine
from ludo.rules.board import Board, Due
from ludo.rules.moves import legal_moves
from ludo.rules.ruleset import RuleSet
from tests.rules.oracle import Table


def counted(board: Board, rules: RuleSet, depth: int) -> list[int]:
    """The sequences of 1, 2, … `depth` actions that the engine allows from this board."""
    totals = [0] * depth
    _count(board, rules, totals, 0)
    return totals


def _count(board: Board, rules: RuleSet, totals: list[int], level: int) -> None:
    for after in _afterwards(board, rules):
        totals[level] += 1
        if level + 1 < len(totals):
            _count(after, rules, totals, level + 1)


def _afterwards(board: Board, rules: RuleSet) -> Iterator[Board]:
    match board.due:
        case Due.ROLL:
            yield from (engine.roll(board, value, rules) for value in range(1, 7))
        case Due.MOVE:
            for move in legal_moves(board, rules):
                yield engine.move(board, move.piece, move.position, rules)[0]
        case Due.PASS:
            yield engine.pass_turn(board)
        case Due.END:
            yield engine.end(board)


def counted_by_walking(table: Table, depth: int) -> list[int]:
    """The same by the oracle, which shares nothing with the engine."""
    choices = table.allowed()
    totals = [len(choices)] + [0] * (depth - 1)
    if depth == 1:
        return totals
    for choice in choices:
        after = copy.copy(table)
        after.steps, after.rolls = dict(table.steps), list(table.rolls)
        after.finished = list(table.finished)
        after.play(choice)
        for level, total in enumerate(counted_by_walking(after, depth - 1), 1):
            totals[level] += total
    return totals
