"""LudoKingAPI's WebSocket: one room's events, over as many connections as it takes.

socket = LudoSocket(url, "ABCD12", api_key="lk_live_…")
socket.on(Kind.MOVED, handler)
await socket.run()   # returns when the room is closed

Frames out are flat (`room:join`), frames in are nested (`{type, data}`). Nothing that is said
while no connection stands is told again: whoever keeps a state fetches it in `on_joined`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from ludo.mirror.incoming import Incoming
from ludo.upstream.backoff import Backoff
from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire.events import Kind, parse_event
from ludo.upstream.wire.fields import decode

MAX_FRAME: Final = 256 * 1024
PING_EVERY_S: Final = 20.0
PONG_WITHIN_S: Final = 10.0
OPEN_WITHIN_S: Final = 5.0
CLOSE_WITHIN_S: Final = 5.0

log = structlog.get_logger("upstream")


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as the socket told it.

    `body` is the envelope, completed by what only the connection knows: the room's code, and the
    game's id where upstream leaves it out. `incoming` is what it means; an event of a game
    without a sequence is a hint.
    """

    kind: str
    incoming: Incoming
    body: bytes
    data: dict[str, Any]


Handler = Callable[[Heard], Awaitable[None]]
Joined = Callable[[bool], Awaitable[None]]


class LudoSocket:
    """Follows one room until it is closed.

    Handlers are awaited one event at a time, in the order of arrival. What a handler raises ends
    the connection as if it had broken, because the event it failed on is told by nobody else.
    """

    def __init__(
        self,
        url: str,
        room_code: str,
        *,
        api_key: str | None = None,
        player_token: str | None = None,
        game_id: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._url = url
        self._room_code = room_code
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._player_token = player_token
        self._game_id = game_id
        self._backoff = backoff or Backoff()
        self._handlers: dict[str, list[Handler]] = {}
        self._of_all: list[Handler] = []
        self._of_joining: list[Joined] = []
        self._is_over = False

    def on(self, kind: str, handler: Handler) -> None:
        """Have events of one type handled (`Kind`, or any other text)."""
        self._handlers.setdefault(kind, []).append(handler)

    def on_any(self, handler: Handler) -> None:
        """Have every event handled, of whatever type, before the handlers of its type."""
        self._of_all.append(handler)

    def on_joined(self, handler: Joined) -> None:
        """Have it called after each join, with whether there was one before: then events are
        missing, and the state is to be fetched."""
        self._of_joining.append(handler)

    async def run(self) -> None:
        """Follows the room; returns when it is closed, and never raises but for cancellation."""
        again = False
        while not self._is_over:
            try:
                async with self._connection() as connection:
                    await self._follow(connection, again)
                    again = True
            except ConnectionClosed as closed:
                again = True
                log.info("socket.cut", room=self._room_code, why=str(closed))
            except (OSError, TimeoutError, InvalidHandshake) as error:
                log.warning("socket.not_connected", room=self._room_code, error=repr(error))
            except Exception:
                again = True
                log.exception("socket.handler_failed", room=self._room_code)
            if not self._is_over:
                await asyncio.sleep(self._backoff.next())

    def _connection(self) -> connect:
        return connect(
            self._url,
            additional_headers=self._headers,
            compression=None,
            proxy=None,
            open_timeout=OPEN_WITHIN_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            max_size=MAX_FRAME,
        )

    async def _follow(self, connection: ClientConnection, again: bool) -> None:
        join = {"type": "room:join", "roomCode": self._room_code}
        if self._player_token:
            join["playerToken"] = self._player_token
        await connection.send(msgspec.json.encode(join).decode())
        for joined in self._of_joining:
            await joined(again)
        async for frame in connection:
            # Only a connection that brings something is a success: one that is accepted and
            # dropped at once must not be tried for ever without a pause.
            self._backoff.reset()
            await self._take(frame.encode() if isinstance(frame, str) else frame)
            if self._is_over:
                return

    async def _take(self, frame: bytes) -> None:
        try:
            heard = self._heard(frame)
        except MalformedEvent as error:
            log.warning("socket.unreadable", room=self._room_code, error=str(error))
            return
        for handler in (*self._of_all, *self._handlers.get(heard.kind, ())):
            await handler(heard)
        self._is_over = heard.kind == Kind.ROOM_CLOSED

    def _heard(self, frame: bytes) -> Heard:
        whole = decode(frame, MalformedEvent)
        kind, told = whole.get("type"), whole.get("data")
        data: dict[str, Any] = told if isinstance(told, dict) else {}
        missing = self._left_out(str(kind), data)
        if missing or data is not told:
            data = data | missing
            frame = msgspec.json.encode(whole | {"data": data})
        incoming = parse_event(frame)
        self._game_id = data.get("gameId") or data.get("game_id") or self._game_id
        return Heard(str(kind), incoming, frame, data)

    def _left_out(self, kind: str, data: dict[str, Any]) -> dict[str, str]:
        """What upstream leaves out of an event because its connection is about one room."""
        missing = {}
        if kind.startswith("room:") and not ("roomCode" in data or "room_code" in data):
            missing["roomCode"] = self._room_code
        if kind == Kind.ROOM_CLOSED and "reason" not in data:
            missing["reason"] = ""
        if kind.startswith("game:") and self._game_id and not data.keys() & {"gameId", "game_id"}:
            missing["gameId"] = self._game_id
        return missing
