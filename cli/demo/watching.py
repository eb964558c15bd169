"""A frontend that watches games through the relay, as any frontend would."""

import asyncio
import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from time import time
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

RECONNECT_S: Final = 0.2
ASK_AGAIN_S: Final = 0.5


@dataclass(slots=True)
class Watched:
    """One game as the relay told it: its place, its state, and how it came."""

    game_id: str
    epoch: str | None = None
    seq: int | None = None
    state: dict[str, Any] | None = None
    pushed: int = 0
    ended: bool = False
    delays_ms: list[float] = field(default_factory=list)


class Watcher:
    """Keeps one connection to the relay and follows the client rule of `ludorelay.v1`.

    `snap` replaces; a `d` that is not the next asks again with our place.
    """

    def __init__(self, url: str, game_ids: Iterable[str]) -> None:
        self._url = url
        self.games = {game_id: Watched(game_id) for game_id in game_ids}
        self.connections = 0

    async def run(self) -> None:
        """Watches until every game has ended, over as many connections as it takes."""
        while not self.done:
            try:
                async with connect(self._url, compression=None, open_timeout=5) as socket:
                    self.connections += 1
                    await self._watch(socket)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(RECONNECT_S)

    @property
    def done(self) -> bool:
        """Whether every game was told to have ended."""
        return all(game.ended for game in self.games.values())

    async def _watch(self, socket: ClientConnection) -> None:
        subs = [_place(game) for game in self.games.values() if not game.ended]
        await _send(socket, {"t": "hello", "v": 1, "subs": subs})
        while not self.done:
            frame = msgspec.json.decode(await socket.recv())
            for game in await self._take(socket, frame):
                await _send(socket, {"t": "sub", "id": game.game_id, **_place(game)})

    async def _take(self, socket: ClientConnection, frame: dict[str, Any]) -> list[Watched]:
        """Follows one frame; the games to ask for again, because their place is not known."""
        game = self.games.get(frame.get("game", ""))
        match frame["t"]:
            case "snap" if game:
                game.epoch, game.seq, game.state = frame["epoch"], frame["seq"], frame["state"]
            case "d" if game:
                return self._change(game, frame)
            case "ended" if game:
                game.ended = True
            case "ping":
                await _send(socket, {"t": "pong", "n": frame["n"]})
            case "err" if frame["retry"]:
                await asyncio.sleep(ASK_AGAIN_S)
                return [game for game in self.games.values() if game.seq is None]
            case "bye":
                await socket.close()
        return []

    @staticmethod
    def _change(game: Watched, frame: dict[str, Any]) -> list[Watched]:
        if game.seq is None or frame["seq"] > game.seq + 1:
            return [game]
        if frame["seq"] == game.seq + 1 and game.state is not None:
            game.state = patched(game.state, frame["patch"])
            game.seq = frame["seq"]
            game.pushed += 1
            game.delays_ms.append(_delay_ms(game.state["updatedAt"]))
        return []


def patched(state: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """The state after the `replace` operations of a delta (RFC 6902 §4.3)."""
    after = copy.deepcopy(state)
    for operation in patch:
        *parents, last = operation["path"].split("/")[1:]
        at: Any = after
        for token in parents:
            at = at[int(token)] if isinstance(at, list) else at[token]
        at[int(last) if isinstance(at, list) else last] = operation["value"]
    return after


def _place(game: Watched) -> dict[str, Any]:
    place: dict[str, Any] = {"game": game.game_id}
    if game.epoch is not None:
        place |= {"epoch": game.epoch, "seq": game.seq}
    return place


def _delay_ms(occurred_at: str) -> float:
    return (time() - datetime.fromisoformat(occurred_at).timestamp()) * 1000


async def _send(socket: ClientConnection, frame: dict[str, Any]) -> None:
    await socket.send(msgspec.json.encode(frame).decode())
