"""The number of ways on, to depth 5, is what it has always been (tests/rules/counts.json)."""

import json
from pathlib import Path
from typing import Any

import pytest

from ludo.rules.board import Board
from ludo.rules.ruleset import GameMode, RuleSet
from ludo.rules.track import SEAT_OF, Color
from tests.rules.builders import board, game, player_id
from tests.rules.counting import counted, counted_by_walking
from tests.rules.oracle import Table

POSITIONS = json.loads(Path(__file__).with_name("counts.json").read_text(encoding="utf-8"))[
    "positions"
]


def board_of(position: dict[str, Any]) -> Board:
    """The board that an entry describes; a turn is about to begin."""
    return board(
        **{color: tuple(pieces) for color, pieces in position["pieces"].items()},
        seats=tuple(SEAT_OF[Color(color)] for color in position["pieces"]),
        turn=SEAT_OF[Color(position["turn"])],
        finishers=tuple(SEAT_OF[Color(color)] for color in position.get("finishers", ())),
        mode=GameMode(position["mode"]),
    )


@pytest.mark.parametrize("position", POSITIONS, ids=lambda position: position["name"])
def test_r5_to_r13_the_engine_allows_as_many_ways_on_as_are_held(position: dict[str, Any]) -> None:
    """From the starts and from the middle of games, with the switches that matter there."""
    rules = RuleSet.parse(position["rules"])

    assert counted(board_of(position), rules, 5) == position["counts"]


@pytest.mark.parametrize("position", POSITIONS, ids=lambda position: position["name"])
def test_r5_to_r13_walking_the_pieces_gives_the_same_numbers(position: dict[str, Any]) -> None:
    """The held numbers are the clauses', not only the engine's."""
    rules, now = RuleSet.parse(position["rules"]), board_of(position)
    table = Table.resumed(game(now), rules)
    table.finished = [player_id(seat) for seat in now.finishers]

    assert counted_by_walking(table, 5) == position["counts"]
