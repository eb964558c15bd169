"""What the demo found, as a table for people and as JSON for scripts."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

import msgspec
from rich.console import Console
from rich.table import Table

from cli.demo.truth import Compared
from cli.demo.watching import Watched


@dataclass(frozen=True, slots=True)
class Findings:
    """A finished demo: each game beside the truth, how it was pushed, and the counters."""

    compared: Sequence[Compared]
    watched: Mapping[str, Watched]
    counters: Mapping[str, int]

    @property
    def all_equal(self) -> bool:
        """Whether every mirror, and every board that was watched, ended equal to the truth."""
        return bool(self.compared) and all(
            game.equal and self.pushed_equal(game) for game in self.compared
        )

    def pushed_equal(self, game: Compared) -> bool:
        """Whether what the relay pushed ended where the mirror did."""
        watched = self.watched.get(game.game_id)
        return watched is not None and watched.state == game.mirror

    def total(self, *prefixes: str) -> int:
        """The sum of all counters that begin so."""
        return sum(n for name, n in self.counters.items() if name.startswith(prefixes))


def print_report(findings: Findings, *, as_json: bool) -> None:
    """The games on standard output; with `as_json` one object a line and the table on stderr."""
    if as_json:
        for game in findings.compared:
            line = {
                "gameId": game.game_id,
                "equal": game.equal and findings.pushed_equal(game),
                "mirror": game.mirror,
                "truth": game.truth,
            }
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    console = Console(stderr=as_json)
    if console.is_terminal:
        console.print(_games_table(findings))
        console.print(_totals_table(findings))
    else:
        for title, value in _totals(findings):
            console.print(f"{title}: {value}", highlight=False, soft_wrap=True)
        for game in findings.compared:
            console.print(_line(findings, game), highlight=False, soft_wrap=True)


def _totals(findings: Findings) -> list[tuple[str, str]]:
    delays = [delay for game in findings.watched.values() for delay in game.delays_ms]
    median, high = _percentiles(delays)
    counts = {
        "games": len(findings.compared),
        "events": sum(game.truth["sequence"] for game in findings.compared),
        "applied": findings.total("outcome:applied:"),
        "duplicates dropped": findings.total("redelivered:", "outcome:duplicate:"),
        "stale": findings.total("outcome:stale:"),
        "dead letters": findings.total("outcome:dead:"),
        "gaps repaired": findings.total("repaired:"),
    }
    texts = [(title, str(count)) for title, count in counts.items()]
    return [*texts, ("push p50", f"{median:.0f} ms"), ("push p99", f"{high:.0f} ms")]


def _percentiles(delays: Sequence[float]) -> tuple[float, float]:
    if len(delays) < 2:
        return 0.0, 0.0
    cuts = quantiles(delays, n=100)
    return cuts[49], cuts[98]


def _line(findings: Findings, game: Compared) -> str:
    watched = findings.watched.get(game.game_id)
    verdict = _verdict(findings, game)
    pushed = watched.pushed if watched else 0
    return f"{game.game_id}: {game.truth['sequence']} events, {pushed} pushed, {verdict}"


def _verdict(findings: Findings, game: Compared) -> str:
    if not game.equal:
        return "MIRROR DIFFERS"
    return "equal" if findings.pushed_equal(game) else "BOARD DIFFERS"


def _games_table(findings: Findings) -> Table:
    table = Table("game", "mode", "events", "pushed", "winner", "mirror and board")
    for game in findings.compared:
        watched = findings.watched.get(game.game_id)
        table.add_row(
            game.game_id,
            game.truth["gameMode"],
            str(game.truth["sequence"]),
            str(watched.pushed if watched else 0),
            game.truth["winnerId"] or "",
            _verdict(findings, game),
        )
    return table


def _totals_table(findings: Findings) -> Table:
    totals = _totals(findings)
    table = Table(*(title for title, _ in totals))
    table.add_row(*(value for _, value in totals))
    return table
