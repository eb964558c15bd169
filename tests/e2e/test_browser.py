"""A browser beside the running demo: what is on the board is what the facade says."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from tests.e2e.demos import RunningDemo, a_demo
from tests.waiting import wait_until
from tests.web.boards import Board, positions

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.timeout(150),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser"),
]


async def test_board_shows_the_facade_state_and_survives_the_proxy(
    chromium: Browser, tmp_path: Path
) -> None:
    """The board follows the games, loses the proxy, finds it again, and shows the same state."""
    async with a_demo("--games", "2", "--speed", "3", folder=tmp_path) as demo:
        url = (await demo.line("Board:")).split()[-1]
        context = await chromium.new_context(reduced_motion="reduce")
        board = Board(await context.new_page())
        await board.page.goto(url)
        await board.is_connected("live")
        await _agrees(board, url)

        before = int(await board.data("seq"))
        await _kill_proxy(demo)
        await board.is_connected("reconnecting")
        await board.is_connected("live")

        async def goes_on() -> bool:
            return int(await board.data("seq")) != before

        await wait_until(goes_on, timeout=30)
        await _agrees(board, url)
        await context.close()


async def _kill_proxy(demo: RunningDemo) -> None:
    proxy = demo.pid_of("serve")
    assert proxy is not None
    os.kill(proxy, signal.SIGKILL)


async def _agrees(board: Board, url: str) -> None:
    """Waits for a moment at which board and facade are at one sequence; they agree on it all."""
    seen: list[tuple[dict[str, int], dict[str, int]]] = []

    async def at_one_place() -> bool:
        game, before = await board.data("game"), await board.data("seq")
        async with httpx.AsyncClient(base_url=url) as http:
            answer = await http.get(f"/v1/games/{game}/state")
        state: dict[str, Any] = answer.json().get("data") or {}
        shown = await board.pieces()
        if not state or not before == await board.data("seq") == str(state["sequence"]):
            return False
        seen.append((shown, positions(state)))
        return True

    await wait_until(at_one_place, timeout=30)
    shown, told = seen[-1]
    assert shown == told
