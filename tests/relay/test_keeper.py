"""What is awaited for a room: what was read before the link was lost counts for nothing."""

import asyncio

import pytest

from proxy.relay.keeper import keep
from proxy.relay.listener import Renewed, Resume
from proxy.relay.news import Replaced
from proxy.relay.room import Room
from tests.relay.builders import LIMITS, Recorder, delta, place
from tests.relay.library import Library, stored


class Desk:
    """A room whose library knows its game at 5, and can be made to wait."""

    def __init__(self) -> None:
        self.library = Library({"g": stored("g", 5)})
        self.room = Room("g", LIMITS)
        self.room.tuned = True
        self.listener = Recorder()

    async def work(self) -> None:
        """Do the room's chores."""
        await keep(self.room, self.library, LIMITS, asyncio.get_running_loop().time)

    async def work_while_the_link_is_lost(self) -> None:
        """Begin to read, lose the link, and get the answer after that."""
        self.library.gate.clear()
        task = asyncio.create_task(self.work())
        await asyncio.sleep(0)
        self.room.deafen()
        self.library.gate.set()
        await task


@pytest.fixture
async def desk() -> Desk:
    """A room and what it is read from."""
    return Desk()


async def test_a_mirror_read_before_is_not_opened_with(desk: Desk) -> None:
    """It is read again once the channel is heard."""
    desk.room.join(desk.listener, Resume(None), 0.0)
    await desk.work_while_the_link_is_lost()
    assert desk.listener.told == []
    desk.library.games["g"] = stored("g", 8)
    desk.room.tuned = True
    await desk.work()

    assert isinstance(desk.listener.last, Renewed)
    assert desk.listener.last.place == place(8)


async def test_a_feed_read_before_fills_no_hole(desk: Desk) -> None:
    """Deltas that were published since may follow it."""
    desk.room.join(desk.listener, Resume(place(5)), 0.0)
    await desk.work()
    desk.library.feeds["g"] = [(6, b"{}"), (7, b"{}")]
    desk.room.hear(delta(7), 0.0)
    await desk.work_while_the_link_is_lost()

    assert desk.room.place == place(5)
    assert desk.listener.deltas == []


async def test_a_mirror_read_before_settles_no_doubt(desk: Desk) -> None:
    """The room stays unsure, and passes nothing on."""
    desk.room.join(desk.listener, Resume(place(5)), 0.0)
    await desk.work()
    desk.room.hear(Replaced(place(9)), 0.0)
    await desk.work_while_the_link_is_lost()
    desk.room.tuned = True
    desk.room.hear(delta(6), 0.0)

    assert desk.listener.deltas == []
