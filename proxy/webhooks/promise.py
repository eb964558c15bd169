"""Whether the Redis of this moment keeps what it acknowledges.

A start-up looks once, but a Redis may be met only later, be replaced by another one while it is
away, or be told another configuration while it runs. A 2xx of the receiver is a promise, so what
it rests on is looked at again and again, and nothing is taken in before it was looked at.
"""

import asyncio
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import durability

LOOK_EVERY_S: Final = 1.0
AWAY_S: Final = 0.1
"""How soon a Redis that is not known yet, or was away, is looked at again."""
LOOK_WITHIN_S: Final = 2.0
_UNKNOWN: Final = "Redis was not looked at yet"

log = structlog.get_logger("webhooks")


class Promise:
    """`trouble` says why nothing may be accepted, or is None; `run` follows it."""

    def __init__(self, redis: Redis, *, allow_volatile: bool) -> None:
        self._redis = redis
        self._allow_volatile = allow_volatile
        self.trouble: str | None = None if allow_volatile else _UNKNOWN

    async def run(self) -> None:
        """Looks until cancelled; where a volatile Redis is accepted there is nothing to look at."""
        while not self._allow_volatile:
            await self.look()
            await asyncio.sleep(AWAY_S if self.trouble == _UNKNOWN else LOOK_EVERY_S)

    async def look(self) -> None:
        """Looks once, for at most 2 s; nothing that Redis does ends `run`."""
        if not self._allow_volatile:
            self._say(await self._found())

    async def _found(self) -> str | None:
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                found = await durability.ask(self._redis)
        except (RedisError, OSError, TimeoutError):
            return _UNKNOWN  # another one may come in its place
        except Exception:  # whatever it is, a receiver that looks no longer refuses for ever
            log.exception("receiver.look_failed")
            return _UNKNOWN
        return durability.sentence(found) if isinstance(found, durability.Refused) else None

    def _say(self, trouble: str | None) -> None:
        if trouble not in (self.trouble, None, _UNKNOWN):
            log.error("receiver.volatile_redis", reason=trouble)
        self.trouble = trouble
