"""What was found, and what became of the goals."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from benchmarks.relay.measuring import Measured

_COLUMNS: Final[dict[str, Callable[[Measured], str]]] = {
    "deliveries/s": lambda each: f"{each.per_second:,.0f}",
    "per CPU second": lambda each: f"{each.per_cpu_second:,.0f}",
    "KiB a connection": lambda each: f"{each.kib:.1f}",
    "p50 ms": lambda each: f"{each.p50_ms:.1f}",
    "p99 ms": lambda each: f"{each.p99_ms:.1f}",
    "server": lambda each: f"{each.server_busy:.0%}",
    "clients": lambda each: f"{each.clients_busy:.0%}",
    "Redis": lambda each: f"{each.redis_busy:.0%}",
}
_AT_THE_LIMIT: Final = 0.9


def table(rounds: dict[str, list[Measured]], clients: int, games: int) -> None:
    """Medians of all rounds; the last three columns are parts of a core."""
    say(f"| {clients:,} clients, {games} games | " + " | ".join(_COLUMNS) + " |")
    say("|---|" + "---|" * len(_COLUMNS))
    for name, measured in rounds.items():
        found = _medians(measured)
        say(f"| {name} | " + " | ".join(show(found) for show in _COLUMNS.values()) + " |")


def goals(rounds: dict[str, list[Measured]]) -> None:
    """The ratios that were asked for."""
    ours = rounds["ours"]
    for other, goal in (("raw loop", 0.8), ("Socket.IO", 2.0)):
        if other in rounds:
            wall = _ratio(ours, rounds[other], lambda each: each.per_second)
            own = _ratio(ours, rounds[other], lambda each: each.per_cpu_second)
            say(
                f"deliveries/s, ours to {other}: {wall:.2f}; "
                f"per CPU second: {own:.2f} (goal {goal}: {_met(own >= goal)}"
                f", by the clock {_met(wall >= goal)})"
            )
    found = _medians(ours)
    say(f"KiB a connection: {found.kib:.1f} (goal 30: {_met(found.kib <= 30)})")
    say(f"publish to receive, p99: {found.p99_ms:.1f} ms (goal 25: {_met(found.p99_ms <= 25)})")
    for name, measured in rounds.items():
        busy = _medians(measured)
        limit = "the server" if busy.server_busy >= _AT_THE_LIMIT else "not the server alone"
        say(f"what limits deliveries/s of {name}: {limit} ({busy.server_busy:.0%} of a core)")


def many(count: int, seconds: Sequence[float]) -> None:
    """How long one event took to all sockets of one process."""
    shown = ", ".join(f"{each:.2f}" for each in seconds)
    met = _met(max(seconds) <= 1)
    say(f"one event to {count:,} sockets of one process: {shown} s (goal 1: {met})")


def say(line: str) -> None:
    """A line, at once."""
    print(line, flush=True)


def _ratio(
    ours: Sequence[Measured], theirs: Sequence[Measured], rate: Callable[[Measured], float]
) -> float:
    return median(rate(one) / rate(other) for one, other in zip(ours, theirs, strict=True))


def _medians(measured: Sequence[Measured]) -> Measured:
    names = Measured.__dataclass_fields__
    return Measured(**{name: median(getattr(each, name) for each in measured) for name in names})


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
