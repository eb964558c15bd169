"""The budget of a client that nothing limits."""

import pytest

from ludo.upstream.budget import Budget, CallClass, Unlimited, stretch
from ludo.upstream.deadline import Deadline


async def test_there_is_always_a_permit() -> None:
    """Whatever upstream says of its window."""
    budget: Budget = Unlimited()
    await budget.learn(100, 0, 1e12)
    for klass in CallClass:
        await budget.take(klass, Deadline.after(0))


def test_classes_are_in_the_order_of_their_urgency() -> None:
    """A write goes before everything, a refresh after."""
    assert list(CallClass) == ["write", "read", "resync", "refresh"]


@pytest.mark.parametrize(
    ("left", "factor"), [(100, 1.0), (50, 1.0), (30, 4.5), (10, 8.0), (0, 8.0)]
)
def test_lifetimes_stretch_as_the_budget_runs_low(left: int, factor: float) -> None:
    """Not at all while half of it is left, eightfold from a tenth on."""
    assert stretch(left, 100) == pytest.approx(factor)


def test_nothing_stretches_without_a_limit() -> None:
    """There is nothing that could run low."""
    assert Unlimited().stretch == 1.0
