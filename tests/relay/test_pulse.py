"""The clocks of one connection."""

import pytest

from proxy.relay.pulse import NEVER, Alarm, Pulse
from tests.relay.builders import LIMITS


@pytest.mark.parametrize(("chance", "interval"), [(0.0, 18.0), (0.5, 20.0), (1.0, 22.0)])
def test_heartbeats_come_each_20_seconds_more_or_less(chance: float, interval: float) -> None:
    """±10 %, one place for each connection."""
    pulse = Pulse(LIMITS, 0.0, chance)
    pulse.welcomed(0.0, NEVER, any_game=True)

    assert pulse.due == pytest.approx(interval)
    assert pulse.rings(pulse.due) == (Alarm.PING,)


def test_only_the_first_unanswered_ping_starts_the_wait() -> None:
    """A second ping does not give more time; any frame ends the wait."""
    pulse = Pulse(LIMITS, 0.0, 0.5)
    pulse.welcomed(0.0, NEVER, any_game=True)
    pulse.pinged(20.0)
    pulse.pinged(25.0)
    assert pulse.due == 30.0
    pulse.heard()

    assert pulse.due == 45.0


def test_a_drain_may_be_shortened_but_not_prolonged() -> None:
    """The second signal means now, whatever the first said."""
    pulse = Pulse(LIMITS, 0.0, 0.5)
    pulse.welcomed(0.0, NEVER, any_game=True)
    pulse.draining(5.0, 10.0)
    pulse.draining(15.0, 20.0)
    assert pulse.due == 5.0
    pulse.draining(1.0, 1.0)

    assert pulse.rings(1.0) == (Alarm.DRAIN, Alarm.GONE)
    assert pulse.rings(9.0) == ()


def test_nothing_rings_twice() -> None:
    """A hello that is missing is told once."""
    pulse = Pulse(LIMITS, 0.0, 0.5)

    assert pulse.rings(4.9) == ()
    assert pulse.rings(5.0) == (Alarm.HELLO_MISSING,)
    assert pulse.due == NEVER
