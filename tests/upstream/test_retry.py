"""Trying again: what, when, how often, and when not."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import (
    BudgetSpent,
    CircuitOpen,
    UpstreamError,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ludo.upstream.retry import RetryBudget, RetryPolicy, is_passing, next_wait
from tests.upstream.fakes import Clock, retries

POLICY = RetryPolicy()
DOWN = UpstreamFailed(503)


class Upstream:
    """Answers one after the other; an error is raised, "ok" returned."""

    def __init__(self, *answers: UpstreamError | str) -> None:
        self._answers: Iterator[UpstreamError | str] = iter(answers)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        answer = next(self._answers)
        if isinstance(answer, UpstreamError):
            raise answer
        return answer


async def run(upstream: Upstream, clock: Clock, *, seconds: float = 60, floor: int = 9) -> str:
    """The answer of a call that may be repeated."""
    return await retries(clock, floor=floor).run(
        upstream, deadline=Deadline.after(seconds, clock), may_repeat=lambda: True
    )


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (UpstreamTimedOut(), True),
        (UpstreamUnavailable("", sent=False), True),
        (UpstreamUnavailable("", sent=True), True),
        (UpstreamThrottled(1), True),
        (UpstreamFailed(503), True),
        (UpstreamFailed(501), False),
        (UpstreamRefused(404, None, "", b""), False),
        (UpstreamMalformed("a", "b"), False),
        (BudgetSpent(1), False),
        (CircuitOpen("r", 1), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_only_what_passes_is_tried_again(error: BaseException | None, passing: bool) -> None:
    """A refusal stays one; asking again would only spend permits."""
    assert is_passing(error) is passing


@given(attempt=st.integers(1, 2), part=st.floats(0, 1))
def test_the_wait_is_a_random_part_that_doubles(attempt: int, part: float) -> None:
    """Full jitter: anything from nothing to the bound of that attempt."""
    bound = 0.1 * 2 ** (attempt - 1)
    assert next_wait(DOWN, attempt, POLICY, part) == part * bound


def test_the_bound_is_capped() -> None:
    """However often, nobody waits longer than the cap for lack of upstream's word."""
    assert next_wait(DOWN, 19, RetryPolicy(attempts=20), 1.0) == POLICY.cap


@pytest.mark.parametrize("error", [UpstreamThrottled(2.0), UpstreamFailed(503, 2.0)])
def test_what_upstream_asks_for_is_waited_and_a_little_more(error: UpstreamError) -> None:
    """Jitter comes on top, so that not all come back in the same moment."""
    assert next_wait(error, 1, POLICY, 0.5) == 2.05


def test_a_long_wish_is_left_to_the_caller() -> None:
    """Beyond some seconds the caller learns of it instead of waiting."""
    assert next_wait(UpstreamThrottled(5.1), 1, POLICY, 0.5) is None


async def test_the_first_answer_counts() -> None:
    """Failures before it are forgotten, each waited for longer than the one before."""
    clock = Clock()
    upstream = Upstream(DOWN, UpstreamTimedOut(), "ok")
    assert await run(upstream, clock) == "ok"
    assert clock.slept == [0.05, 0.1]


async def test_the_last_error_is_told() -> None:
    """After the last attempt the caller gets its error, not tenacity's."""
    upstream = Upstream(DOWN, DOWN, UpstreamTimedOut("last"))
    with pytest.raises(UpstreamTimedOut, match="last"):
        await run(upstream, Clock())
    assert upstream.calls == 3


async def test_nothing_is_tried_that_would_end_too_late() -> None:
    """A wait that leaves no time for the attempt after it is not begun."""
    clock, upstream = Clock(), Upstream(UpstreamThrottled(2.0), "ok")
    with pytest.raises(UpstreamThrottled):
        await run(upstream, clock, seconds=2.1)
    assert clock.slept == []


async def test_what_may_not_be_repeated_is_not() -> None:
    """A write without a key may have been done already."""
    upstream, clock = Upstream(DOWN, "ok"), Clock()
    with pytest.raises(UpstreamFailed):
        await retries(clock).run(
            upstream, deadline=Deadline.after(60, clock), may_repeat=lambda: False
        )
    assert upstream.calls == 1


async def test_an_error_of_our_own_is_not_swallowed() -> None:
    """A mistake in the code shows at once."""

    async def broken() -> str:
        raise KeyError("x")

    clock = Clock()
    with pytest.raises(KeyError):
        await retries(clock).run(broken, deadline=Deadline.after(9, clock), may_repeat=lambda: True)


async def test_retries_end_when_their_budget_does() -> None:
    """A failing upstream gets its usual load from us, not three times as much."""
    clock, shared = Clock(), retries(Clock(), floor=2)
    calls = 0
    for _ in range(40):
        upstream = Upstream(DOWN, DOWN, DOWN)
        with pytest.raises(UpstreamFailed):
            await shared.run(upstream, deadline=Deadline.after(60, clock), may_repeat=lambda: True)
        calls += upstream.calls
    assert calls == 40 + 2 + 4


@given(spends=st.lists(st.booleans(), max_size=300))
def test_retries_are_a_tenth_of_calls(spends: list[bool]) -> None:
    """However calls and retries come, there are never more than a tenth and the floor."""
    budget = RetryBudget(floor=3)
    spent = 0
    for calls, wants in enumerate(spends, start=1):
        budget.earn()
        spent += wants and budget.spend()
        assert spent <= 3 + calls // 10


def test_unused_retries_do_not_pile_up() -> None:
    """After a quiet day an outage does not begin with a burst."""
    budget = RetryBudget(most=10)
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == 10
