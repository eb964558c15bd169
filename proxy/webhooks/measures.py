"""What this process measures of the receiver; labels are key ids and fixed words only."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from proxy.webhooks.keys import Keys


class Uses(Collector):
    """How often each key signed a genuine delivery, and when last.

    Counted as plain numbers, which become metrics when they are asked for: each delivery is.
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._last: dict[str, float] = {}

    def note(self, key_id: str) -> None:
        """Notes that a key was used now."""
        self._times[key_id] = self._times.get(key_id, 0) + 1
        self._last[key_id] = time.time()

    def collect(self) -> Iterable[Metric]:
        """What was noted so far."""
        verified = CounterMetricFamily(
            "ludo_webhook_verified",
            "Genuine deliveries, by the key that signed them.",
            labels=("key",),
        )
        last_used = GaugeMetricFamily(
            "ludo_webhook_key_last_used_timestamp_seconds",
            "When a key last signed a delivery.",
            labels=("key",),
        )
        for key_id, times in self._times.items():
            verified.add_metric((key_id,), times)
            last_used.add_metric((key_id,), self._last[key_id])
        return verified, last_used


class Measures:
    """The receiver's own part of `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._uses = Uses()
        registry.register(self._uses)
        self._refused = Counter(
            "ludo_webhook_refused",
            "Deliveries refused, by reason.",
            ("reason",),
            registry=registry,
        )

    def verified(self, key_id: str) -> None:
        """Notes that a key was used."""
        self._uses.note(key_id)

    def refused(self, reason: str) -> None:
        """Notes a refusal; the reason is one of ours."""
        self._refused.labels(reason).inc()

    def watch(self, keys: Keys, lost_evidence: Callable[[], int]) -> None:
        """From now on tell how the keys stand, and how many refusals left no evidence."""
        current = Gauge(
            "ludo_webhook_keys_current",
            "1 while the keys are the configured ones, 0 while a newer file cannot be used.",
            registry=self._registry,
        )
        current.set_function(lambda: keys.trouble is None)
        lost = Gauge(
            "ludo_webhook_evidence_lost",
            "Refusals that were too many to keep.",
            registry=self._registry,
        )
        lost.set_function(lost_evidence)
