"""The parts of the receiver in one process, and what runs beside its requests."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from ludo.store.batching import BatchedScripts
from ludo.store.inbox import Inbox
from ludo.store.quota import Quota
from ludo.store.rejected import RejectedRing
from ludo.tasks import beside
from ludo.upstream.config import WebhookConfig
from proxy.webhooks.config import ReceiverConfig
from proxy.webhooks.evidence import Evidence
from proxy.webhooks.intake import Intake
from proxy.webhooks.keys import Keys
from proxy.webhooks.measures import Measures
from proxy.webhooks.promise import Promise
from proxy.webhooks.recheck import Recheck


@dataclass(frozen=True, slots=True)
class Receiver:
    """Everything that the receiver's routes, `/admin` and readiness need of it."""

    keys: Keys
    intake: Intake
    rejected: RejectedRing
    recheck: Recheck
    scripts: BatchedScripts
    promise: Promise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliveries are accepted, keys followed and refusals written while the block runs."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(beside("accepting", self.scripts.serve()))
            await self.promise.look()  # or the first deliveries would be sent again for nothing
            await stack.enter_async_context(beside("promise", self.promise.run()))
            await stack.enter_async_context(beside("keys", self.keys.run()))
            await stack.enter_async_context(beside("evidence", self.intake.evidence.run()))
            yield


def make_receiver(
    config: ReceiverConfig,
    webhooks: WebhookConfig,
    redis: Redis,
    registry: CollectorRegistry,
    *,
    allow_volatile: bool,
) -> Receiver:
    """The receiver of one process; nothing is connected yet."""
    scripts, promise = BatchedScripts(redis), Promise(redis, allow_volatile=allow_volatile)
    inbox = Inbox(scripts, backlog=config.backlog)
    rejected = RejectedRing(redis)
    keys, evidence, measures = Keys(webhooks), Evidence(rejected), Measures(registry)
    measures.watch(keys, lambda: evidence.dropped)
    return Receiver(
        keys=keys,
        intake=Intake(
            ring=lambda: keys.ring,
            inbox=inbox,
            quota=Quota(scripts, config.quota, time.monotonic),
            evidence=evidence,
            measures=measures,
            clock=time.time,
            trouble=lambda: promise.trouble,
        ),
        rejected=rejected,
        recheck=Recheck(lambda: keys.ring, inbox, rejected, time.time),
        scripts=scripts,
        promise=promise,
    )
