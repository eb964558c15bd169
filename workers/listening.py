"""Upstream's WebSocket, listened to by one worker of all: a socket for each room."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError

from ludo import tasks
from ludo.store.ownership import Ownership
from ludo.upstream.errors import UpstreamError
from ludo.upstream.wire.models import Room
from workers.census import ListRooms

LISTENER_TTL_S: Final = 4.0
"""How long rooms are followed by nobody after their listener was killed."""
HOLD_EVERY_S: Final = 1.0
HOLD_WITHIN_S: Final = 1.5
UNLISTED_LOOKS: Final = 2
"""A closed room leaves the list before its last words have arrived."""

log = structlog.get_logger("workers")


class Follower(Protocol):
    """A socket of one room."""

    async def run(self) -> None:
        """Follows the room until it is closed."""


class Listener:
    """Follows every open room for as long as the ownership is ours.

    `every` is how often upstream is asked for its rooms, in seconds; `most` bounds the sockets.
    """

    def __init__(
        self,
        ownership: Ownership,
        rooms: ListRooms,
        socket: Callable[[Room], Follower],
        *,
        every: float,
        most: int,
    ) -> None:
        self._ownership = ownership
        self._rooms = rooms
        self._socket = socket
        self._every = every
        self._most = most
        self._following: dict[str, asyncio.Task[None]] = {}
        self._unlisted: Counter[str] = Counter()
        self._held_until = 0.0
        self._next_look = 0.0

    @property
    def following(self) -> frozenset[str]:
        """The codes of the rooms that are followed now."""
        return frozenset(code for code, task in self._following.items() if not task.done())

    async def run(self) -> None:
        """Listens whenever nobody else does, until cancelled; then the next one may at once."""
        try:
            while True:
                await self._step()
                await asyncio.sleep(HOLD_EVERY_S)
        finally:
            await self._leave()
            await self._release()

    async def _step(self) -> None:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(HOLD_WITHIN_S):
                held = await self._ownership.hold()
        except (RedisError, OSError, TimeoutError):
            held = now < self._held_until
        else:
            if held != (now < self._held_until):
                log.info("listener.began" if held else "listener.left")
            self._held_until = now + LISTENER_TTL_S if held else 0.0
        if not held:
            await self._leave()
        elif now >= self._next_look:
            self._next_look = now + self._every
            await self._look()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LISTENER_TTL_S / 2):
                rooms = list(await self._rooms())
        except (UpstreamError, TimeoutError) as error:
            log.warning("rooms.unknown", error=repr(error))
            return
        await self._end_unlisted({room.code for room in rooms})
        self._follow(rooms)

    def _follow(self, rooms: Iterable[Room]) -> None:
        for room in rooms:
            task = self._following.get(room.code)
            if task is not None and not task.done():
                continue
            if len(self.following) >= self._most:
                log.warning("listener.full", most=self._most)  # the census finds their games
                return
            self._following[room.code] = asyncio.create_task(
                self._socket(room).run(), name=f"socket {room.code}"
            )

    async def _end_unlisted(self, listed: set[str]) -> None:
        self._unlisted = Counter(
            {code: self._unlisted[code] + 1 for code in self._following if code not in listed}
        )
        over = [code for code, looks in self._unlisted.items() if looks >= UNLISTED_LOOKS]
        await tasks.end(*(self._following.pop(code) for code in over))

    async def _leave(self) -> None:
        following, self._following = self._following, {}
        self._next_look = 0.0
        await tasks.end(*following.values())

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(HOLD_WITHIN_S):
                await self._ownership.release()
        except (RedisError, OSError, TimeoutError):
            return  # it ends by itself
