"""The whole deployment's counters as metrics, by the names of design section 7."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ludo.store.counters import Counters, accounts

_Family = tuple[type[CounterMetricFamily] | type[GaugeMetricFamily], str, str, tuple[str, ...]]

_FAMILIES: Final[dict[str, _Family]] = {
    "accepted": (
        CounterMetricFamily, "ludo_events_accepted", "Events stored, by source.", ("source",)
    ),
    "outcome": (
        CounterMetricFamily, "ludo_events", "Events decided, by outcome.", ("outcome", "source")
    ),
    "pending": (
        GaugeMetricFamily,
        "ludo_events_pending",
        "Events stored and not decided yet.",
        ("source",),
    ),
    "redelivered": (
        CounterMetricFamily,
        "ludo_events_redelivered",
        "Deliveries that were stored before.",
        ("source",),
    ),
    "divergent": (
        CounterMetricFamily, "ludo_divergent", "Events that broke a clause.", ("clause",)
    ),
    "repaired": (
        CounterMetricFamily,
        "ludo_repaired",
        "Mirrors that a resync put right, by reason.",
        ("reason",),
    ),
    "skipped": (
        CounterMetricFamily, "ludo_sequences_skipped", "Sequences that resyncs went past.", ()
    ),
    "late": (
        CounterMetricFamily,
        "ludo_sequences_late",
        "Sequences of which an event came after a resync had gone past.",
        (),
    ),
    "archived": (
        CounterMetricFamily, "ludo_games_archived", "Games that left Redis.", ("status",)
    ),
    "abandoned": (
        CounterMetricFamily, "ludo_games_abandoned", "Games that were given up.", ("why",)
    ),
    "archive": (
        CounterMetricFamily, "ludo_archive", "Attempts that the archive did not take.", ("outcome",)
    ),
    "discarded": (
        CounterMetricFamily,
        "ludo_dead_letters_discarded",
        "Dead letters that an operator discarded.",
        (),
    ),
}  # fmt: skip
"""By the first part of a counter's name; the parts behind it are the values of the labels."""


def deployment_metrics(counters: Counters, *, dead_letters: int) -> Iterable[Metric]:
    """What the counters say, and whether they add up."""
    for prefix, (kind, name, told, labels) in _FAMILIES.items():
        family = kind(name, told, labels=labels)
        for counter, value in sorted(counters.items()):
            first, *values = counter.split(":")
            if first == prefix and len(values) == len(labels):
                family.add_metric(values, value)
        yield family
    missing = GaugeMetricFamily(
        "ludo_events_unaccounted",
        "Accepted events with neither an outcome nor a place in an inbox; anything but 0 is a bug.",
        labels=["source"],
    )
    for account in accounts(counters):
        missing.add_metric([account.source], account.unaccounted)
    yield missing
    letters = GaugeMetricFamily("ludo_dead_letters", "Dead letters that are kept.")
    letters.add_metric([], dead_letters)
    yield letters
