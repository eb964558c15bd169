"""How often a client may speak."""

from proxy.relay.pace import Pace


def test_the_limit_holds_for_every_minute() -> None:
    """Three in a minute: the fourth is told when it would have been in time."""
    pace = Pace(3)

    assert [pace.too_fast(now) for now in (0.0, 10.0, 20.0)] == [0.0, 0.0, 0.0]
    assert pace.too_fast(50.0) == 10.0
    assert pace.too_fast(60.0) == 0.0
    assert pace.too_fast(61.0) == 9.0
