"""Sliding windows of requests, purely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.config import Rate
from ludo.store.windows import Spent, Taken, Window, count, outcome

LENGTH = 10_000


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (5_000, Window(0, 4, 2)),
        (10_000, Window(10_000, 0, 4)),
        (19_999, Window(10_000, 0, 4)),
        (20_000, Window(20_000)),
    ],
)
def test_a_window_becomes_the_one_before(now: int, expected: Window) -> None:
    """And is forgotten after another one."""
    assert Window(0, 4, 2).at(now, LENGTH) == expected


def test_the_window_before_counts_as_far_as_it_overlaps() -> None:
    """Half of it in the middle of the next one."""
    assert Window(0, 3, 8).used(5_000, LENGTH) == 3 + 4


def test_the_tightest_rate_is_named() -> None:
    """The one that is used up for longest."""
    rates = [Rate(1, 1), Rate(1, 60)]
    told = outcome(False, rates, [Window(0, 1), Window(0, 1)], 0, 1)
    assert isinstance(told, Spent)
    assert told.rate == Rate(1, 60)


@given(st.lists(st.integers(1, 5), max_size=50), st.integers(1, 30))
def test_one_window_gives_its_limit_and_no_more(costs: list[int], limit: int) -> None:
    """Whatever the requests cost."""
    windows: tuple[Window, ...] = (Window(),)
    used = 0
    for cost in costs:
        windows, told = count(windows, [Rate(limit, 60)], 1, cost)
        fits = used + cost <= limit
        assert isinstance(told, Taken) is fits
        used += cost if fits else 0
        assert told.allowances[0].remaining == limit - used
