"""A client that follows the client rule of design section 8, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]


@dataclass
class Copy:
    """A game as the client has it."""

    epoch: str
    seq: int
    state: dict[str, Any]


@dataclass
class Watcher:
    """Reads in the background while `reading`; every frame is kept in `frames`."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)
    copies: dict[str, Copy] = field(default_factory=dict)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int | None = None

    async def send(self, **frame: Any) -> None:
        """Send one frame."""
        await self.socket.send(json.dumps(frame))

    async def hello(self, *subs: Frame, **more: Any) -> Frame:
        """Greet, and return the welcome."""
        await self.send(t="hello", v=1, subs=subs, **more)
        return await self.get("welcome")

    async def get(self, kind: str, timeout: float = 5.0, **fields: Any) -> Frame:
        """The first frame so far, or from now on, with these fields; it is taken out."""
        async with asyncio.timeout(timeout):
            while True:
                for frame in self.frames:
                    if frame["t"] == kind and fields.items() <= frame.items():
                        self.frames.remove(frame)
                        return frame
                await asyncio.sleep(0.005)

    def kinds(self, *without: str) -> list[str]:
        """What came and was not taken, by kind."""
        return [frame["t"] for frame in self.frames if frame["t"] not in without]

    async def closed(self, timeout: float = 5.0) -> int | None:
        """Wait for the server to close, and return its code."""
        async with asyncio.timeout(timeout):
            await self.socket.wait_closed()
        return self.socket.close_code

    async def listen(self) -> None:
        """Follow the rule until the connection ends."""
        try:
            while True:
                await self.reading.wait()
                frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                self.apply(frame)
                if frame["t"] == "ping":
                    await self.send(t="pong", n=frame["n"])
        except ConnectionClosed:
            pass

    def apply(self, frame: Frame) -> None:
        """The rule: `snap` replaces, `d` is the next or is dropped, and there is never a hole."""
        if frame["t"] == "snap":
            self.copies[frame["game"]] = Copy(frame["epoch"], frame["seq"], dict(frame["state"]))
        elif frame["t"] == "d":
            copy = self.copies[frame["game"]]
            assert frame["seq"] <= copy.seq + 1, f"a hole: {frame['seq']} after {copy.seq}"
            if frame["seq"] == copy.seq + 1:
                copy.seq = frame["seq"]
                for change in frame["patch"]:
                    copy.state[change["path"][1:]] = change["value"]


Watch = Callable[..., "asyncio.Future[Watcher]"]


@asynccontextmanager
async def watching(address: str, **options: Any) -> AsyncIterator[Watcher]:
    """A connected client."""
    async with connect(address, ping_interval=None, close_timeout=0.2, **options) as socket:
        watcher = Watcher(socket)
        watcher.reading.set()
        task = asyncio.create_task(watcher.listen())
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
