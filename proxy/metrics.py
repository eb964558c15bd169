"""`/metrics`: the whole deployment's counters from Redis, and this process' own measurements."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, cast

import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys
from ludo.upstream.circuits import Circuits
from ludo.upstream.health import Phase
from proxy.relay.relay import Status
from proxy.telemetry import Telemetry

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
READ_WITHIN_S: Final = 1.0

_Hash = Awaitable[dict[bytes, bytes]]

log = structlog.get_logger("metrics")


def deployment_metrics(counters: Mapping[str, int]) -> list[Metric]:
    """What the fields of `ludo:counters` say (design section 7), by their names in metrics."""
    accepted = CounterMetricFamily(
        "ludo_events_accepted", "Events stored, by source.", labels=["source"]
    )
    decided = CounterMetricFamily(
        "ludo_events", "Events decided, by outcome.", labels=["source", "outcome"]
    )
    redelivered = CounterMetricFamily(
        "ludo_events_redelivered", "Deliveries that were stored before.", labels=["source"]
    )
    repaired = CounterMetricFamily(
        "ludo_repaired", "Mirrors that a resync put right, by reason.", labels=["reason"]
    )
    pending = GaugeMetricFamily(
        "ludo_events_pending", "Events stored and not decided yet.", labels=["source"]
    )
    for name, value in sorted(counters.items()):
        match name.split(":"):
            case ["accepted", source]:
                accepted.add_metric([source], value)
            case ["outcome", outcome, source]:
                decided.add_metric([source, outcome], value)
            case ["redelivered", source]:
                redelivered.add_metric([source], value)
            case ["repaired", reason]:
                repaired.add_metric([reason], value)
            case ["pending", source]:
                pending.add_metric([source], value)
    return [accepted, decided, redelivered, repaired, pending]


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
        relay: Callable[[], Status] | None = None,
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
                counters = await cast(_Hash, self._redis.hgetall(keys.COUNTERS))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("metrics.without_store", error=repr(error))
            up.add_metric([], 0)
            shared: list[Metric] = [up]
        else:
            up.add_metric([], 1)
            numbers = {name.decode(): int(value) for name, value in counters.items()}
            shared = [up, *deployment_metrics(numbers)]
        gathered = CollectorRegistry()
        gathered.register(_Gathered([*shared, *self._local()]))
        return generate_latest(gathered) + generate_latest(self._telemetry.registry)

    def _local(self) -> Iterable[Metric]:
        closed = GaugeMetricFamily(
            "ludo_circuit_closed", "1 while calls of this route go through.", labels=["route"]
        )
        for state in self._circuits.states():
            closed.add_metric([state.name], state.phase is Phase.CLOSED)
        yield closed
        if self._relay is not None:
            here = GaugeMetricFamily("ludo_relay_connections", "Clients of the relay here.")
            here.add_metric([], self._relay().connections)
            yield here


@get("/metrics", include_in_schema=False)
async def metrics_text(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    """What Prometheus scrapes."""
    headers = {"Cache-Control": "no-store"}
    return Response(await metrics.text(), media_type=CONTENT_TYPE, headers=headers)


def metrics_routes() -> list[HTTPRouteHandler]:
    """The route of the scrape; it takes `metrics` by name."""
    return [metrics_text]
