"""One circuit: closed while upstream answers, open for a moment when it does not, then probing.

pybreaker keeps the state and counts consecutive failures; everything that an event loop with many
replicas needs on top is here: a rate over a window, an epoch that makes late results harmless, one
probe at a time, and cancellation that counts as nothing.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

import pybreaker

from ludo.upstream.deadline import Clock
from ludo.upstream.errors import CircuitOpen
from ludo.upstream.health import CircuitPolicy, CircuitState, Outcome, Phase, ProbeGate

_MOST_REMEMBERED: Final = 1_000
_PROBE_ELSEWHERE: Final = 0.2
"""Seconds to wait before asking for the probe again when somebody else has it."""


class _Failed(Exception):
    """Stands for any failure in pybreaker's books."""


class Ticket:
    """The right to make a call, and the duty to say how it went."""

    def __init__(self, circuit: "Circuit", epoch: int, *, probing: bool) -> None:
        self._circuit = circuit
        self._epoch = epoch
        self._spent = False
        self.probing = probing

    @property
    def current(self) -> bool:
        """Whether the circuit is still in the epoch in which the call was let through."""
        return self._epoch == self._circuit.epoch

    def refusal(self) -> CircuitOpen:
        """What whoever holds an outdated ticket is told."""
        return self._circuit.refusal()

    def settle(self, outcome: Outcome) -> None:
        """Say how an attempt went; of no effect once the circuit has moved on.

        A probe says it once: after that the circuit may already have let the next one through.
        """
        if self.current and not self._spent:
            self._spent = self.probing
            self._circuit.settle(outcome, probe=self.probing)


class Circuit:
    """The circuit of one name; `tell` hears of every change made here and must not block."""

    def __init__(
        self,
        name: str,
        *,
        policy: CircuitPolicy,
        gate: ProbeGate,
        clock: Clock,
        chance: Random,
        tell: Callable[[CircuitState], None],
    ) -> None:
        self.name = name
        self.epoch = 0
        self._policy = policy
        self._gate = gate
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=policy.consecutive, success_threshold=1, throw_new_error_on_trip=False
        )
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_MOST_REMEMBERED)
        self._until = 0.0

    @property
    def phase(self) -> Phase:
        """Whether calls go through now."""
        match self._breaker.current_state:
            case pybreaker.STATE_CLOSED:
                return Phase.CLOSED
            case pybreaker.STATE_OPEN:
                return Phase.OPEN
            case _:
                return Phase.PROBING

    @property
    def state(self) -> CircuitState:
        """What another replica would have to know."""
        left = max(0.0, self._until - self._clock())
        return CircuitState(self.name, self.phase, self.epoch, left)

    async def admit(self) -> Ticket:
        """The right to one call; raises CircuitOpen while there is none."""
        if self.phase is Phase.CLOSED:
            return Ticket(self, self.epoch, probing=False)
        if self._until > self._clock() or self.phase is Phase.PROBING:
            raise self.refusal()
        return await self._probe()

    def refusal(self) -> CircuitOpen:
        """What a caller is told who is not let through."""
        return CircuitOpen(self.name, max(self._until - self._clock(), _PROBE_ELSEWHERE))

    def settle(self, outcome: Outcome, *, probe: bool) -> None:
        """Take note of how a call of this epoch went; tickets call it."""
        if probe:
            self._settle_probe(outcome)
        elif outcome is not Outcome.NEUTRAL:
            self._count(outcome)

    def take_over(self, state: CircuitState) -> None:
        """Follow what another replica decided, unless ours is as new."""
        if state.epoch <= self.epoch:
            return
        self.epoch = state.epoch
        self._recent.clear()
        if state.phase is Phase.CLOSED:
            self._breaker.close()
        else:
            self._breaker.open()
            self._until = self._clock() + state.open_for

    async def _probe(self) -> Ticket:
        # Before the first await, so that nobody on this loop can come in between.
        self._breaker.half_open()
        epoch, claimed = self.epoch, False
        try:
            claimed = await self._gate.claim(self.name, epoch, self._policy.probe_for)
        finally:
            if not claimed and epoch == self.epoch:
                self._breaker.open()
        if epoch != self.epoch:
            if claimed:
                self._gate.free(self.name, epoch)
            return await self.admit()
        if not claimed:
            self._until = self._clock() + _PROBE_ELSEWHERE
            raise self.refusal()
        return Ticket(self, epoch, probing=True)

    def _settle_probe(self, outcome: Outcome) -> None:
        if self.phase is not Phase.PROBING:
            return
        match outcome:
            case Outcome.SUCCESS:
                self._breaker.call(_succeed)
                self._moved_on()
            case Outcome.FAILURE:
                self._book_failure()
                self._opened()
            case Outcome.NEUTRAL:
                self._breaker.open()
                self._gate.free(self.name, self.epoch)

    def _count(self, outcome: Outcome) -> None:
        self._recent.append((self._clock(), outcome is Outcome.FAILURE))
        if outcome is Outcome.SUCCESS:
            self._breaker.call(_succeed)
            return
        self._book_failure()
        if self.phase is Phase.CLOSED and self._fails_too_often():
            self._breaker.open()
        if self.phase is Phase.OPEN:
            self._opened()

    def _book_failure(self) -> None:
        with suppress(_Failed):
            self._breaker.call(_fail)

    def _fails_too_often(self) -> bool:
        oldest = self._clock() - self._policy.window
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()
        failures = sum(failed for _, failed in self._recent)
        enough = len(self._recent) >= self._policy.fewest
        return enough and failures >= self._policy.ratio * len(self._recent)

    def _opened(self) -> None:
        spread = self._policy.jitter * (2 * self._chance.random() - 1)
        self._until = self._clock() + self._policy.open_for * (1 + spread)
        self._moved_on()

    def _moved_on(self) -> None:
        self.epoch += 1
        self._recent.clear()
        self._tell(self.state)


def _succeed() -> None:
    """A call that went well, for pybreaker's books."""


def _fail() -> None:
    raise _Failed
