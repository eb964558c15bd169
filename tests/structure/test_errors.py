"""Each room draws the tree of its errors, and the drawing is right."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.sources import modules, tree

ERROR_MODULES = [path for path in modules() if path.name == "errors.py"]


def drawn(docstring: str) -> Iterator[tuple[str, str | None]]:
    """Each class of a drawing with the one above it."""
    above: list[tuple[int, str]] = []
    for line in docstring.splitlines():
        name = line.lstrip(" │├└─\N{NO-BREAK SPACE}").split(" ")[0]
        depth = len(line) - len(line.lstrip(" │├└─\N{NO-BREAK SPACE}"))
        if not name.isidentifier() or not name[0].isupper() or (depth == 0 and " " in line):
            continue
        while above and above[-1][0] >= depth:
            above.pop()
        yield name, above[-1][1] if above else None
        above.append((depth, name))


def written(module: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Each class of a module with the class of the same module that it extends."""
    names = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base) for base in node.bases]
            yield node.name, next((base for base in bases if base in names), None)


@pytest.mark.parametrize("path", ERROR_MODULES, ids=str)
def test_drawing_is_the_tree(path: Path) -> None:
    """The docstring of an errors.py draws exactly the classes below it."""
    module = tree(path)
    assert dict(drawn(ast.get_docstring(module) or "")) == dict(written(module))


@pytest.mark.parametrize("path", ERROR_MODULES, ids=str)
def test_room_has_one_base(path: Path) -> None:
    """All errors of a room can be caught by one name, which ends in Error."""
    roots = [name for name, base in written(tree(path)) if base is None]
    assert len(roots) == 1
    assert roots[0].endswith("Error")


def test_drawings_are_read_as_meant() -> None:
    """The reader of drawings sees depth, branches and nothing in prose."""
    text = "The errors of it.\n\nAError\n├── B\n│   └── C\n└── D\n"
    assert dict(drawn(text)) == {"AError": None, "B": "AError", "C": "B", "D": "AError"}
