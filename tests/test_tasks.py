"""Tasks end with their owner, also those that lose a cancellation."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from ludo.tasks import beside, end


async def deaf(times: int) -> None:
    """Loses so many cancellations, as `wait_for` can."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_a_lost_cancellation_is_asked_for_again(times: int) -> None:
    """The owner does not wait for ever."""
    task = asyncio.create_task(deaf(times))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(task)
    assert task.done()


async def test_an_owner_who_is_asked_twice_leaves_nobody_behind() -> None:
    """A task that goes on after its owner would use what the owner's owner has closed."""
    child = asyncio.create_task(deaf(3))

    async def own() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await end(child)

    owner = asyncio.create_task(own())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(owner)
    assert child.done()
    assert owner.cancelled()


async def test_work_ends_with_its_block() -> None:
    """However the block ends."""
    running = asyncio.Event()

    async def work() -> None:
        try:
            running.set()
            await asyncio.sleep(60)
        finally:
            running.clear()

    with suppress(KeyError):
        async with beside("work", work()):
            await running.wait()
            raise KeyError
    assert not running.is_set()


async def test_a_task_that_failed_does_not_fail_its_owner() -> None:
    """Its error was its own business, but the log tells of it."""

    async def work() -> None:
        raise ValueError

    with capture_logs() as logs:
        async with beside("work", work()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert [(each["event"], each["task"]) for each in logs] == [("task.failed", "work")]
