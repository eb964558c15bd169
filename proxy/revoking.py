"""Tokens that were good and are not any more: what an operator revoked, on every replica."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.store.orders import Orders
from proxy.relay.callers import Authenticator, Caller, Refused

WITHIN_S: Final = 0.5
PAUSE_S: Final = 1.0
"""After Redis did not answer, nobody waits for it again so soon."""

log = structlog.get_logger("auth")


class Revoking:
    """Verifies callers, and refuses what was revoked.

    While Redis is out of reach nobody can be asked: good tokens pass then.
    """

    def __init__(
        self, verifier: Authenticator, orders: Orders, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verifier = verifier
        self._orders = orders
        self._clock = clock
        self._ask_again_at = float("-inf")

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        found = await self._verifier.authenticate(token)
        return found if isinstance(found, Refused) else await self.recheck(found)

    async def recheck(self, caller: Caller) -> Caller | Refused:
        """The caller, unless his token was revoked meanwhile."""
        if caller.sub is not None and await self._is_revoked(caller.sub, caller):
            return Refused("the token was revoked")
        return caller

    async def _is_revoked(self, player: str, caller: Caller) -> bool:
        if self._clock() < self._ask_again_at:
            return False
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._orders.is_revoked(player, caller.token_id, caller.issued)
        except (RedisError, OSError) as error:
            self._ask_again_at = self._clock() + PAUSE_S
            log.warning("auth.revocations_unknown", error=repr(error))
            return False
