"""What the page makes of states and lists, as pure functions."""

from typing import Any

import pytest
from playwright.async_api import Page

from ludo.rules.ruleset import GameMode
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
ORDERED = """async ([before, fresh]) => {
    const { inOrder } = await import("/lobby.js");
    const games = (names) => [...names].map((gameId) => ({ gameId }));
    return inOrder(games(before), games(fresh)).map(({ gameId }) => gameId).join("");
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


async def test_standings_are_the_placements_of_the_rules(modules: Page) -> None:
    """R14: from its last state alone, a game's players stand as game:ended told it."""
    games = [recorded(seed) for seed in (1, 2, 3)] + [recorded(3, GameMode.CLASSIC)]
    told = await modules.evaluate(STANDINGS, [game.states[-1] for game in games])
    assert told == [game.deltas[-1]["ev"]["placements"] for game in games]


async def test_game_to_watch(modules: Page) -> None:
    """What was picked comes first, then what goes on, then the newest; an end stays till then."""
    chosen = await modules.evaluate(CHOSEN, [question for question, _ in CHOICES])
    assert chosen == [answer for _, answer in CHOICES]


async def test_list_keeps_its_order(modules: Page) -> None:
    """However the facade sorts the games, known ones stay where they were and new ones lead."""
    assert await modules.evaluate(ORDERED, ["abc", "xcyba"]) == "xyabc"
    assert await modules.evaluate(ORDERED, ["abc", "ca"]) == "ac"
    assert await modules.evaluate(ORDERED, ["", "ba"]) == "ba"
