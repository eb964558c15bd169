"""What the sandbox knows to be true, and whether the mirrors say the same."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx

from cli.demo.layout import Layout

ASK_EVERY_S: Final = 0.2

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One game: the mirror's state through the facade, and the truth."""

    game_id: str
    mirror: Body | None
    truth: Body

    @property
    def equal(self) -> bool:
        """Whether the two say the same; `connected` is no part of it (design section 5)."""
        return self.mirror is not None and _essential(self.mirror) == _essential(self.truth)


def _essential(body: Body) -> Body:
    players = [
        {name: value for name, value in player.items() if name != "connected"}
        for player in body["players"]
    ]
    return {**body, "players": players}


class Reality:
    """Asks the sandbox for the truth and the facade for the mirrors."""

    def __init__(self, layout: Layout, http: httpx.AsyncClient) -> None:
        self._layout = layout
        self._http = http

    async def games(self) -> list[Body]:
        """All games that the sandbox has played or is playing; empty while it cannot be asked."""
        try:
            answer = await self._http.get(f"{self._layout.sandbox_address}/sandbox/games")
            games: list[Body] = answer.raise_for_status().json()["data"]
        except (httpx.HTTPError, KeyError, ValueError):
            return []
        return games

    async def compared(self, game_id: str) -> Compared:
        """The game as the mirror has it beside the truth; raises httpx.HTTPError."""
        path = f"{self._layout.sandbox_address}/sandbox/games/{game_id}/state"
        truth = (await self._http.get(path)).raise_for_status().json()["data"]
        return Compared(game_id, await self._mirror(game_id), truth)

    async def _mirror(self, game_id: str) -> Body | None:
        try:
            answer = await self._http.get(f"{self._layout.board}v1/games/{game_id}/state")
            body: Body = answer.raise_for_status().json()["data"]
        except (httpx.HTTPError, KeyError, ValueError):
            return None
        return body

    async def until_equal(self, game_ids: list[str], within: float) -> list[Compared]:
        """The comparison of all games, taken when all are equal or the time is up."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            found = [await self.compared(game_id) for game_id in game_ids]
            late = asyncio.get_running_loop().time() > deadline
            if late or all(comparison.equal for comparison in found):
                return found
            await asyncio.sleep(ASK_EVERY_S)
