"""From the arguments of `ludo-proxy conformance` to a table and an exit code."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.progress import Progress

from cli.conformance.cases import CASES, Case
from cli.conformance.talking import Target, Verdict, judge
from cli.failing import CannotGoOn
from cli.finding import find_games


@dataclass(frozen=True, slots=True)
class ConformanceOptions:
    """The options of the command, as they were typed."""

    url: str
    game: str | None
    token: str | None
    only: Sequence[str]
    as_json: bool


def run_conformance(options: ConformanceOptions) -> bool:
    """Whether the relay does what it has to; what it does not is printed."""
    verdicts = asyncio.run(_judge_all(options))
    for verdict in verdicts:
        sys.stdout.write(_line(verdict, as_json=options.as_json) + "\n")
    failed = [verdict for verdict in verdicts if verdict.fault is not None]
    skipped = [verdict for verdict in verdicts if verdict.skipped is not None]
    held = len(verdicts) - len(failed) - len(skipped)
    if not options.as_json:
        sys.stdout.write(f"{held} hold, {len(failed)} do not, {len(skipped)} were not tried\n")
    return not failed


async def _judge_all(options: ConformanceOptions) -> list[Verdict]:
    cases = _chosen(options.only)
    game = options.game or (await find_games(options.url, options.token))[0]
    target = Target(options.url, game, options.token)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        # One after another: a user has ten connections, and a case must not disturb the next.
        tracked = progress.track(cases, description="cases")
        return [await judge(case, target) for case in tracked]


def _chosen(only: Sequence[str]) -> tuple[Case, ...]:
    known = {case.name: case for case in CASES}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise CannotGoOn(f"expected cases of {', '.join(known)}; found {', '.join(unknown)}")
    return tuple(known[name] for name in only) or CASES


def _line(verdict: Verdict, *, as_json: bool) -> str:
    case = verdict.case
    if as_json:
        told = {
            "case": case.name,
            "says": case.says,
            "holds": None if verdict.skipped else verdict.fault is None,
            "fault": verdict.fault or verdict.skipped,
            "seconds": round(verdict.took, 3),
        }
        return msgspec.json.encode(told).decode()
    word = "skip" if verdict.skipped else "FAIL" if verdict.fault else "ok"
    more = verdict.fault or verdict.skipped
    return f"{word:<4}  {case.name:<16} {case.says}" + (f"\n      {more}" if more else "")
