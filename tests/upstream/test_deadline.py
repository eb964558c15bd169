"""The moment after which nobody waits any more."""

import asyncio

import pytest

from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import DeadlinePassed
from tests.upstream.fakes import Clock


def test_what_is_left_runs_out() -> None:
    """And never below nothing."""
    clock = Clock()
    deadline = Deadline.after(2, clock)
    lefts = []
    for _ in range(4):
        lefts.append(deadline.left())
        clock.now += 1
    assert lefts == [2, 1, 0, 0]


async def test_it_ends_what_is_awaited() -> None:
    """With an error that says so."""
    with pytest.raises(DeadlinePassed):
        async with Deadline.after(0.01).bound():
            await asyncio.sleep(60)


async def test_a_cancellation_stays_one() -> None:
    """Whoever cancels us does not get an answer instead."""

    async def wait() -> None:
        async with Deadline.after(60).bound():
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
