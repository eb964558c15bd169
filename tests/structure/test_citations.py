"""Sources that code cites exist."""

import re
from pathlib import Path

from tests.structure.sources import kept_files, sources, text

SECTION = re.compile(r"design section (\d+)")
DECISION = re.compile(r"decision (\d{4})")
HEADING = re.compile(r"^## (\d+)\.", re.MULTILINE)
RULE = re.compile(r"^- R(\d+) ", re.MULTILINE)
CLAUSE = re.compile(r"\bR(\d{1,2})\b")


def numbers(pattern: re.Pattern[str], *paths: str) -> set[str]:
    """What a pattern finds in some files."""
    return {found for path in paths for found in pattern.findall(text(Path(path)))}


def test_what_is_cited_exists() -> None:
    """A section of the design, a decision or a clause that is cited can be looked up."""
    tests = (path for path in kept_files() if path.parts[0] == "tests" and path.suffix == ".py")
    citing = [str(path) for path in (*sources(), *tests)]
    decisions = (path for path in kept_files() if path.parts[:2] == ("docs", "decisions"))
    assert numbers(SECTION, *citing) <= numbers(HEADING, "docs/design.md")
    assert numbers(CLAUSE, *citing) <= numbers(RULE, "docs/rules.md")
    assert numbers(DECISION, *citing) <= {path.name[:4] for path in decisions}
