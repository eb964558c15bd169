"""One client under measure: it connects, follows a game, and pings."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

SUBPROTOCOL: Final = Subprotocol("ludorelay.v1")
OPEN_WITHIN: Final = 15.0
PING_EVERY: Final = 1.0
PONG_WITHIN: Final = 10.0


class _Frame(msgspec.Struct):
    t: str
    game: str = ""
    seq: int = 0
    at: int = 0
    n: int = 0
    now: int = 0
    code: int | str = 0


_DECODER: Final = msgspec.json.Decoder(_Frame)
_ENCODER: Final = msgspec.json.Encoder()


@dataclass
class Seen:
    """What all clients saw; times in milliseconds."""

    connected: list[float] = field(default_factory=list)
    """From dialling to `welcome`."""
    joined: list[float] = field(default_factory=list)
    """From dialling to `live`."""
    pinged: list[float] = field(default_factory=list)
    """From `ping` to `pong`."""
    received: list[float] = field(default_factory=list)
    """From the event's `at` to its delta here, by the relay's clock as `welcome` told it."""
    deltas: int = 0
    holes: int = 0
    """Deltas that were neither known nor the next: 0, or the relay is wrong."""
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class LoadClient:
    """Follows one game until `until` (monotonic seconds); whatever happens is counted in `seen`."""

    url: str
    game: str
    token: str | None
    until: float
    seen: Seen
    live: bool = False
    _skew_ms: float = 0.0
    _seq: int = 0
    _begun: float = 0.0
    _pings: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """One connection; raises nothing but cancellation."""
        self._begun = time.perf_counter()
        try:
            async with connect(
                self.url,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                ping_interval=None,
                open_timeout=OPEN_WITHIN,
                close_timeout=1,
            ) as socket:
                await self._talk(socket)
        except InvalidStatus as error:
            self.seen.errors[f"HTTP {error.response.status_code}"] += 1
        except WebSocketException as error:
            self.seen.errors[f"closed: {error}"[:80]] += 1
        except TimeoutError:
            self.seen.errors["no answer in time"] += 1
        except OSError as error:
            self.seen.errors[f"no connection: {error.strerror or error!r}"[:80]] += 1

    async def _talk(self, socket: ClientConnection) -> None:
        hello: dict[str, Any] = {"t": "hello", "v": 1, "subs": [{"game": self.game}]}
        if self.token is not None:
            hello["token"] = self.token
        await socket.send(_ENCODER.encode(hello).decode())
        pinging = asyncio.create_task(self._ping(socket))
        try:
            while (left := self.until - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left):
                        message = await socket.recv(decode=False)
                except TimeoutError:
                    break
                frame = _DECODER.decode(message)
                if frame.t == "ping":
                    await socket.send(f'{{"t":"pong","n":{frame.n}}}')
                elif not self._take(frame):
                    break
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
        self._count_lost_pings()

    def _take(self, frame: _Frame) -> bool:
        """Note what a frame says; whether more is to come."""
        now = time.perf_counter()
        match frame.t:
            case "d":
                self._delta(frame)
            case "welcome":
                self.seen.connected.append((now - self._begun) * 1000)
                self._skew_ms = frame.now - time.time() * 1000
            case "snap":
                self._seq = frame.seq
            case "live" if not self.live:
                self.live = True
                self.seen.joined.append((now - self._begun) * 1000)
            case "pong":
                sent = self._pings.pop(frame.n, None)
                if sent is not None:
                    self.seen.pinged.append((now - sent) * 1000)
            case "bye" | "err" | "unsub":
                self.seen.errors[f"{frame.t} {frame.code}"] += 1
                return False
            case "ended":
                return False
        return True

    def _delta(self, frame: _Frame) -> None:
        if frame.seq <= self._seq:
            return
        self.seen.deltas += 1
        self.seen.holes += frame.seq != self._seq + 1
        self._seq = frame.seq
        if frame.at > 0 and self.live:
            self.seen.received.append(time.time() * 1000 + self._skew_ms - frame.at)

    async def _ping(self, socket: ClientConnection) -> None:
        number = 0
        while True:
            await asyncio.sleep(PING_EVERY)
            number += 1
            self._pings[number] = time.perf_counter()
            await socket.send(f'{{"t":"ping","n":{number}}}')

    def _count_lost_pings(self) -> None:
        late = time.perf_counter() - PONG_WITHIN
        self.seen.errors["no pong"] += sum(sent < late for sent in self._pings.values())
        self.seen.errors += Counter()  # forget what was counted 0 times
