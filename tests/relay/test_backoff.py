"""How long to wait before the next attempt."""

from random import Random

import pytest

from ludo.relay.backoff import wait


@pytest.mark.parametrize(
    ("attempt", "most"), [(0, 0.25), (1, 0.5), (5, 8.0), (6, 10.0), (10**6, 10.0)]
)
def test_waits_grow_with_full_jitter(attempt: int, most: float) -> None:
    """Anywhere between nothing and twice as much each time, up to ten seconds."""
    chance = Random(1)
    waits = [wait(attempt, chance) for _ in range(2_000)]
    assert max(waits) <= most
    assert min(waits) < 0.05 * most
    assert max(waits) > 0.95 * most
