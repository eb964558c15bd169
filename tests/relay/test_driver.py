"""A connection between its session and its pipe: what is written when, and by whom."""

import asyncio
import json
from typing import Any, cast

from proxy.relay.callers import Caller
from proxy.relay.codes import Code
from proxy.relay.driver import Connection
from proxy.relay.framing import text_of
from proxy.relay.gate import Pass
from proxy.relay.listener import CaughtUp
from proxy.relay.outbox import Item
from proxy.relay.own import Own
from proxy.relay.session import Session
from tests.relay.builders import LIMITS, delta, place
from tests.waiting import wait_until


class Hub:
    """Answers nobody."""

    def join(self, *_: Any) -> None:
        """See `Hub`."""

    def leave(self, *_: Any) -> None:
        """See `Hub`."""


class Pipe:
    """A socket that can be backed up; remembers what was written."""

    def __init__(self, *, frames: bool = True) -> None:
        self._frames = frames
        self._open = asyncio.Event()
        self._open.set()
        self._gone = asyncio.Event()
        self.came: list[str] = []
        self.waited: list[str] = []
        self.closes: list[int] = []

    def back_up(self) -> None:
        """The buffer is full."""
        self._open.clear()

    def relieve(self) -> None:
        """The buffer is empty; whoever waits for it runs later."""
        self._open.set()

    @property
    def ready(self) -> bool:
        """See `Pipe`."""
        return self._frames and self._open.is_set()

    def write(self, wire: bytes) -> None:
        """See `Pipe`."""
        assert self.ready
        self.came.append(short(text_of(wire)))

    async def receive(self) -> str | None:
        """See `Pipe`."""
        await self._gone.wait()
        return None

    async def send(self, item: Item, *, over: bool) -> None:
        """See `Pipe`."""
        await self._open.wait()
        self.came.append(short(item.text))
        self.waited.append(short(item.text))

    async def close(self, code: Code) -> None:
        """See `Pipe`."""
        self.closes.append(code)

    def hang_up(self) -> None:
        """The client leaves."""
        self._gone.set()


def short(text: str) -> str:
    """A frame's kind, and its sequence if it is a delta."""
    frame = json.loads(text)
    return f"d{frame['seq']}" if frame["t"] == "d" else str(frame["t"])


async def _anyone(_token: str | None, _held: Pass) -> Caller:
    return Caller()


class Desk:
    """A connection about one game, which the room has just answered."""

    def __init__(self, pipe: Pipe) -> None:
        clock = asyncio.get_running_loop().time
        session = Session("c", LIMITS, clock(), wall_ms=0, chance=0.5, own=Own("g", "g"))
        self.pipe = pipe
        self.connection = Connection(
            pipe, session, cast(Any, Hub()), _anyone, cast(Any, None), LIMITS, clock
        )
        self.task = asyncio.create_task(self.connection.run(unasked=True))

    async def live(self) -> "Desk":
        """Until it is subscribed."""
        await wait_until(lambda: "welcome" in self.pipe.came)
        self.connection.tell("g", CaughtUp(place(0), (), None), 0.0)
        await wait_until(lambda: "live" in self.pipe.came)
        return self

    def advance(self, *numbers: int) -> None:
        """The game goes on."""
        now = asyncio.get_running_loop().time()
        for number in numbers:
            self.connection.advance("g", delta(number), now)

    async def leave(self) -> None:
        """The client leaves, and nothing is left."""
        self.pipe.hang_up()
        await self.task


async def test_a_delta_is_written_in_the_moment_of_its_coming() -> None:
    """No task is woken for it where the server takes frames."""
    desk = await Desk(Pipe()).live()
    desk.advance(1, 2)

    assert desk.pipe.came[-2:] == ["d1", "d2"]
    assert desk.pipe.waited == []
    await desk.leave()


async def test_a_server_that_only_sends_gets_the_same() -> None:
    """One after the other, awaited."""
    desk = await Desk(Pipe(frames=False)).live()
    desk.advance(1, 2)
    await wait_until(lambda: desk.pipe.came[-1] == "d2")

    assert desk.pipe.came == desk.pipe.waited == ["welcome", "live", "d1", "d2"]
    await desk.leave()


async def test_no_delta_overtakes_one_that_waits_for_the_socket() -> None:
    """The buffer is empty again, but who waits for it has not run yet."""
    desk = await Desk(Pipe()).live()
    desk.pipe.back_up()
    desk.advance(1)
    await asyncio.sleep(0.01)
    desk.pipe.relieve()
    desk.advance(2)
    await wait_until(lambda: desk.pipe.came[-1] == "d2")
    desk.advance(3)

    assert desk.pipe.came[-3:] == ["d1", "d2", "d3"]
    assert desk.pipe.waited == ["d1"]
    await desk.leave()


async def test_a_backed_up_socket_drops_deltas_and_owes_a_snapshot() -> None:
    """Nothing is written past a full buffer; the queue's bound holds behind it."""
    desk = await Desk(Pipe()).live()
    desk.pipe.back_up()
    desk.advance(*range(1, LIMITS.backlog_frames + 3))
    await asyncio.sleep(0.01)
    desk.advance(*range(LIMITS.backlog_frames + 3, LIMITS.backlog_frames + 9))
    desk.pipe.relieve()
    await asyncio.sleep(0.01)

    assert [frame for frame in desk.pipe.came if frame.startswith("d")] == []
    await desk.leave()


async def test_a_farewell_is_written_once_and_ends_the_run() -> None:
    """Whatever else is told it afterwards."""
    desk = await Desk(Pipe()).live()
    desk.connection.end(Code.KICKED, "out")
    desk.connection.end(Code.DRAIN, "gone")
    desk.advance(1)
    await desk.task

    assert desk.pipe.came[-1] == "bye"
    assert desk.pipe.closes == [Code.KICKED]


async def test_a_fault_of_the_pipe_is_told_to_whoever_runs_it() -> None:
    """A client that is gone is none; anything else is raised."""
    for fault, expected in ((OSError("gone"), None), (ValueError("bug"), ValueError)):
        pipe = Pipe(frames=False)
        desk = await Desk(pipe).live()

        async def fail(*_: object, fault: Exception = fault, **__: object) -> None:
            raise fault

        pipe.send = fail  # type: ignore[method-assign]
        desk.advance(1)
        await asyncio.wait({desk.task})
        assert type(desk.task.exception()) is (expected or type(None))
