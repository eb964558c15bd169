"""The four subcommands: which letters are meant, and what is done with them."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from cli.deadletters.wanting import Choice, Selection, an_age
from cli.printing import json_line, moment, printable

deadletters = typer.Typer(
    no_args_is_help=True,
    help="Events that were given up: list and show them, redrive or discard them.",
)

_Ids = Annotated[list[str] | None, typer.Argument(help="Letters by their ids; none: by filter.")]
_Game = Annotated[str | None, typer.Option(help="Only of this game.")]
_Cause = Annotated[
    str | None,
    typer.Option(help="Only of this cause: illegal, conflict, id-conflict, overflow, …"),
]
_Older = Annotated[
    float | None, typer.Option(help="Only those given up longer ago, as 10m, 24h.", parser=an_age)
]
_Newer = Annotated[
    float | None, typer.Option(help="Only those given up more lately, as 10m, 24h.", parser=an_age)
]
_All = Annotated[
    bool, typer.Option("--all", help="Also those whose event found its place when redriven.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which ones would be meant.")]
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@deadletters.command("list")
def list_letters(
    game: _Game = None,
    cause: _Cause = None,
    older_than: _Older = None,
    newer_than: _Newer = None,
    settled: _All = False,
    limit: Annotated[int, typer.Option(help="At most so many, the oldest.", min=1)] = 50,
    as_json: _AsJson = False,
) -> None:
    """Show which events were given up and why, the oldest first.

    A letter is there until it is discarded; one whose event was applied after all, or turned out
    to be superfluous, is shown with --all only.
    """
    from cli.deadletters.work import listed
    from cli.opening import on_store

    choice = Choice.of(None, game, cause, older_than, newer_than, settled=settled)
    letters, total = on_store(os.environ, lambda store: listed(store, choice, limit))
    for letter in letters:
        typer.echo(json_line(letter) if as_json else _line(letter))
    if not as_json:
        typer.echo(f"{len(letters)} of {total} dead letters")


@deadletters.command("show")
def show_letter(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    as_json: _AsJson = False,
) -> None:
    """Show one dead letter with its event and how it came. Exits with 1 if there is none."""
    from cli.deadletters.work import shown
    from cli.opening import on_store

    letter = on_store(os.environ, lambda store: shown(store, letter_id))
    if as_json:
        typer.echo(json_line(letter))
        return
    width = max(len(name) for name in letter)
    for name, value in letter.items():
        text = value if isinstance(value, str) else json_line(value)
        typer.echo(printable(f"{name:{width}}  {text}"))


@deadletters.command()
def redrive(
    ids: _Ids = None,
    game: _Game = None,
    cause: _Cause = None,
    older_than: _Older = None,
    newer_than: _Newer = None,
    settled: _All = False,
    dry_run: _DryRun = False,
    rate: Annotated[float, typer.Option(help="At most so many a second.", min=0.1)] = 50.0,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the last.", min=0)] = 5.0,
    as_json: _AsJson = False,
) -> None:
    """Send dead letters in again, the oldest first: once more, as often as you like.

    Each event is decided against the mirror as it stands, so it may be applied, or be a duplicate
    or stale by now; a mirror never goes back. `pending` waits for an earlier event or a worker.
    Exits with 1 if one is as dead as before.
    """
    from cli.deadletters.work import redriven
    from cli.opening import on_store

    choice = Choice.of(ids, game, cause, older_than, newer_than, settled=settled)
    run, tally = Selection(choice, dry_run), _Tally(as_json)
    on_store(os.environ, lambda store: redriven(store, run, tally.tell, rate=rate, wait=wait))
    tally.sum_up("redriven", dry_run=dry_run)
    raise typer.Exit(1 if tally.counts.keys() & {"dead", "refused", "missing"} else 0)


@deadletters.command()
def discard(
    ids: _Ids = None,
    game: _Game = None,
    cause: _Cause = None,
    older_than: _Older = None,
    newer_than: _Newer = None,
    settled: _All = False,
    dry_run: _DryRun = False,
    as_json: _AsJson = False,
) -> None:
    """Drop dead letters for good; each is counted and recorded with who did it.

    Exits with 1 if one of the named ones was not there.
    """
    from cli.deadletters.work import discarded
    from cli.opening import on_store

    choice = Choice.of(ids, game, cause, older_than, newer_than, settled=settled)
    run, tally = Selection(choice, dry_run), _Tally(as_json)
    on_store(os.environ, lambda store: discarded(store, run, tally.tell))
    tally.sum_up("discarded", dry_run=dry_run)
    raise typer.Exit(1 if tally.counts["missing"] else 0)


@dataclass(frozen=True, slots=True)
class _Tally:
    """Tells what became of each letter, and of all of them at the end."""

    as_json: bool
    counts: Counter[str] = field(default_factory=Counter)

    async def tell(self, results: AsyncIterator[dict[str, Any]]) -> None:
        async for each in results:
            self.counts[each["outcome"]] += 1
            typer.echo(json_line(each) if self.as_json else _outcome(each))

    def sum_up(self, done: str, *, dry_run: bool) -> None:
        if self.as_json:
            return
        told = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        total = self.counts.total()
        start = f"{total} would be {done}" if dry_run else f"{total} {done}"
        typer.echo(start if dry_run or not told else f"{start}: {told}")


def _line(letter: dict[str, Any]) -> str:
    why = letter["cause"] + (f" ({letter['clause']})" if letter["clause"] else "")
    place = "" if letter["sequence"] is None else f" {letter['sequence']}"
    tried = letter["redrive"]
    after = f"  redriven: {tried['outcome']}" if tried else ""
    return printable(
        f"{letter['id']}  {moment(letter['decidedAt'])}  {letter['gameId'] or '-'}{place}  "
        f"{why}  {letter['sentence'] or ''}{after}".rstrip()
    )


def _outcome(each: dict[str, Any]) -> str:
    cause = f" ({each['cause']})" if each.get("cause") else ""
    place = "" if each["sequence"] is None else f" {each['sequence']}"
    return printable(f"{each['id']}  {each['gameId'] or '-'}{place}  {each['outcome']}{cause}")
