"""`Relay`: a conversation over real sockets."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Final, Self, assert_never

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from ludo.relay.actions import (
    Action,
    Answer,
    Became,
    Dial,
    HangUp,
    NoAnswer,
    Ponged,
    Renew,
    Send,
    Tell,
)
from ludo.relay.changes import Change, Connection, Ended, Gone, Snapshot
from ludo.relay.conversation import Conversation
from ludo.relay.errors import (
    GameGone,
    QueueFull,
    RelayStopped,
    RequestRefused,
    RequestUnanswered,
)
from ludo.relay.link import DIAL_WITHIN
from ludo.relay.mailbox import Mailbox
from ludo.tasks import end

SUBPROTOCOL: Final = Subprotocol("ludorelay.v1")
LARGEST_FRAME: Final = 1024 * 1024
ANSWER_WITHIN: Final = 10.0
CLOSE_WITHIN: Final = 1.0
OUTGOING: Final = 512
FORBIDDEN: Final = 4503
_HTTP_FORBIDDEN: Final = 403

Token = str | Callable[[], str | Awaitable[str]] | None


class Relay:
    """Follows games over a relay that speaks `ludorelay.v1`, for as long as its block runs.

        async with Relay("wss://proxy.example/ws", token=fetch_token) as relay:
            async for change in relay.watch("gm_1"):
                ...

    `token` is shown in every hello; a function, which may be async, is asked anew for each
    connection, and again before a token ends. `on_connection` hears every change of `connection`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token = None,
        on_connection: Callable[[Connection], None] | None = None,
        chance: Random | None = None,
    ) -> None:
        self._url = url
        self._token = token
        self._on_connection = on_connection
        self._talk = Conversation(chance or Random(), renewable=callable(token))
        self._links: dict[int, asyncio.Task[None]] = {}
        self._outgoing: dict[int, asyncio.Queue[str]] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._boxes: dict[str, set[Mailbox]] = {}
        self._futures: dict[int, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stopped: RelayStopped | None = None

    async def __aenter__(self) -> Self:
        self._do(self._talk.open(_now()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for box in {box for boxes in self._boxes.values() for box in boxes}:
            box.end()
        leaving = tuple(self._links.values())
        self._do(self._talk.close())
        if leaving:
            await asyncio.wait(leaving, timeout=CLOSE_WITHIN)
        await end(*leaving, *self._others)
        if self._timer is not None:
            self._timer.cancel()

    # ---- what a caller may ask

    @property
    def connection(self) -> Connection:
        """How we stand with the relay."""
        return self._talk.connection

    def snapshot(self, game: str) -> Snapshot | None:
        """What is known of a watched game now; `why` is `held`."""
        return self._look(game, "held")

    async def watch(self, *games: str) -> AsyncIterator[Change]:
        """Every change of these games, over every reconnect, until all of them have ended.

        The first of each is a `Snapshot`. A caller that falls 256 changes behind gets a `Snapshot`
        with the reason `behind` for those that were left out. Raises `GameGone` when the relay
        will not give a game, `RelayStopped` when it does not want us back.
        """
        if self._stopped is not None:
            raise self._stopped
        box = Mailbox(self._look)
        left = set(games)
        try:
            for game in games:
                self._subscribe(game, box)
            while left and (change := await box.take()) is not None:
                if isinstance(change, Gone):
                    raise GameGone(change.game, change.code)
                yield change
                if isinstance(change, Ended):
                    left.discard(change.game)
        finally:
            self._unsubscribe(games, box)

    async def say(self, game: str, text: str, *, to: str | None = None) -> None:
        """Speak at a table, to all or to one player; returns when the relay has passed it on.

        Raises `RequestRefused`, `RequestUnanswered` or `QueueFull`.
        """
        whom = {} if to is None else {"to": to}
        await self._request({"t": "say", "game": game, **whom, "text": text})

    async def ping(self) -> float:
        """Seconds to the relay and back; raises `RequestUnanswered`, also without a connection."""
        begun = time.perf_counter()
        request, actions = self._talk.ping()
        if request is None:
            raise RequestUnanswered("expected a connection; found none")
        await self._answered(request, actions, ANSWER_WITHIN)
        return time.perf_counter() - begun

    def resync(self, game: str, why: str = "asked") -> None:
        """Have a fresh snapshot of a watched game; it comes as a change."""
        self._do(self._talk.resync(game, why, _now()))

    # ---- subscriptions and requests

    def _subscribe(self, game: str, box: Mailbox) -> None:
        self._boxes.setdefault(game, set()).add(box)
        follower = self._talk.followers.get(game)
        if follower is not None and follower.state is not None:
            box.owe(game, "initial")
        if follower is not None and follower.ended is not None:
            box.put(follower.ended)
        self._do(self._talk.watch(game, _now()))

    def _unsubscribe(self, games: Iterable[str], box: Mailbox) -> None:
        for game in games:
            boxes = self._boxes.get(game, set())
            boxes.discard(box)
            if not boxes and self._boxes.pop(game, None) is not None:
                self._do(self._talk.unwatch(game))

    def _look(self, game: str, why: str) -> Snapshot | None:
        follower = self._talk.followers.get(game)
        return None if follower is None else follower.snapshot(why)

    async def _request(self, frame: dict[str, Any]) -> None:
        if self._stopped is not None:
            raise self._stopped
        request, actions = self._talk.send(frame)
        if request is None:
            raise QueueFull("expected a connection; found none, and enough requests wait for one")
        await self._answered(request, actions, ANSWER_WITHIN)

    async def _answered(self, request: int, actions: Iterable[Action], within: float) -> None:
        future = self._futures[request] = asyncio.get_running_loop().create_future()
        self._do(actions)
        try:
            async with asyncio.timeout(within):
                await future
        except TimeoutError:
            raise RequestUnanswered(f"expected an answer within {within:g} s; found none") from None
        finally:
            self._futures.pop(request, None)
            self._talk.forget(request)

    # ---- actions

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._do_one(action)
        self._wind()

    def _do_one(self, action: Action) -> None:
        match action:
            case Dial(number):
                self._outgoing[number] = asyncio.Queue(OUTGOING)
                task = asyncio.create_task(self._converse(number), name=f"relay link {number}")
                self._links[number] = task
            case Send(number, text):
                self._send(number, text)
            case HangUp(number):
                self._hang_up(number)
            case Renew():
                task = asyncio.create_task(self._renew(), name="relay token")
                self._others.add(task)
                task.add_done_callback(self._others.discard)
            case Became():
                self._became(action)
            case Tell(change):
                for box in self._boxes.get(change.game, ()):
                    box.put(change)
            case Answer() | NoAnswer() | Ponged():
                self._answer(action)
            case _:
                assert_never(action)

    def _send(self, number: int, text: str) -> None:
        outgoing = self._outgoing.get(number)
        if outgoing is None:
            return
        try:
            outgoing.put_nowait(text)
        except asyncio.QueueFull:  # a relay that reads nothing: as good as lost
            self._hang_up(number)
            lost = self._talk.lost(number, 0, "nothing is read", _now())
            asyncio.get_running_loop().call_soon(self._do, lost)

    def _hang_up(self, number: int) -> None:
        self._outgoing.pop(number, None)
        task = self._links.get(number)
        if task is not None:
            task.cancel()

    def _became(self, became: Became) -> None:
        if became.connection is Connection.STOPPED:
            self._stopped = RelayStopped(became.code or 0, became.reason)
            for box in {box for boxes in self._boxes.values() for box in boxes}:
                box.end(self._stopped)
        if self._on_connection is not None:
            # Not called from here: what it raises is its owner's, and must not stop our actions.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._on_connection, became.connection)

    def _answer(self, answer: Answer | NoAnswer | Ponged) -> None:
        future = self._futures.get(answer.request)
        if future is None or future.done():
            return
        match answer:
            case NoAnswer():
                lost = "expected an answer; the connection was lost before one came"
                future.set_exception(self._stopped or RequestUnanswered(lost))
            case Ponged():
                future.set_result(None)
            case Answer():
                no = answer.refused
                if no is None:
                    future.set_result(None)
                else:
                    error = RequestRefused(no.code, no.msg, retry=no.retry, after=no.after)
                    future.set_exception(error)
            case _:
                assert_never(answer)

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._talk.due
        if due != float("inf"):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due - _now()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self._talk.tick(_now()))

    # ---- sockets and tokens

    async def _converse(self, number: int) -> None:
        """One socket, from its dialling to its end."""
        try:
            code, reason = await self._talk_over(number)
        finally:
            self._links.pop(number, None)
            self._outgoing.pop(number, None)
        self._do(self._talk.lost(number, code, reason, _now()))

    async def _talk_over(self, number: int) -> tuple[int, str]:
        try:
            token = await self._fetch_token()
        except Exception as error:  # whatever the caller's function raises: no token, try again
            return 0, f"no token: {error!r}"
        try:
            async with connect(
                self._url,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                ping_interval=None,
                open_timeout=DIAL_WITHIN,
                close_timeout=CLOSE_WITHIN,
                max_size=LARGEST_FRAME,
            ) as socket:
                with suppress(WebSocketException):
                    await self._exchange(number, socket, token)
                return socket.close_code or 0, socket.close_reason or ""
        except InvalidStatus as error:
            status = error.response.status_code
            return (FORBIDDEN if status == _HTTP_FORBIDDEN else 0), f"HTTP {status}"
        except (OSError, WebSocketException) as error:
            return 0, repr(error)

    async def _exchange(self, number: int, socket: ClientConnection, token: str | None) -> None:
        self._do(self._talk.connected(number, token, _now(), time.time()))
        writer = asyncio.create_task(self._write(number, socket), name=f"relay writer {number}")
        try:
            while True:
                message = await socket.recv()
                self._do(self._talk.received(number, message, _now()))
        finally:
            await end(writer)

    async def _write(self, number: int, socket: ClientConnection) -> None:
        outgoing = self._outgoing.get(number)
        while outgoing is not None:
            await socket.send(await outgoing.get())

    async def _renew(self) -> None:
        try:
            token = await self._fetch_token()
        except Exception:  # the caller's function failed: the present token may last a little
            token = None
        if token is None:
            self._do(self._talk.not_renewed(_now()))
        else:
            self._do(self._talk.renewed(token, _now(), time.time()))

    async def _fetch_token(self) -> str | None:
        if not callable(self._token):
            return self._token
        async with asyncio.timeout(DIAL_WITHIN):
            found = self._token()
            return await found if inspect.isawaitable(found) else found


def _now() -> float:
    return time.monotonic()
