"""Rooms, and what is awaited for them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ludo.store.feed import delta_message
from proxy.relay.audit import Auditor
from proxy.relay.hub import Hub
from proxy.relay.listener import CaughtUp, NoSuchGame, Renewed, Resume
from tests.relay.builders import LIMITS, Recorder, place
from tests.relay.library import Library, Radio, stored
from tests.waiting import wait_until

QUICK = replace(LIMITS, unknown_for=0.1, linger=0.02, audit_every=0.01, source_within=0.05)


class Office:
    """A hub with all it needs."""

    def __init__(self) -> None:
        self.library = Library()
        self.radio = Radio()
        clock = asyncio.get_running_loop().time
        self.hub = Hub(self.library, self.radio, QUICK, clock)
        self.auditor = Auditor(self.hub, self.library, QUICK, clock)

    def join(self, game: str = "g", seq: int | None = None) -> Recorder:
        """Somebody who joins a game."""
        listener = Recorder()
        self.hub.join(game, listener, Resume(None if seq is None else place(seq)))
        return listener

    def publish(self, seq: int, game: str = "g") -> None:
        """A delta comes over the link."""
        self.hub.heard(f"channel:{game}", delta_message("e", seq, b'{"t":"d"}'))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """A hub whose library knows one game; at the end nothing of it is left."""
    office = Office()
    office.library.games["g"] = stored("g", 5)
    office.library.feeds["g"] = [(seq, b"{}") for seq in range(1, 6)]
    yield office
    await office.hub.aclose()
    assert (office.hub.rooms, office.radio.wanted) == ((), set())


async def test_a_herd_costs_as_much_as_one(office: Office) -> None:
    """Two hundred clients at once read the mirror and the feed once; later ones nothing."""
    herd = [office.join(seq=None if n % 2 else 3) for n in range(200)]
    await wait_until(lambda: all(listener.told for listener in herd))
    late = office.join(seq=4)

    assert {type(listener.last) for listener in herd} == {Renewed, CaughtUp}
    assert isinstance(late.last, CaughtUp)
    assert office.library.reads == 2


async def test_a_delta_during_the_opening_is_delivered(office: Office) -> None:
    """It was published after the mirror was read, and before anybody could be answered."""
    office.library.gate.clear()
    listener = office.join()
    await wait_until(lambda: office.library.reads)
    office.publish(6)
    office.library.gate.set()
    await wait_until(lambda: listener.deltas)

    assert isinstance(listener.last, Renewed)
    assert listener.deltas == [6]


async def test_what_was_read_before_the_link_was_lost_does_not_count(office: Office) -> None:
    """A delta may have been missed in between: the mirror is read again."""
    office.library.gate.clear()
    listener = office.join()
    await wait_until(lambda: office.library.reads)
    office.hub.deafened(["channel:g"])
    office.library.games["g"] = stored("g", 6)
    office.hub.tuned("channel:g")
    office.library.gate.set()
    await wait_until(lambda: listener.told)

    assert isinstance(listener.last, Renewed)
    assert listener.last.place == place(6)


async def test_a_snapshot_read_before_the_link_was_lost_does_not_settle_anything(
    office: Office,
) -> None:
    """Whoever waits for it is answered after the audit, at the tip."""
    first = office.join()
    await wait_until(lambda: first.told)
    office.publish(6)
    office.library.games["g"] = stored("g", 6)
    office.library.gate.clear()
    late = office.join()
    await wait_until(lambda: office.library.reads == 3)
    office.hub.deafened(["channel:g"])
    office.hub.tuned("channel:g")
    office.library.games["g"] = stored("g", 7)
    office.library.feeds["g"] = [(7, b"{}")]
    office.library.gate.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert late.told == []
    await office.auditor.audit()
    await wait_until(lambda: late.told)

    assert first.deltas == [6, 7]
    assert isinstance(late.last, Renewed)
    assert late.last.place == place(7)


async def test_a_store_out_of_reach_is_asked_again(office: Office) -> None:
    """Whoever waits is answered when it is back."""
    office.library.shut = True
    listener = office.join()
    watch = asyncio.create_task(office.auditor.run())
    await wait_until(lambda: office.library.reads > 2)
    assert listener.told == []
    office.library.shut = False
    await wait_until(lambda: listener.told)
    watch.cancel()

    assert isinstance(listener.last, Renewed)


async def test_a_store_that_does_not_answer_is_given_up(office: Office) -> None:
    """Every read has a deadline, so a silent Redis holds nobody for ever."""
    office.library.gate.clear()
    listener = office.join()
    watch = asyncio.create_task(office.auditor.run())
    await wait_until(lambda: office.library.reads > 2)
    office.library.gate.set()
    await wait_until(lambda: listener.told)
    watch.cancel()


async def test_an_unknown_game_is_asked_for_once(office: Office) -> None:
    """Everybody who waits for it is told, and the room is free again."""
    one, two = office.join("nope"), office.join("nope")
    await wait_until(lambda: one.told and two.told)

    assert one.told == two.told == [NoSuchGame()]
    assert office.library.asked == ["nope"]


async def test_an_empty_room_is_closed_after_a_while(office: Office) -> None:
    """Not before: whoever comes back soon finds it warm."""
    listener = office.join()
    await wait_until(lambda: listener.told)
    office.hub.leave("g", listener)
    office.hub.sweep()
    assert len(office.hub.rooms) == 1
    watch = asyncio.create_task(office.auditor.run())
    await wait_until(lambda: not office.hub.rooms)
    watch.cancel()

    assert office.radio.wanted == set()


async def test_a_game_that_vanished_is_asked_for_once(office: Office) -> None:
    """While somebody listens to it."""
    listener = office.join()
    await wait_until(lambda: listener.told)
    gone = office.library.games.pop("g")
    for _ in range(3):
        await office.auditor.audit()
    assert office.library.asked == ["g"]
    office.library.games["g"] = gone
    await office.auditor.audit()

    assert listener.deltas == []


async def test_messages_that_cannot_be_read_are_passed_over(office: Office) -> None:
    """The game goes on."""
    listener = office.join()
    await wait_until(lambda: listener.told)
    office.hub.heard("channel:g", b"\xff garbage")
    office.hub.heard("channel:elsewhere", b"1 d e 1 {}")
    office.publish(6)

    assert listener.deltas == [6]
