"""What is taken ahead: more for those who ask often, for a second at most."""

import pytest

from ludo.config import Rate
from ludo.store import stocks
from ludo.store.stocks import AHEAD_S, MOST_AHEAD, OFTEN_S, Stocks
from ludo.store.windows import Allowance
from tests.upstream.fakes import Clock

LEFT = (Allowance(Rate(1000, 60), 900, 30),)


def test_who_asks_again_and_again_gets_twice_as_much_each_time() -> None:
    """Up to a bound; a pause begins at nothing."""
    clock = Clock()
    kept = Stocks(clock)
    sizes = [kept.wanted("ann") for _ in range(12)]
    assert sizes == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, MOST_AHEAD, MOST_AHEAD]
    clock.now += OFTEN_S
    assert kept.wanted("ann") == 0


def test_a_stock_is_used_up_and_tells_what_is_left() -> None:
    """What is here is kept for this caller, so it counts as left."""
    kept = Stocks(Clock())
    kept.wanted("ann")
    kept.put("ann", 3, (1,), LEFT)
    told = []
    for _ in range(2):
        stock = kept.take("ann", 1)
        told.append(stock and stock.told()[0].remaining)
    assert told == [902, 901]
    assert kept.take("ann", 2) is None
    assert kept.take("bob", 1) is None


def test_a_stock_ends_after_a_second() -> None:
    """What is left of it is handed over once, to be given back."""
    clock = Clock()
    kept = Stocks(clock)
    kept.wanted("ann")
    kept.put("ann", 3, (1,), LEFT)
    assert list(kept.unused()) == []
    clock.now += AHEAD_S
    assert kept.take("ann", 1) is None
    assert [(caller, stock.left, stock.starts) for caller, stock in kept.unused()] == [
        ("ann", 3, (1,))
    ]
    assert list(kept.unused()) == []


def test_what_came_from_an_earlier_window_counts_no_more() -> None:
    """It could not be given back to the one that it was taken from."""
    kept = Stocks(Clock())
    kept.wanted("ann")
    kept.put("ann", 3, (1,), LEFT)
    assert kept.put("ann", 2, (1,), LEFT).left == 5
    assert kept.put("ann", 4, (2,), LEFT).left == 4


def test_callers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of them pushes out those who came first."""
    monkeypatch.setattr(stocks, "MOST_CALLERS", 5)
    kept = Stocks(Clock())
    for number in range(50):
        kept.wanted(f"caller-{number}")
        kept.put(f"caller-{number}", 1, (1,), LEFT)
    assert kept.take("caller-44", 1) is None
    assert kept.take("caller-45", 1) is not None
