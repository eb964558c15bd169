"""Work that is done again and again, for as long as its task lives."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def rounds(
    name: str, every: float, nudged: asyncio.Event, work: Callable[[], Awaitable[None]]
) -> None:
    """Does the work every so many seconds, and at once when nudged; it may fail, and never ends."""
    while True:
        nudged.clear()
        try:
            await work()
        except Exception as error:  # the next round makes up for it
            log.warning("relay.round_failed", work=name, error=repr(error))
        try:
            async with asyncio.timeout(every):
                await nudged.wait()
        except TimeoutError:
            continue
