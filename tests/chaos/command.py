"""`make chaos`: from options to an exit code."""

import asyncio
import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from tests.chaos.plan import Plan, plan_round
from tests.chaos.report import line_of, print_totals
from tests.chaos.rounds import GAMES, Findings
from tests.chaos.running import Wish, logs_kept_on_failure, run_rounds


def chaos(
    rounds: Annotated[int, typer.Option(help="How many.", min=1)] = 30,
    seed: Annotated[str, typer.Option(help="Games, faults and kills follow from it.")] = "",
    side_by_side: Annotated[
        int, typer.Option(help="Deployments that share the rounds.", min=1, max=16)
    ] = 2,
    games: Annotated[
        int, typer.Option(help="Games of a round; one makes it short.", min=1, max=50)
    ] = GAMES,
    show_plan: Annotated[
        bool, typer.Option("--plan", help="Print who would be struck when, and do nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Kill proxy, workers and Redis at random under load, and compare everything with the truth.

    A ledger outside of them all notes each delivery that was acknowledged; what became of it is
    looked up when the round is over. In every second round nothing is dropped and no state can be
    fetched, so that healing cannot hide a loss. Exits with 1 if anything was lost, doubled, out of
    order, different from the truth, or not accounted for.
    """
    wish = Wish(rounds, seed or secrets.token_hex(4), side_by_side, games)
    if show_plan:
        for number in range(1, rounds + 1):
            plan = plan_round(wish.seed, number)
            typer.echo(f"round {number} ({plan.faults}): {'; '.join(map(str, plan.strikes))}")
    elif not run_chaos(wish, as_json=as_json):
        raise typer.Exit(1)


def run_chaos(wish: Wish, *, as_json: bool) -> bool:
    """Whether all was well; prints what was found, and the seed before anything can go wrong."""
    typer.echo(f"seed {wish.seed}", err=True)
    findings = _run(wish)
    print_totals(Console(), findings, wish.seed, as_json=as_json)
    if not findings.good:
        typer.echo(f"again: make chaos ROUNDS={wish.rounds} SEED={wish.seed}", err=True)
    return findings.good


def _run(wish: Wish) -> Findings:
    console = Console(stderr=True)
    found: list[Findings] = []
    progress = Progress(console=console, transient=True, disable=not console.is_terminal)
    with logs_kept_on_failure(lambda: found[0] if found else None) as folder, progress:
        bar = progress.add_task("rounds", total=wish.rounds)

        def told(plan: Plan, findings: Findings) -> None:
            progress.advance(bar)
            if not (console.is_terminal and findings.good):
                console.print(line_of(plan, findings), highlight=False, soft_wrap=True)

        found.append(asyncio.run(run_rounds(wish, folder, told)))
    return found[0]
