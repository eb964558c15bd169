"""Reads through the cache: fresh at once, stale while another is fetched, else one flight."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from ludo.store.cache import Entry, Found, Freshness, Role, SharedCache, new_token
from ludo.store.errors import StoreError
from ludo.tasks import end
from ludo.upstream.budget import CallClass
from ludo.upstream.errors import UpstreamError
from proxy.errors import NothingCached
from proxy.facade.fetching import Fetched, Fetcher, failure, flight_of
from proxy.facade.layer import Layer
from proxy.facade.policy import Plan
from proxy.facade.ready import Ready, ready_of

_UNTOLD: Final = frozenset({Freshness.NONE, Freshness.SPENT})

log = structlog.get_logger("facade")


class Source(StrEnum):
    """Where an answer came from."""

    HIT = "hit"
    STALE = "stale"
    """Kept longer than its soft lifetime; the next one is on its way."""
    SAVED = "saved"
    """Kept longer than its hard lifetime, because upstream fails."""
    FETCHED = "fetched"
    COLLAPSED = "collapsed"
    """Fetched by somebody who had asked before."""
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Served:
    """An answer for a caller; `age` is seconds since upstream gave it.

    Of one that was fetched, `status` is what upstream answered and `stored` whether it is kept;
    `stale` says that a kept one was too old.
    """

    ready: Ready
    source: Source
    age: int = 0
    status: int = 200
    stored: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class _Joined:
    """A flight of this process that others may wait for, and what was known when it began."""

    task: asyncio.Task[Fetched]
    found: Found
    began: float


class Reader:
    """The cache's driver; it owns the flights of its process. Close it with `aclose`."""

    def __init__(
        self,
        cache: SharedCache,
        fetcher: Fetcher,
        layer: Layer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._fetcher = fetcher
        self._layer = layer
        self._clock = clock
        self._flights: dict[str, _Joined] = {}
        self._refreshing: set[asyncio.Task[Fetched]] = set()

    async def read(self, plan: Plan) -> Served:
        """The answer to one read.

        Raises UpstreamError or NothingCached if there is none, redis.exceptions.RedisError if
        the cache cannot be asked.
        """
        held = self._layer.find(plan.slot)
        if held is not None:
            return Served(held, Source.HIT, held.age(self._clock()))
        flight = self._flights.get(plan.slot)
        if flight is not None:
            return await self._landed(plan, flight, began=False)
        return await self._looked(plan)

    async def fetch(self, plan: Plan) -> Served:
        """What upstream says now, whatever is kept, and for this caller only."""
        return _fetched(plan, await self._fetcher.alone(plan), Source.FETCHED)

    async def aclose(self) -> None:
        """End every flight; whoever waits elsewhere takes over."""
        await end(*(flight.task for flight in self._flights.values()), *self._refreshing)

    async def _looked(self, plan: Plan) -> Served:
        token, ticket, before = new_token(), self._layer.ticket(), self._clock()
        found = await self._cache.look(plan.key, plan.tags, token, plan.fields)
        if found.freshness is Freshness.FRESH and found.entry is not None:
            return self._fresh(plan, found, found.entry, ticket, before)
        if found.freshness is Freshness.USABLE and found.entry is not None:
            if found.role is Role.LEAD:
                self._refresh(plan, token, found)
            return _kept(plan, found.entry, found.now, Source.STALE)
        if found.role is Role.FAILED:
            return _saved(plan, found, found.now, failure(found.note))
        return await self._flown(plan, token, found)

    def _fresh(self, plan: Plan, found: Found, entry: Entry, ticket: int, before: float) -> Served:
        age = _age(entry, found.now)
        # Counted from before the look, so that it ends here no later than there.
        ready = ready_of(entry, plan, born=before - age, until=before + found.left / 1000)
        if entry.status < 400:
            self._layer.put(plan.slot, plan.tags, ready, ticket)
        return Served(ready, Source.HIT, int(age))

    async def _flown(self, plan: Plan, token: str, found: Found) -> Served:
        """Wait for the flight that the look found or gave us, here or in another process."""
        flight = self._flights.get(plan.slot)
        if flight is not None and found.role is not Role.LEAD:
            return await self._landed(plan, flight, began=False)
        if found.role is Role.ALONE:
            work = self._fetcher.alone(plan)
        elif found.role is Role.LEAD:
            work = self._fetcher.lead(plan, flight_of(plan, token, found), found, CallClass.READ)
        else:
            work = self._fetcher.watch(plan)
        task = asyncio.create_task(work, name=f"flight {plan.key}")
        flight = self._flights[plan.slot] = _Joined(task, found, self._clock())
        task.add_done_callback(lambda done: self._over(plan.slot, done))
        return await self._landed(plan, flight, began=True)

    async def _landed(self, plan: Plan, flight: _Joined, *, began: bool) -> Served:
        try:
            # A caller who hangs up must not end what others wait for.
            fetched = await asyncio.shield(flight.task)
            if not began and not fetched.kept:
                fetched = await self._fetcher.alone(plan)
        except (UpstreamError, NothingCached, StoreError) as error:
            waited = int((self._clock() - flight.began) * 1000)
            return _saved(plan, flight.found, flight.found.now + waited, error)
        source = Source.COLLAPSED if fetched.collapsed or not began else Source.FETCHED
        return _fetched(plan, fetched, source, stale=flight.found.entry is not None)

    def _over(self, slot: str, task: asyncio.Task[Fetched]) -> None:
        flight = self._flights.get(slot)
        if flight is not None and flight.task is task:
            del self._flights[slot]
        if not task.cancelled():
            task.exception()  # looked at, though every caller may have hung up

    def _refresh(self, plan: Plan, token: str, found: Found) -> None:
        flight = flight_of(plan, token, found)
        work = self._fetcher.lead(plan, flight, found, CallClass.REFRESH)
        task = asyncio.create_task(work, name=f"refresh {plan.key}")
        self._refreshing.add(task)
        task.add_done_callback(self._refreshed)

    def _refreshed(self, task: asyncio.Task[Fetched]) -> None:
        self._refreshing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("refresh.failed", error=repr(error))


def _age(entry: Entry, now: int) -> float:
    return entry.age + max(0, now - entry.stored_at) / 1000


def _kept(plan: Plan, entry: Entry, now: int, source: Source) -> Served:
    return Served(ready_of(entry, plan), source, int(_age(entry, now)))


def _saved(plan: Plan, found: Found, now: int, error: Exception) -> Served:
    """What upstream said before it failed; raises the error if that is nothing good."""
    if found.freshness in _UNTOLD or found.entry is None or found.entry.status >= 400:
        raise error
    log.info("read.saved", key=plan.key, error=repr(error))
    return _kept(plan, found.entry, now, Source.SAVED)


def _fetched(plan: Plan, fetched: Fetched, source: Source, *, stale: bool = False) -> Served:
    entry = fetched.entry
    return Served(ready_of(entry, plan), source, entry.age, fetched.status, fetched.stored, stale)
