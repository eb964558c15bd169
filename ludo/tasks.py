"""Tasks that end with their owner."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

log = structlog.get_logger("tasks")

_ASK_AGAIN_S: Final = 0.1


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all of them are over, however each of them ends.

    Until Python 3.12 `asyncio.wait_for`, through which redis-py sends every command, can lose a
    cancellation that comes in the moment of its success; so it is asked for again. A caller that
    is itself asked again meanwhile still leaves none of them behind: one would go on with what
    its owner closes next, and open it anew.
    """
    waiting = {task for task in tasks if not task.done()}
    asked_again: asyncio.CancelledError | None = None
    while waiting:
        for task in waiting:
            task.cancel()
        try:
            await asyncio.wait(waiting, timeout=_ASK_AGAIN_S)
        except asyncio.CancelledError as asked:
            asked_again = asked
        waiting = {task for task in waiting if not task.done()}
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at: nobody is left to be told
    if asked_again is not None:
        raise asked_again


@asynccontextmanager
async def beside(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs work beside the block, and ends it with the block.

    Work that fails before does not fail the block, but the log tells of it at once.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    try:
        yield
    finally:
        await end(task)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task.failed", task=task.get_name(), exc_info=error)
