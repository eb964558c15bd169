"""From hot to archived: what a leaving game has in Redis, and the tombstone that replaces it."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis

from ludo.store import keys
from ludo.store.log import HotLog, Kept
from ludo.store.scripts import Scripts

_FIELDS: Final = ["epoch", "rev", "body", "as_of", "confirmed", "moved_at", "tombstone"]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A hot game that is over, with its log, as they were at one revision; times in Unix ms."""

    game_id: str
    epoch: str
    body_json: bytes
    log: Sequence[Kept]
    confirmed: bool
    as_of: int
    ended_at: int
    now: int
    revision: int

    @property
    def status(self) -> str:
        """How it is over: finished or abandoned."""
        status: str = msgspec.json.decode(self.body_json)["status"]
        return status


class Tombstones:
    """Replaces games by tombstones; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis, scripts: Scripts) -> None:
        self._redis = redis
        self._scripts = scripts
        self._log = HotLog(redis)

    async def leaving(self, game_id: str) -> Leaving | None:
        """The game as it is hot; None if it is not.

        The log is read after the rest. A game that changed in between has another revision by
        then, and `entomb` refuses.
        """
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.game(game_id), _FIELDS)
            pipe.zscore(keys.FINISHED, game_id)
            pipe.time()
            (
                (epoch, rev, body, as_of, confirmed, moved_at, tombstone),
                listed,
                time,
            ) = await pipe.execute()
        if body is None or tombstone is not None:
            return None
        return Leaving(
            game_id=game_id,
            epoch=epoch.decode(),
            body_json=body,
            log=await self._log.load(game_id),
            confirmed=confirmed == b"1",
            as_of=int(as_of or 0),
            ended_at=int(listed or moved_at or as_of or 0),
            now=time[0] * 1000 + time[1] // 1000,
            revision=int(rev or 0),
        )

    async def entomb(self, leaving: Leaving) -> bool:
        """Drops all that Redis has of the game but its place; False if it has moved on since."""
        game_id = leaving.game_id
        done: int = await self._scripts.run(
            "entomb",
            keys=[
                keys.game(game_id),
                keys.lease(game_id),
                keys.inbox(game_id),
                keys.seen(game_id),
                keys.feed(game_id),
                keys.log(game_id),
                keys.flight(game_id),
                keys.written(game_id),
                keys.DUE,
                keys.PLAYING,
                keys.FINISHED,
                keys.COUNTERS,
            ],
            args=[game_id, leaving.revision, leaving.status, keys.GAME_TTL_S],
        )
        return done == 1

    async def note_failure(self) -> None:
        """Counts an attempt that the archive did not take."""
        await cast(Awaitable[Any], self._redis.hincrby(keys.COUNTERS, "archive:failed", 1))
