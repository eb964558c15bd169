"""How a connection reaches its client: what the driver needs of a WebSocket, or of a stream."""

from typing import Any, Protocol

from litestar import WebSocket

from proxy.relay.codes import Code
from proxy.relay.outbox import Item

Socket = WebSocket[Any, Any, Any]


class Pipe(Protocol):
    """Raises OSError or WebSocketDisconnect when the client is gone."""

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
    """A WebSocket: each frame is a text message."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        """See `Pipe`."""
        event = await self._socket.receive()
        if event["type"] != "websocket.receive":
            return None
        text = event.get("text")
        return text if text is not None else event.get("bytes") or b""

    async def send(self, item: Item, *, over: bool) -> None:  # noqa: ARG002
        """See `Pipe`."""
        await self._socket.send({"type": "websocket.send", "text": item.text, "bytes": None})

    async def close(self, code: Code) -> None:
        """See `Pipe`."""
        await self._socket.close(code)
