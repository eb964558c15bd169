"""What the documents tell a reader to do can be done, and what they point at is there."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.sources import ROOT, kept_files, text

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)")
NAMED = re.compile(r"`((?:docs|ludo|proxy|workers|sandbox|cli|tests|docker|[.]ci)/[\w./-]*)`")
DOCUMENTS = [path for path in kept_files() if path.suffix == ".md"]


def commands(document: Path) -> Iterator[str]:
    """Every line that a reader is told to type, without its comment."""
    for block in FENCE.findall(text(document)):
        for line in block.splitlines():
            if command := line.split(" #")[0].strip():
                yield command


ALL_COMMANDS = sorted({each for document in DOCUMENTS for each in commands(document)})


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_command_exists(command: str) -> None:
    """A command of the documents is a target, a command or a service that there is."""
    program, *arguments = command.split()
    checks = {"make": has_target, ".venv/bin/ludo-proxy": has_command, "docker": has_files}
    assert program in checks, f"nobody checks {program!r}"
    checks[program](arguments)


def has_target(arguments: list[str]) -> None:
    """The Makefile has the target."""
    assert re.search(rf"^{arguments[0]}:", text(Path("Makefile")), re.MULTILINE)


def has_command(arguments: list[str]) -> None:
    """The command line knows the command and each of its options."""
    named = list(itertools.takewhile(lambda each: not each.startswith("--"), arguments))
    rest = arguments[len(named) :]
    shown = subprocess.run(
        [sys.executable, "-m", "cli", *named, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert shown.returncode == 0, shown.stderr
    for option in (each for each in rest if each.startswith("--")):
        assert option in shown.stdout


def has_files(arguments: list[str]) -> None:
    """`docker compose` is given files that are there (tests/containers has the rest)."""
    assert arguments[0] == "compose"
    for option, value in itertools.pairwise(arguments):
        if option in {"--env-file", "--file"}:
            assert (ROOT / value).is_file()


def test_readme_begins_with_the_two_commands() -> None:
    """A running demo and the tests are on the first screen, and need nothing before them."""
    first = list(commands(Path("README.md")))[:2]
    assert first == ["make demo", "make test"]
    assert text(Path("README.md")).index("make test") < 1_500


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    """`.ci/run` finds exactly one line to run, the one that a reader would type."""
    lines = [each for each in text(Path("README.md")).splitlines() if each.startswith("make test")]
    assert len(lines) == 1
    assert "^make test" in text(Path(".ci/run"))


def test_what_documents_point_at_is_there() -> None:
    """Every link and every path in code that a document has leads to a file or folder."""
    missing = [
        f"{document}: {target}"
        for document in DOCUMENTS
        for target in LINK.findall(text(document))
        if not (ROOT / document.parent / target).exists()
    ]
    missing += [
        f"{document}: {target}"
        for document in DOCUMENTS
        if document != Path("docs/design.md")  # it also says what is still to be built
        for target in NAMED.findall(text(document))
        if not (ROOT / target).exists()
    ]
    assert missing == []
