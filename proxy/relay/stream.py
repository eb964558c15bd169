"""Server-sent events: the frames of one game as a stream, for whoever cannot open a socket.

Each frame is one event whose data is its JSON. Frames that bring the client to a place carry it as
event id `epoch:seq`, which browsers send back as `Last-Event-ID`. Heartbeats are comments.
"""

from typing import Final

import msgspec
from litestar.types import Receive, Send

from proxy.errors import (
    NotAllowed,
    NotAuthenticated,
    NotNow,
    ProxyError,
    TooManyConnections,
    UnknownPath,
)
from proxy.relay.codes import Code
from proxy.relay.outbox import Item
from proxy.relay.source import Place

MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    # nginx buffers answers unless it is told not to.
    (b"x-accel-buffering", b"no"),
]
_LONGEST_EPOCH: Final = 32
_DIGITS: Final = 15


def read_event_id(text: str | None) -> Place | None:
    """The place that an event id names; None for anything else, which gets a snapshot."""
    epoch, _, seq = (text or "").rpartition(":")
    if not epoch or len(epoch) > _LONGEST_EPOCH or len(seq) > _DIGITS:
        return None
    return Place(epoch, int(seq)) if seq.isascii() and seq.isdigit() else None


class _Head(msgspec.Struct):
    t: str
    epoch: str | None = None
    seq: int | None = None
    code: str | int = ""
    msg: str = ""
    reason: str = ""
    after: float | None = None
    recovered: bool = False
    replayed: int = 0


_HEAD: Final = msgspec.json.Decoder(_Head)


class StreamPipe:
    """Writes events; `position` is the client's `Last-Event-ID`, `retry` seconds it shall wait.

    What ends a connection before anything was written becomes an HTTP status: `send` raises the
    ProxyError for it.
    """

    def __init__(self, receive: Receive, send: Send, position: Place | None, retry: float) -> None:
        self._receive = receive
        self._send = send
        self._position = position
        self._epoch = position.epoch if position else None
        self._retry_ms = int(retry * 1000)
        self._begun = False
        self._ended = False

    @property
    def ready(self) -> bool:
        """See `Pipe`; events are no WebSocket frames."""
        return False

    def write(self, wire: bytes) -> None:
        """See `Pipe`."""
        raise NotImplementedError

    async def receive(self) -> str | bytes | None:
        """See `Pipe`; nothing but its end is ever heard of a stream's client."""
        while (await self._receive())["type"] != "http.disconnect":
            continue
        return None

    async def send(self, item: Item, *, over: bool) -> None:
        """See `Pipe`."""
        if self._ended:
            return
        head = _HEAD.decode(item.text)
        if not self._begun:
            if refusal := _refusal(head):
                raise refusal
            if over and self._is_done(head):
                await self._say_done()
                return
            await self._begin()
        await self._write(self._event(head, item.text))

    async def close(self, code: Code) -> None:
        """See `Pipe`."""
        if self._ended:
            return
        if not self._begun:
            raise NotNow(f"the stream ended before it began ({code.value})", 1.0)
        self._ended = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _is_done(self, head: _Head) -> bool:
        """Whether the game has ended, and the client was told so before."""
        return self._position is not None and head.recovered and not head.replayed

    async def _say_done(self) -> None:
        # 204 is the only answer after which a browser does not come back (HTML, 9.2.3).
        self._ended = True
        headers = [(b"cache-control", b"no-store")]
        await self._send({"type": "http.response.start", "status": 204, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _begin(self) -> None:
        self._begun = True
        await self._send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        await self._write(f"retry: {self._retry_ms}\n\n")

    def _event(self, head: _Head, text: str) -> str:
        match head.t:
            case "ping":
                return ": ping\n\n"
            case "snap" | "d" | "live":
                self._epoch = head.epoch or self._epoch
                return f"id: {self._epoch}:{head.seq}\ndata: {text}\n\n"
            case "bye" if head.after:
                return f"retry: {int(head.after * 1000)}\ndata: {text}\n\n"
            case _:
                return f"data: {text}\n\n"

    async def _write(self, text: str) -> None:
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _refusal(head: _Head) -> ProxyError | None:
    match head:
        case _Head(t="err", code="forbidden"):
            return NotAllowed(head.msg)
        case _Head(t="err", code="not_found"):
            return UnknownPath(head.msg)
        case _Head(t="bye", code=Code.BAD_TOKEN | Code.TOKEN_EXPIRED):
            return NotAuthenticated(head.reason)
        case _Head(t="bye", code=Code.FORBIDDEN | Code.KICKED):
            return NotAllowed(head.reason)
        case _Head(t="bye", code=Code.CONNECTION_LIMIT):
            return TooManyConnections(head.reason)
        case _Head(t="bye" | "err"):
            return NotNow(head.reason or head.msg, head.after or 1.0)
        case _:
            return None
