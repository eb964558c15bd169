"""One-use tickets: they stand for a caller where a token must not be shown, in an address."""

import hashlib
import secrets
from typing import Final

from redis.asyncio import Redis

from ludo.store import keys

LIFETIME_S: Final = 30
_BYTES: Final = 24
MAX_LENGTH: Final = 64


class Tickets:
    """Issues and redeems tickets; every call raises redis.exceptions.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def issue(self, holder: bytes, lifetime_s: int = LIFETIME_S) -> str:
        """A ticket for what `holder` says, good for one use within `lifetime_s` seconds."""
        ticket = secrets.token_urlsafe(_BYTES)
        await self._redis.set(_key(ticket), holder, ex=lifetime_s)
        return ticket

    async def redeem(self, ticket: str) -> bytes | None:
        """What was said of its holder; None if there is no such ticket, or none any more."""
        if len(ticket) > MAX_LENGTH:
            return None
        found: bytes | None = await self._redis.getdel(_key(ticket))
        return found


def _key(ticket: str) -> str:
    # Only its digest: whoever reads the store cannot use what he finds.
    return keys.ticket(hashlib.sha256(ticket.encode()).hexdigest())
