"""A client of the relay through all kills, which forgives nothing that a client would."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from ludo.relay.patch import Operation, patched

AGAIN_S: Final = 0.05
OPEN_WITHIN_S: Final = 2.0
Frame = dict[str, Any]


@dataclass(slots=True)
class Watched:
    """One game as the relay told it, over as many connections as it took."""

    game_id: str
    epoch: str = ""
    seq: int = 0
    state: Any = None
    ended: bool = False
    doubled: int = 0
    """Deltas that came again."""
    out_of_order: int = 0
    """Deltas ahead of the next one, and snapshots of an epoch that go back in it."""
    known_at: dict[int, float] = field(default_factory=dict)
    """When each sequence was first passed (Unix seconds)."""

    def take(self, frame: Frame) -> None:
        """Follow one frame of this game."""
        match frame["t"]:
            case "snap":
                self.out_of_order += frame["epoch"] == self.epoch and frame["seq"] < self.seq
                self.epoch, self.state = frame["epoch"], frame["state"]
                self._reach(frame["seq"])
            case "d":
                self._delta(frame)
            case "ended":
                self.ended = True
            case _:
                return

    def _delta(self, frame: Frame) -> None:
        if frame["seq"] <= self.seq:
            self.doubled += 1
        elif frame["seq"] > self.seq + 1:
            self.out_of_order += 1
        else:
            patch = msgspec.convert(frame["patch"], list[Operation])
            self.state = patched(self.state, patch)
            self._reach(frame["seq"])

    def _reach(self, seq: int) -> None:
        now = time.time()
        for passed in range(self.seq + 1, seq + 1):
            self.known_at.setdefault(passed, now)
        self.seq = seq

    def wish(self) -> Frame:
        """The subscription that goes on where this is."""
        return {
            "game": self.game_id,
            **({"epoch": self.epoch, "seq": self.seq} if self.seq else {}),
        }


class Watcher:
    """Follows games on one connection, and on the next one when that ends."""

    def __init__(self, url: str, game_ids: Iterable[str]) -> None:
        self._url = url
        self._wishes = 0
        self.games = {game_id: Watched(game_id) for game_id in game_ids}

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                options = {"ping_interval": None, "close_timeout": 0.1, "proxy": None}
                async with connect(self._url, open_timeout=OPEN_WITHIN_S, **options) as socket:
                    await self._follow(socket)
            except (OSError, TimeoutError, WebSocketException, InvalidHandshake):
                pass
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, socket: ClientConnection) -> None:
        subs = [game.wish() for game in self.games.values() if not game.ended]
        await _send(socket, {"t": "hello", "v": 1, "subs": subs})
        while True:
            frame = msgspec.json.decode(await socket.recv())
            game = self.games.get(frame.get("game", ""))
            if frame["t"] == "ping":
                await _send(socket, {"t": "pong", "n": frame["n"]})
            elif frame["t"] in ("err", "unsub") and game is not None:
                await asyncio.sleep(AGAIN_S)
                self._wishes += 1
                await _send(socket, {"t": "sub", "id": str(self._wishes), **game.wish()})
            elif game is not None:
                game.take(frame)


async def _send(socket: ClientConnection, frame: Frame) -> None:
    await socket.send(msgspec.json.encode(frame).decode())
