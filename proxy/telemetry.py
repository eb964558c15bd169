"""What one process measures of itself; labels are route templates and fixed words only."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Telemetry:
    """The measurements of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "ludo_http_requests",
            "Answers by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ludo_http_request_seconds",
            "Time to the end of the answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._reads = Counter(
            "ludo_facade_reads",
            "Reads of the facade, by where the answer came from.",
            ("route", "source"),
            registry=self.registry,
        )
        self._refused = Counter(
            "ludo_moves_refused",
            "Moves refused from the mirror, by clause.",
            ("clause",),
            registry=self.registry,
        )
        self._quota_spent = Counter(
            "ludo_quota_spent",
            "Requests beyond a caller's quota, by policy; refused, or let through (dry-run).",
            ("policy", "outcome"),
            registry=self.registry,
        )
        self._budget_left = Gauge(
            "ludo_upstream_permits_left",
            "Permits left in upstream's budget when last asked.",
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes an answer that went out."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def hits(self, route: str, name: str) -> Callable[[int, float], None]:
        """What notes an answer of the in-process layer; made once a route, as it is called often.

        `route` is the template, `name` what reads of it are counted under.
        """
        counts = {status: self._requests.labels("GET", route, str(status)) for status in (200, 304)}
        observe, read = self._seconds.labels(route).observe, self._reads.labels(name, "hit").inc

        def note(status: int, seconds: float) -> None:
            counts[status].inc()
            observe(seconds)
            read()

        return note

    def read(self, route: str, source: str) -> None:
        """Notes where the answer of a read came from: mirror, hit, stale, fetched."""
        self._reads.labels(route, source).inc()

    def watch_budget(self, left: Callable[[], float]) -> None:
        """From now on tell how many permits are left."""
        self._budget_left.set_function(left)

    def quota_spent(self, policy: str, *, refused: bool) -> None:
        """Notes a request beyond its caller's quota."""
        self._quota_spent.labels(policy, "refused" if refused else "let_through").inc()

    def refused_move(self, clause: str) -> None:
        """Notes a move that did not cost upstream anything."""
        self._refused.labels(clause).inc()
