"""The relay of one process: built by the composition root, run in the application's lifespan."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from litestar.types import Receive, Scope, Send, WebSocketCloseEvent
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.tasks import beside
from proxy.errors import NotAllowed, NotNow
from proxy.relay.admission import Admission
from proxy.relay.attendance import Attendance
from proxy.relay.audit import Auditor
from proxy.relay.callers import Authenticator, Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.driver import Connection, Knock
from proxy.relay.frames import SUBPROTOCOL
from proxy.relay.gate import Gate, Pass
from proxy.relay.hub import Hub
from proxy.relay.limits import Limits
from proxy.relay.lobby import Lobby
from proxy.relay.orders import obey
from proxy.relay.origins import is_allowed, is_trusted
from proxy.relay.own import Own
from proxy.relay.pipe import Pipe, SocketPipe
from proxy.relay.presence import Presences
from proxy.relay.reader import Reader
from proxy.relay.session import Session
from proxy.relay.shared import Shared
from proxy.relay.source import Place, Source
from proxy.relay.stream import StreamPipe
from proxy.relay.tally import Tally
from proxy.relay.visitor import Visitor, visitor

log = structlog.get_logger()

_SPREAD: Final = 0.75
"""The part of a drain in which farewells are said; the rest is for those who move."""
_TIME_TO_MOVE: Final = 5.0
_COME_BACK_AFTER: Final = (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Status:
    """How the relay is, for health and metrics; `link_age` is None while there is no link."""

    connections: int
    rooms: int
    subscriptions: int
    streams: int
    users: int
    link_age: float | None
    """Seconds since the link to Redis last brought anything; it is pinged each 2 s."""


class Relay:
    """Serves clients, over sockets and streams, from the mirrors in Redis.

    `connect` gives a client for the pub/sub link, made with `reader.LINK`; `origins` are the web
    pages that may connect besides our own; `cookie` is where a browser may have its token.
    """

    def __init__(
        self,
        source: Source,
        connect: Callable[[], Redis],
        authenticator: Authenticator,
        shared: Shared,
        *,
        origins: Collection[str] = (),
        cookie: str = "ludo_token",
        limits: Limits | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._source = source
        self._origins = frozenset(origins)
        self._cookie = cookie
        self._limits = limits = limits or Limits()
        self._stream_limits = replace(limits, ping_every=limits.stream_ping_every)
        self._chance = chance or random.Random()
        self._clock = time.monotonic
        self._talk = shared.talk
        self.tally = Tally()
        self._reader = Reader(connect, self._clock, standing=(keys.ORDERS,))
        self._orders = shared.orders
        self._orders.obey = lambda given, at: obey(given, at, tuple(self._connections))
        self._hub = Hub(source, self._reader, limits, self._clock, lambda _: self._orders.nudge())
        self._auditor = Auditor(self._hub, source, limits, self._clock)
        self._presences = Presences(self._hub, shared.presence, limits, self._clock)
        self._lobby = Lobby(source, limits)
        self._attendance = Attendance(shared.crowd, limits)
        self._gate = Gate(authenticator, self._attendance, self._orders, limits)
        self._admission = Admission(limits, self._clock())
        self._connections: dict[Connection, None] = {}
        self._left = asyncio.Event()
        self._gone_at: float | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to Redis while the block runs; at its end every client is sent away at once."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._hub.aclose)
            for name, work in (
                ("relay-reader", self._reader.run(self._hub, self._auditor.nudge)),
                ("relay-audit", self._auditor.run()),
                ("relay-pace", self._talk.run()),
                ("relay-presence", self._presences.run()),
                ("relay-attendance", self._attendance.run()),
                ("relay-lobby", self._lobby.run()),
            ):
                await stack.enter_async_context(beside(name, work))
            stack.push_async_callback(self.drain, 0)
            yield

    async def serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        game: str | None = None,
        room: str | None = None,
    ) -> None:
        """Talk to one client over a WebSocket; `game` or `room` is what the path names."""
        who = visitor(scope)
        if not is_allowed(who.origin, who.host, self._origins):
            self.tally.closes[str(Code.FORBIDDEN.value)] += 1
            await send(_closed(Code.FORBIDDEN))  # before the accept: HTTP 403
            return
        if not self._admission.has_room(len(self._connections)):
            await self._turn_away(send, who)
            return
        try:
            await _accept(receive, send, who)
        except OSError:
            return  # gone before we could greet
        scope["headers"] = []  # nobody asks again, and each client would keep its own
        shown = who.cookie(self._cookie) if self._trusts(who.origin, who.host) else None
        structlog.contextvars.bind_contextvars(request_id=who.request_id)
        del who
        own = await self._own(game, room)

        async def knock(token: str | None, held: Pass) -> Caller | Refused:
            return await self._gate.admit(shown if token is None else token, held)

        pipe = SocketPipe(scope, receive, send)
        await self._attend(pipe, knock, own, stream=False)

    async def stream(
        self, receive: Receive, send: Send, caller: Caller, game: str, position: Place | None
    ) -> None:
        """Send one game's frames as server-sent events, from `position` on.

        Raises a ProxyError instead if that cannot begin.
        """
        if not self._admission.has_room(len(self._connections)):
            raise NotNow("too many clients are here", self._later())
        wait = self._limits.stream_retry * self._chance.uniform(0.5, 1.5)

        async def knock(_token: str | None, held: Pass) -> Caller | Refused:
            return await self._gate.enter(caller, held)

        pipe = StreamPipe(receive, send, position, wait)
        await self._attend(pipe, knock, Own(game, game, position), stream=True)

    def admit_page(self, origin: str | None, host: str | None) -> bool:
        """Whether a page may use its browser's cookie; raises NotAllowed for a foreign page."""
        if not is_allowed(origin, host, self._origins):
            raise NotAllowed("expected a page of an allowed origin (CORS_ORIGINS); found another")
        return self._trusts(origin, host)

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
            streams=sum(connection.is_stream for connection in self._connections),
            users=self._attendance.users,
            link_age=None if heard_at is None else self._clock() - heard_at,
        )

    # ---- one client

    async def _attend(self, pipe: Pipe, knock: Knock, own: Own | None, *, stream: bool) -> None:
        connection = self._connection(pipe, knock, own, stream=stream)
        begun = self._clock()
        self.tally.opened["stream" if stream else "socket"] += 1
        self._connections[connection] = None
        structlog.contextvars.bind_contextvars(conn=connection.conn)  # of a task of its own
        if own is not None and own.game is None:
            self._lobby.wait(own.name, connection)
        try:
            await connection.run(unasked=own is not None)
        finally:
            self._connections.pop(connection, None)
            self._gate.leave(connection.held)
            if own is not None:
                self._lobby.leave(own.name, connection)
            self._left.set()
            self._note_end(connection, self._clock() - begun)

    def _note_end(self, connection: Connection, seconds: float) -> None:
        code = connection.closing
        self.tally.closes["gone" if code is None else str(code.value)] += 1
        log.info(
            "relay.closed",
            code=None if code is None else code.value,
            player=connection.caller.sub,
            stream=connection.is_stream,
            seconds=round(seconds, 3),
        )

    def _trusts(self, origin: str | None, host: str | None) -> bool:
        return is_trusted(origin, host, self._origins)

    def _later(self) -> float:
        return self._chance.uniform(*_COME_BACK_AFTER)

    async def _turn_away(self, send: Send, who: Visitor) -> None:
        self.tally.closes["503"] += 1
        if not who.can_be_refused:
            await send(_closed(Code.OVERLOADED))
            return
        after = str(round(self._later())).encode()
        start: Any = {
            "type": "websocket.http.response.start",
            "status": 503,
            "headers": [(b"retry-after", after), (b"content-length", b"0")],
        }
        await send(start)
        body: Any = {"type": "websocket.http.response.body", "body": b"", "more_body": False}
        await send(body)

    async def _own(self, game: str | None, room: str | None) -> Own | None:
        if room is None:
            return None if game is None else Own(game, game)
        try:
            async with asyncio.timeout(self._limits.source_within):
                found = await self._source.room_games([room])
        except (RedisError, OSError) as error:
            log.warning("relay.store_unreachable", room=room, error=repr(error))
            found = {}
        return Own(room, found.get(room))

    def _connection(self, pipe: Pipe, knock: Knock, own: Own | None, *, stream: bool) -> Connection:
        now = self._clock()
        limits = self._stream_limits if stream else self._limits
        session = Session(
            secrets.token_hex(8),
            limits,
            now,
            wall_ms=int(time.time() * 1000),
            chance=self._chance.random(),
            own=own,
            stream=stream,
            tally=self.tally,
        )
        connection = Connection(pipe, session, self._hub, knock, self._talk, limits, self._clock)
        if not self._admission.admit(len(self._connections), now):
            connection.end(Code.OVERLOADED, "too many clients come at once", self._later())
        elif self._gone_at is not None:
            self._see_off(connection, self._gone_at)
        return connection

    def _see_off(self, connection: Connection, gone_at: float) -> None:
        now = self._clock()
        at = now + self._chance.random() * max(0.0, gone_at - now) * _SPREAD
        connection.drain(at, max(now, min(at + _TIME_TO_MOVE, gone_at)))


async def _accept(receive: Receive, send: Send, who: Visitor) -> None:
    await receive()  # `websocket.connect`
    known = SUBPROTOCOL if SUBPROTOCOL in who.subprotocols else None
    await send({"type": "websocket.accept", "subprotocol": known, "headers": []})


def _closed(code: Code) -> WebSocketCloseEvent:
    return {"type": "websocket.close", "code": code, "reason": ""}
