"""Fetches an answer for everybody who waits for it: here, and in every other replica."""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, Final, Protocol

import msgspec
import structlog
from redis.exceptions import RedisError

from ludo.store.cache import Entry, Flight, Found, Landing, Role, SharedCache, new_token
from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call, UpstreamResponse
from ludo.upstream.deadline import Deadline
from ludo.upstream.errors import BudgetSpent, CircuitOpen, UpstreamError
from ludo.upstream.wire.models import decode_any
from proxy import tracing
from proxy.errors import NothingCached
from proxy.facade.freshness import (
    Fields,
    Told,
    Verdict,
    conditions,
    judged,
    refreshed,
)
from proxy.facade.policy import Plan

FAILED_FOR_S: Final = 1.0
"""How long a failure is shared before somebody tries again."""
SCATTERED_FOR_S: Final = 2.0
"""How long nobody waits for others after an answer that was not for others."""
POLL_S: Final = 0.03
ROUNDS: Final = 3
"""How often an answer is fetched again because a purge overtook it."""

log = structlog.get_logger("facade")


class Origin(Protocol):
    """Who is asked: `LudoClient`, in production."""

    @property
    def stretch(self) -> float:
        """What soft lifetimes are multiplied by now, 1.0 and more as the budget runs low."""
        ...

    async def request(self, call: Call, *, klass: CallClass) -> UpstreamResponse:
        """Its answer; raises UpstreamError."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that was just fetched.

    `kept` says that others may have it too; `collapsed` that somebody else fetched it; `status`
    is what upstream answered, 304 for one that was confirmed; `stored` that it is in the cache.
    """

    entry: Entry
    kept: bool
    collapsed: bool = False
    status: int = 200
    stored: bool = False


class Fetcher:
    """Leads flights, and watches those that others lead."""

    def __init__(
        self, cache: SharedCache, origin: Origin, clock: Callable[[], float], patience: float
    ) -> None:
        self._cache = cache
        self._origin = origin
        self._clock = clock
        self._patience = patience

    async def lead(self, plan: Plan, flight: Flight, found: Found, klass: CallClass) -> Fetched:
        """Fetch as the one who does; raises UpstreamError, of which others are told."""
        for _ in range(ROUNDS):
            fetched = await self._once(plan, flight, found, klass)
            if fetched is not None:
                return fetched
            token = new_token()
            found = await self._cache.look(plan.key, plan.tags, token, plan.fields)
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
                found = await self._cache.look(plan.key, plan.tags, token, plan.fields)
                if found.role is Role.NONE and found.entry is not None:
                    entry = found.entry
                    return Fetched(entry, kept=True, collapsed=True, status=entry.status)
                if found.role is Role.FAILED:
                    raise failure(found.note)
                if found.role in (Role.ALONE, Role.LEAD):
                    break
                await asyncio.sleep(POLL_S * (0.5 + random.random()))
        if found.role is Role.ALONE:
            return await self.alone(plan)
        return await self.lead(plan, flight_of(plan, token, found), found, CallClass.READ)

    async def alone(self, plan: Plan) -> Fetched:
        """Fetch for one caller only; nothing is kept."""
        response = await self._asked(plan, {}, CallClass.READ)
        entry = entry_of(response, judged(plan, told_by(response, time.time())).headers, 0)
        return Fetched(entry, kept=False, status=response.status)

    async def _once(
        self, plan: Plan, flight: Flight, found: Found, klass: CallClass
    ) -> Fetched | None:
        """The answer; None if it was purged while it was on its way."""
        started = self._clock()
        try:
            async with self._cache.prolonged(flight):
                told, response = await self._told(plan, found, klass)
        except BaseException as error:
            await asyncio.shield(self._end(flight, error, klass))
            raise
        now = found.now + int((self._clock() - started) * 1000)
        verdict = judged(plan, replace(told, now=now / 1000), self._origin.stretch)
        confirmed = found.entry if response.status == 304 else None
        entry = entry_of(response, verdict.headers, now, verdict.age, confirmed)
        return await self._stored(plan, flight, entry, verdict, response.status)

    async def _told(
        self, plan: Plan, found: Found, klass: CallClass
    ) -> tuple[Told, UpstreamResponse]:
        """What upstream says: of a kept answer that it confirms, the whole of it."""
        entry = found.entry
        asked = conditions(plan, entry.status, entry.headers) if entry is not None else {}
        response = await self._asked(plan, asked, klass)
        told = told_by(response, found.now / 1000)
        if response.status != 304 or entry is None:
            return told, response
        again = refreshed(plan, entry.status, entry.headers, told)
        if again is not None:
            return again, response
        response = await self._asked(plan, {}, klass)
        return told_by(response, found.now / 1000), response

    async def _asked(
        self, plan: Plan, more: Mapping[str, str], klass: CallClass
    ) -> UpstreamResponse:
        headers = {**plan.fields, **more, **tracing.headers()}
        return await self._origin.request(replace(plan.call, headers=headers), klass=klass)

    async def _stored(
        self, plan: Plan, flight: Flight, entry: Entry, verdict: Verdict, status: int
    ) -> Fetched | None:
        life = verdict.lifetimes
        fetched = Fetched(entry, kept=life is not None, status=status)
        try:
            if life is None:
                await self._cache.scatter(flight, SCATTERED_FOR_S)
                return fetched
            landing = await self._cache.keep(
                flight, entry, life, vary=verdict.vary, fields=plan.fields
            )
        except (RedisError, OSError) as error:
            log.warning("cache.not_kept", key=plan.key, error=repr(error))
            return fetched
        if landing is Landing.PURGED:
            return None
        return replace(fetched, stored=landing is Landing.KEPT)

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


def flight_of(plan: Plan, token: str, found: Found) -> Flight:
    """The flight that a look with role `lead` gave us."""
    return Flight(plan.key, plan.tags, token, found.generations, found.secondary, found.now)


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


def told_by(response: UpstreamResponse, now: float) -> Told:
    """The answer as the rules of freshness see it.

    One without a Date gets that of its arrival (RFC 9110 §6.6.1).
    """
    headers = tuple((name.lower(), value.strip()) for name, value in response.headers.multi_items())
    if "date" not in response.headers:
        headers = (*headers, ("date", formatdate(now, usegmt=True)))
    return Told(response.status, headers, now, response.elapsed)


def entry_of(
    response: UpstreamResponse,
    headers: Fields,
    now: int,
    age: float = 0.0,
    confirmed: Entry | None = None,
) -> Entry:
    """What is kept of an answer: never a cookie, never a session token."""
    if confirmed is not None:
        return Entry(confirmed.status, headers, confirmed.body, confirmed.etag, now, int(age))
    body = without_tokens(response.body)
    given = next((value for name, value in headers if name == "etag"), None)
    # Upstream's own tag names upstream's bytes, so it goes with them only.
    etag = given if given is not None and body == response.body else etag_of(body)
    return Entry(response.status, headers, body, etag, now, int(age))


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
