"""What `/metrics` says of the relay of one process."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from proxy.relay.relay import Status
from proxy.relay.tally import Tally


def relay_metrics(status: Status, tally: Tally) -> Iterable[Metric]:
    """How it is now, and what it has done."""
    yield from _now(status)
    ways = {
        "messages": ("Frames from and to clients.", tally.frames_in, tally.frames_out),
        "bytes": ("Their bytes, before any compression.", tally.bytes_in, tally.bytes_out),
    }
    for name, (told, came, went) in ways.items():
        yield _counted(name, told, "direction", {"in": came, "out": went})
    for name, told, label, counts, known in (
        ("opened", "Connections begun.", "kind", tally.opened, ("socket", "stream")),
        ("closes", "Connections ended, by code or `gone`.", "code", tally.closes, ()),
        ("errors", "`err` frames.", "code", tally.errors, ()),
        (
            "resumes",
            "Subscriptions answered, by how.",
            "outcome",
            tally.resumes,
            ("recovered", "replayed", "snapshot"),
        ),
        ("snaps", "Snapshots sent, by why.", "why", tally.snaps, ()),
        ("pongs", "Pongs, by whether the client had applied all.", "client", tally.pongs, ()),
    ):
        yield _counted(name, told, label, counts, known)
    yield _plain("dropped", "Queued frames dropped because a client was behind.", tally.dropped)
    yield _plain("said", "Table talk published from here.", tally.said)


def _now(status: Status) -> Iterable[Metric]:
    for name, told, value in (
        ("connections", "Clients of the relay here.", status.connections),
        ("streams", "Those of them that are server-sent events.", status.streams),
        ("users", "Users with a token among them.", status.users),
        ("rooms", "Games followed here.", status.rooms),
        ("subscriptions", "Channels subscribed to.", status.subscriptions),
        ("link_age_seconds", "Since Redis was last heard; absent without a link.", status.link_age),
    ):
        if value is not None:
            gauge = GaugeMetricFamily(f"ludo_relay_{name}", told)
            gauge.add_metric([], value)
            yield gauge


def _counted(
    name: str, told: str, label: str, counts: Mapping[str, int], known: Iterable[str] = ()
) -> Metric:
    family = CounterMetricFamily(f"ludo_relay_{name}", told, labels=[label])
    for value in sorted({*known, *counts}):
        family.add_metric([value], counts.get(value, 0))
    return family


def _plain(name: str, told: str, count: int) -> Metric:
    family = CounterMetricFamily(f"ludo_relay_{name}", told)
    family.add_metric([], count)
    return family
