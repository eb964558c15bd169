"""The files of this repository, as the structure tests look at them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("ludo", "proxy", "workers", "sandbox", "cli")
TEXT_SOURCES: Final = (".py", ".lua", ".js", ".css", ".html")


@cache
def kept_files() -> tuple[Path, ...]:
    """Every file that git tracks or would track, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:  # an unpacked archive has no git
        skipped = {".venv", ".git", ".ludo"}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return tuple(path for path in found if not skipped & set(path.parts))
    names = (name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(Path(name) for name in names if (ROOT / name).is_file()))


def sources() -> Iterator[Path]:
    """What we wrote to be run: Python, Lua, and the board's page."""
    for path in kept_files():
        if path.parts[0] in PACKAGES and path.suffix in TEXT_SOURCES:
            yield path


def modules(*packages: str) -> Iterator[Path]:
    """The Python modules of some packages; of all when none is named."""
    for path in sources():
        if path.suffix == ".py" and path.parts[0] in (packages or PACKAGES):
            yield path


def text(path: Path) -> str:
    """What a file says."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A module as Python reads it."""
    return ast.parse(text(path), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, inner ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def identifiers(path: Path) -> Iterator[str]:
    """Every name that a module gives to something of its own."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                continue
