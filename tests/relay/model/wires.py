"""The socket between one client and one relay: ordered, bounded, slow at will, and cut at will."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from proxy.relay.framing import EXTENSION, text_of

BUFFER = 16_384


class Wire:
    """An ASGI WebSocket at the relay's end, callbacks at the client's.

    Every other one is of a server that offers `Frames`.
    """

    def __init__(
        self, chance: Random, heard: Callable[[str], None], closed: Callable[[int], None]
    ) -> None:
        self._chance = chance
        self._heard = heard
        self._closed = closed
        self._to_relay: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_relay.put_nowait({"type": "websocket.connect"})
        self._to_client: list[tuple[str, str | int]] = []
        self._flushed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._pumping = False
        self._closing = False
        self.frozen = False
        self.dead = False
        self.accepted = asyncio.Event()

    def end(self) -> tuple[Any, Any, Any]:
        """The relay's end: scope, receive, send."""
        offered = {EXTENSION: self} if self._chance.random() < 0.5 else {}
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": "/ws",
            "raw_path": b"/ws",
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "subprotocols": ["ludorelay.v1"],
            "state": {},
            "path_params": {},
            "extensions": offered,
        }
        return scope, self._receive, self._send

    # ---- the client's end

    def send(self, text: str) -> None:
        """A frame for the relay."""
        self._loop.call_later(self._delay(), self._arrive, text)

    def hang_up(self) -> None:
        """The client closes; it hears nothing more."""
        self.dead = True
        self._gone(1000)

    def freeze(self, frozen: bool) -> None:
        """The client reads nothing for a while."""
        self.frozen = frozen
        self._pump()

    def cut(self) -> None:
        """The network breaks: what is under way is lost, both ends are told."""
        if not self.dead:
            self.dead = True
            self._gone(1006)
            self._loop.call_soon(self._closed, 1006)

    def _arrive(self, text: str) -> None:
        if not self.dead:
            self._to_relay.put_nowait({"type": "websocket.receive", "text": text, "bytes": None})

    def _gone(self, code: int) -> None:
        self._to_client.clear()
        self._flushed.set()
        self.accepted.set()
        self._to_relay.put_nowait({"type": "websocket.disconnect", "code": code})

    # ---- the relay's end

    @property
    def ready(self) -> bool:
        """See `Frames`."""
        return not self.dead and not self._closing and self._size() <= BUFFER

    def write(self, frames: bytes) -> None:
        """See `Frames`."""
        assert self.ready
        self._to_client.append(("text", text_of(frames)))
        self._pump()

    async def _receive(self) -> Any:
        return await self._to_relay.get()

    async def _send(self, event: Any) -> None:
        if self.dead:
            raise OSError("gone")
        match event["type"]:
            case "websocket.accept":
                self.accepted.set()
            case "websocket.send":
                self._to_client.append(("text", event["text"]))
            case "websocket.close":
                self._closing = True
                self._to_client.append(("close", event["code"]))
                self.accepted.set()
        self._pump()
        while self._size() > BUFFER and not self.dead:
            self._flushed.clear()
            await self._flushed.wait()

    def _pump(self) -> None:
        if self._to_client and not self._pumping and not self.frozen:
            self._pumping = True
            self._loop.call_later(self._delay(), self._hand_over)

    def _hand_over(self) -> None:
        self._pumping = False
        if self.frozen:
            return
        ready, self._to_client = self._to_client, []
        self._flushed.set()
        for kind, what in ready:
            if self.dead:
                return
            if kind == "text":
                self._heard(str(what))
            else:
                self.dead = True
                self._to_relay.put_nowait({"type": "websocket.disconnect", "code": what})
                self._closed(int(what))
        self._pump()

    def _size(self) -> int:
        return sum(len(str(what)) for _, what in self._to_client)

    def _delay(self) -> float:
        return self._chance.uniform(0.0005, 0.03)
