"""From the arguments of `ludo-proxy load` to a table or an object."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli.finding import find_games
from cli.load.client import LoadClient, Seen
from cli.load.figures import Figures
from cli.load.files import allow_sockets

LINES: Final = {
    "connect": "dial to welcome",
    "join": "dial to live",
    "ping": "ping to pong",
    "receive": "event to delta",
}
TICK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of the command, as they were typed."""

    url: str
    clients: int
    games: Sequence[str]
    most_games: int
    seconds: float
    rate: float
    token: str | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked for, and what came of it."""

    clients: int
    games: int
    seconds: float
    live: int
    seen: Seen

    @property
    def good(self) -> bool:
        """Whether every client was live, and saw no error and no hole."""
        return self.live == self.clients and not self.seen.errors and not self.seen.holes


def run_load(options: LoadOptions) -> bool:
    """Whether all went well; prints what was measured."""
    allow_sockets(options.clients)
    report = asyncio.run(_load(options))
    _print(report, as_json=options.as_json)
    return report.good


async def _load(options: LoadOptions) -> Report:
    games = list(options.games)[: options.most_games]
    if not games:
        games = (await find_games(options.url, options.token))[: options.most_games]
    seen = Seen()
    arriving = options.clients / options.rate
    until = time.monotonic() + arriving + options.seconds
    clients = [
        LoadClient(options.url, games[number % len(games)], options.token, until, seen)
        for number in range(options.clients)
    ]
    await _run(clients, options.rate, arriving + options.seconds)
    live = sum(client.live for client in clients)
    return Report(options.clients, len(games), options.seconds, live, seen)


async def _run(clients: Sequence[LoadClient], rate: float, seconds: float) -> None:
    console = Console(stderr=True)
    begun = time.monotonic()
    tasks: list[asyncio.Task[None]] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        arrived = progress.add_task("clients live", total=len(clients))
        passed = progress.add_task("seconds", total=seconds)
        try:
            while (now := time.monotonic() - begun) < seconds and not _all_over(tasks, clients):
                due = clients[len(tasks) : int(now * rate) + 1]
                tasks += [asyncio.create_task(client.run()) for client in due]
                progress.update(arrived, completed=sum(client.live for client in clients))
                progress.update(passed, completed=now)
                await asyncio.sleep(min(TICK_S, 5 / rate))
            await asyncio.wait(tasks, timeout=10)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _all_over(tasks: Sequence[asyncio.Task[None]], clients: Sequence[LoadClient]) -> bool:
    return len(tasks) == len(clients) and all(task.done() for task in tasks)


def _figures(seen: Seen) -> dict[str, Figures | None]:
    measured = (seen.connected, seen.joined, seen.pinged, seen.received)
    return {name: Figures.of(values) for name, values in zip(LINES, measured, strict=True)}


def _print(report: Report, *, as_json: bool) -> None:
    seen = report.seen
    figures = _figures(seen)
    totals: dict[str, Any] = {
        "clients": report.clients,
        "games": report.games,
        "seconds": report.seconds,
        "live": report.live,
        "deltas": seen.deltas,
        "holes": seen.holes,
    }
    if as_json:
        told = {name: found and asdict(found) for name, found in figures.items()}
        whole = {**totals, "ms": told, "errors": dict(seen.errors)}
        sys.stdout.write(msgspec.json.encode(whole).decode() + "\n")
        return
    console = Console()
    console.print(", ".join(f"{value:g} {name}" for name, value in totals.items()))
    if console.is_terminal:
        console.print(_table(figures))
    else:
        for name, found in figures.items():
            console.print(f"{LINES[name]}: {_plain(found)}", soft_wrap=True, highlight=False)
    for error, times in seen.errors.most_common():
        console.print(f"{times} times: {error}", highlight=False, soft_wrap=True)


def _plain(found: Figures | None) -> str:
    if found is None:
        return "nothing was measured"
    parts = (f"{name} {value:g} ms" for name, value in asdict(found).items() if name != "count")
    return f"{', '.join(parts)} ({found.count})"


def _table(figures: dict[str, Figures | None]) -> Table:
    table = Table("ms", "min", "mean", "median", "p95", "max", "count")
    for name, found in figures.items():
        values = (found.min, found.mean, found.median, found.p95, found.max) if found else ()
        shown = [f"{value:.1f}" for value in values] or ["–"] * 5
        table.add_row(LINES[name], *shown, str(found.count if found else 0))
    return table
