"""Runs one session over one connection: what comes is read by the server's task for it.

What goes is written at once, by whoever brings it, while the socket takes it; only a socket that
is backed up, one that is about to be closed, or a server without `Frames` costs a task, the pump.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

import structlog

from ludo.tasks import end
from proxy.relay.callers import Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.effects import Authenticate, Close, Effect, Join, Leave, Speak
from proxy.relay.framing import framed
from proxy.relay.gate import Pass
from proxy.relay.hub import Hub
from proxy.relay.keeper import Clock
from proxy.relay.limits import Limits
from proxy.relay.listener import Told
from proxy.relay.news import Delta
from proxy.relay.pipe import Pipe
from proxy.relay.pulse import NEVER
from proxy.relay.session import Session
from proxy.relay.talk import Talk

log = structlog.get_logger()

Knock = Callable[[str | None, Pass], Awaitable[Caller | Refused]]
"""Asks the gate who somebody with this token is."""


class Connection:
    """One client: its session, its pipe, and the timer that looks at its clocks."""

    __slots__ = (
        "_clock",
        "_deadline",
        "_fault",
        "_hub",
        "_is_over",
        "_knock",
        "_limits",
        "_pipe",
        "_pump",
        "_session",
        "_talk",
        "_timer",
        "_wound_for",
        "held",
    )

    def __init__(
        self,
        pipe: Pipe,
        session: Session,
        hub: Hub,
        knock: Knock,
        talk: Talk,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._pipe = pipe
        self._session = session
        self._hub = hub
        self._knock = knock
        self._talk = talk
        self._limits = limits
        self._clock = clock
        self.held = Pass()
        """What has to be given back to the gate when this is over."""
        self._pump: asyncio.Task[None] | None = None
        self._is_over = False
        self._fault: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wound_for = NEVER
        self._deadline: asyncio.Timeout | None = None

    # ---- as a listener

    @property
    def who(self) -> str | None:
        """See `Listener`."""
        return self._session.caller.sub

    def advance(self, game: str, delta: Delta, now: float) -> None:
        """See `Listener`."""
        # By far the most frequent case. A pump may still hold the frame before this one.
        if self._pump is None and self._pipe.ready and self._session.pass_on(game, delta):
            self._pipe.write(delta.wire)
            return
        self._session.advance(game, delta, now)
        self._stir()

    def tell(self, game: str, told: Told, now: float) -> None:
        """See `Listener`."""
        self._session.tell(game, told, now)
        if self._session.closing is not None:
            self._finish_within(self._limits.close_within)
        self._stir()

    # ---- as others see it

    @property
    def conn(self) -> str:
        """Its id."""
        return self._session.conn

    @property
    def is_stream(self) -> bool:
        """Whether it is one-way."""
        return self._session.is_stream

    @property
    def caller(self) -> Caller:
        """Whose it is."""
        return self._session.caller

    @property
    def closing(self) -> Code | None:
        """Why we end it; None while we do not."""
        return self._session.closing

    # ---- what the relay wants

    async def run(self, *, unasked: bool) -> None:
        """Talk until either side has closed.

        `unasked`: whoever may come without a token need not say hello. Raises nothing but a
        cancellation, and what the pipe raises besides a client that is gone.
        """
        try:
            async with asyncio.timeout(None) as self._deadline:
                if self._session.closing is not None:
                    self._finish_within(self._limits.close_within)
                self._wind()
                self._stir()
                await self._read(unasked)
        except OSError:
            pass  # the client is gone, or did not take the farewell in time
        finally:
            self._deadline = None
            if self._pump is not None:
                await end(self._pump)
            self._release()
        if self._fault is not None:
            raise self._fault

    def adopt(self, game: str) -> None:
        """The room that the path names has begun to play this game."""
        self._do(self._session.adopt(game, self._clock()))

    def drain(self, at: float, gone_at: float) -> None:
        """Say farewell at `at`, and close at `gone_at` at the latest."""
        self._do(self._session.drain(at, gone_at, self._clock()))

    def end(self, code: Code, reason: str, after: float = 0.0) -> None:
        """Say farewell and close now."""
        self._do(self._session.end(code, reason, self._clock(), after))

    # ---- reading

    async def _read(self, unasked: bool) -> None:
        try:
            if unasked:
                await self._begin()
            while (message := await self._pipe.receive()) is not None:
                await self._answer(message)
        except Exception:  # a fault of ours must not leave the client without a word
            log.exception("relay.connection_failed")
            self.end(Code.INTERNAL, "internal error")
            while self._pump is not None:
                await asyncio.wait({self._pump})

    async def _begin(self) -> None:
        match await self._knock(None, self.held):
            case Caller() as caller:
                self._do(self._session.begin(caller, self._clock()))
            case Refused(code=Code.BAD_TOKEN) if not self._session.is_stream:
                pass  # it may still say hello, with a token
            case Refused(reason, code, after):
                self.end(code, reason, after)

    async def _answer(self, message: str | bytes) -> None:
        outcome = self._session.receive(message, self._clock())
        match outcome:
            case Authenticate(token):
                who = await self._knock(token, self.held)
                outcome = self._session.authenticated(who, self._clock())
            case Speak():
                spoken = await self._talk.speak(outcome)
                outcome = self._session.spoken(spoken, self._clock())
        self._do(outcome)

    # ---- writing

    def _stir(self) -> None:
        """Something may be queued or owed: write it, or have it written."""
        if self._pump is None and not self._is_over:
            self._write_at_once()
            if self._session.owes:
                self._pump = asyncio.create_task(self._write())
                self._pump.add_done_callback(self._written)
        elif self._session.watch_write():
            self._wind()

    def _write_at_once(self) -> None:
        while self._pipe.ready:
            item = self._session.next_item(self._clock(), at_once=True)
            if item is None:
                return
            self._pipe.write(framed(item.text.encode()))

    async def _write(self) -> None:
        """Write what is queued and what it leads to, waiting for the socket."""
        while True:
            self._write_at_once()
            item = self._session.next_item(self._clock())
            if item is not None:
                await self._pipe.send(item, over=not self._session.games())
            elif self._session.closing is not None:
                await self._pipe.close(self._session.closing)
                return
            elif owed := self._session.drained():
                self._do(owed)
            else:
                return

    def _written(self, pump: asyncio.Task[None]) -> None:
        self._pump = None
        if pump.cancelled():
            return
        fault = pump.exception()
        if fault is not None and not isinstance(fault, OSError):
            self._fault = fault
        self._is_over = fault is not None or self._session.closing is not None
        if self._is_over:
            self._finish_within(0)
        else:
            self._stir()

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
