"""How often one caller may ask: several windows, counted exactly over all replicas."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.config import Rate
from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.store.stocks import AHEAD_S, Stock, Stocks
from ludo.store.windows import Outcome, Taken, Window, count, outcome

DEADLINE_S: Final = 2.0
AWAY_S: Final = 0.5
"""How long this process counts by itself before it asks a Redis again that did not answer."""
LOCAL_CALLERS: Final = 10_000

log = structlog.get_logger("quota")


class LocalQuota:
    """The same windows in this process' memory; bounded in callers."""

    def __init__(self, rates: Sequence[Rate], clock: Callable[[], float]) -> None:
        self._rates = tuple(rates)
        self._clock = clock
        self._callers: OrderedDict[str, tuple[Window, ...]] = OrderedDict()

    def take(self, caller: str, cost: int = 1) -> Outcome:
        """Takes `cost` from every window of a caller, or from none of them."""
        kept = self._callers.pop(caller, (Window(),) * len(self._rates))
        windows, told = count(kept, self._rates, int(self._clock() * 1000), cost)
        self._callers[caller] = windows
        if len(self._callers) > LOCAL_CALLERS:
            self._callers.popitem(last=False)
        return told


class Quota:
    """A caller's quota in Redis; without Redis, this process' own counts hold instead.

    For a caller who asks often, some of it is taken ahead, so that most requests need no round
    trip; what is not used within a second is given back while `run` runs.
    """

    def __init__(self, scripts: Scripts, rates: Sequence[Rate], clock: Callable[[], float]) -> None:
        self._scripts = scripts
        self._rates = tuple(rates)
        self._clock = clock
        self._local = LocalQuota(rates, clock)
        self._ahead = Stocks(clock)
        self._away_until = float("-inf")

    @property
    def counts(self) -> bool:
        """Whether there is any quota."""
        return bool(self._rates)

    def at_once(self, caller: str, cost: int = 1) -> Taken | None:
        """Takes from what was taken ahead; None if Redis has to be asked."""
        if not self._rates:
            return Taken(())
        stock = self._ahead.take(caller, cost)
        return None if stock is None else Taken(stock.told())

    async def take(self, caller: str, cost: int = 1) -> Outcome:
        """Takes `cost` from every window of a caller, or from none of them; never raises."""
        taken = self.at_once(caller, cost)
        if taken is not None:
            return taken
        if self._clock() < self._away_until:
            return self._local.take(caller, cost)
        wanted = self._ahead.wanted(caller)
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._shared(caller, cost, wanted)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("quota.local", error=repr(error))
            # The next ones need not find out for themselves.
            self._away_until = self._clock() + AWAY_S
            return self._local.take(caller, cost)

    async def run(self) -> None:
        """Gives back what was taken ahead and not used, until cancelled."""
        while True:
            await asyncio.sleep(AHEAD_S)
            for caller, stock in self._ahead.unused():
                try:
                    async with asyncio.timeout(DEADLINE_S):
                        await self._give_back(caller, stock)
                except (RedisError, OSError, TimeoutError) as error:
                    log.debug("quota.not_given_back", error=repr(error))

    async def _shared(self, caller: str, cost: int, wanted: int) -> Outcome:
        fits, ahead, now, *numbers = await self._scripts.run(
            "take_quota",
            keys=self._keys(caller),
            args=[
                cost,
                wanted,
                *(arg for rate in self._rates for arg in (rate.limit, rate.seconds * 1000)),
            ],
        )
        windows = [Window(*numbers[at : at + 3]) for at in range(0, len(numbers), 3)]
        told = outcome(bool(fits), self._rates, windows, now, cost)
        if not ahead:
            return told
        starts = tuple(window.start for window in windows)
        return Taken(self._ahead.put(caller, ahead, starts, told.allowances).told())

    async def _give_back(self, caller: str, stock: Stock) -> None:
        await self._scripts.run(
            "give_back_quota",
            keys=self._keys(caller),
            args=[secrets.token_hex(8), stock.left, *stock.starts],
        )

    def _keys(self, caller: str) -> list[str]:
        return [keys.quota(caller, str(rate)) for rate in self._rates]
