"""What is played upstream that we never heard of: asked at the start, and once an hour."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.mirror.owed import Reason
from ludo.store import keys
from ludo.store.claims import Claims
from ludo.store.games import GameReader
from ludo.upstream.errors import UpstreamError
from ludo.upstream.wire.models import Room

EVERY_S: Final = 3_600
JUST_NOW_S: Final = 60
LOOK_EVERY_S: Final = 30.0

ListRooms = Callable[[], Awaitable[Iterable[Room]]]
log = structlog.get_logger("workers")


class Census:
    """Asks upstream for its rooms, and has each of their games mirrored that is not.

    A key in Redis keeps it to one census an hour, and one at a start of however many workers.
    """

    def __init__(self, rooms: ListRooms, claims: Claims, redis: Redis) -> None:
        self._rooms = rooms
        self._claims = claims
        self._redis = redis
        self._games = GameReader(redis)

    async def run(self) -> None:
        """Takes a census at once and whenever one is due, until cancelled."""
        began = True
        while True:
            try:
                if await self._is_due(began=began):
                    await self._taken()
                began = False
            except (UpstreamError, RedisError, OSError) as error:
                log.warning("census.failed", error=repr(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def take(self) -> int:
        """How many games were found that had no mirror; raises UpstreamError or RedisError."""
        listed = [room.game_id for room in await self._rooms() if room.game_id]
        known = await self._games.tips(listed)
        unknown = [game_id for game_id in listed if game_id not in known]
        for game_id in unknown:
            await self._claims.ask(game_id, Reason.CENSUS)
        log.info("census.taken", games=len(listed), unknown=len(unknown))
        return len(unknown)

    async def _taken(self) -> None:
        try:
            await self.take()
        except BaseException:
            await self._redis.delete(keys.CENSUS)  # it is due for whoever looks next
            raise

    async def _is_due(self, *, began: bool) -> bool:
        if await self._redis.set(keys.CENSUS, "1", nx=True, ex=EVERY_S):
            return True
        # Who has just come up does not know what was missed while nobody was there.
        if not began or await self._redis.ttl(keys.CENSUS) > EVERY_S - JUST_NOW_S:
            return False
        return bool(await self._redis.set(keys.CENSUS, "1", ex=EVERY_S))
