"""One address in front of several relays, as a load balancer is."""

import asyncio
from contextlib import suppress
from typing import Self


class Relays:
    """One address in front of several relays, whose connections can be cut."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self._left_out: int | None = None
        self._turn = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The one address."""
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"

    def leave_out(self, number: int) -> None:
        """Newcomers go to the others, as they do once a replica says that it is not ready."""
        self._left_out = number

    def replace(self, number: int, address: str) -> None:
        """Another replica in this place, which gets newcomers too."""
        self.addresses[number] = address
        self._left_out = None

    def cut(self) -> None:
        """Break every connection."""
        for writer in tuple(self._open):
            writer.transport.abort()

    def _next(self) -> str:
        ready = [each for n, each in enumerate(self.addresses) if n != self._left_out]
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.addresses:
                port = int(self._next().rpartition(":")[2])
                there = await asyncio.open_connection("127.0.0.1", port)
                self._open.add(there[1])
                await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))
        finally:
            self._open.discard(writer)
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
