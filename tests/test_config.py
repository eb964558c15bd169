"""Settings: what the environment says, or one clear line."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings

from ludo.config import (
    CommaList,
    ConfigError,
    Duration,
    EnvConfig,
    EnvironmentSource,
    OptionalRate,
    Rate,
    Rates,
)


class Example(EnvConfig):
    """A room's settings, one of each kind."""

    key: SecretStr = Field(validation_alias="EX_KEY")
    url: str = Field(default="unset", validation_alias="EX_URL", description="where it is")
    port: int = Field(default=80, validation_alias="EX_PORT")
    dev: bool = Field(default=False, validation_alias="EX_DEV")
    limit: OptionalRate = Field(default=Rate(100, 60), validation_alias="EX_LIMIT")
    quota: Rates = Field(default=(Rate(600, 60),), validation_alias="EX_QUOTA")
    wait: Duration = Field(default=1.0, validation_alias="EX_WAIT")
    origins: CommaList = Field(default=(), validation_alias="EX_ORIGINS")

    @field_validator("key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 3:
            raise ValueError("expected at least 3 characters; found hunter")
        return value


def read(**environ: str) -> Example:
    """The settings of an environment that sets the required key."""
    return Example.from_env({"EX_KEY": "secret", **environ})


def complaint(environ: Mapping[str, str]) -> str:
    """The line that refuses an environment."""
    with pytest.raises(ConfigError) as refused:
        Example.from_env(environ)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_kind_is_parsed() -> None:
    """Texts of the environment become rates, seconds, lists, numbers and switches."""
    settings = read(
        EX_PORT="8000",
        EX_DEV="1",
        EX_LIMIT="6000/60s",
        EX_QUOTA="20/1s, 600/60s",
        EX_WAIT="500ms",
        EX_ORIGINS="https://a.example, https://b.example,",
    )
    assert settings.key.get_secret_value() == "secret"
    assert (settings.port, settings.dev, settings.limit) == (8000, True, Rate(6000, 60))
    assert settings.quota == (Rate(20, 1), Rate(600, 60))
    assert (settings.wait, settings.origins) == (0.5, ("https://a.example", "https://b.example"))


def test_defaults_hold_for_unset_and_empty_variables() -> None:
    """An empty variable counts as unset, as compose files leave it."""
    assert read(EX_PORT="", EX_WAIT="") == read()


def test_off_lifts_a_limit() -> None:
    """`off` is no rate, and no quota."""
    settings = read(EX_LIMIT="off", EX_QUOTA="OFF")
    assert settings.limit is None
    assert settings.quota == ()


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1.0), ("1.5s", 1.5), ("2m", 120.0), ("24h", 86400.0)]
)
def test_durations(text: str, seconds: float) -> None:
    """A duration is written with its unit."""
    assert read(EX_WAIT=text).wait == seconds


def test_a_secret_file_is_read_without_its_newline(tmp_path: Path) -> None:
    """A mounted secret ends in a newline that is no part of it."""
    mounted = tmp_path / "key"
    mounted.write_text("from-file\n")
    settings = Example.from_env({"EX_KEY_FILE": str(mounted)})
    assert settings.key.get_secret_value() == "from-file"


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    """The file counts only if the variable itself is unset."""
    assert read(EX_KEY_FILE=str(tmp_path / "absent")).key.get_secret_value() == "secret"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """The line says which variable points where, and what is wrong there."""
    line = complaint({"EX_KEY_FILE": str(tmp_path / "absent")})
    assert line.startswith("EX_KEY_FILE: expected a readable text file; found ")
    assert "No such file" in line


def test_a_missing_variable_is_named() -> None:
    """The line says what to set, and that a file would do."""
    line = "EX_KEY: expected a value (here, or in the file EX_KEY_FILE); found none"
    assert complaint({}) == line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EX_LIMIT", "100/min", "expected a rate such as 100/60s, or off"),
        ("EX_LIMIT", "0/60s", "expected a rate such as 100/60s, or off"),
        ("EX_QUOTA", "20/1s,", "expected a rate such as 100/60s, or off"),
        ("EX_WAIT", "5", "expected a duration such as 1s, 500ms, 2m or 24h"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(name: str, value: str, expected: str) -> None:
    """Variable, expected, found: one line each."""
    line = complaint({"EX_KEY": "secret", name: value})
    assert line == f"{name}: {expected}; found {value!r}"


def test_several_mistakes_share_the_line() -> None:
    """Whoever fixes one setting learns of the others in the same go."""
    line = complaint({"EX_KEY": "secret", "EX_PORT": "http", "EX_WAIT": "soon"})
    assert "EX_PORT: " in line
    assert "; EX_WAIT: " in line


def test_a_secret_is_never_shown() -> None:
    """Neither the refusal nor the settings' own text tell a secret."""
    line = complaint({"EX_KEY": "hu"})
    assert line == "EX_KEY: expected at least 3 characters; found a value that is not shown"
    assert "secret" not in repr(read())


def test_credentials_inside_an_address_are_masked() -> None:
    """A password in a URL is a secret too."""
    line = complaint({"EX_KEY": "secret", "EX_PORT": "redis://me:hunter2@host/0"})
    assert "hunter2" not in line
    assert "redis://***@host/0" in line


def test_settings_are_frozen() -> None:
    """Nothing changes a setting after start-up."""
    with pytest.raises(ValidationError):
        read().port = 1


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is an argument; called by name a class reads nothing."""
    monkeypatch.setenv("EX_PORT", "9999")
    assert read().port == 80
    assert Example(key=SecretStr("secret")).port == 80


def test_variables_are_listed() -> None:
    """Name, default, secrecy and description of each variable, for `.env.example`."""
    listed = {each.name: each for each in Example.variables()}
    assert list(listed) == sorted(listed)
    assert (listed["EX_KEY"].secret, listed["EX_KEY"].required) == (True, True)
    assert (listed["EX_URL"].default, listed["EX_URL"].description) == ("unset", "where it is")
    assert listed["EX_PORT"].owner == __name__
    assert listed.items() <= {each.name: each for each in EnvConfig.variables()}.items()


def test_a_field_without_a_variable_is_a_mistake() -> None:
    """Forgetting the variable's name is found the first time the class is read."""

    class Nameless(BaseSettings):
        port: int = 1

    with pytest.raises(TypeError, match="'port' names no environment variable"):
        EnvironmentSource(Nameless, {})()
