"""Imports point down."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.structure.sources import ROOT, modules, tree

EMPTY_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "managers",
    "common",
    "misc",
    "base",
}


def test_layers_hold() -> None:
    """Every contract of import-linter is kept."""
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [linter, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 0, found.stdout


def test_module_names_say_what_is_inside() -> None:
    """No module is named for being useful."""
    empty = [path for path in modules() if EMPTY_NAMES & {*path.parts[:-1], path.stem}]
    assert not empty


def test_pure_rooms_use_the_standard_library_only() -> None:
    """The rules and the mirror can be read, tested and reused without installing anything."""
    foreign = {
        f"{path}: {name}"
        for path in modules("ludo")
        if path.parts[1] in {"rules", "mirror"}
        for name in imported(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "ludo"}
    }
    assert foreign == set()


def imported(path: Path) -> Iterator[str]:
    """The names of the modules that a module imports."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(name)):
                yield name
            case _:
                continue
