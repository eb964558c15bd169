"""All games, wherever they are: hot ones from Redis, archived ones from SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
import structlog
from redis.asyncio import Redis

from ludo.mirror.log import Entry
from ludo.rules.ruleset import RuleSet
from ludo.store import keys
from ludo.store.archive.archive import Archive, ArchivedGame
from ludo.store.errors import ArchiveUnavailable
from ludo.store.games import GameReader, Stored
from ludo.store.listing import Found, Page, Place, Wanted, page_of
from ludo.store.log import HotLog, Kept, from_kept

SCANNED: Final = 2_000
"""Hot games that one page looks through for those it wants."""
_CHUNK: Final = 200
_PLAYED: Final = frozenset({None, "playing"})
_OVER: Final = frozenset({None, "finished", "abandoned"})

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Chronicle:
    """A game with its log, and the rules that it is replayed by."""

    stored: Stored
    log: Sequence[Kept]
    rules: RuleSet

    def entries(self) -> list[Entry]:
        """The log as values."""
        return [from_kept(kept, self.rules) for kept in self.log]


class Library:
    """Reads games; every call raises RedisError, and ArchiveUnavailable where only SQL knows.

    Redis is asked first: the archive has a game before its hot copy is dropped.
    """

    def __init__(self, redis: Redis, archive: Archive, rules: RuleSet) -> None:
        self._redis = redis
        self._games = GameReader(redis)
        self._hot_log = HotLog(redis)
        self._archive = archive
        self._rules = rules

    async def load(self, game_id: str) -> Stored | None:
        """A game, or None if nobody knows it."""
        stored = await self._games.load(game_id)
        if stored is not None:
            return stored
        game = await self._archived(game_id)
        return None if game is None else _stored(game)

    async def tips(self, game_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
        """The place `(epoch, sequence)` of each game that Redis has, or has a tombstone of."""
        return await self._games.tips(game_ids)

    async def room_games(self, room_codes: Sequence[str]) -> dict[str, str]:
        """The game of each room that plays one we know."""
        return await self._games.room_games(room_codes)

    async def chronicle(self, game_id: str) -> Chronicle | None:
        """A game with its log, or None if nobody knows it."""
        stored = await self._games.load(game_id)
        if stored is not None:
            kept = await self._hot_log.load(game_id)
            if kept:  # else it has left in this moment
                return Chronicle(stored, kept, self._rules)
        game = await self._archived(game_id)
        if game is None:
            return None if stored is None else Chronicle(stored, (), self._rules)
        kept = await self._archive.log(game_id)
        return Chronicle(_stored(game), kept, RuleSet.parse(game.rules))

    async def page(self, wanted: Wanted) -> Page:
        """One page of games, the last first.

        Games that are over are in Redis and in SQL for a moment, under the same place.
        """
        sources = []
        if wanted.status in _PLAYED:
            sources.append(await self._hot(keys.PLAYING, wanted))
        if wanted.status in _OVER:
            sources.append(await self._hot(keys.FINISHED, wanted))
            sources.append(await self._cold(wanted))
        return page_of(sources, wanted.limit)

    async def _archived(self, game_id: str) -> ArchivedGame | None:
        try:
            return await self._archive.load(game_id)
        except ArchiveUnavailable as error:
            if await self._games.is_archived(game_id):
                raise
            log.warning("archive.unavailable", game=game_id, error=str(error))
            return None

    async def _cold(self, wanted: Wanted) -> Found:
        listed = await self._archive.list(
            limit=wanted.limit + 1,
            status=wanted.status,
            player_id=wanted.player_id,
            before=wanted.before,
        )
        return Found([(Place(game.ended_at, game.game_id), _stored(game)) for game in listed])

    async def _hot(self, index: str, wanted: Wanted) -> Found:
        found: list[tuple[Place, Stored]] = []
        top = "+inf" if wanted.before is None else wanted.before.at
        start = 0
        while True:
            rows = cast(
                Sequence[tuple[bytes, float]],
                await self._redis.zrevrangebyscore(
                    index, top, "-inf", start=start, num=_CHUNK, withscores=True
                ),
            )
            start += len(rows)
            places = [Place(int(score), game_id.decode()) for game_id, score in rows]
            ahead = [each for each in places if wanted.before is None or each < wanted.before]
            games = await self._games.many([each.game_id for each in ahead])
            found += [
                (place, games[place.game_id])
                for place in ahead
                if place.game_id in games and wanted.takes(games[place.game_id])
            ]
            if len(rows) < _CHUNK:
                return Found(found)
            if ahead and (len(found) > wanted.limit or start >= SCANNED):
                return Found(found, ahead[-1])


def _stored(game: ArchivedGame) -> Stored:
    body: dict[str, Any] = msgspec.json.decode(game.body_json)
    return Stored(
        game_id=game.game_id,
        epoch=game.epoch,
        seq=body["sequence"],
        body_json=game.body_json,
        as_of=game.as_of,
        stale=False,
        settled=True,
        archived=True,
    )
