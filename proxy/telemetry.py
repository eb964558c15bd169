"""What one process measures of itself; labels are route templates and fixed words only."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Telemetry:
    """The measurements of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._hits: list[tuple[str, str, dict[int, int]]] = []
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
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
            "Time to the end of the answer; hits of the in-process layer are not in it.",
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
        found = self._answers.get((method, route, status))
        if found is None:  # resolving labels takes longer than counting
            found = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._answers[method, route, status] = found
        requests, duration = found
        requests.inc()
        duration.observe(seconds)

    def watch_hits(self, route: str, name: str, counts: dict[int, int]) -> None:
        """From now on add what `counts` of answers of the in-process layer by status says.

        It is emptied at each scrape, because a hit takes less time than it takes to be counted
        here; `route` is the template, `name` what reads of it are counted under.
        """
        self._hits.append((route, name, counts))

    def scraped(self) -> bytes:
        """The Prometheus text of all these."""
        for route, name, counts in self._hits:
            for status, number in counts.items():
                counts[status] = 0
                self._requests.labels("GET", route, str(status)).inc(number)
                self._reads.labels(name, "hit").inc(number)
        return generate_latest(self.registry)

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
