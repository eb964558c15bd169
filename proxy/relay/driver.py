"""Runs one session over one Litestar WebSocket: a task that reads, and this one that writes."""

import asyncio
from collections.abc import Sequence
from typing import Any, assert_never

import structlog
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from ludo.tasks import end
from proxy.relay.callers import Authenticator, Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.effects import Authenticate, Close, Effect, Join, Leave
from proxy.relay.hub import Hub
from proxy.relay.keeper import Clock
from proxy.relay.limits import Limits
from proxy.relay.listener import Told
from proxy.relay.news import Delta
from proxy.relay.pulse import NEVER
from proxy.relay.session import Session

log = structlog.get_logger()

Socket = WebSocket[Any, Any, Any]


class Connection:
    """One client: its session, its socket, and the timer that looks at its clocks."""

    def __init__(
        self,
        socket: Socket,
        session: Session,
        hub: Hub,
        authenticator: Authenticator,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._session = session
        self._hub = hub
        self._authenticator = authenticator
        self._limits = limits
        self._clock = clock
        self._stirred = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._wound_for = NEVER
        self._deadline: asyncio.Timeout | None = None

    # ---- as a listener

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """See `Listener`."""
        self._session.advance(game, delta, now)
        self._stir()

    def tell(self, game: str, told: Told, now: float) -> None:
        """See `Listener`."""
        self._session.tell(game, told, now)
        self._stir()

    # ---- what the relay wants

    async def run(self, *, unasked: bool) -> None:
        """Talk until either side has closed; raises nothing but cancellation.

        `unasked`: whoever may come without a token need not say hello.
        """
        reader = asyncio.create_task(self._read(unasked))
        try:
            async with asyncio.timeout(None) as self._deadline:
                if self._session.closing is not None:
                    self._finish_within(self._limits.close_within)
                self._wind()
                await self._write()
        except (OSError, WebSocketDisconnect):
            pass  # the client is gone, or did not take the farewell in time
        finally:
            self._deadline = None
            await end(reader)
            self._release()

    def drain(self, at: float, gone_at: float) -> None:
        """Say farewell at `at`, and close at `gone_at` at the latest."""
        self._do(self._session.drain(at, gone_at, self._clock()))

    def end(self, code: Code, reason: str, after: float = 0.0) -> None:
        """Say farewell and close now."""
        self._do(self._session.end(code, reason, self._clock(), after))

    # ---- the reading task

    async def _read(self, unasked: bool) -> None:
        try:
            if unasked:
                await self._begin()
            while (message := await self._receive()) is not None:
                await self._answer(message)
            self._finish_within(0)
        except Exception:  # a fault of ours must not leave the client without a word
            log.exception("relay.connection_failed")
            self.end(Code.INTERNAL, "internal error")

    async def _begin(self) -> None:
        outcome = await self._authenticate(None)
        if isinstance(outcome, Caller):
            self._do(self._session.begin(outcome, self._clock()))

    async def _answer(self, message: str | bytes) -> None:
        outcome = self._session.receive(message, self._clock())
        if isinstance(outcome, Authenticate):
            who = await self._authenticate(outcome.token)
            outcome = self._session.authenticated(who, self._clock())
        self._do(outcome)

    async def _authenticate(self, token: str | None) -> Caller | Refused:
        async with asyncio.timeout(self._limits.authenticate_within):
            return await self._authenticator.authenticate(token)

    async def _receive(self) -> str | bytes | None:
        event = await self._socket.receive()
        if event["type"] != "websocket.receive":
            return None
        text = event.get("text")
        return text if text is not None else event.get("bytes") or b""

    # ---- the writing task

    async def _write(self) -> None:
        while True:
            item = self._session.next_item(self._clock())
            if item is not None:
                await self._socket.send(
                    {"type": "websocket.send", "text": item.text, "bytes": None}
                )
            elif self._session.closing is not None:
                await self._socket.close(self._session.closing)
                return
            else:
                self._stirred.clear()
                if owed := self._session.drained():
                    self._do(owed)
                await self._stirred.wait()

    # ---- effects and clocks

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Join(game, ask):
                    self._hub.join(game, self, ask)
                case Leave(game):
                    self._hub.leave(game, self)
                case Close():
                    self._finish_within(self._limits.close_within)
                case _:
                    assert_never(effect)
        self._stir()
        self._wind()

    def _stir(self) -> None:
        self._stirred.set()
        if self._session.watch_write():
            self._wind()

    def _wind(self) -> None:
        due = self._session.due
        if due >= self._wound_for:
            return  # the timer looks again when it rings
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._wound_for = due
        self._timer = loop.call_later(max(0.0, due - self._clock()), self._tick)

    def _tick(self) -> None:
        self._timer, self._wound_for = None, NEVER
        self._do(self._session.tick(self._clock()))

    def _finish_within(self, seconds: float) -> None:
        # One that is just running out takes no new time, and needs none.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for game in self._session.games():
            self._hub.leave(game, self)
