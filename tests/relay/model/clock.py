"""An event loop whose time passes only when nobody has anything to do."""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, TypeVar

T = TypeVar("T")

LOOK = 1e-7


class Deadlock(Exception):
    """Everybody waits, and nothing will ever happen."""


class _NoSockets(selectors.BaseSelector):
    def __init__(self) -> None:
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Deadlock
        # Looking takes time, as in the world: a timer that rang a rounding error early rings again.
        self.now += max(timeout, LOOK)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs a world as fast as it can be computed, the same way each time."""

    def __init__(self) -> None:
        self._selected = _NoSockets()
        super().__init__(self._selected)

    def time(self) -> float:
        """Seconds of this world."""
        return self._selected.now


def run(world: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a time of its own."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(world)
    finally:
        with suppress(Deadlock):
            loop.run_until_complete(_end_all())
        loop.close()


async def _end_all() -> None:
    """What a failed run has left behind."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def times(loop: asyncio.AbstractEventLoop) -> SimpleNamespace:
    """What stands in for the `time` module."""
    return SimpleNamespace(monotonic=loop.time, time=lambda: 1_700_000_000 + loop.time())
