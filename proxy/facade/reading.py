"""Reads through the cache: fresh at once, stale while another is fetched, else one flight."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

import structlog

from ludo.store.cache import Entry, Found, Freshness, Role, SharedCache, new_token
from ludo.store.errors import StoreError
from ludo.tasks import end
from ludo.upstream.budget import CallClass
from ludo.upstream.errors import UpstreamError
from proxy.errors import NothingCached
from proxy.facade.fetching import Fetched, Fetcher, failure, flight_of
from proxy.facade.policy import Plan

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
    """An answer for a caller; `age` is seconds since upstream gave it."""

    entry: Entry
    source: Source
    age: int = 0


class Reader:
    """The cache's driver; it owns the flights of its process. Close it with `aclose`."""

    def __init__(self, cache: SharedCache, fetcher: Fetcher) -> None:
        self._cache = cache
        self._fetcher = fetcher
        self._flights: dict[str, asyncio.Task[Fetched]] = {}
        self._refreshing: set[asyncio.Task[Fetched]] = set()

    async def read(self, plan: Plan) -> Served:
        """The answer to one read.

        Raises UpstreamError or NothingCached if there is none, redis.exceptions.RedisError if
        the cache cannot be asked.
        """
        token = new_token()
        found = await self._cache.look(plan.key, plan.tags, token)
        if found.entry is None or found.freshness is Freshness.OLD:
            return await self._fetched(plan, token, found)
        if found.freshness is Freshness.FRESH:
            return _kept(found.entry, found.now, Source.HIT)
        if found.role is Role.LEAD:
            self._refresh(plan, token, found)
        return _kept(found.entry, found.now, Source.STALE)

    async def aclose(self) -> None:
        """End every flight; whoever waits elsewhere takes over."""
        await end(*self._flights.values(), *self._refreshing)

    async def _fetched(self, plan: Plan, token: str, found: Found) -> Served:
        try:
            if found.role is Role.FAILED:
                raise failure(found.note)
            return await self._joined(plan, token, found)
        except (UpstreamError, NothingCached, StoreError) as error:
            if found.entry is None or found.entry.status >= 400:
                raise
            log.info("read.saved", key=plan.key, error=repr(error))
            return _kept(found.entry, found.now, Source.SAVED)

    async def _joined(self, plan: Plan, token: str, found: Found) -> Served:
        flight = self._flights.get(plan.key)
        began = flight is None or found.role is Role.LEAD
        if flight is None or found.role is Role.LEAD:
            flight = self._begin(plan, token, found)
        # A caller who hangs up must not end what others wait for.
        fetched = await asyncio.shield(flight)
        if not began and not fetched.kept:
            fetched = await self._fetcher.alone(plan)
        collapsed = fetched.collapsed or not began
        return Served(fetched.entry, Source.COLLAPSED if collapsed else Source.FETCHED)

    def _begin(self, plan: Plan, token: str, found: Found) -> asyncio.Task[Fetched]:
        if found.role is Role.LEAD:
            work = self._fetcher.lead(plan, flight_of(plan, token, found), found, CallClass.READ)
        else:
            work = self._fetcher.watch(plan)
        task = asyncio.create_task(work, name=f"flight {plan.key}")
        self._flights[plan.key] = task
        task.add_done_callback(lambda done: self._landed(plan.key, done))
        return task

    def _landed(self, key: str, task: asyncio.Task[Fetched]) -> None:
        if self._flights.get(key) is task:
            del self._flights[key]
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


def _kept(entry: Entry, now: int, source: Source) -> Served:
    return Served(entry, source, max(0, now - entry.stored_at) // 1000)
