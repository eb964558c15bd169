"""A durable Redis without an installation: one server a data folder, shared by its processes.

Every process of a folder looks after the server: the first starts it, and when it is killed
whoever notices first starts it again, because the server's own lock admits only one. Each holds
the `redis.users` lock shared, and the last one out ends the server. Locks are the kernel's
(flock), so a `kill -9` releases them; the folder has to be on a local disk.
"""

import asyncio
import fcntl
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from ludo.store import redis_server
from ludo.store.errors import RedisDidNotStart

_LOOK_EVERY: Final = 0.02
_END_DEADLINE: Final = 5.0
_FIRST_BACKOFF: Final = 0.05
_LONGEST_BACKOFF: Final = 2.0

log = structlog.get_logger()


@asynccontextmanager
async def bundled_redis(data_dir: Path) -> AsyncIterator[str]:
    """The address of the folder's server, which answers when the block begins."""
    async with BundledRedis(data_dir) as server:
        yield server.url


class BundledRedis:
    """This process' share in the server of a data folder.

    Opening raises NoRedisServer, DataFolderUnusable or RedisDidNotStart. Afterwards a server that
    ends is started again for as long as this or another process of the folder is open.
    """

    def __init__(self, data_dir: Path, *, start_deadline: float = 20.0) -> None:
        self._place = redis_server.prepare_place(data_dir)
        self._binary = redis_server.find_server()
        self._start_deadline = start_deadline
        self._keeper: asyncio.Task[None] | None = None
        self._user: int | None = None
        self._child: int | None = None
        self._is_open = False

    @property
    def url(self) -> str:
        """The address for redis-py; the same in every process of the folder."""
        return self._place.url

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._start_deadline):
                await self._open()
        except TimeoutError:
            await self.aclose()
            words = redis_server.last_words(self._place)
            raise RedisDidNotStart(
                f"redis-server gave no answer within {self._start_deadline:g} s; it said: {words}"
            ) from None
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _open(self) -> None:
        self._user = await self._join()
        self._keeper = asyncio.create_task(self._keep(), name="bundled-redis")
        while not await redis_server.answers(self._place):
            if self._keeper.done():
                await self._keeper
            await asyncio.sleep(_LOOK_EVERY)
        self._is_open = True

    async def aclose(self) -> None:
        """Leave the server to the folder's other processes; the last one ends it."""
        self._is_open = False
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        user, self._user = self._user, None
        if user is None:
            return
        try:
            if _is_last(user):
                await self._end()
        finally:
            os.close(user)

    async def _keep(self) -> None:
        backoff = _FIRST_BACKOFF
        while True:
            backoff = _FIRST_BACKOFF if await self._keep_once() else backoff * 2
            await asyncio.sleep(min(backoff, _LONGEST_BACKOFF))

    async def _keep_once(self) -> bool:
        """Have a server and watch it until it is gone; False if it did not come up."""
        try:
            await self._bring_up()
        except (RedisDidNotStart, OSError) as error:
            if not self._is_open:
                raise
            log.warning("redis.start_failed", reason=str(error))
            return False
        await redis_server.wait_until_gone(self._place)
        redis_server.reap(self._child)
        return True

    async def _bring_up(self) -> None:
        """Take the server that is running here, else start one; return when it answers."""
        started = False
        while not await redis_server.answers(self._place):
            if not redis_server.is_running(self._place):
                if started:
                    words = redis_server.last_words(self._place)
                    raise RedisDidNotStart(f"redis-server ended at once; it said: {words}")
                redis_server.reap(self._child)
                self._child = redis_server.spawn(self._binary, self._place)
                started = self._child is not None
            await asyncio.sleep(_LOOK_EVERY)

    async def _end(self) -> None:
        """End the server, which nobody else uses or can begin to use while we hold the lock."""
        if not redis_server.is_running(self._place):
            return
        await redis_server.ask_to_end(self._place)
        if not await self._has_gone() and self._child is not None:
            os.kill(self._child, signal.SIGKILL)
            await self._has_gone()
        redis_server.reap(self._child)

    async def _has_gone(self) -> bool:
        deadline = asyncio.get_running_loop().time() + _END_DEADLINE
        while redis_server.is_running(self._place):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("redis.end_timed_out", folder=str(self._place.folder))
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True

    async def _join(self) -> int:
        # It is held exclusively only by the last user while he ends the server. A blocking flock
        # in a thread could not be given up when this process ends.
        users = self._place.folder / "redis.users"
        while (lock := redis_server.try_lock(users, fcntl.LOCK_SH)) is None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY)
        return lock


def _is_last(user: int) -> bool:
    # Turning a shared lock into an exclusive one gives up the shared one first, so of several
    # users that leave at the same moment the last to ask always succeeds.
    try:
        fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
