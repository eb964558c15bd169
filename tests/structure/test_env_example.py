"""`.env.example` and the settings in the code are the same list."""

import importlib
import re
from pathlib import Path

from ludo.config import EnvConfig, Variable
from tests.structure.sources import modules, text

EXAMPLE = Path(".env.example")
LINE = re.compile(r"^(?P<unset># ?)?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)$", re.MULTILINE)


def declared() -> dict[str, Variable]:
    """Every variable that a `config.py` of ours reads."""
    for path in modules():
        if path.name == "config.py":
            importlib.import_module(".".join(path.with_suffix("").parts))
    return {each.name: each for each in EnvConfig.variables() if not each.owner.startswith("tests")}


def listed() -> dict[str, str]:
    """Every variable of the example with its value, commented out or not."""
    return {line["name"]: line["value"] for line in LINE.finditer(text(EXAMPLE))}


def test_example_lists_every_variable() -> None:
    """A setting that is not in the example, or only there, is found."""
    assert sorted(listed()) == sorted(declared())


def test_example_lists_each_variable_once() -> None:
    """No variable is explained in two places."""
    names = [line["name"] for line in LINE.finditer(text(EXAMPLE))]
    assert len(names) == len(set(names))


def test_example_gives_away_no_secret() -> None:
    """Secrets are commented out and empty, so that nobody runs with an example's key."""
    secrets = [name for name, variable in declared().items() if variable.secret]
    assert {name: listed()[name] for name in secrets if listed().get(name)} == {}


def test_example_changes_nothing() -> None:
    """Copied as it is, the example leaves every default in force."""
    active = {line["name"] for line in LINE.finditer(text(EXAMPLE)) if not line["unset"]}
    assert active == set()


def test_variables_are_named_for_their_room() -> None:
    """Ours begin with LUDO_; the others are the conventional ones."""
    conventional = {"REDIS_URL", "DATABASE_URL", "CORS_ORIGINS"}
    foreign = {name for name in declared() if not name.startswith("LUDO_")} - conventional
    assert not foreign
