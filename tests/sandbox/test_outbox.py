"""What waits to be delivered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from sandbox.outbox import Outbox
from sandbox.retry import Reply, Schedule
from sandbox.sending import Sending, Worth
from sandbox.tally import Tally
from tests.waiting import wait_until

Opened = Callable[..., Outbox]


class Receiver:
    """Answers as it is told and notes what it accepted; `gate` holds every answer back."""

    def __init__(self, *refusals: int) -> None:
        self.refusals = list(refusals)
        self.accepted: list[str] = []
        self.attempts: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = self.busiest = 0

    async def attempt(self, sending: Sending, number: int) -> Reply:
        self.attempts[sending.webhook_id] += 1
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        await self.gate.wait()
        self.busy -= 1
        if self.refusals:
            return Reply(self.refusals.pop(0))
        self.accepted.append(sending.webhook_id)
        return Reply(202)


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens outboxes that are closed again."""
    made: list[Outbox] = []

    def open_one(receiver: Receiver, tally: Tally | None = None, **limits: int) -> Outbox:
        schedule = Schedule(waits=(0.001,), attempts=3)
        made.append(Outbox(receiver.attempt, schedule, tally or Tally(), **limits))
        return made[-1]

    yield open_one
    for outbox in made:
        await outbox.aclose()


def sending(name: str, game: str = "gm_1", **more: object) -> Sending:
    return Sending(name, game, b"{}", **more)  # type: ignore[arg-type]


async def settled(outbox: Outbox) -> None:
    await wait_until(lambda: outbox.pending == 0)


async def test_a_game_is_delivered_in_order(opened: Opened) -> None:
    """An event that is refused at first is not overtaken."""
    receiver = Receiver(500, 0)
    outbox = opened(receiver)
    for name in "abcd":
        outbox.put(sending(name))

    await settled(outbox)

    assert receiver.accepted == list("abcd")
    assert receiver.attempts["a"] == 3


async def test_games_do_not_wait_for_each_other(opened: Opened) -> None:
    """They are delivered side by side, but no more at once than there are connections."""
    receiver = Receiver()
    receiver.gate.clear()
    outbox = opened(receiver, connections=3)
    for n in range(5):
        outbox.put(sending(f"{n}", game=f"gm_{n}"))

    await wait_until(lambda: receiver.busy == 3)
    receiver.gate.set()
    await settled(outbox)

    assert receiver.busiest == 3


async def test_a_swapped_event_lets_the_next_one_pass(opened: Opened) -> None:
    """Two neighbours change places, no more."""
    receiver = Receiver()
    outbox = opened(receiver)
    outbox.put(sending("a", swapped=True))
    for name in "bc":
        outbox.put(sending(name))

    await settled(outbox)

    assert receiver.accepted == list("bac")


async def test_a_swapped_event_waits_for_the_next_one(opened: Opened) -> None:
    """Even if that one only happens a moment later."""
    receiver = Receiver()
    outbox = opened(receiver)
    outbox.put(sending("a", swapped=True))
    await asyncio.sleep(0)
    outbox.put(sending("b"))

    await settled(outbox)

    assert receiver.accepted == list("ba")


async def test_a_late_event_leaves_on_its_own(opened: Opened) -> None:
    """Those behind it do not wait for it, and it counts as pending."""
    receiver = Receiver()
    outbox = opened(receiver)
    outbox.put(sending("late", delay=0.05))
    outbox.put(sending("next"))

    await wait_until(lambda: receiver.accepted)
    pending = outbox.pending
    await settled(outbox)

    assert pending == 1
    assert receiver.accepted == ["next", "late"]


async def test_a_sending_is_given_up_in_the_end(opened: Opened) -> None:
    """The next one has its turn, and both are counted."""
    tally = Tally()
    receiver = Receiver(500, 500, 500)
    outbox = opened(receiver, tally)
    outbox.put(sending("a"))
    outbox.put(sending("b"))

    await settled(outbox)

    assert receiver.accepted == ["b"]
    assert (tally.attempts, tally.retried) == (4, 2)
    assert tally.given_up == {Worth.GENUINE: 1}
    assert tally.acknowledged == {Worth.GENUINE: 1}
    assert tally.statuses == {500: 3, 202: 1}


async def test_whoever_makes_events_can_wait_for_room(opened: Opened) -> None:
    """A full outbox holds the games up, and lets them go on as it empties."""
    receiver = Receiver()
    receiver.gate.clear()
    outbox = opened(receiver, bound=2)
    for name in "ab":
        outbox.put(sending(name))
    waiting = asyncio.create_task(outbox.ready())
    await asyncio.sleep(0)

    assert outbox.full
    assert not waiting.done()
    receiver.gate.set()
    await asyncio.wait_for(waiting, 5)


async def test_a_game_can_be_kept_close_to_its_deliveries(opened: Opened) -> None:
    """One game's backlog holds up that game alone."""
    receiver = Receiver()
    receiver.gate.clear()
    outbox = opened(receiver)
    for name in "abcd":
        outbox.put(sending(name))
    ahead = asyncio.create_task(outbox.ready("gm_1", 2))
    await asyncio.wait_for(outbox.ready("gm_2", 2), 5)

    assert not ahead.done()
    receiver.gate.set()
    await asyncio.wait_for(ahead, 5)


async def test_without_a_receiver_nothing_waits() -> None:
    """What is put into it is gone."""
    outbox = Outbox(None, Schedule(), Tally())

    outbox.put(sending("a"))

    assert outbox.pending == 0


async def test_closing_ends_every_task(opened: Opened) -> None:
    """Nothing is delivered any more, and nothing stays behind."""
    receiver = Receiver()
    receiver.gate.clear()
    outbox = opened(receiver)
    outbox.put(sending("a"))
    outbox.put(sending("late", delay=60))
    await wait_until(lambda: receiver.busy)

    await outbox.aclose()

    assert asyncio.all_tasks() == {asyncio.current_task()}
