"""Who listens to which room over a WebSocket, and what its faults let through."""

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BOUND: Final = 1_000
"""Frames that wait for a listener who does not take them; then its connection is cut."""


class Listening:
    """One connection's place in a room: frames that are to be sent, until it is cut."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(_BOUND)
        self._cut = asyncio.Event()

    async def next(self) -> bytes | None:
        """The next frame; None when the room is over or the connection is to be cut."""
        return await self._frames.get()

    @property
    def is_cut(self) -> bool:
        """Whether the end is a fault, and no goodbye is said."""
        return self._cut.is_set()

    def put(self, frame: bytes | None) -> None:
        """Have a frame sent, or the connection ended."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.cut()

    def cut(self) -> None:
        """End the connection; what waits is lost."""
        self._cut.set()
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(None)


class Sockets:
    """All connections, by the code of their room; `key` is what they have to show."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._rooms: dict[str, set[Listening]] = defaultdict(set)

    def knows(self, authorization: str) -> bool:
        """Whether whoever sends this header may listen."""
        scheme, _, shown = authorization.partition(" ")
        return hmac.compare_digest(shown.strip().encode(), self._key) and scheme.lower() == "bearer"

    @contextmanager
    def listening(self, code: str) -> Iterator[Listening]:
        """A place in a room for as long as the block runs; what was said before is not told."""
        place = Listening()
        self._rooms[code].add(place)
        try:
            yield place
        finally:
            self._rooms[code].discard(place)
            if not self._rooms[code]:
                del self._rooms[code]

    def tell(self, code: str, frame: bytes, *, delay: float = 0.0) -> None:
        """Send a frame to everybody in a room, or have it overtaken by later ones."""
        for place in tuple(self._rooms.get(code, ())):
            if delay:
                asyncio.get_running_loop().call_later(delay, place.put, frame)
            else:
                place.put(frame)

    def cut(self, code: str) -> None:
        """Cut every connection of a room."""
        for place in tuple(self._rooms.get(code, ())):
            place.cut()

    def close(self, code: str) -> None:
        """End every connection of a room that is over."""
        for place in tuple(self._rooms.get(code, ())):
            place.put(None)
