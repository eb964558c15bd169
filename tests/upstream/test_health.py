"""What replicas share of upstream's health, and what a process on its own does without them."""

from ludo.upstream.health import CircuitPolicy, CircuitState, LocalGate, Phase, ProbeGate


async def test_a_process_on_its_own_needs_no_leave_to_probe() -> None:
    """Its circuit alone sees to it that one probe goes at a time."""
    gate: ProbeGate = LocalGate()
    assert await gate.claim("/rooms", 1, 15.0)
    gate.free("/rooms", 1)
    assert await gate.claim("/rooms", 1, 15.0)


def test_the_thresholds_fit_a_small_budget() -> None:
    """As the design has them: at 100 calls a minute the usual ones would never be reached."""
    policy = CircuitPolicy()
    assert (policy.consecutive, policy.ratio, policy.fewest) == (5, 0.5, 5)
    assert (policy.window, policy.open_for, policy.jitter) == (60.0, 3.0, 0.1)


def test_a_state_is_a_plain_value() -> None:
    """Whatever carries it between replicas, equal states are equal."""
    assert CircuitState("/rooms", Phase("open"), 3, 2.5) == CircuitState(
        "/rooms", Phase.OPEN, 3, 2.5
    )
