"""The relay of one process: built by the composition root, run in the application's lifespan."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.tasks import end
from proxy.relay.admission import Admission
from proxy.relay.audit import Auditor
from proxy.relay.callers import Authenticator
from proxy.relay.codes import Code
from proxy.relay.driver import Connection, Socket
from proxy.relay.frames import SUBPROTOCOL
from proxy.relay.hub import Hub
from proxy.relay.limits import Limits
from proxy.relay.origins import is_allowed
from proxy.relay.reader import Reader
from proxy.relay.session import Own, Session
from proxy.relay.source import Source

log = structlog.get_logger()

_SPREAD: Final = 0.75
"""The part of a drain in which farewells are said; the rest is for those who move."""
_TIME_TO_MOVE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """How the relay is, for health and metrics; `link_age` is None while there is no link."""

    connections: int
    rooms: int
    subscriptions: int
    link_age: float | None
    """Seconds since the link to Redis last brought anything; it is pinged each 2 s."""


class Relay:
    """Serves WebSocket clients from the mirrors in Redis.

    `connect` gives a client for the pub/sub link, made with `reader.LINK`; `origins` are the web
    pages that may connect besides our own.
    """

    def __init__(
        self,
        source: Source,
        connect: Callable[[], Redis],
        authenticator: Authenticator,
        *,
        origins: Collection[str] = (),
        limits: Limits | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._source = source
        self._authenticator = authenticator
        self._origins = frozenset(origins)
        self._limits = limits or Limits()
        self._chance = chance or random.Random()
        self._clock = time.monotonic
        self._reader = Reader(connect, self._clock)
        self._hub = Hub(source, self._reader, self._limits, self._clock)
        self._auditor = Auditor(self._hub, source, self._limits, self._clock)
        self._admission = Admission(self._limits, self._clock())
        self._connections: dict[Connection, None] = {}
        self._left = asyncio.Event()
        self._gone_at: float | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to Redis while the block runs; at its end every client is sent away at once."""
        tasks = (
            asyncio.create_task(self._reader.run(self._hub, self._auditor.nudge)),
            asyncio.create_task(self._auditor.run()),
        )
        try:
            yield
        finally:
            await self.drain(0)
            await end(*tasks)
            await self._hub.aclose()

    async def serve(
        self, socket: Socket, *, game: str | None = None, room: str | None = None
    ) -> None:
        """Talk to one client; `game` or `room` is what the path names."""
        headers = socket.headers
        if not is_allowed(headers.get("origin"), headers.get("host"), self._origins):
            await socket.close(Code.FORBIDDEN)  # before the accept: HTTP 403
            return
        offered = socket.scope["subprotocols"]
        try:
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except OSError:
            return  # gone before we could greet
        connection = self._connection(socket, await self._own(game, room))
        self._connections[connection] = None
        try:
            await connection.run(unasked=game is not None or room is not None)
        finally:
            self._connections.pop(connection, None)
            self._left.set()

    async def drain(self, window: float) -> None:
        """Send everybody away within `window` seconds, still delivering; 0 means at once.

        Returns when all are gone. A second call may shorten the first.
        """
        self._gone_at = gone_at = self._clock() + window
        for connection in tuple(self._connections):
            self._see_off(connection, gone_at)
        try:
            async with asyncio.timeout(window + self._limits.close_within + 1):
                while self._connections:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            return  # the server's own exit ends whoever does not let go

    def status(self) -> Status:
        """How the relay is now."""
        heard_at = self._reader.heard_at
        return Status(
            connections=len(self._connections),
            rooms=len(self._hub.rooms),
            subscriptions=self._reader.subscriptions,
            link_age=None if heard_at is None else self._clock() - heard_at,
        )

    async def _own(self, game: str | None, room: str | None) -> Own | None:
        if room is None:
            return None if game is None else Own(game, game)
        try:
            async with asyncio.timeout(self._limits.source_within):
                return Own(room, await self._source.room_game(room))
        except (RedisError, OSError) as error:
            log.warning("relay.store_unreachable", room=room, error=repr(error))
            return Own(room, None)

    def _connection(self, socket: Socket, own: Own | None) -> Connection:
        now = self._clock()
        session = Session(
            secrets.token_hex(8),
            self._limits,
            now,
            wall_ms=int(time.time() * 1000),
            chance=self._chance.random(),
            own=own,
        )
        connection = Connection(
            socket, session, self._hub, self._authenticator, self._limits, self._clock
        )
        if not self._admission.admit(len(self._connections), now):
            after = self._chance.uniform(1, 10)
            connection.end(Code.OVERLOADED, "too many clients come at once", after)
        elif self._gone_at is not None:
            self._see_off(connection, self._gone_at)
        return connection

    def _see_off(self, connection: Connection, gone_at: float) -> None:
        now = self._clock()
        at = now + self._chance.random() * max(0.0, gone_at - now) * _SPREAD
        connection.drain(at, max(now, min(at + _TIME_TO_MOVE, gone_at)))
