"""Waits between connections: longer each time, never in step, short again after a success."""

import random

from ludo.upstream.backoff import Backoff


def test_bounds_double_up_to_the_longest() -> None:
    """Each wait is drawn from nought to its bound."""

    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    backoff = Backoff(first=0.5, longest=4.0, chance=Highest())

    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_waits_are_spread() -> None:
    """A thousand sockets that were cut together do not come back together."""
    waits = {Backoff(first=1.0, chance=random.Random(seed)).next() for seed in range(100)}
    assert len(waits) == 100
    assert all(0 <= wait <= 1 for wait in waits)


def test_success_begins_anew() -> None:
    """After it the first failure waits as the very first did."""
    backoff = Backoff(first=1e-9, longest=100.0)
    for _ in range(40):
        backoff.next()
    backoff.reset()

    assert backoff.next() <= 1e-9
