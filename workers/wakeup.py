"""An arq worker that wakes at once instead of at its next poll."""

import asyncio
from collections.abc import Awaitable
from typing import Final, cast

import structlog
from arq import Worker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo import tasks
from ludo.store import keys

RETRY_S: Final = 0.2

log = structlog.get_logger("workers")


class NudgedWorker(Worker):
    """Waits for a nudge or `poll_delay`, whichever comes first, and survives Redis.

    It replaces the waiting of `Worker.main`; `_poll_iteration` is arq's (pinned to 0.28).
    """

    def __init__(self, *, nudges: Redis, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._nudges = nudges

    async def main(self) -> None:
        """Polls until cancelled."""
        while True:
            try:
                await self._poll_iteration()
                # redis-py types the timeout as whole seconds; Redis 6 takes fractions.
                await cast(
                    Awaitable[object],
                    self._nudges.blpop([keys.NUDGE], timeout=cast(int, self.poll_delay_s)),
                )
            except (RedisError, OSError) as error:
                log.warning("redis.away", error=repr(error))
                await self._begin_again()

    async def _begin_again(self) -> None:
        """Forgets what the failed poll had taken; jobs at work go on.

        A claim that fails in `start_jobs` keeps its slot for ever; after as many failures as
        there are slots the worker would never take a job again. Nothing waits for the jobs: one
        may be with upstream, or at its own retries with Redis, for many seconds.
        """
        await asyncio.sleep(RETRY_S)
        await tasks.end(*(task for task in self.tasks.values() if task.done()))
        self.tasks = {name: task for name, task in self.tasks.items() if not task.done()}
        self.job_counter = len(self.tasks)
        self.sem = asyncio.BoundedSemaphore(self.max_jobs + 1)
        for _ in self.tasks:
            await self.sem.acquire()

    async def drain(self, within: float) -> None:
        """Takes no more jobs and waits for those at work; what takes longer is ended.

        An ended job stays in arq's queue, and its game is due: another worker goes on with it.
        """
        self.allow_pick_jobs = False
        if self.tasks:
            await asyncio.wait(list(self.tasks.values()), timeout=within)
        await tasks.end(*self.tasks.values())
