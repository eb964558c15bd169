"""uvicorn's WebSocket connection, which also takes frames that are made already."""

from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from proxy.relay.framing import EXTENSION


class FramedSockets(WebSocketsSansIOProtocol):
    """Offers itself to the application as a `Frames`.

    By ASGI alone each message is encoded, framed and awaited anew for each of its clients, in a
    task that has to be woken for it. Not offered where messages are compressed, since then they
    differ from client to client.
    """

    def handle_connect(self, event: Request) -> None:
        """A client asks for the upgrade: the application gets its scope."""
        super().handle_connect(event)
        if self.response.status_code == 101 and not self.conn.extensions:
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    @property
    def ready(self) -> bool:
        """See `Frames`."""
        return (
            self.conn.state is State.OPEN
            and self.writable.is_set()
            and not self.transport.is_closing()
        )

    def write(self, frames: bytes) -> None:
        """See `Frames`."""
        self.transport.write(frames)
