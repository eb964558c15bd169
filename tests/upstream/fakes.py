"""Time, permits and gates that a test holds in its hand."""

from dataclasses import dataclass, field
from random import Random

from ludo.upstream.budget import CallClass
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent
from ludo.upstream.retry import Retries, RetryBudget, RetryPolicy


@dataclass
class Clock:
    """A clock that moves only when told to, or slept on."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Permits:
    """A budget of so many permits that notes who took one and what upstream taught."""

    left: int = 1_000
    taken: list[CallClass] = field(default_factory=list)
    learned: list[tuple[int, int, float]] = field(default_factory=list)
    stretch: float = 1.0

    async def take(self, klass: CallClass, deadline: Deadline) -> None:
        if self.left == 0:
            raise BudgetSpent(7.0)
        self.left -= 1
        self.taken.append(klass)

    async def learn(self, limit: int, remaining: int, reset: float) -> None:
        self.learned.append((limit, remaining, reset))


@dataclass
class SharedGate:
    """The gate of several replicas in one process."""

    held: set[str] = field(default_factory=set)
    claims: int = 0

    async def claim(self, name: str, epoch: int, seconds: float) -> bool:
        self.claims += 1
        if name in self.held:
            return False
        self.held.add(name)
        return True

    def free(self, name: str, epoch: int) -> None:
        self.held.discard(name)


class Middle(Random):
    """Chance that always falls in the middle."""

    def random(self) -> float:
        return 0.5


def retries(clock: Clock, *, attempts: int = 3, floor: int = 100) -> Retries:
    """Retries on a clock, with as many retries in hand."""
    budget = RetryBudget(floor=floor, most=100)
    return Retries(RetryPolicy(attempts=attempts), budget, Middle(), clock.sleep)
