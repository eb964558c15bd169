"""WebSocket clients that cost next to nothing, so that the server is measured (RFC 6455)."""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Final, Self, cast
from urllib.parse import urlsplit

Heard = Callable[["Socket", bytes], None]

_TEXT: Final = 0x81
_MIDDLE: Final = bytes((_TEXT, 126))
"""How a frame of 126 to 65,535 bytes begins."""
_MASKED: Final = 0x80


class Socket(asyncio.Protocol):
    """One connection; every text frame goes to `heard` as bytes."""

    def __init__(self, host: str, path: str, heard: Heard) -> None:
        self._host, self._path, self._heard = host, path, heard
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False

    @classmethod
    async def connect(cls, url: str, heard: Heard) -> Self:
        """An open connection."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(parts.netloc, path, heard), parts.hostname, parts.port
        )
        async with asyncio.timeout(15):
            await socket.open
        return socket

    def send(self, text: bytes) -> None:
        """One text frame, masked with zeros."""
        assert self._transport is not None
        size = len(text)
        if size < 126:
            head = bytes((_TEXT, _MASKED | size))
        else:
            head = bytes((_TEXT, _MASKED | 126)) + size.to_bytes(2, "big")
        self._transport.write(head + bytes(4) + text)

    def close(self) -> None:
        """Let go at once."""
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """The answer to the upgrade, then frames."""
        size = int.from_bytes(data[2:4], "big")
        if not self._buffer and len(data) == size + 4 and data.startswith(_MIDDLE):
            self._heard(self, data[4:])  # one whole frame: nearly always so
            return
        self._buffer += data
        if not self.open.done():
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._buffer = rest
            if not head.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(OSError(head[:80].decode("ascii", "replace")))
                return
            self.open.set_result(None)
        self._read_frames()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self.lost = True
        if not self.open.done():
            self.open.set_exception(exc or OSError("closed before it was open"))

    def _read_frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1] & 0x7F, 2
            if size > 125:
                width = 2 if size == 126 else 8
                size, head = int.from_bytes(buffer[at + 2 : at + 2 + width], "big"), 2 + width
            if len(buffer) - at < head + size:
                break
            if buffer[at] == _TEXT:
                self._heard(self, buffer[at + head : at + head + size])
            at += head + size
        self._buffer = buffer[at:]
