"""Circuits shared by replicas: what one of them learned of upstream, all of them know."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.store.scripts import Scripts
from ludo.tasks import end
from ludo.upstream.circuits import Circuits
from ludo.upstream.health import CircuitPolicy, CircuitState, Phase

EVERY_S: Final = 0.25
WITHIN_S: Final = 0.5
TTL_MS: Final = 24 * 3_600_000
QUEUED: Final = 256
_UNREACHABLE: Final = (RedisError, OSError, TimeoutError)
_Hash = Awaitable[dict[bytes, bytes]]

log = structlog.get_logger("upstream")


@dataclass(frozen=True, slots=True)
class _Freed:
    """A probe that ended without a result."""

    name: str
    epoch: int


class SharedCircuits:
    """Makes circuits that agree with those of other replicas while `run` runs.

    The exact part, one probe for all, is a key in Redis; the rest follows within `EVERY_S`. States
    are read again and again instead of published: nothing is missed when Redis comes back.
    """

    def __init__(self, redis: Redis, scripts: Scripts, policy: CircuitPolicy | None = None) -> None:
        self._redis = redis
        self._scripts = scripts
        self._token = secrets.token_hex(8)
        self._news: asyncio.Queue[CircuitState | _Freed] = asyncio.Queue(maxsize=QUEUED)
        self.circuits = Circuits(gate=self, tell=self._tell, policy=policy or CircuitPolicy())

    async def claim(self, name: str, epoch: int, seconds: float) -> bool:
        """Whether the probe of that epoch is ours now; without Redis, it is: nobody can ask."""
        try:
            async with asyncio.timeout(WITHIN_S):
                key = keys.circuit_probe(name, epoch)
                return bool(
                    await self._redis.set(key, self._token, nx=True, px=int(seconds * 1000))
                )
        except _UNREACHABLE as error:
            log.warning("probe.unshared", circuit=name, error=repr(error))
            return True

    def free(self, name: str, epoch: int) -> None:
        """Give the probe back without a result."""
        self._note(_Freed(name, epoch))

    async def run(self) -> None:
        """Tells others what happens here, and follows them, until cancelled."""
        tasks = (
            asyncio.create_task(self._tell_others(), name="circuits-tell"),
            asyncio.create_task(self._follow_others(), name="circuits-follow"),
        )
        try:
            await asyncio.gather(*tasks)
        finally:
            await end(*tasks)

    def _tell(self, state: CircuitState) -> None:
        self._note(state)

    def _note(self, news: CircuitState | _Freed) -> None:
        try:
            self._news.put_nowait(news)
        except asyncio.QueueFull:
            # Each replica finds out by itself; a probe's key expires.
            log.warning("circuits.untold")

    async def _tell_others(self) -> None:
        while True:
            news = await self._news.get()
            try:
                async with asyncio.timeout(WITHIN_S):
                    await self._send(news)
            except _UNREACHABLE as error:
                log.warning("circuits.untold", error=repr(error))

    async def _send(self, news: CircuitState | _Freed) -> None:
        match news:
            case _Freed(name, epoch):
                probe = keys.circuit_probe(name, epoch)
                await self._scripts.run("give_back", keys=[probe], args=[self._token])
            case CircuitState(name, phase, epoch, open_for):
                await self._scripts.run(
                    "tell_circuit",
                    keys=[keys.CIRCUITS],
                    args=[name, phase.value, epoch, int(open_for * 1000), TTL_MS],
                )

    async def _follow_others(self) -> None:
        while True:
            try:
                async with asyncio.timeout(WITHIN_S):
                    for state in await self._states():
                        self.circuits.take_over(state)
            except _UNREACHABLE:
                log.debug("circuits.unfollowed")
            await asyncio.sleep(EVERY_S)

    async def _states(self) -> list[CircuitState]:
        kept = await cast(_Hash, self._redis.hgetall(keys.CIRCUITS))
        if not kept:
            return []
        seconds, micros = await self._redis.time()
        now = seconds * 1000 + micros // 1000
        return [_state(name.decode(), text.decode(), now) for name, text in kept.items()]


def _state(name: str, text: str, now: int) -> CircuitState:
    epoch, phase, until = text.split(" ")
    return CircuitState(name, Phase(phase), int(epoch), max(0, int(until) - now) / 1000)
