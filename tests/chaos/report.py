"""What the rounds came to: a line each, a table at the end, or JSON."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.chaos.plan import Plan
from tests.chaos.rounds import Findings


def line_of(plan: Plan, findings: Findings) -> str:
    """One round."""
    verdict = "good" if findings.good else "; ".join(findings.complaints[:5])
    return (
        f"round {plan.number} ({plan.faults}): {findings.kills.total()} kills, "
        f"{findings.acknowledged} acknowledged, worst delay {findings.worst_delay:.1f} s: {verdict}"
    )


def totals(findings: Findings, seed: str) -> dict[str, Any]:
    """All rounds together, as JSON has them."""
    return {
        "seed": seed,
        "rounds": findings.rounds,
        "kills": dict(sorted(findings.kills.items())),
        "freezes": dict(sorted(findings.freezes.items())),
        "sent": findings.sent,
        "acknowledged": findings.acknowledged,
        "outcomes": dict(sorted(findings.outcomes.items())),
        "lost": findings.lost,
        "doubled": findings.doubled,
        "outOfOrder": findings.out_of_order,
        "diverged": findings.diverged,
        "unaccounted": findings.unaccounted,
        "repaired": findings.repaired,
        "worstDelaySeconds": round(findings.worst_delay, 3),
        "worstDelayOf": findings.worst_of,
        "complaints": findings.complaints,
    }


def print_totals(console: Console, findings: Findings, seed: str, *, as_json: bool) -> None:
    """Everything on standard output; a table on a terminal, plain lines elsewhere."""
    told = totals(findings, seed)
    if as_json:
        console.file.write(msgspec.json.encode(told).decode() + "\n")
        return
    rows = [(name, _plain(value)) for name, value in told.items() if name != "complaints"]
    if console.is_terminal:
        table = Table("what", "how many", show_header=False)
        for name, value in rows:
            table.add_row(name, value)
        console.print(table)
    else:
        for name, value in rows:
            console.print(f"{name}: {value}", highlight=False, soft_wrap=True)
    for complaint in findings.complaints[:50]:
        console.print(complaint, highlight=False, soft_wrap=True, markup=False)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return str(value)
