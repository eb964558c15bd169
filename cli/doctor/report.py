"""The findings, a line each for people, and a line of JSON each for scripts."""

from collections.abc import Sequence
from typing import Final

import msgspec
import typer

from cli.doctor.findings import Finding, Level

_COLORS: Final = {Level.OK: "green", Level.NOTE: "blue", Level.FINDING: "red"}


def print_report(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Prints what was seen; what is to be mended says how below it."""
    if as_json:
        for each in findings:
            typer.echo(msgspec.json.encode(each).decode())
        return
    width = max(len(each.part) for each in findings)
    for each in findings:
        mark = typer.style(f"{each.level.value:8}", fg=_COLORS[each.level])
        typer.echo(f"{mark} {each.part:{width}}  {each.detail}")
        if each.advice:
            typer.echo(f"{'':{width + 11}}{each.advice}")
    wrong = sum(each.level is Level.FINDING for each in findings)
    typer.echo("nothing to mend" if wrong == 0 else f"{wrong} to mend")
