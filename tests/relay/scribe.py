"""Writes a game as the workers do, without them: mirror, feed and publication in one step."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import msgspec
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.feed import delta_message, freshness_message, replaced_message

PLAYERS = ("ann", "bob")


def body(game: str, seq: int, *, status: str = "playing", counter: int = 0) -> dict[str, Any]:
    """A state body that the store can read; `counter` changes with every event."""
    colors = dict(zip(PLAYERS, ("red", "green"), strict=True))
    over = status == "finished"
    return {
        "gameId": game,
        "roomCode": "R1",
        "gameMode": "classic",
        "status": status,
        "sequence": seq,
        "players": [
            {"playerId": who, "playerName": who, "color": color, "connected": True}
            for who, color in colors.items()
        ],
        "pieces": [
            {"pieceId": f"{color}-{n}", "playerId": who, "color": color, "position": 5}
            for who, color in colors.items()
            for n in range(4)
        ],
        "currentPlayerId": "ann",
        "diceValue": None,
        "phase": None if over else "roll",
        "consecutiveSixes": 0,
        "finishOrder": ["ann"] if over else [],
        "winnerId": "ann" if over else None,
        "updatedAt": f"t{counter}",
    }


@dataclass
class Scribe:
    """One game; `state` is what every client has to end up with."""

    redis: Redis
    game: str
    padding: int = 0
    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    seq: int = 0
    counter: int = 0

    @property
    def state(self) -> dict[str, Any]:
        """The truth."""
        return self._body()

    def _body(self, status: str | None = None) -> dict[str, Any]:
        self._status = status or getattr(self, "_status", "playing")
        return body(self.game, self.seq, status=self._status, counter=self.counter)

    async def advance(self, times: int = 1, *, publish: bool = True, feed: bool = True) -> None:
        """That many events; `publish` off swallows the message, `feed` off forgets the delta."""
        for _ in range(times):
            self.seq += 1
            self.counter += 1
            await self._write(self.delta("game:dice-rolled"), publish=publish, feed=feed)

    async def end(self) -> None:
        """The last event."""
        self.seq += 1
        self.counter += 1
        self._body("finished")
        await self._write(self.delta("game:ended"), publish=True, feed=True)

    async def replace(self, seq: int, *, new_epoch: bool, publish: bool = True) -> None:
        """A resync: another mirror, and no feed."""
        self.seq = seq
        self.counter += 1000
        if new_epoch:
            self.epoch = secrets.token_hex(4)
        why = "epoch" if new_epoch else "gap"
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.feed(self.game))
            self._mirror(pipe)
            if publish:
                message = replaced_message(self.epoch, self.seq, why)
                pipe.publish(keys.channel(self.game), message)
            await pipe.execute()

    async def freshen(self, as_of: int, *, stale: bool) -> None:
        """Only the mirror's freshness changed."""
        message = freshness_message(self.epoch, self.seq, as_of, stale)
        await self.redis.publish(keys.channel(self.game), message)

    async def forget_feed(self) -> None:
        """The feed expired."""
        await self.redis.delete(keys.feed(self.game))

    async def vanish(self) -> None:
        """Redis lost the game."""
        await self.redis.delete(keys.feed(self.game), keys.game(self.game))

    def delta(self, kind: str) -> bytes:
        """The frame that leads to the present state."""
        now = self._body()
        changed = ("sequence", "updatedAt", "status", "phase", "finishOrder", "winnerId")
        result = {"winnerId": "ann", "placements": ["ann", "bob"]} if "ended" in kind else {}
        return msgspec.json.encode(
            {
                "t": "d",
                "game": self.game,
                "seq": self.seq,
                "at": 1,
                "ev": {
                    "type": kind,
                    **result,
                    "captured": [],
                    "padding": "x" * self.padding,
                },
                "patch": [
                    {"op": "replace", "path": f"/{name}", "value": now[name]} for name in changed
                ],
            }
        )

    async def _write(self, frame: bytes, *, publish: bool, feed: bool) -> None:
        async with self.redis.pipeline(transaction=True) as pipe:
            self._mirror(pipe)
            if feed:
                pipe.xadd(keys.feed(self.game), {"v": "1", "f": frame}, id=f"{self.seq}-0")
                pipe.expire(keys.feed(self.game), 600)
            if publish:
                message = delta_message(self.epoch, self.seq, frame)
                pipe.publish(keys.channel(self.game), message)
            await pipe.execute()

    def _mirror(self, pipe: Any) -> None:
        fields = {
            "epoch": self.epoch,
            "seq": self.seq,
            "body": msgspec.json.encode(self._body()),
            "as_of": 1000,
            "stale": "0",
        }
        pipe.hset(keys.game(self.game), mapping=fields)
        pipe.expire(keys.game(self.game), 600)
