"""What the page makes of states and lists, as pure functions."""

from typing import Any

import pytest

from ludo.rules.ruleset import GameMode
from tests.web.conftest import OpenBoard
from tests.web.recorded import recorded

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STANDINGS = """async (states) => {
    const { standings } = await import("/words.js");
    return states.map(standings);
}"""
CHOSEN = """async (questions) => {
    const { choose } = await import("/lobby.js");
    return questions.map((question) => choose(...question));
}"""
NEW, OLD = {"gameId": "new"}, {"gameId": "old"}
CHOICES: list[tuple[list[Any], str | None]] = [
    ([[NEW, OLD], None, None, None], "new"),
    ([[NEW, OLD], "old", None, None], "old"),
    ([[NEW, OLD], "old", None, "picked"], "picked"),
    ([[NEW, OLD], "done", "done", None], "new"),
    ([[OLD], "old", "old", None], "old"),
    ([[], "done", "done", None], "done"),
    ([[], None, None, None], None),
]


async def test_standings_are_the_placements_of_the_rules(open_board: OpenBoard) -> None:
    """R14: from its last state alone, a game's players stand as game:ended told it."""
    games = [recorded(seed) for seed in (1, 2, 3)] + [recorded(3, GameMode.CLASSIC)]
    board = await open_board()
    told = await board.evaluate(STANDINGS, [game.states[-1] for game in games])
    assert told == [game.deltas[-1]["ev"]["placements"] for game in games]


async def test_game_to_watch(open_board: OpenBoard) -> None:
    """What was picked comes first, then what goes on, then the newest; an end stays till then."""
    board = await open_board()
    chosen = await board.evaluate(CHOSEN, [question for question, _ in CHOICES])
    assert chosen == [answer for _, answer in CHOICES]
