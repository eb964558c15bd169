"""Who is struck when: a function of the seed and the round's number, and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

VICTIMS: Final = ("proxy", "worker-1", "worker-2", "redis")
WINDOW_S: Final = 1.5
"""A round's strikes fall within so many seconds of its beginning."""
EXTRA: Final = 2
LONG_EVERY: Final = 10
PAST_THE_LEASE_S: Final = 6.0
"""A worker that is stopped for longer than its lease lives comes back to games of others."""


class How(StrEnum):
    """What is done to a process."""

    KILL = "kill"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True)
class Strike:
    """At `at` seconds of its round a process is killed, or stopped; `lasts` seconds later it is
    started again, or goes on."""

    at: float
    victim: str
    how: How
    lasts: float

    def __str__(self) -> str:
        return f"{self.at:.2f}s {self.how} {self.victim} for {self.lasts:.2f}s"


@dataclass(frozen=True, slots=True)
class Plan:
    """One round: `faults` are the sandbox's, and strikes of one victim never overlap."""

    number: int
    seed: str
    faults: str
    strikes: Sequence[Strike]

    @property
    def hides_nothing(self) -> bool:
        """Whether nothing is dropped and no state can be fetched: healing cannot hide a loss."""
        return "state_down" in self.faults


def plan_round(seed: str, number: int) -> Plan:
    """The round of that number, counted from 1: each victim is struck, some of them twice."""
    chance = Random(f"{seed}:{number}")
    victims = [*VICTIMS, *chance.choices(VICTIMS, k=EXTRA)]
    strikes = [_strike(victim, chance) for victim in victims]
    if number % LONG_EVERY == 0:
        strikes.append(Strike(0.2, "worker-1", How.FREEZE, PAST_THE_LEASE_S))
    faults = "lossless,state_down=1" if number % 2 == 0 else "all"
    return Plan(number, seed, faults, _one_at_a_time(strikes))


def _strike(victim: str, chance: Random) -> Strike:
    how = How.KILL if chance.random() < 0.7 else How.FREEZE
    return Strike(
        at=round(chance.uniform(0.1, WINDOW_S), 3),
        victim=victim,
        how=how,
        lasts=round(chance.uniform(0.02, 0.4), 3),
    )


def _one_at_a_time(strikes: Sequence[Strike]) -> tuple[Strike, ...]:
    """The strikes in order, without those that would fall on a victim that is down already."""
    down_until: dict[str, float] = {}
    kept = []
    for strike in sorted(strikes, key=lambda each: (each.at, each.victim)):
        if strike.at >= down_until.get(strike.victim, 0.0):
            kept.append(strike)
            down_until[strike.victim] = strike.at + strike.lasts
    return tuple(kept)
