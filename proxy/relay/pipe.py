"""How a connection reaches its client: what the driver needs of a WebSocket, or of a stream."""

from collections.abc import Mapping
from typing import Any, Protocol

from litestar.types import Receive, Scope, Send

from proxy.relay.codes import Code
from proxy.relay.framing import EXTENSION, Frames
from proxy.relay.outbox import Item


class Pipe(Protocol):
    """Raises OSError when the client is gone."""

    @property
    def ready(self) -> bool:
        """Whether `write` may be called; False where only `send` writes."""
        ...

    def write(self, wire: bytes) -> None:
        """Writes framed messages, after everything that was sent before."""
        ...

    async def receive(self) -> str | bytes | None:
        """What the client sends next; None when it is gone."""
        ...

    async def send(self, item: Item, *, over: bool) -> None:
        """Writes a frame; returns when the transport takes more. `over`: no game is left."""
        ...

    async def close(self, code: Code) -> None:
        """Ends it."""
        ...


class SocketPipe:
    """A WebSocket: each frame is a text message.

    It writes without being awaited where the server offers that, and by ASGI's `send` elsewhere.
    """

    __slots__ = ("_frames", "_receive", "_send", "write")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        offered: Mapping[str, Any] = scope.get("extensions") or {}
        self._frames: Frames | None = offered.get(EXTENSION)
        self.write = _never if self._frames is None else self._frames.write

    @property
    def ready(self) -> bool:
        """See `Pipe`."""
        return self._frames is not None and self._frames.ready

    async def receive(self) -> str | bytes | None:
        """See `Pipe`."""
        event = await self._receive()
        if event["type"] != "websocket.receive":
            return None
        text = event.get("text")
        return text if text is not None else event.get("bytes") or b""

    async def send(self, item: Item, *, over: bool) -> None:  # noqa: ARG002
        """See `Pipe`."""
        await self._send({"type": "websocket.send", "text": item.text, "bytes": None})

    async def close(self, code: Code) -> None:
        """See `Pipe`."""
        await self._send({"type": "websocket.close", "code": code, "reason": ""})


def _never(_wire: bytes) -> None:
    raise RuntimeError("expected a server that takes frames; found none: `ready` is False")
