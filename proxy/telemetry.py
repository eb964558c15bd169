"""What one process measures of itself; labels are route templates and fixed words only."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Answers(Collector):
    """Answers by route and status, and how long they took.

    They are counted as plain numbers, which become metrics when they are asked for: every request
    is counted, at a tenth of what a metric takes for it.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}
        self._times: dict[str, _Times] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes an answer that took so long."""
        self.add(method, route, status, 1)
        times = self._times.get(route)
        if times is None:
            times = self._times[route] = _Times()
        times.note(seconds)

    def add(self, method: str, route: str, status: int, number: int) -> None:
        """Notes answers of which nobody measured how long they took."""
        key = method, route, status
        self._counts[key] = self._counts.get(key, 0) + number

    def collect(self) -> Iterable[Metric]:
        """What was noted so far."""
        counted = CounterMetricFamily(
            "ludo_http_requests",
            "Answers by route and status.",
            labels=("method", "route", "status"),
        )
        for (method, route, status), number in self._counts.items():
            counted.add_metric((method, route, str(status)), number)
        timed = HistogramMetricFamily(
            "ludo_http_request_seconds",
            "Time to the end of the answer; hits of the in-process layer are not in it.",
            labels=("route",),
        )
        for route, times in self._times.items():
            timed.add_metric((route,), times.buckets(), times.total)
        return counted, timed


class _Times:
    """A histogram of seconds."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        self._counts[bisect_left(_BUCKETS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """By upper bound, how many took at most so long."""
        bounds = (*map(floatToGoString, _BUCKETS), "+Inf")
        return list(zip(bounds, accumulate(self._counts), strict=True))


class Telemetry:
    """The measurements of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._hits: list[tuple[str, str, dict[int, int]]] = []
        self._answers = Answers()
        self.registry.register(self._answers)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
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
        self._answers.note(method, route, status, seconds)

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
                self._answers.add("GET", route, status, number)
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
