"""A file holds one idea, and a function one step."""

from tests.structure.sources import functions, modules, sources, text

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def test_files_are_short_enough_to_hold_one_idea() -> None:
    """No source file is longer than 400 lines; there are no exceptions."""
    lengths = {str(path): text(path).count("\n") for path in sources()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short_enough_to_be_one_step() -> None:
    """No function is longer than 60 lines."""
    lengths = {
        f"{path}:{each.name}": (each.end_lineno or 0) - each.lineno + 1
        for path in modules()
        for each in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
