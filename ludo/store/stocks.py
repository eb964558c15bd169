"""What was taken ahead from callers' quotas: more for those who ask often, nothing for the rest."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ludo.store.windows import Allowance

AHEAD_S: Final = 1.0
"""How long a stock may be used: by so much can the time of a request differ from its count."""
OFTEN_S: Final = 0.1
"""Who has to be asked about again so soon gets twice as much."""
MOST_AHEAD: Final = 256
MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class Stock:
    """One caller's: `left` to be used `until` then, taken from windows that began at `starts`."""

    size: int
    asked_at: float
    left: int = 0
    until: float = 0.0
    starts: tuple[int, ...] = ()
    allowances: tuple[Allowance, ...] = ()

    def told(self) -> tuple[Allowance, ...]:
        """What the caller has left: with what is here, since it is kept for him."""
        return tuple(Allowance(a.rate, a.remaining + self.left, a.reset) for a in self.allowances)


class Stocks:
    """The stocks of this process, bounded in callers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stocks: OrderedDict[str, Stock] = OrderedDict()

    def take(self, caller: str, cost: int) -> Stock | None:
        """The stock that `cost` was taken from; None if there is not enough."""
        stock = self._stocks.get(caller)
        if stock is None or stock.left < cost or self._clock() >= stock.until:
            return None
        stock.left -= cost
        return stock

    def wanted(self, caller: str) -> int:
        """How much to take ahead now that Redis has to be asked about a caller."""
        now, stock = self._clock(), self._stocks.get(caller)
        if stock is None:
            self._stocks[caller] = Stock(0, now)
            self._forget()
            return 0
        often = now - stock.asked_at < OFTEN_S
        stock.size = min(MOST_AHEAD, max(1, 2 * stock.size)) if often else 0
        stock.asked_at = now
        # What is left of an earlier one is given back first.
        return 0 if stock.left else stock.size

    def put(
        self, caller: str, ahead: int, starts: tuple[int, ...], allowances: tuple[Allowance, ...]
    ) -> Stock:
        """Take over what Redis gave ahead."""
        stock = self._stocks.setdefault(caller, Stock(ahead, self._clock()))
        # Two answers may come for one caller; what came from earlier windows counts no more.
        stock.left = ahead + (stock.left if stock.starts == starts else 0)
        stock.until = stock.asked_at + AHEAD_S
        stock.starts, stock.allowances = starts, allowances
        return stock

    def unused(self) -> Iterator[tuple[str, Stock]]:
        """The stocks whose time is over with something left; they are gone from here."""
        now = self._clock()
        ended = [caller for caller, stock in self._stocks.items() if now >= stock.until]
        for caller in ended:
            stock = self._stocks[caller]
            if now - stock.asked_at > AHEAD_S:
                del self._stocks[caller]
            left, stock.left = stock.left, 0
            if left:
                yield caller, replace(stock, left=left)

    def _forget(self) -> None:
        if len(self._stocks) > MOST_CALLERS:
            self._stocks.popitem(last=False)
