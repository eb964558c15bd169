"""What this process measures of the receiver; labels are key ids and fixed words only."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from proxy.webhooks.keys import Keys


class Measures:
    """The receiver's own part of `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._used: dict[str, tuple[Counter, Gauge]] = {}
        self._verified = Counter(
            "ludo_webhook_verified",
            "Genuine deliveries, by the key that signed them.",
            ("key",),
            registry=registry,
        )
        self._last_used = Gauge(
            "ludo_webhook_key_last_used_timestamp_seconds",
            "When a key last signed a delivery.",
            ("key",),
            registry=registry,
        )
        self._refused = Counter(
            "ludo_webhook_refused",
            "Deliveries refused, by reason.",
            ("reason",),
            registry=registry,
        )

    def verified(self, key_id: str) -> None:
        """Notes that a key was used."""
        found = self._used.get(key_id)
        if found is None:  # resolving labels takes longer than counting
            found = self._verified.labels(key_id), self._last_used.labels(key_id)
            self._used[key_id] = found
        verified, last_used = found
        verified.inc()
        last_used.set_to_current_time()

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
