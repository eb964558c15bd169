"""The deployment's counters, and whether they add up.

They change only inside the script that does what is counted, and one HGETALL reads them at one
instant: what is missing from an account is missing, not under way.
"""

from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import cast

from redis.asyncio import Redis

from ludo.mirror.settle import Outcome
from ludo.store import keys

Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Account:
    """What came from one source, and what became of it (design section 7)."""

    source: str
    accepted: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    pending: int = 0

    @property
    def unaccounted(self) -> int:
        """accepted - (applied + duplicate + stale + filtered + dead + pending): 0, or a fault."""
        return self.accepted - sum(self.outcomes.values()) - self.pending


async def read_counters(redis: Redis) -> Counters:
    """All counters at one instant; raises redis.exceptions.RedisError."""
    found = await cast(Awaitable[dict[bytes, bytes]], redis.hgetall(keys.COUNTERS))
    return {name.decode(): int(value) for name, value in found.items()}


def accounts(counters: Counters) -> list[Account]:
    """The account of each source that anything ever came from, by name."""
    accepted: dict[str, int] = {}
    pending: dict[str, int] = {}
    outcomes: dict[str, dict[Outcome, int]] = defaultdict(dict)
    for name, value in counters.items():
        match name.split(":"):
            case ["accepted", source]:
                accepted[source] = value
            case ["pending", source]:
                pending[source] = value
            case ["outcome", outcome, source]:
                outcomes[source][Outcome(outcome)] = value
    sources = sorted({*accepted, *pending, *outcomes})
    return [
        Account(source, accepted.get(source, 0), outcomes[source], pending.get(source, 0))
        for source in sources
    ]
