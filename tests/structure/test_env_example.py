"""`.env.example` and the settings in the code are the same list."""

import importlib
import re
from pathlib import Path

import pytest

from ludo.config import EnvConfig, Variable
from tests.structure.sources import modules, text

EXAMPLE = Path(".env.example")
LINE = re.compile(r"^(?P<unset># ?)?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)$", re.MULTILINE)


def classes() -> set[type[EnvConfig]]:
    """Every settings class of ours."""
    for path in modules():
        if "Config):" in text(path):
            importlib.import_module(".".join(path.with_suffix("").parts))
    return {each for each in below(EnvConfig) if not each.__module__.startswith("tests")}


def below(kind: type[EnvConfig]) -> set[type[EnvConfig]]:
    """Every class that inherits from this one."""
    children = kind.__subclasses__()
    return set(children).union(*(below(child) for child in children))


def declared() -> dict[str, Variable]:
    """Every variable that a settings class of ours reads."""
    return {variable.name: variable for each in classes() for variable in each.variables()}


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


@pytest.mark.parametrize("config", sorted(classes(), key=lambda each: each.__name__))
def test_example_shows_the_defaults(config: type[EnvConfig]) -> None:
    """The values of the example are the ones that hold when nothing is set."""
    needed = {"LUDO_JWT_SECRET": "any secret of 32 bytes or more ......"}
    shown = config.from_env(needed | {name: value for name, value in listed().items() if value})
    for name, field in config.model_fields.items():
        if field.validation_alias not in needed:
            expected = field.get_default(call_default_factory=True)
            assert getattr(shown, name) == expected, field.validation_alias


def test_variables_are_named_for_their_room() -> None:
    """Ours begin with LUDO_; the others are the conventional ones."""
    conventional = {"REDIS_URL", "DATABASE_URL", "CORS_ORIGINS"}
    foreign = {name for name in declared() if not name.startswith("LUDO_")} - conventional
    assert not foreign
