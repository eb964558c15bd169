"""How many connections each user has: counted here, bounded over all nodes."""

import asyncio
from collections import Counter
from itertools import islice
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.store.crowd import Crowd
from proxy.relay.limits import Limits
from proxy.relay.rounds import rounds

log = structlog.get_logger()

_AT_ONCE: Final = 1_000


class Attendance:
    """Counts users' connections of this node, and keeps the other nodes informed."""

    def __init__(self, crowd: Crowd, limits: Limits) -> None:
        self._crowd = crowd
        self._limits = limits
        self._here: Counter[str] = Counter()
        self._untold: set[str] = set()
        self._nudged = asyncio.Event()

    @property
    def users(self) -> int:
        """How many users are here."""
        return len(self._here)

    async def enter(self, user: str) -> bool:
        """Whether a user may have one more connection; `leave` gives it back.

        Without Redis the connections of this node count alone.
        """
        self._here[user] += 1
        try:
            allowed = await self._ask(user)
        except BaseException:
            self.leave(user)
            raise
        if not allowed:
            self.leave(user)
        return allowed

    def leave(self, user: str) -> None:
        """One connection less."""
        self._here[user] -= 1
        if not self._here[user]:
            del self._here[user]
        self._untold.add(user)
        self._nudged.set()

    async def run(self) -> None:
        """Keep the other nodes informed."""
        await rounds("attendance", self._limits.tell_every, self._nudged, self.tell)

    async def tell(self) -> None:
        """Renew our lease, and correct what the others know; raises what Redis raises."""
        if not self._here and not self._untold:
            return
        untold, self._untold = self._untold, set()
        try:
            if not await self._tell(untold, whole=False):
                await self._tell(set(self._here), whole=True)
        except BaseException:
            self._untold |= untold
            raise

    async def _ask(self, user: str) -> bool:
        limit = self._limits.user_connections
        try:
            async with asyncio.timeout(self._limits.source_within):
                return await self._crowd.enter(user, self._here[user], limit)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("relay.users_counted_here_only", error=repr(error))
            return self._here[user] <= limit

    async def _tell(self, users: set[str], *, whole: bool) -> bool:
        known, left = True, iter(users)
        while True:
            counts = {user: self._here.get(user, 0) for user in islice(left, _AT_ONCE)}
            async with asyncio.timeout(self._limits.source_within):
                known = await self._crowd.tell(counts, whole=whole) and known
            whole = False
            if len(counts) < _AT_ONCE:
                return known
