"""A circuit a route, under one for the host."""

import pytest

from ludo.upstream.circuits import HOST, Circuits
from ludo.upstream.errors import (
    BudgetSpent,
    CircuitOpen,
    DeadlinePassed,
    UpstreamError,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ludo.upstream.health import CircuitState, Phase
from tests.upstream.fakes import Clock, Middle

REFUSED = UpstreamUnavailable("", sent=False)
RESET = UpstreamUnavailable("", sent=True)


async def after(error: UpstreamError | None, clock: Clock | None = None) -> Circuits:
    """The circuits after five calls of one route that went like this."""
    circuits = Circuits(clock=clock or Clock(), chance=Middle())
    for _ in range(5):
        (await circuits.admit("/rooms")).settle(error)
    return circuits


def phases(circuits: Circuits) -> dict[str, Phase]:
    """How each circuit stands."""
    return {state.name: state.phase for state in circuits.states()}


@pytest.mark.parametrize(
    "error", [UpstreamFailed(500), UpstreamTimedOut(), RESET, UpstreamMalformed("a", "b")]
)
async def test_a_failing_route_opens_its_own_circuit(error: UpstreamError) -> None:
    """Other routes go on: a broken endpoint is not a broken upstream."""
    circuits = await after(error)
    assert phases(circuits) == {HOST: Phase.CLOSED, "/rooms": Phase.OPEN}
    assert not (await circuits.admit("/players")).probing


async def test_connections_that_cannot_be_made_open_the_hosts() -> None:
    """Then every route is closed to calls, also one that was never tried."""
    circuits = await after(REFUSED)
    assert phases(circuits) == {HOST: Phase.OPEN, "/rooms": Phase.CLOSED}
    with pytest.raises(CircuitOpen, match="host"):
        await circuits.admit("/players")


@pytest.mark.parametrize(
    "error",
    [
        None,
        UpstreamThrottled(1),
        UpstreamRefused(404, None, "", b""),
        DeadlinePassed(),
        BudgetSpent(1),
    ],
)
async def test_an_answer_and_our_own_limits_open_nothing(error: UpstreamError | None) -> None:
    """A 429 or another 4xx is upstream at work; what we did not send says nothing of it."""
    circuits = await after(error)
    assert set(phases(circuits).values()) == {Phase.CLOSED}


async def test_a_probe_of_the_host_is_one_of_the_route_too() -> None:
    """It closes the host's circuit with any answer."""
    clock = Clock()
    circuits = await after(REFUSED, clock)
    clock.now += 3
    passage = await circuits.admit("/players")
    assert passage.probing
    passage.settle(UpstreamFailed(500))
    assert phases(circuits)[HOST] is Phase.CLOSED


async def test_a_closed_route_gives_the_hosts_probe_back() -> None:
    """Whoever is turned away by the route does not keep the host's probe."""
    clock = Clock()
    circuits = await after(REFUSED, clock)
    clock.now += 3
    circuits.take_over(CircuitState("/rooms", Phase.OPEN, 1, open_for=9))
    with pytest.raises(CircuitOpen, match="rooms"):
        await circuits.admit("/rooms")
    assert (await circuits.admit("/players")).probing


async def test_releasing_without_a_result_is_neutral() -> None:
    """A cancelled probe leaves the circuit open and the probe free."""
    clock = Clock()
    circuits = await after(UpstreamFailed(500), clock)
    clock.now += 3
    (await circuits.admit("/rooms")).release()
    assert (await circuits.admit("/rooms")).probing


async def test_a_passage_knows_when_it_is_outdated() -> None:
    """A call that waited long is told that the circuit opened meanwhile."""
    circuits = Circuits(clock=Clock(), chance=Middle())
    passage = await circuits.admit("/rooms")
    before = passage.current
    circuits.take_over(CircuitState(HOST, Phase.OPEN, 1, open_for=2))
    assert (before, passage.current) == (True, False)
    assert (passage.refusal().name, passage.refusal().retry_after) == (HOST, 2)


async def test_changes_are_told_to_whoever_shares_them() -> None:
    """The listener hears of what happened here, not of what it told us."""
    told: list[CircuitState] = []
    circuits = Circuits(tell=told.append, clock=Clock(), chance=Middle())
    circuits.take_over(CircuitState("/players", Phase.OPEN, 4, open_for=2))
    for _ in range(5):
        (await circuits.admit("/rooms")).settle(UpstreamFailed(500))
    assert told == [CircuitState("/rooms", Phase.OPEN, 1, 3.0)]
