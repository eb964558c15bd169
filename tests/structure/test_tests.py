"""What is written is tested, where one looks for it."""

import ast
from pathlib import Path

from tests.structure.sources import ROOT, functions, kept_files, modules


def expected_test(path: Path) -> Path:
    """Where the tests of a module of `ludo` are."""
    return Path("tests", *path.parts[1:-1], f"test_{path.name}")


def test_modules_that_do_something_have_a_test_file() -> None:
    """`ludo/<room>/<module>.py` with a function in it has `tests/<room>/test_<module>.py`.

    Migrations are held together, by `tests/store/archive/test_migrating.py`.
    """
    doing = [
        path
        for path in modules("ludo")
        if any(functions(path)) and path.stem != "__init__" and "migrations" not in path.parts
    ]
    missing = {str(path): str(expected_test(path)) for path in doing}
    assert {path: test for path, test in missing.items() if not (ROOT / test).is_file()} == {}


def test_tests_say_what_they_hold() -> None:
    """Every test has a docstring of the behaviour that it holds."""
    silent = [
        f"{path}:{each.name}"
        for path in kept_files()
        if path.name.startswith("test_") and path.suffix == ".py"
        for each in functions(path)
        if each.name.startswith("test_") and not ast.get_docstring(each)
    ]
    assert silent == []
