"""Everything a call passes before it goes out.

Time left, then the circuits, then a permit, then the attempts. An open circuit is asked before the
budget, because a call that is refused anyway must not spend a permit; it is asked again after,
because waiting for a permit takes time. Every attempt takes a permit of its own.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ludo.upstream.budget import Budget, CallClass, Unlimited
from ludo.upstream.circuits import Circuits, Passage
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import DeadlinePassed, UpstreamError
from ludo.upstream.retry import SHORTEST_ATTEMPT, Retries

T = TypeVar("T")
Attempt = Callable[[float], Awaitable[T]]
"""One attempt, given the seconds that are left for it; raises UpstreamErrors only."""


class Guard:
    """Spends upstream's budget with care, and leaves a failing upstream alone.

    Each part may be shared: a budget and circuits by all replicas, retries by a process.
    """

    def __init__(
        self,
        *,
        budget: Budget | None = None,
        circuits: Circuits | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.budget: Budget = budget or Unlimited()
        self.circuits = circuits or Circuits()
        self._retries = retries or Retries.usual()

    async def run(
        self,
        attempt: Attempt[T],
        *,
        route: str,
        klass: CallClass,
        deadline: Deadline,
        repeatable: bool,
    ) -> T:
        """The answer of an attempt that had one; raises UpstreamError.

        `route` names the circuit. Only a `repeatable` call is tried again, and a probe never is.
        """
        if deadline.left() < SHORTEST_ATTEMPT:
            raise DeadlinePassed("the caller's time was over before upstream was asked")
        async with deadline.bound():
            passage = await self.circuits.admit(route)
        call = _Call(attempt, passage, self.budget, klass, deadline)
        try:
            return await self._retries.run(
                call, deadline=deadline, may_repeat=lambda: repeatable and call.may_repeat
            )
        finally:
            passage.release()


class _Call(Generic[T]):
    """One call on its way through its attempts."""

    def __init__(
        self,
        attempt: Attempt[T],
        passage: Passage,
        budget: Budget,
        klass: CallClass,
        deadline: Deadline,
    ) -> None:
        self._attempt = attempt
        self._passage = passage
        self._budget = budget
        self._klass = CallClass.WRITE if passage.probing else klass
        self._deadline = deadline
        self._failed: UpstreamError | None = None
        self.may_repeat = not passage.probing

    async def __call__(self) -> T:
        try:
            await self._take_permit()
        except UpstreamError as refused:
            self.may_repeat = False
            if self._failed is None:
                raise
            # Why upstream failed tells the caller more than why it was not asked again.
            raise self._failed from refused
        return await self._go()

    async def _take_permit(self) -> None:
        async with self._deadline.bound():
            await self._budget.take(self._klass, self._deadline)
        if not self._passage.current:
            raise self._passage.refusal()
        if self._deadline.left() < SHORTEST_ATTEMPT:
            raise DeadlinePassed("the caller's time was over when a permit was there")

    async def _go(self) -> T:
        try:
            answer = await self._attempt(self._deadline.left())
        except UpstreamError as error:
            self._passage.settle(error)
            self._failed = error
            self.may_repeat = self.may_repeat and self._passage.current
            raise
        self._passage.settle(None)
        return answer
