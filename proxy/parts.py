"""The parts of a proxy process: made without touching the network, opened in order."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.rules.ruleset import RuleSet
from ludo.store import durability
from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from ludo.store.batching import BatchedScripts
from ludo.store.circuits import SharedCircuits
from ludo.store.claims import Claims
from ludo.store.connection import connect
from ludo.store.errors import ArchiveUnavailable
from ludo.store.feed import Feed
from ludo.store.inbox import Inbox
from ludo.store.letters import DeadLetters
from ludo.store.library import Library
from ludo.store.orders import Orders
from ludo.store.permits import Permits
from ludo.store.quota import Quota
from ludo.store.redriving import Redriver
from ludo.store.scripts import Scripts
from ludo.store.tickets import Tickets
from ludo.tasks import beside
from ludo.upstream.circuits import Circuits
from ludo.upstream.client import LudoClient
from ludo.upstream.guard import Guard
from ludo.upstream.retry import Retries
from proxy import looks
from proxy.admission import Admission, Charges
from proxy.auth import Verifier
from proxy.config import Access, ProxyConfig, ProxySettings, Role
from proxy.facade.parts import Facade, make_facade
from proxy.health import Readiness
from proxy.jwks import PublishedKeys
from proxy.metrics import Metrics
from proxy.orders import OrderWatch
from proxy.relay.reader import LINK
from proxy.relay.relay import Relay
from proxy.relay.shared import Shared
from proxy.relay.store_source import StoreSource
from proxy.remembering import RememberingVerifier
from proxy.revoking import Revoking
from proxy.telemetry import Telemetry
from proxy.webhooks.keys import Keys
from proxy.webhooks.parts import Receiver, make_receiver

LOOK_WITHIN_S: Final = 3.0

log = structlog.get_logger("proxy")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that routes and the lifespan need."""

    settings: ProxySettings
    redis: Redis
    published: PublishedKeys | None
    client: LudoClient
    shared: SharedCircuits
    permits: Permits | None
    facade: Facade
    archive: Archive
    scripts: BatchedScripts
    verifier: Revoking
    orders: OrderWatch
    tickets: Tickets
    admission: Admission
    quota: Quota
    receiver: Receiver
    redriver: Redriver
    relay: Relay | None
    telemetry: Telemetry
    readiness: Readiness
    metrics: Metrics


def make_parts(
    settings: ProxySettings,
    redis_url: str,
    role: Role,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Parts:
    """The parts of one process; nothing is connected yet."""
    config = settings.proxy
    redis = connect(redis_url)
    scripts = BatchedScripts(redis)
    telemetry = Telemetry()
    shared = SharedCircuits(redis, scripts)
    limit = settings.upstream.limit
    permits = None if limit is None else Permits(scripts, limit)
    guard = _guard(settings, permits, shared, telemetry)
    client = LudoClient.from_config(settings.upstream, guard=guard, transport=transport)
    published = PublishedKeys(config.jwks_url, time.monotonic) if config.jwks_url else None
    orders = OrderWatch(Orders(redis, scripts))
    verifier = Revoking(Verifier.of(config, published), orders.orders)
    receiver = make_receiver(
        settings.receiver,
        settings.webhooks,
        redis,
        telemetry.registry,
        allow_volatile=settings.store.allow_volatile_redis,
    )
    quota = Quota(scripts, config.quota, time.monotonic)
    archive = Archive(make_engine(settings.archive.address(settings.store.data_dir)))
    library = Library(redis, archive, config.rules)
    relay = None
    if role.serves_relay:
        source = StoreSource(library, Feed(redis), Claims(scripts, RuleSet()))
        relay = _relay(settings, redis_url, redis, scripts, source, verifier, orders)
    return Parts(
        settings=settings,
        redis=redis,
        published=published,
        client=client,
        shared=shared,
        permits=permits,
        facade=make_facade(
            settings, redis, scripts, client, telemetry, lambda: connect(redis_url, LINK), library
        ),
        archive=archive,
        scripts=scripts,
        verifier=verifier,
        orders=orders,
        tickets=Tickets(redis),
        admission=_admission(config, verifier, orders, published, quota, telemetry),
        quota=quota,
        receiver=receiver,
        redriver=Redriver(
            DeadLetters(redis, scripts), Inbox(scripts, backlog=settings.receiver.backlog)
        ),
        relay=relay,
        telemetry=telemetry,
        readiness=_readiness(settings, redis, archive, shared.circuits, receiver.keys, relay),
        metrics=Metrics(redis, telemetry, shared.circuits, relay),
    )


def _guard(
    settings: ProxySettings,
    permits: Permits | None,
    shared: SharedCircuits,
    telemetry: Telemetry,
) -> Guard:
    if permits is not None:
        telemetry.watch_budget(lambda: permits.limit if permits.left is None else permits.left)
    return Guard(
        budget=permits,
        circuits=shared.circuits,
        retries=Retries.usual(settings.upstream.attempts),
    )


def _admission(
    config: ProxyConfig,
    verifier: Revoking,
    orders: OrderWatch,
    published: PublishedKeys | None,
    quota: Quota,
    telemetry: Telemetry,
) -> Admission:
    remembering = (
        RememberingVerifier(verifier, published.current, forbids=orders.forbids)
        if published is not None
        else RememberingVerifier(verifier, forbids=orders.forbids)
    )
    return Admission(
        remembering,
        quota,
        Charges(config.quota_costs, config.quota_dry_run),
        telemetry,
        hops=config.trusted_hops,
        is_open=config.access is Access.OPEN,
    )


def _relay(
    settings: ProxySettings,
    redis_url: str,
    redis: Redis,
    scripts: Scripts,
    source: StoreSource,
    verifier: Revoking,
    orders: OrderWatch,
) -> Relay:
    config = settings.relay
    return Relay(
        source,
        lambda: connect(redis_url, LINK),
        verifier,
        Shared.on(redis, scripts, orders, config.limits, config.talk_limit),
        origins=settings.proxy.cors_origins,
        cookie=config.cookie,
        limits=config.limits,
    )


def _readiness(
    settings: ProxySettings,
    redis: Redis,
    archive: Archive,
    circuits: Circuits,
    webhooks: Keys,
    relay: Relay | None,
) -> Readiness:
    seen = {
        "redis": looks.look_at_redis(redis),
        "durability": looks.look_at_durability(redis, settings.store.allow_volatile_redis),
        "secrets": looks.look_at_secrets(webhooks),
        "auth": looks.look_at_auth(settings.proxy),
        "upstream": looks.look_at_upstream(circuits),
        "workers": looks.look_at_workers(redis),
        "backlog": looks.look_at_backlog(redis),
        "archive": looks.look_at_archive(archive),
    }
    if relay is not None:
        seen["relay"] = looks.look_at_relay(relay.status)
    if settings.proxy.dev:
        seen["dev"] = looks.look_at_dev()
    return Readiness(seen)


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Opens the parts in order and closes them in reverse.

    Raises VolatileRedis for a Redis that loses acknowledged events; a Redis that does not answer
    is left to readiness.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.redis.aclose)
        await stack.enter_async_context(beside("scripts", parts.scripts.serve()))
        if parts.published is not None:
            stack.push_async_callback(parts.published.aclose)
        await _admit(parts)
        await stack.enter_async_context(parts.client)
        stack.push_async_callback(parts.archive.aclose)
        await stack.enter_async_context(beside("archive", _have_archive(parts.archive)))
        await stack.enter_async_context(beside("circuits", parts.shared.run()))
        if parts.permits is not None:
            await stack.enter_async_context(beside("permits", parts.permits.run()))
        await stack.enter_async_context(beside("purges", parts.facade.purges.run()))
        await stack.enter_async_context(beside("quota", parts.quota.run()))
        stack.push_async_callback(parts.facade.reader.aclose)
        await stack.enter_async_context(parts.receiver.running())
        await parts.orders.begin()
        await stack.enter_async_context(beside("orders", parts.orders.run()))
        if parts.relay is not None:
            await stack.enter_async_context(parts.relay.running())
        yield


async def _have_archive(archive: Archive) -> None:
    """Makes the archive ready before somebody asks; one that is away is tried when one does."""
    try:
        await archive.open()
    except ArchiveUnavailable as error:
        log.warning("archive.unavailable", error=str(error))


async def _admit(parts: Parts) -> None:
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            found = await durability.ask(parts.redis)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("redis.out_of_reach", error=repr(error))
        return
    durability.admit(found, allow_volatile=parts.settings.store.allow_volatile_redis)
    log.info("redis.durability", found=durability.sentence(found))
