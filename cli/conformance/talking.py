"""Holds one relay to one case."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final, assert_never
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from cli.conformance.cases import HELLO, Case, Closes, Expect, Follows, Frame, Send, Step
from cli.conformance.shapes import faults
from ludo.relay.errors import PatchUnfit
from ludo.relay.patch import Operation, patched, same

SUBPROTOCOL: Final = Subprotocol("ludorelay.v1")


class NotAsAgreed(Exception):
    """The relay did something else; the message says what was expected and found."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which relay, and who asks: `url` ends in `/ws`, `game` is being played."""

    url: str
    game: str
    token: str | None = None

    def at(self, path: str) -> str:
        """The address of another path of the same relay."""
        parts = urlsplit(self.url)
        before = parts.path.removesuffix("/").removesuffix("/ws")
        return urlunsplit(parts._replace(path=before + path.replace("$game", self.game)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case: `fault` is None if it holds, `skipped` says why it was not tried."""

    case: Case
    took: float
    fault: str | None = None
    skipped: str | None = None


async def judge(case: Case, target: Target) -> Verdict:
    """Run a case on a connection of its own."""
    if case.open_mode and target.token is not None:
        return Verdict(case, 0.0, skipped="only where anonymous callers may come")
    begun = time.perf_counter()
    fault = None
    try:
        async with asyncio.timeout(case.patience + 10):
            await _run(case, target)
    except NotAsAgreed as error:
        fault = str(error)
    except TimeoutError:
        fault = f"expected the whole case within {case.patience + 10:g} s; it took longer"
    except ConnectionClosed as error:
        fault = f"expected the connection to stay open; found {error}"
    except (OSError, InvalidHandshake) as error:
        fault = f"expected a WebSocket at {target.at(case.path)}; found {error!r}"
    return Verdict(case, time.perf_counter() - begun, fault)


async def _run(case: Case, target: Target) -> None:
    address = target.at(case.path)
    options: dict[str, Any] = {"compression": None, "ping_interval": None, "close_timeout": 1}
    async with connect(address, subprotocols=[SUBPROTOCOL], **options) as socket:
        if socket.subprotocol not in (None, SUBPROTOCOL):
            raise NotAsAgreed(f"expected subprotocol {SUBPROTOCOL}; found {socket.subprotocol}")
        talk = _Talk(socket, target, case.patience)
        if case.greets:
            await talk.step(Send(HELLO))
            await talk.step(Expect({"t": "welcome"}))
        for step in case.steps:
            await talk.step(step)


@dataclass
class _Talk:
    socket: ClientConnection
    target: Target
    patience: float
    epoch: str | None = None
    seq: int | None = None
    state: Any = None
    frames: list[str] = field(default_factory=list)

    async def step(self, step: Step) -> None:
        """Do one step, or raise NotAsAgreed."""
        match step:
            case Send(what, times):
                await self._send(what, times)
            case Expect():
                await self._expect(step)
            case Closes(code):
                await self._closes(code)
            case Follows(deltas):
                for _ in range(deltas):
                    await self._expect(Expect({"t": "d", "game": "$game"}))
            case _:
                assert_never(step)

    async def _send(self, what: Frame | str | bytes, times: int) -> None:
        message = what if isinstance(what, str | bytes) else self._encoded(what)
        try:
            for _ in range(times):
                await self.socket.send(message)
        except ConnectionClosed:
            return  # what follows says whether that was right

    def _encoded(self, frame: Frame) -> str:
        filled = {name: self._value(value) for name, value in frame.items()}
        if "subs" in filled:
            filled["subs"] = [{k: self._value(v) for k, v in sub.items()} for sub in filled["subs"]]
        known = {name: value for name, value in filled.items() if value is not None}
        return msgspec.json.encode(known).decode()

    def _value(self, value: Any) -> Any:
        named = {
            "$game": self.target.game,
            "$token": self.target.token,
            "$epoch": self.epoch,
            "$seq": self.seq,
        }
        return named.get(value, value) if isinstance(value, str) else value

    async def _expect(self, expect: Expect) -> None:
        wanted = {name: self._value(value) for name, value in expect.frame.items()}
        while True:
            frame = await self._receive(f"expected {wanted}")
            if wanted.items() <= frame.items():
                return
            if frame["t"] in expect.never and frame.get("game", "") == self.target.game:
                raise NotAsAgreed(
                    f"expected {wanted} before any {frame['t']}; found {_short(frame)}"
                )
            if frame["t"] == "bye":
                raise NotAsAgreed(f"expected {wanted}; found {_short(frame)}")

    async def _closes(self, code: int) -> None:
        while True:
            try:
                frame = await self._receive(f"expected bye {code}")
            except ConnectionClosed as closed:
                found = closed.rcvd.code if closed.rcvd else None
                raise NotAsAgreed(f"expected bye before the close; found {found}") from None
            if frame["t"] == "bye":
                break
        if frame["code"] != code:
            raise NotAsAgreed(f"expected bye {code}; found {_short(frame)}")
        async with asyncio.timeout(self.patience):
            await self.socket.wait_closed()
        if self.socket.close_code != code:
            raise NotAsAgreed(f"expected close code {code}; found {self.socket.close_code}")

    async def _receive(self, wanted: str) -> Frame:
        try:
            async with asyncio.timeout(self.patience):
                message = await self.socket.recv()
        except TimeoutError:
            found = ", ".join(self.frames[-6:]) or "nothing"
            raise NotAsAgreed(f"{wanted} within {self.patience:g} s; found {found}") from None
        if not isinstance(message, str):
            raise NotAsAgreed(f"expected text frames; found {len(message)} bytes of binary")
        return self._read(message)

    def _read(self, message: str) -> Frame:
        try:
            frame: Frame = msgspec.json.decode(message)
        except msgspec.DecodeError as error:
            raise NotAsAgreed(f"expected JSON; found {message[:80]!r} ({error})") from None
        found = faults(frame)
        if found:
            raise NotAsAgreed("; ".join(found))
        self.frames.append(_short(frame))
        if frame.get("game") == self.target.game:
            self._follow(frame)
        return frame

    def _follow(self, frame: Frame) -> None:
        """The client rule; a hole or a patch that does not fit is the relay's fault here."""
        match frame["t"]:
            case "snap":
                self.epoch, self.seq, self.state = frame["epoch"], frame["seq"], frame["state"]
            case "d" if self.seq is not None:
                if frame["seq"] > self.seq + 1:
                    raise NotAsAgreed(f"expected d {self.seq + 1}; found {frame['seq']}: a hole")
                if frame["seq"] == self.seq + 1:
                    self._apply(frame)

    def _apply(self, frame: Frame) -> None:
        try:
            after = patched(self.state, msgspec.convert(frame["patch"], list[Operation]))
        except (PatchUnfit, msgspec.ValidationError) as error:
            raise NotAsAgreed(f"expected a patch that fits; {error}") from None
        if not same(after.get("sequence"), frame["seq"]):
            found = after.get("sequence")
            raise NotAsAgreed(f"expected the patch to lead to sequence {frame['seq']}; {found}")
        self.state, self.seq = after, frame["seq"]


def _short(frame: Frame) -> str:
    shown = {name: value for name, value in frame.items() if name not in ("state", "patch", "ev")}
    return str(shown)[:120]
