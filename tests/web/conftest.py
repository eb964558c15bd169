"""A headless Chromium and a proxy that does what the test says."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.web.boards import Board
from tests.web.fake_relay import FakeRelay

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OpenBoard = Callable[..., Awaitable[Board]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser, shared by all tests; each board gets a profile of its own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def modules(chromium: Browser) -> AsyncIterator[Page]:
    """A page in which scripts may import the board's modules and ask their pure functions."""
    async with FakeRelay() as empty, await chromium.new_page() as page:
        await page.goto(empty.url)
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def relay() -> AsyncIterator[FakeRelay]:
    """A proxy with no games yet."""
    async with FakeRelay() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session")
async def open_board(chromium: Browser, relay: FakeRelay) -> AsyncIterator[OpenBoard]:
    """Opens the page; after the test, whatever it complained about fails the test."""
    boards: list[Board] = []

    async def opened(game: str = "", width: int = 1280, height: int = 800, **profile: str) -> Board:
        context = await chromium.new_context(
            viewport={"width": width, "height": height},
            **{"reduced_motion": "reduce", **profile},  # type: ignore[arg-type]
        )
        board = Board(await context.new_page())
        boards.append(board)
        await board.page.goto(relay.url + (f"#{game}" if game else ""))
        return board

    yield opened
    for board in boards:
        await board.page.context.close()
    assert [complaint for board in boards for complaint in board.complaints] == []
