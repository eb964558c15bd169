"""The mirrors, read: for the facade and the relay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import structlog
from redis.asyncio import Redis

from ludo.mirror.body import from_body
from ludo.rules.placements import placements
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.errors import UnknownVersion
from ludo.store.record import check_version

_FIELDS: Final = ["v", "epoch", "seq", "body", "as_of", "stale", "owed"]

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Stored:
    """A mirror as it is kept, at one instant.

    `body` is the `data` of GET state. `as_of` (Unix ms) is when it was last known to be true,
    `stale` whether upstream could not be asked since. `settled` says that nothing waits for it
    and no resync is owed, `archived` that it comes from the archive.
    """

    game_id: str
    epoch: str
    seq: int
    body_json: bytes
    as_of: int
    stale: bool
    settled: bool
    archived: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The state body, decoded."""
        body: dict[str, Any] = msgspec.json.decode(self.body_json)
        return body

    @property
    def finished(self) -> bool:
        """Whether nothing more can happen in it."""
        return self.body["status"] in ("finished", "abandoned")

    @property
    def placements(self) -> tuple[str, ...]:
        """All players by placement (R14), as the pieces stand."""
        body = self.body
        if not body["players"]:
            return ()
        game = from_body(body, RuleSet()).games[0]
        return tuple(game.player_at(seat).id for seat in placements(game.board))


class GameReader:
    """Reads mirrors; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def load(self, game_id: str) -> Stored | None:
        """The mirror of a game, or None if there is none; raises UnknownVersion."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.game(game_id), _FIELDS)
            pipe.xlen(keys.inbox(game_id))
            fields, waiting = await pipe.execute()
        return _stored(game_id, fields, waiting)

    async def tips(self, game_ids: Iterable[str]) -> dict[str, tuple[str, int]]:
        """The place `(epoch, sequence)` of each game that has a mirror."""
        ids = list(game_ids)
        if not ids:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for game_id in ids:
                pipe.hmget(keys.game(game_id), ["epoch", "seq"])
            answers = await pipe.execute()
        return {
            game_id: (epoch.decode(), int(seq))
            for game_id, (epoch, seq) in zip(ids, answers, strict=True)
            if epoch is not None and seq is not None
        }

    async def list(
        self, status: Literal["playing", "finished"] = "playing", limit: int = 50
    ) -> Sequence[Stored]:
        """Mirrors, newest first."""
        index = keys.PLAYING if status == "playing" else keys.FINISHED
        ids = [entry.decode() for entry in await self._redis.zrevrange(index, 0, limit - 1)]
        found = await self.many(ids)
        return [found[game_id] for game_id in ids if game_id in found]

    async def many(self, game_ids: Sequence[str]) -> dict[str, Stored]:
        """Those of the games that have a mirror, by id; `settled` says nothing of these.

        One that a newer version has written is left out: it must not take the others with it.
        """
        ids = list(game_ids)
        if not ids:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for game_id in ids:
                pipe.hmget(keys.game(game_id), _FIELDS)
            answers = await pipe.execute()
        found = (_readable(game_id, fields) for game_id, fields in zip(ids, answers, strict=True))
        return {stored.game_id: stored for stored in found if stored is not None}

    async def is_archived(self, game_id: str) -> bool:
        """Whether there is a tombstone: the archive has the game."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hexists(keys.game(game_id), "tombstone")
            (answer,) = await pipe.execute()
        return bool(answer)

    async def room_game(self, room_code: str) -> str | None:
        """The game that a room plays, if we know it."""
        game_id = await self._redis.get(keys.room_game(room_code))
        return game_id.decode() if game_id else None

    async def room_games(self, room_codes: Sequence[str]) -> dict[str, str]:
        """The games that rooms play, of those rooms that are known to play one."""
        if not room_codes:
            return {}
        found = await self._redis.mget([keys.room_game(code) for code in room_codes])
        pairs = zip(room_codes, found, strict=True)
        return {code: game_id.decode() for code, game_id in pairs if game_id}


def _readable(game_id: str, fields: Sequence[bytes | None]) -> Stored | None:
    try:
        return _stored(game_id, fields, 0)
    except UnknownVersion as error:
        log.warning("game.unreadable", game=game_id, error=str(error))
        return None


def _stored(game_id: str, fields: Sequence[bytes | None], waiting: int) -> Stored | None:
    version, epoch, seq, body, as_of, stale, owed = fields
    check_version("a game", version)
    if epoch is None or seq is None or body is None:
        return None
    return Stored(
        game_id=game_id,
        epoch=epoch.decode(),
        seq=int(seq),
        body_json=body,
        as_of=int(as_of or 0),
        stale=stale == b"1",
        settled=waiting == 0 and not owed,
    )
