"""Fetches an answer for everybody who waits for it: here, and in every other replica."""

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import structlog
from redis.exceptions import RedisError

from ludo.store.cache import Entry, Flight, Found, Role, SharedCache, new_token
from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call, UpstreamResponse
from ludo.upstream.client import LudoClient
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent, CircuitOpen, UpstreamError
from ludo.upstream.wire.models import decode_any
from proxy import tracing
from proxy.errors import NothingCached
from proxy.facade.freshness import lifetimes
from proxy.facade.policy import Plan

FAILED_FOR_S: Final = 1.0
"""How long a failure is shared before somebody tries again."""
POLL_S: Final = 0.03
ROUNDS: Final = 3
"""How often an answer is fetched again because a purge overtook it."""

log = structlog.get_logger("facade")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that was just fetched.

    `kept` says that others may have it too; `collapsed` that somebody else fetched it.
    """

    entry: Entry
    kept: bool
    collapsed: bool = False


class Fetcher:
    """Leads flights, and watches those that others lead."""

    def __init__(
        self, cache: SharedCache, client: LudoClient, clock: Callable[[], float], patience: float
    ) -> None:
        self._cache = cache
        self._client = client
        self._clock = clock
        self._patience = patience

    async def lead(self, plan: Plan, flight: Flight, found: Found, klass: CallClass) -> Fetched:
        """Fetch as the one who does; raises UpstreamError, of which others are told."""
        for _ in range(ROUNDS):
            fetched = await self._once(plan, flight, found.now, klass)
            if fetched is not None:
                return fetched
            token = new_token()
            found = await self._cache.look(plan.key, plan.tags, token)
            if found.role is not Role.LEAD:
                return await self.watch(plan)
            flight = flight_of(plan, token, found)
        return await self.alone(plan)

    async def watch(self, plan: Plan) -> Fetched:
        """Wait for what another replica fetches, or take over if it died on the way."""
        deadline = Deadline.after(self._patience, self._clock)
        async with deadline.bound():
            while True:
                token = new_token()
                found = await self._cache.look(plan.key, plan.tags, token)
                if found.role is Role.NONE and found.entry is not None:
                    return Fetched(found.entry, kept=True, collapsed=True)
                if found.role is Role.FAILED:
                    raise failure(found.note)
                if found.role is Role.LEAD:
                    break
                await asyncio.sleep(POLL_S * (0.5 + random.random()))
        return await self.lead(plan, flight_of(plan, token, found), found, CallClass.READ)

    async def alone(self, plan: Plan) -> Fetched:
        """Fetch for one caller only; nothing is kept."""
        response = await self._client.request(_traced(plan), klass=CallClass.READ)
        return Fetched(entry_of(response, 0), kept=False)

    async def _once(
        self, plan: Plan, flight: Flight, begun: int, klass: CallClass
    ) -> Fetched | None:
        """The answer; None if it was purged while it was on its way."""
        started = self._clock()
        try:
            async with self._cache.prolonged(flight):
                response = await self._client.request(_traced(plan), klass=klass)
        except BaseException as error:
            await asyncio.shield(self._end(flight, error, klass))
            raise
        now = begun + int((self._clock() - started) * 1000)
        return await self._store(plan, flight, response, now)

    async def _store(
        self, plan: Plan, flight: Flight, response: UpstreamResponse, now: int
    ) -> Fetched | None:
        entry = entry_of(response, now)
        life = lifetimes(response.status, response.headers, plan.lifetimes)
        try:
            if life is None:
                await self._cache.abandon(flight)
                return Fetched(entry, kept=False)
            if not await self._cache.keep(flight, entry, life):
                return None
        except (RedisError, OSError) as error:
            log.warning("cache.not_kept", key=plan.key, error=repr(error))
        return Fetched(entry, kept=life is not None)

    async def _end(self, flight: Flight, error: BaseException, klass: CallClass) -> None:
        # A refresh that got no permit says nothing to those who wait: reads get theirs longer.
        unasked = klass is CallClass.REFRESH and isinstance(error, BudgetSpent)
        try:
            if isinstance(error, UpstreamError) and not unasked:
                await self._cache.fail(flight, note_of(error), FAILED_FOR_S)
            else:
                await self._cache.abandon(flight)
        except (RedisError, OSError):
            log.debug("flight.not_ended")  # it ends by itself within FLIGHT_MS


def _traced(plan: Plan) -> Call:
    return replace(plan.call, headers=tracing.headers())


def flight_of(plan: Plan, token: str, found: Found) -> Flight:
    """The flight that a look with role `lead` gave us."""
    return Flight(plan.key, plan.tags, token, found.generations)


def note_of(error: UpstreamError) -> bytes:
    """What others are told of a failure: when it is worth asking again."""
    match error:
        case BudgetSpent(retry_after=seconds) | CircuitOpen(retry_after=seconds):
            return f"{seconds:.1f}".encode()
        case _:
            return f"{FAILED_FOR_S:.1f}".encode()


def failure(note: bytes) -> NothingCached:
    """The error that a note stands for."""
    return NothingCached(float(note))


def entry_of(response: UpstreamResponse, now: int) -> Entry:
    """What is kept of an answer: never a header, never a session token."""
    body = without_tokens(response.body)
    return Entry(response.status, body, etag_of(body), now)


def etag_of(body: bytes) -> str:
    """A strong entity tag of these bytes (RFC 9110 §8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def without_tokens(body: bytes) -> bytes:
    """The body without any `sessionToken` in it, in either casing."""
    if b"oken" not in body:
        return body
    document: Any = decode_any(body)
    return msgspec.json.encode(_stripped(document))


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _stripped(inner)
            for name, inner in value.items()
            if name not in ("sessionToken", "session_token")
        }
    return [_stripped(each) for each in value] if isinstance(value, list) else value
