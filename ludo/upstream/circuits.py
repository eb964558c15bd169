"""The circuits of all routes, under one for the connection to the host itself."""

import time
from collections.abc import Callable
from random import Random
from typing import Final

import structlog

from ludo.upstream.circuit import Circuit, Ticket
from ludo.upstream.deadline import Clock
from ludo.upstream.errors import (
    CircuitOpen,
    UpstreamError,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimedOut,
    UpstreamUnavailable,
)
from ludo.upstream.health import CircuitPolicy, CircuitState, LocalGate, Outcome, ProbeGate

HOST: Final = "host"
"""The name of the circuit above all routes, which counts connections that cannot be made."""
_DEFAULT_POLICY: Final = CircuitPolicy()


def verdicts(error: UpstreamError | None) -> tuple[Outcome, Outcome]:
    """What an attempt says about the host and about the route; None is an answer below 500.

    A refusal, a 429 too, is an answer: upstream is well.
    """
    match error:
        case UpstreamUnavailable(sent=False):
            return Outcome.FAILURE, Outcome.NEUTRAL
        case UpstreamUnavailable():
            return Outcome.NEUTRAL, Outcome.FAILURE
        case UpstreamTimedOut():
            return Outcome.NEUTRAL, Outcome.FAILURE
        case UpstreamFailed() | UpstreamMalformed():
            return Outcome.SUCCESS, Outcome.FAILURE
        case None | UpstreamThrottled() | UpstreamRefused():
            return Outcome.SUCCESS, Outcome.SUCCESS
        case _:
            return Outcome.NEUTRAL, Outcome.NEUTRAL


class Passage:
    """The right to make one call, from the host's circuit and from the route's."""

    def __init__(self, host: Ticket, route: Ticket) -> None:
        self._host = host
        self._route = route

    @property
    def probing(self) -> bool:
        """Whether this call is the one that shows if upstream is back."""
        return self._host.probing or self._route.probing

    @property
    def current(self) -> bool:
        """Whether neither circuit has moved on since."""
        return self._host.current and self._route.current

    def refusal(self) -> CircuitOpen:
        """Why a call that was let through may not go out any more."""
        return self._route.refusal() if self._host.current else self._host.refusal()

    def settle(self, error: UpstreamError | None) -> None:
        """Say how an attempt went; None is an answer below 500."""
        host, route = verdicts(error)
        self._host.settle(host)
        self._route.settle(route)

    def release(self) -> None:
        """The call is over; a probe without a result is given back."""
        self._host.settle(Outcome.NEUTRAL)
        self._route.settle(Outcome.NEUTRAL)


class Circuits:
    """One circuit a route template, made when first needed.

    To share them between replicas, give a `gate` that all of them ask, send on what `tell` is
    told, and hand what others tell to `take_over`.
    """

    def __init__(
        self,
        *,
        gate: ProbeGate | None = None,
        tell: Callable[[CircuitState], None] | None = None,
        policy: CircuitPolicy = _DEFAULT_POLICY,
        clock: Clock = time.monotonic,
        chance: Random | None = None,
    ) -> None:
        self._gate = gate or LocalGate()
        self._listener = tell
        self._policy = policy
        self._clock = clock
        self._chance = chance or Random()
        self._circuits: dict[str, Circuit] = {}
        self._log = structlog.get_logger("upstream")

    def of(self, name: str) -> Circuit:
        """The circuit of a route template, or of the HOST."""
        circuit = self._circuits.get(name)
        if circuit is None:
            circuit = self._circuits[name] = Circuit(
                name,
                policy=self._policy,
                gate=self._gate,
                clock=self._clock,
                chance=self._chance,
                tell=self._changed,
            )
        return circuit

    def states(self) -> tuple[CircuitState, ...]:
        """How all circuits stand that were ever needed."""
        return tuple(circuit.state for circuit in self._circuits.values())

    def take_over(self, state: CircuitState) -> None:
        """Follow what another replica decided."""
        self.of(state.name).take_over(state)

    async def admit(self, route: str) -> Passage:
        """The right to call a route; raises CircuitOpen."""
        host = await self.of(HOST).admit()
        try:
            return Passage(host, await self.of(route).admit())
        except BaseException:
            host.settle(Outcome.NEUTRAL)
            raise

    def _changed(self, state: CircuitState) -> None:
        self._log.warning(
            "circuit.changed", circuit=state.name, phase=state.phase.value, epoch=state.epoch
        )
        if self._listener is not None:
            self._listener(state)
