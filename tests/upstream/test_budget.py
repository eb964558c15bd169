"""The budget of a client that nothing limits."""

from ludo.upstream.budget import Budget, CallClass, Unlimited
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
