"""RFC 6902 in the browser."""

from typing import Any

import pytest
from playwright.async_api import Page

from tests.web.recorded import recorded

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

REPLAY = """async ([first, deltas]) => {
    const { patched } = await import("/patch.js");
    let state = first;
    const states = deltas.map(({ patch }) => (state = patched(state, patch)));
    return states.filter((state) => state.sequence % 20 === 0 || state.status === "finished");
}"""
PATCHED = """async ([document, patch]) => {
    const { patched } = await import("/patch.js");
    try { return [patched(document, patch), document]; } catch { return "refused"; }
}"""

BEFORE = {"list": [1, 2], "a/b": {"~": 0}}
PATCHES: list[tuple[dict[str, Any], object]] = [
    ({"op": "add", "path": "/list/1", "value": 9}, {**BEFORE, "list": [1, 9, 2]}),
    ({"op": "add", "path": "/list/-", "value": 9}, {**BEFORE, "list": [1, 2, 9]}),
    ({"op": "remove", "path": "/list/0"}, {**BEFORE, "list": [2]}),
    ({"op": "replace", "path": "/a~1b/~0", "value": 1}, {**BEFORE, "a/b": {"~": 1}}),
    ({"op": "replace", "path": "", "value": 3}, 3),
    ({"op": "move", "from": "/a~1b", "path": "/c"}, {"list": [1, 2], "c": {"~": 0}}),
    ({"op": "copy", "from": "/list/0", "path": "/a~1b"}, {"list": [1, 2], "a/b": 1}),
    ({"op": "test", "path": "/list", "value": [1, 2]}, BEFORE),
    ({"op": "test", "path": "/list", "value": [2, 1]}, None),
    ({"op": "replace", "path": "/list/2", "value": 1}, None),
    ({"op": "add", "path": "/list/4", "value": 1}, None),
    ({"op": "remove", "path": "/nothing"}, None),
    ({"op": "remove", "path": "/list/length"}, None),
    ({"op": "add", "path": "/no/where", "value": 1}, None),
    ({"op": "spoil", "path": "/list"}, None),
]


async def test_patches_of_a_whole_game_lead_to_its_states(modules: Page) -> None:
    """Applying every patch from the first state on gives every state, the last one included."""
    game = recorded(1)
    states = await modules.evaluate(REPLAY, [game.states[1], list(game.deltas[2:])])
    assert states == [game.states[seq] for seq in (*range(20, game.last, 20), game.last)]


async def test_patches_are_applied_as_rfc_6902_says(modules: Page) -> None:
    """Every operation works on a copy; one that does not fit refuses the whole patch."""
    for patch, after in PATCHES:
        answer = await modules.evaluate(PATCHED, [BEFORE, [patch]])
        assert answer == ("refused" if after is None else [after, BEFORE]), patch
