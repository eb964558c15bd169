"""`/metrics`: the whole deployment's counters from Redis, and this process' own measurements."""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.store.counters import read_counters
from ludo.upstream.circuits import Circuits
from ludo.upstream.health import Phase
from proxy.deployment import deployment_metrics
from proxy.relay.relay import Relay
from proxy.relay.telling import relay_metrics
from proxy.telemetry import Telemetry

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
READ_WITHIN_S: Final = 1.0

log = structlog.get_logger("metrics")


class _Gathered:
    """Metrics that were read already, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


class Metrics:
    """Everything that a scrape is told."""

    def __init__(
        self,
        redis: Redis,
        telemetry: Telemetry,
        circuits: Circuits,
        relay: Relay | None = None,
    ) -> None:
        self._redis = redis
        self._telemetry = telemetry
        self._circuits = circuits
        self._relay = relay

    async def text(self) -> bytes:
        """The Prometheus text; without Redis, this process' part of it and `ludo_store_up 0`."""
        up = GaugeMetricFamily("ludo_store_up", "Whether Redis answered this scrape.")
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                counters = await read_counters(self._redis)
                dead_letters = await self._redis.xlen(keys.DEAD_LETTERS)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("metrics.without_store", error=repr(error))
            up.add_metric([], 0)
            shared: list[Metric] = [up]
        else:
            up.add_metric([], 1)
            shared = [up, *deployment_metrics(counters, dead_letters=dead_letters)]
        gathered = CollectorRegistry()
        gathered.register(_Gathered([*shared, *self._local()]))
        return generate_latest(gathered) + self._telemetry.scraped()

    def _local(self) -> Iterable[Metric]:
        closed = GaugeMetricFamily(
            "ludo_circuit_closed", "1 while calls of this route go through.", labels=["route"]
        )
        for state in self._circuits.states():
            closed.add_metric([state.name], state.phase is Phase.CLOSED)
        yield closed
        if self._relay is not None:
            yield from relay_metrics(self._relay.status(), self._relay.tally)


@get("/metrics", include_in_schema=False)
async def metrics_text(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    """What Prometheus scrapes."""
    headers = {"Cache-Control": "no-store"}
    return Response(await metrics.text(), media_type=CONTENT_TYPE, headers=headers)


def metrics_routes() -> list[HTTPRouteHandler]:
    """The route of the scrape; it takes `metrics` by name."""
    return [metrics_text]
