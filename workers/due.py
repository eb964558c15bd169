"""Brings the games that are due up to date, many at once, without a job for each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from ludo import tasks
from ludo.store.claims import Due, Taken

HANDS: Final = 3
"""Claims that are worked on at once: while Redis syncs one to its disk, the next is decided."""

Take = Callable[[], Awaitable[Due]]
Finish = Callable[[Taken], Awaitable[None]]
log = structlog.get_logger("workers")


class DueGames:
    """Takes games that are due, and finishes each within so many seconds; HANDS claims at a time.

    What one game raises is its own: the others of its claim go on, and it is due again when its
    lease ends.
    """

    def __init__(self, take: Take, finish: Finish, within: float) -> None:
        self._take = take
        self._finish = finish
        self._within = within
        self._hands = asyncio.Semaphore(HANDS)
        self._claims: set[asyncio.Task[None]] = set()

    async def take(self) -> Due:
        """Waits for a free hand, and sets it to work on what it takes; raises RedisError."""
        await self._hands.acquire()
        try:
            due = await self._take()
        except BaseException:
            self._hands.release()
            raise
        if not due.games:
            self._hands.release()
            return due
        claim = asyncio.create_task(self._work(due.games), name="due-games")
        self._claims.add(claim)
        claim.add_done_callback(self._over)
        return due

    async def drain(self, within: float) -> None:
        """Waits for the claims at work, and ends what takes longer; its games stay due."""
        if self._claims:
            await asyncio.wait(self._claims, timeout=within)
        await tasks.end(*self._claims)

    async def _work(self, games: tuple[Taken, ...]) -> None:
        async with asyncio.TaskGroup() as group:
            for taken in games:
                group.create_task(self._one(taken))

    async def _one(self, taken: Taken) -> None:
        try:
            async with asyncio.timeout(self._within):
                await self._finish(taken)
        except Exception:
            log.exception("game.failed", game=taken.game_id)

    def _over(self, claim: asyncio.Task[None]) -> None:
        self._claims.discard(claim)
        self._hands.release()
