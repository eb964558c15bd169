"""Tasks that end with their owner."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

_ASK_AGAIN_S: Final = 0.1


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all of them are over, however each of them ends.

    Until Python 3.12 `asyncio.wait_for`, through which redis-py sends every command, can lose a
    cancellation that comes in the moment of its success; so it is asked for again.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_ASK_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at: nobody is left to be told


@asynccontextmanager
async def beside(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs work beside the block, and ends it with the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await end(task)
