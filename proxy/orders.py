"""Reads what operators order all nodes to do, and remembers which tokens were revoked.

Every process of the proxy has one; the relay also ends connections by it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.store.orders import Given, Orders, Revoke
from proxy.relay.callers import Caller
from proxy.relay.rounds import rounds

LOOK_EVERY_S: Final = 0.5
WITHIN_S: Final = 2.0
REMEMBERED: Final = 1_000

log = structlog.get_logger("orders")


class OrderWatch:
    """Reads orders twice a second, and at once when nudged; hands each on once.

    `obey` is called with every order and the Unix second in which it was given.
    """

    def __init__(self, orders: Orders, look_every: float = LOOK_EVERY_S) -> None:
        self.orders = orders
        self.obey: Callable[[Given, int], None] = _ignored
        self._look_every = look_every
        self._place: str | None = None
        self._nudged = asyncio.Event()
        self._players: dict[str, int] = {}
        self._tokens: dict[str, int] = {}

    async def begin(self) -> None:
        """Find the place to read on from; without Redis that is done later."""
        try:
            await self.look()
        except (RedisError, OSError) as error:
            log.warning("orders.not_read", error=repr(error))

    def nudge(self) -> None:
        """Look at once."""
        self._nudged.set()

    async def run(self) -> None:
        """Look for ever."""
        await rounds("orders", self._look_every, self._nudged, self.look)

    async def look(self) -> None:
        """Take what was ordered since the last look; raises what Redis raises."""
        async with asyncio.timeout(WITHIN_S):
            if self._place is None:
                self._place = await self.orders.last()
            given = await self.orders.after(self._place)
        for each in given:
            second = int(each.id.partition("-")[0]) // 1000
            if isinstance(each.order, Revoke):
                self._remember(each.order, second)
            self._place = each.id
            self.obey(each, second)

    def forbids(self, caller: Caller) -> bool:
        """Whether a caller's token was revoked since this process began."""
        if caller.token_id is not None and caller.token_id in self._tokens:
            return True
        until = self._players.get(caller.sub) if caller.sub is not None else None
        return until is not None and (caller.issued is None or caller.issued <= until)

    def _remember(self, order: Revoke, second: int) -> None:
        for name, kept in ((order.player, self._players), (order.token, self._tokens)):
            if name is not None:
                kept.pop(name, None)
                kept[name] = second
                if len(kept) > REMEMBERED:
                    del kept[next(iter(kept))]


def _ignored(_given: Given, _second: int) -> None:
    pass
