"""What a call passes before it goes out, and what it takes with it."""

import asyncio
from collections.abc import Callable

import pytest

from ludo.upstream.budget import CallClass
from ludo.upstream.circuits import HOST, Circuits
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import (
    BudgetSpent,
    CircuitOpen,
    DeadlinePassed,
    UpstreamError,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamTimedOut,
)
from ludo.upstream.guard import Guard
from ludo.upstream.health import CircuitState, Phase
from tests.upstream.fakes import Clock, Middle, Permits, retries

DOWN = UpstreamFailed(503)


class Upstream:
    """Answers while it is well, fails while it is not, and counts who reached it."""

    def __init__(self, *, well: bool = True) -> None:
        self.well = well
        self.calls = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, left: float) -> str:
        self.calls += 1
        await asyncio.sleep(0)
        self.meanwhile()
        if not self.well:
            raise DOWN
        return "ok"


class World:
    """A guard with everything around it."""

    def __init__(self, *, well: bool = True, permits: int = 1_000, attempts: int = 3) -> None:
        self.clock = Clock()
        self.upstream = Upstream(well=well)
        self.permits = Permits(permits)
        self.circuits = Circuits(clock=self.clock, chance=Middle())
        self.guard = Guard(
            budget=self.permits,
            circuits=self.circuits,
            retries=retries(self.clock, attempts=attempts),
        )

    async def call(
        self, klass: CallClass = CallClass.READ, *, seconds: float = 60, repeatable: bool = True
    ) -> str:
        """One call of the usual route."""
        return await self.guard.run(
            self.upstream,
            route="/rooms",
            klass=klass,
            deadline=Deadline.after(seconds, self.clock),
            repeatable=repeatable,
        )

    async def error(self, **how: float) -> UpstreamError:
        """The error of one call."""
        with pytest.raises(UpstreamError) as failed:
            await self.call(**how)  # type: ignore[arg-type]
        return failed.value

    async def opened(self) -> "World":
        """The same world with the route's circuit open."""
        self.upstream.well = False
        while not isinstance(await self.error(), CircuitOpen):
            pass
        self.permits.taken.clear()
        self.upstream.calls = 0
        return self


async def test_a_call_takes_one_permit_of_its_class() -> None:
    """And gets upstream's answer."""
    world = World()
    assert await world.call(CallClass.RESYNC) == "ok"
    assert world.permits.taken == [CallClass.RESYNC]


async def test_without_time_nothing_is_asked() -> None:
    """Nobody waits for the answer any more, so no permit is spent on it."""
    world = World()
    assert isinstance(await world.error(seconds=0.05), DeadlinePassed)
    assert (world.permits.taken, world.upstream.calls) == ([], 0)


async def test_without_a_permit_nothing_is_sent() -> None:
    """The caller learns when the next call fits."""
    world = World(permits=0)
    error = await world.error()
    assert isinstance(error, BudgetSpent)
    assert (error.retry_after, world.upstream.calls) == (7.0, 0)


async def test_an_open_circuit_spends_no_permit() -> None:
    """What is refused anyway must not cost anything."""
    world = await World().opened()
    assert isinstance(await world.error(), CircuitOpen)
    assert (world.permits.taken, world.upstream.calls) == ([], 0)


async def test_every_attempt_takes_a_permit() -> None:
    """Upstream counts arrivals, not calls."""
    world = World(well=False)
    assert await world.error() is DOWN
    assert (world.upstream.calls, world.permits.taken) == (3, [CallClass.READ] * 3)


async def test_a_retry_without_a_permit_tells_why_upstream_failed() -> None:
    """That says more than that we did not ask again."""
    world = World(well=False, permits=1)
    error = await world.error()
    assert error is DOWN
    assert isinstance(error.__cause__, BudgetSpent)
    assert (world.upstream.calls, len(world.clock.slept)) == (1, 1)


async def test_what_may_not_be_repeated_is_sent_once() -> None:
    """A write without a key may have been done already."""
    world = World(well=False)
    with pytest.raises(UpstreamFailed):
        await world.call(repeatable=False)
    assert world.upstream.calls == 1


async def test_a_dead_upstream_gets_five_attempts_and_no_more() -> None:
    """Retries end when the circuit opens, in the middle of a call if need be."""
    world = World(well=False)
    for _ in range(50):
        await world.error()
    assert world.upstream.calls == 5


async def test_refusals_do_not_open_the_circuit() -> None:
    """However many callers ask for what is not there."""
    world = World()

    async def refuse(left: float) -> str:
        raise UpstreamRefused(404, None, "", b"")

    deadline = Deadline.after(60, world.clock)
    for _ in range(20):
        with pytest.raises(UpstreamRefused):
            await world.guard.run(
                refuse, route="/rooms", klass=CallClass.READ, deadline=deadline, repeatable=True
            )
    assert await world.call() == "ok"


async def test_the_probe_takes_a_permit_of_the_reserve_and_one_only() -> None:
    """It must get through when the budget is low, and is not repeated when it fails."""
    world = await World().opened()
    world.clock.now += 3
    assert await world.error() is DOWN
    assert (world.upstream.calls, world.permits.taken) == (1, [CallClass.WRITE])


async def test_after_an_outage_one_call_goes_first() -> None:
    """Of a crowd exactly one reaches upstream until it has answered; then all do."""
    world = await World().opened()
    world.upstream.well = True
    world.clock.now += 3
    came = await asyncio.gather(*(world.call() for _ in range(30)), return_exceptions=True)
    assert (came.count("ok"), world.upstream.calls) == (1, 1)
    assert await world.call() == "ok"


async def test_an_outage_costs_one_call_in_three_seconds() -> None:
    """A minute of it: the five that opened the circuit, and the probes."""
    world = World(well=False)
    for _ in range(600):
        await world.error()
        world.clock.now += 0.1
    assert world.upstream.calls <= 5 + 20


async def test_a_circuit_that_opens_while_a_permit_is_awaited_is_noticed() -> None:
    """The permit is lost, but upstream is spared."""
    world = World()

    async def slowly(klass: CallClass, deadline: Deadline) -> None:
        world.circuits.take_over(CircuitState("/rooms", Phase.OPEN, 1, open_for=2))

    world.permits.take = slowly  # type: ignore[method-assign]
    error = await world.error()
    assert isinstance(error, CircuitOpen)
    assert (error.retry_after, world.upstream.calls) == (2, 0)


async def test_a_circuit_that_opens_during_a_call_ends_its_retries() -> None:
    """Another call found out meanwhile that upstream is down."""
    world = World(well=False)
    world.upstream.meanwhile = lambda: world.circuits.take_over(
        CircuitState("/rooms", Phase.OPEN, 1, open_for=2)
    )
    assert await world.error() is DOWN
    assert (world.upstream.calls, world.clock.slept) == (1, [])
    assert world.permits.taken == [CallClass.READ]


async def test_a_probe_that_tells_nothing_is_not_repeated_either() -> None:
    """The host's circuit learns nothing from a timeout; the next caller is the next probe."""
    world = World()
    world.circuits.take_over(CircuitState(HOST, Phase.OPEN, 1))
    attempts = 0

    async def time_out(left: float) -> str:
        nonlocal attempts
        attempts += 1
        raise UpstreamTimedOut

    deadline = Deadline.after(60, world.clock)
    with pytest.raises(UpstreamTimedOut):
        await world.guard.run(
            time_out, route="/rooms", klass=CallClass.READ, deadline=deadline, repeatable=True
        )
    assert attempts == 1


async def test_waiting_for_a_permit_ends_with_the_deadline() -> None:
    """A budget that hangs does not hang its callers."""
    world = World()

    async def never(klass: CallClass, deadline: Deadline) -> None:
        await asyncio.sleep(60)

    world.permits.take = never  # type: ignore[method-assign]
    async with asyncio.timeout(2):
        assert isinstance(await world.error(seconds=0.15), DeadlinePassed)


async def test_a_cancelled_probe_is_given_back() -> None:
    """The caller left; the next one finds out whether upstream is back."""
    world = await World().opened()
    world.clock.now += 3
    waiting = asyncio.Event()

    async def hang(left: float) -> str:
        waiting.set()
        await asyncio.sleep(60)
        return ""

    deadline = Deadline.after(60, world.clock)
    probe = asyncio.create_task(
        world.guard.run(
            hang, route="/rooms", klass=CallClass.READ, deadline=deadline, repeatable=True
        )
    )
    await waiting.wait()
    probe.cancel()
    await asyncio.wait({probe})
    world.upstream.well = True
    assert await world.call() == "ok"
