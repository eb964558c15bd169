"""One circuit: when it opens, how it closes, and what it takes no notice of."""

import asyncio
from typing import Any

import pytest

from ludo.upstream.circuit import Circuit, Ticket
from ludo.upstream.errors import CircuitOpen
from ludo.upstream.health import CircuitPolicy, CircuitState, LocalGate, Outcome, Phase
from tests.upstream.fakes import Clock, Middle, SharedGate

OK, BAD, NEUTRAL = Outcome.SUCCESS, Outcome.FAILURE, Outcome.NEUTRAL
EDGE = 3.0


class Held:
    """A circuit with its clock and what it told."""

    def __init__(self, **changes: Any) -> None:
        self.clock: Clock = changes.pop("clock", None) or Clock()
        self.told: list[CircuitState] = []
        gate = changes.pop("gate", None) or LocalGate()
        self.circuit = Circuit(
            "/rooms",
            policy=CircuitPolicy(**changes),
            gate=gate,
            clock=self.clock,
            chance=Middle(),
            tell=self.told.append,
        )

    def stands(self, phase: Phase) -> bool:
        """Whether the circuit is in that phase."""
        return self.circuit.phase is phase

    async def calls(self, *outcomes: Outcome) -> None:
        """Calls one after the other, a second apart."""
        for outcome in outcomes:
            (await self.circuit.admit()).settle(outcome)
            self.clock.now += 1

    async def opened(self) -> "Held":
        """The same circuit after five failures, all seconds of its opening still to come."""
        self.clock.now -= 4
        await self.calls(BAD, BAD, BAD, BAD)
        (await self.circuit.admit()).settle(BAD)
        return self

    async def probe(self) -> Ticket:
        """The ticket of the probe, once the circuit has been open long enough."""
        self.clock.now += EDGE
        return await self.circuit.admit()


async def test_five_failures_in_a_row_open_it() -> None:
    """The fifth is the last that reaches upstream."""
    held = await Held().opened()
    assert held.stands(Phase.OPEN)
    with pytest.raises(CircuitOpen) as refused:
        await held.circuit.admit()
    assert refused.value.retry_after == EDGE


async def test_a_success_starts_the_count_again() -> None:
    """Four failures, an answer, four failures: below half of five only if answers came too."""
    held = Held(ratio=1.1)
    await held.calls(BAD, BAD, BAD, BAD, OK, BAD, BAD, BAD, BAD)
    assert held.stands(Phase.CLOSED)


async def test_half_of_five_in_a_minute_open_it() -> None:
    """Failures need not follow each other; at least five calls must have been made."""
    held = Held()
    await held.calls(BAD, OK, BAD, OK, OK)
    assert held.stands(Phase.CLOSED)
    await held.calls(BAD)
    assert held.stands(Phase.OPEN)


async def test_four_calls_are_too_few_to_tell() -> None:
    """Three of four failed, and it stays closed until the fifth call."""
    held = Held()
    await held.calls(BAD, OK, BAD, BAD)
    assert held.stands(Phase.CLOSED)
    await held.calls(BAD)
    assert held.stands(Phase.OPEN)


async def test_less_than_half_keeps_it_closed() -> None:
    """Two failures in five calls are bad luck."""
    held = Held()
    await held.calls(OK, OK, OK, BAD, BAD)
    assert held.stands(Phase.CLOSED)


async def test_what_is_older_than_a_minute_is_forgotten() -> None:
    """The window slides: old failures do not open it."""
    held = Held()
    await held.calls(BAD, OK, BAD, OK)
    held.clock.now += 60
    await held.calls(BAD)
    assert held.stands(Phase.CLOSED)


async def test_neutral_outcomes_count_as_nothing() -> None:
    """Neither as failures nor as calls."""
    held = Held()
    await held.calls(*[NEUTRAL] * 20, BAD, BAD, BAD, BAD)
    assert held.stands(Phase.CLOSED)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 2.7), (0.5, 3.0), (1.0, 3.3)])
async def test_it_stays_open_for_three_seconds_give_or_take(chance: float, seconds: float) -> None:
    """A tenth of jitter keeps replicas and routes from probing together."""
    held = Held()
    held.circuit._chance.random = lambda: chance  # type: ignore[method-assign]
    await held.opened()
    assert held.circuit.state.open_for == pytest.approx(seconds)


async def test_then_one_probe_goes_and_closes_it() -> None:
    """Of all who come after the open time exactly one reaches upstream."""
    held = await Held().opened()
    held.clock.now += EDGE
    came = await asyncio.gather(*(held.circuit.admit() for _ in range(50)), return_exceptions=True)
    tickets = [each for each in came if isinstance(each, Ticket)]
    assert [ticket.probing for ticket in tickets] == [True]
    assert sum(isinstance(each, CircuitOpen) for each in came) == 49
    tickets[0].settle(OK)
    assert held.stands(Phase.CLOSED)


async def test_a_failing_probe_opens_it_again() -> None:
    """For another three seconds, from now."""
    held = await Held().opened()
    (await held.probe()).settle(BAD)
    assert held.stands(Phase.OPEN)
    assert held.circuit.state.open_for == EDGE


async def test_a_probe_without_a_result_lets_the_next_one_go() -> None:
    """A cancelled probe says nothing about upstream, and must not keep others out."""
    held = await Held().opened()
    (await held.probe()).settle(NEUTRAL)
    assert held.stands(Phase.OPEN)
    assert (await held.circuit.admit()).probing


async def test_a_probe_speaks_once() -> None:
    """What its holder says after giving it back does not decide over the next one."""
    held = await Held().opened()
    first = await held.probe()
    first.settle(NEUTRAL)
    second = await held.circuit.admit()
    first.settle(BAD)
    assert held.stands(Phase.PROBING)
    second.settle(OK)
    assert held.stands(Phase.CLOSED)


@pytest.mark.parametrize("late", [OK, BAD])
async def test_late_results_are_ignored(late: Outcome) -> None:
    """A call from before the opening neither closes the circuit nor keeps it open longer."""
    held = Held()
    slow = await held.circuit.admit()
    await held.opened()
    before = held.circuit.state
    slow.settle(late)
    assert held.circuit.state == before
    (await held.probe()).settle(OK)
    slow.settle(late)
    assert held.stands(Phase.CLOSED)
    assert not slow.current


async def test_every_change_is_told_with_its_epoch() -> None:
    """Opened, opened again, closed: each greater than the one before."""
    held = await Held().opened()
    (await held.probe()).settle(BAD)
    (await held.probe()).settle(OK)
    assert [(each.phase, each.epoch) for each in held.told] == [
        (Phase.OPEN, 1),
        (Phase.OPEN, 2),
        (Phase.CLOSED, 3),
    ]


async def test_replicas_follow_each_other() -> None:
    """What one decided holds for the other, and is not told again."""
    one, other = await Held().opened(), Held()
    other.circuit.take_over(one.told[-1])
    assert (other.circuit.state, other.told) == (one.circuit.state, [])
    other.circuit.take_over(CircuitState("/rooms", Phase.CLOSED, 2))
    assert other.stands(Phase.CLOSED)


@pytest.mark.parametrize("epoch", [0, 1])
async def test_old_news_is_no_news(epoch: int) -> None:
    """A state as old as ours, or older, changes nothing."""
    held = await Held().opened()
    held.circuit.take_over(CircuitState("/rooms", Phase.CLOSED, epoch))
    assert held.stands(Phase.OPEN)


async def test_one_probe_goes_over_all_replicas() -> None:
    """Whoever does not get it from the gate stays closed out, and does not ask all the time."""
    gate, clock = SharedGate(), Clock()
    one, other = await Held(gate=gate, clock=clock).opened(), Held(gate=gate, clock=clock)
    other.circuit.take_over(one.told[-1])
    probe = await one.probe()
    for _ in range(5):
        with pytest.raises(CircuitOpen):
            await other.circuit.admit()
    assert gate.claims == 2
    probe.settle(OK)
    other.circuit.take_over(one.told[-1])
    assert not (await other.circuit.admit()).probing


async def test_a_probe_that_is_cancelled_while_it_asks_is_not_lost() -> None:
    """The gate was slow and the caller left: the next one may ask."""
    held, asked = Held(), asyncio.Event()

    class Slow(LocalGate):
        async def claim(self, name: str, epoch: int, seconds: float) -> bool:
            asked.set()
            await asyncio.sleep(60)
            return True

    await held.opened()
    held.circuit._gate = Slow()
    probe = asyncio.create_task(held.probe())
    await asked.wait()
    probe.cancel()
    await asyncio.wait({probe})
    held.circuit._gate = LocalGate()
    assert held.stands(Phase.OPEN)
    assert (await held.circuit.admit()).probing


async def test_news_that_arrives_while_the_gate_is_asked_counts() -> None:
    """Another replica's probe closed it meanwhile: there is nothing to probe any more."""
    held, freed = await Held().opened(), []

    class Late(LocalGate):
        async def claim(self, name: str, epoch: int, seconds: float) -> bool:
            held.circuit.take_over(CircuitState(name, Phase.CLOSED, epoch + 1))
            return True

        def free(self, name: str, epoch: int) -> None:
            freed.append(epoch)

    held.circuit._gate = Late()
    ticket = await held.probe()
    assert (ticket.probing, ticket.current, freed) == (False, True, [1])
