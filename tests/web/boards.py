"""The board as a test sees it: the data that the page exposes, and where things are drawn."""

from typing import Any

from playwright.async_api import ConsoleMessage, Page

from tests.web.fake_relay import Showing
from tests.web.recorded import Json

OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"
PIECES = """() => Object.fromEntries([...document.querySelectorAll(".piece")].map(
    ({ dataset }) => [dataset.piece, Number(dataset.position)]))"""
ASTRAY = """async () => {
    const { pointOf, spotOf, fan, seatOf } = await import("/geometry.js");
    const pieces = [...document.querySelectorAll(".piece")].map((node) => {
        const [color, number] = node.dataset.piece.split("-");
        const [seat, position] = [seatOf(color), Number(node.dataset.position)];
        const { e: x, f: y } = node.transform.baseVal.consolidate().matrix;
        const point = pointOf(seat, Number(number), position);
        const spot = spotOf(seat, Number(number), position);
        return { id: node.dataset.piece, x, y, off: Math.hypot(x - point.x, y - point.y), spot };
    });
    const wrong = (piece) => {
        const others = pieces.filter(({ id, spot }) => spot === piece.spot && id !== piece.id);
        const hidden = others.some(({ x, y }) => Math.hypot(x - piece.x, y - piece.y) < 0.2);
        const { off } = piece;
        return hidden || (others.length ? off > 0.31 || off < 0.1 : off > 0.01);
    };
    return pieces.filter(wrong).map(({ id }) => id);
}"""


class Board:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        # A proxy that is away makes the browser itself complain; that is what some tests are about.
        if message.type in ("error", "warning") and "WebSocket" not in message.text:
            self.complaints.append(message.text)

    async def data(self, name: str) -> str:
        """One `data-…` attribute of the root element."""
        return await self.page.get_attribute("html", f"data-{name}") or ""

    async def pieces(self) -> dict[str, int]:
        """Every piece's position, as the page tells it."""
        told: dict[str, int] = await self.page.evaluate(PIECES)
        return told

    async def astray(self) -> list[str]:
        """The pieces that are not drawn where they are said to be, or hide each other."""
        return list(await self.page.evaluate(ASTRAY))

    async def text(self, selector: str) -> str:
        """What an element says."""
        return await self.page.inner_text(selector)

    async def shows(self, showing: Showing) -> None:
        """Waits until the page is where the game is; fails on any difference from its state."""
        await self.reaches(showing.seq, showing.epoch)
        await self.page.wait_for_selector('#board[data-playing="false"]')
        assert await self.pieces() == positions(showing.state)
        assert await self.astray() == []
        assert await self.data("phase") == (showing.state["phase"] or "")
        assert await self.data("dice") == str(showing.state["diceValue"] or "")
        assert await self.data("turn") == color_in_turn(showing.state)

    async def reaches(self, seq: int, epoch: str = "epoch-1") -> None:
        """Waits for a place."""
        await self.page.wait_for_selector(f'html[data-seq="{seq}"][data-epoch="{epoch}"]')

    async def is_connected(self, word: str) -> None:
        """Waits for a state of the connection."""
        await self.page.wait_for_selector(f'html[data-connection="{word}"]')

    async def says(self, selector: str, words: str) -> None:
        """Waits until an element says something."""

        await self.page.locator(selector, has_text=words).wait_for()

    async def ask_for_games(self) -> None:
        """Makes the page fetch its list now, as it does when its tab comes to the front."""
        await self.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")

    async def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(await self.page.evaluate(OVERFLOW))

    async def evaluate(self, script: str, argument: Any = None) -> Any:
        """What a script of the page's own answers."""
        return await self.page.evaluate(script, argument)


def positions(state: Json) -> dict[str, int]:
    """Every piece's position in a state."""
    return {piece["pieceId"]: piece["position"] for piece in state["pieces"]}


def color_in_turn(state: Json) -> str:
    """The colour of the player in turn."""
    current = state["currentPlayerId"]
    return str(next(p["color"] for p in state["players"] if p["playerId"] == current))
