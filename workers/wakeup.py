"""An arq worker that wakes at once instead of at its next poll, and takes many games at a time."""

import asyncio
from collections.abc import Awaitable
from typing import Final, cast

import structlog
from arq import Worker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo import tasks
from ludo.store import keys
from ludo.store.claims import Due
from workers.due import DueGames

RETRY_S: Final = 0.2
SHORTEST_WAIT_S: Final = 0.01
WAKE_UP: Final = b"apply_game:"

log = structlog.get_logger("workers")


class NudgedWorker(Worker):
    """Takes due games at every nudge, polls arq's queue every `poll_delay`, and survives Redis.

    arq's queue is the doorbell that outlives every process; a job of its own, which takes five
    steps in Redis one after the other, is for what waits for upstream, and for the wake-up of a
    game that nobody took. Without `due` every wake-up is a job.

    It replaces the waiting of `Worker.main`; `_poll_iteration` is arq's (pinned to 0.28).
    """

    def __init__(self, *, nudges: Redis, due: DueGames | None = None, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._nudges = nudges
        self._due = due
        self._more = False
        self._left = frozenset[bytes]()

    async def main(self) -> None:
        """Polls until cancelled."""
        while True:
            try:
                await self._poll_iteration()
                await self._until_next_poll()
            except (RedisError, OSError) as error:
                log.warning("redis.away", error=repr(error))
                await self._begin_again()

    async def _until_next_poll(self) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + self.poll_delay_s
        while (left := until - clock()) > 0:
            due = await self._taken()
            if due is not None and due.owing:
                return
            if due is None or not due.more:
                await self._nudged(left)
            if due is None:
                return

    async def _taken(self) -> Due | None:
        """What was taken of the due games; None for a worker that takes none."""
        if self._due is None or not self.allow_pick_jobs:
            return None
        due = await self._due.take()
        self._more = due.more
        return due

    async def _nudged(self, within: float) -> None:
        if not self.allow_pick_jobs:
            await asyncio.sleep(within)  # nudges are for those who stay
            return
        # redis-py types the timeout as whole seconds; Redis 6 takes fractions, and 0 is for ever.
        timeout = cast(int, max(within, SHORTEST_WAIT_S))
        await cast(Awaitable[object], self._nudges.blpop([keys.NUDGE], timeout=timeout))

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Starts arq's jobs, but for wake-ups of games that are about to be taken.

        One that lies there at a second poll, though nothing more could be taken, is run.
        """
        if self._due is not None:
            wake_ups = frozenset(each for each in job_ids if each.startswith(WAKE_UP))
            passed = wake_ups if self._more else wake_ups - self._left
            self._left = wake_ups
            job_ids = [each for each in job_ids if each not in passed]
        await super().start_jobs(job_ids)

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
        until = asyncio.get_running_loop().time() + within
        if self.tasks:
            await asyncio.wait(list(self.tasks.values()), timeout=within)
        await tasks.end(*self.tasks.values())
        if self._due is not None:
            await self._due.drain(max(0.0, until - asyncio.get_running_loop().time()))
