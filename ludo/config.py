"""Settings from the environment: parsed once, frozen, refused with one clear line.

A room declares what it reads as a subclass of `EnvConfig`; every field names its variable. The
environment is an argument, so nothing here looks at the process.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self, get_args

from pydantic import BeforeValidator, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

FILE_SUFFIX: Final = "_FILE"
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})s")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)")
_SECONDS_PER: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_USER_INFO: Final = re.compile(r"//[^/@\s]*@")


class ConfigError(ValueError):
    """A setting that cannot be used; the message is one line fit for a terminal."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` calls in any `seconds`."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rate that `N/Ss` writes; ValueError says what was expected."""
        match = _RATE.fullmatch(text.strip())
        if match is None:
            raise ValueError("expected a rate such as 100/60s, or off")
        return cls(limit=int(match[1]), seconds=int(match[2]))

    def __str__(self) -> str:
        return f"{self.limit}/{self.seconds}s"


def parse_duration(text: str) -> float:
    """The seconds that `500ms`, `1s`, `2m` or `24h` writes; ValueError says what was expected."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a duration such as 1s, 500ms, 2m or 24h")
    return float(match[1]) * _SECONDS_PER[match[2]]


def parse_rates(text: str) -> tuple[Rate, ...]:
    """The rates of a comma list, all of which hold at once; `off` is none of them."""
    if text.strip().lower() == "off":
        return ()
    return tuple(Rate.parse(part) for part in text.split(","))


def _one_rate(value: object) -> object:
    if not isinstance(value, str):
        return value
    return None if value.strip().lower() == "off" else Rate.parse(value)


def _some_rates(value: object) -> object:
    return parse_rates(value) if isinstance(value, str) else value


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _parts(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part for part in (each.strip() for each in value.split(",")) if part)


OptionalRate = Annotated[Rate | None, BeforeValidator(_one_rate)]
"""`100/60s`; `off` is None."""
Rates = Annotated[tuple[Rate, ...], BeforeValidator(_some_rates)]
"""`20/1s,600/60s`; `off` is empty."""
Duration = Annotated[float, BeforeValidator(_seconds)]
"""`1s`, `500ms`, `2m`, `24h`: seconds."""
CommaList = Annotated[tuple[str, ...], BeforeValidator(_parts)]
"""`a, b`: trimmed, empty entries dropped."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: what `.env.example` and the documentation have to tell of it."""

    name: str
    secret: bool
    required: bool
    default: object
    description: str
    owner: str
    """The module that reads it."""


class EnvConfig(BaseSettings):
    """The base of every room's settings; each field sets `validation_alias="THE_VARIABLE"`.

    An unset or empty variable is looked for in the file that `<NAME>_FILE` names (mounted
    Kubernetes secrets), without its trailing newline. Called directly, a subclass takes its
    fields by name and reads nothing at all.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """These settings as the environment gives them; raises ConfigError otherwise."""
        gathered = EnvironmentSource(cls, environ)()
        try:
            return cls.model_validate(gathered)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
            raise ConfigError("; ".join(_line(cls, each, gathered) for each in details)) from None

    @classmethod
    def variables(cls) -> tuple[Variable, ...]:
        """What this class and every loaded subclass of it read, by name."""
        found = {_variable_name(name, field): (name, field) for name, field in _fields_of(cls)}
        own = [_variable(cls, name, field) for name, field in found.values()]
        below = [variable for child in cls.__subclasses__() for variable in child.variables()]
        return tuple(sorted({each.name: each for each in own + below}.values(), key=_by_name))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed over: the process' environment is never read behind our back."""
        return (init_settings,)


class EnvironmentSource(PydanticBaseSettingsSource):
    """Reads an environment given as a mapping, and the files that `…_FILE` names."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        """The text for a field, its variable's name, and that it is never JSON by itself."""
        name = _variable_name(field_name, field)
        return self._environ.get(name) or self._from_file(name), name, False

    def __call__(self) -> dict[str, Any]:
        """Every variable that is set, by its name."""
        found = (self.get_field_value(field, name) for name, field in _fields_of(self.settings_cls))
        return {name: text for text, name, _ in found if text is not None}

    def _from_file(self, name: str) -> str | None:
        path = self._environ.get(name + FILE_SUFFIX)
        if not path:
            return None
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError(
                f"{name}{FILE_SUFFIX}: expected a readable text file; found {path!r} ({reason})"
            ) from None


def _fields_of(cls: type[BaseSettings]) -> Iterable[tuple[str, FieldInfo]]:
    return cls.model_fields.items()


def _variable_name(field_name: str, field: FieldInfo) -> str:
    if not isinstance(field.validation_alias, str):
        raise TypeError(f"the field {field_name!r} names no environment variable")
    return field.validation_alias


def _variable(cls: type[BaseSettings], field_name: str, field: FieldInfo) -> Variable:
    return Variable(
        name=_variable_name(field_name, field),
        secret=_is_secret(field.annotation),
        required=field.is_required(),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        description=field.description or "",
        owner=cls.__module__,
    )


def _by_name(variable: Variable) -> str:
    return variable.name


def _is_secret(annotation: object) -> bool:
    if annotation in (SecretStr, SecretBytes):
        return True
    return any(_is_secret(inner) for inner in get_args(annotation))


def _line(cls: type[BaseSettings], detail: ErrorDetails, gathered: Mapping[str, str]) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "missing":
        return f"{name}: expected a value (here, or in the file {name}{FILE_SUFFIX}); found none"
    message = " ".join(detail["msg"].removeprefix("Value error, ").split())
    if not name:
        return message
    expected = message.partition("; found ")[0]
    return f"{name}: {expected}; found {_found(cls, name, gathered)}"


def _found(cls: type[BaseSettings], name: str, gathered: Mapping[str, str]) -> str:
    secret = {
        _variable_name(each, field): _is_secret(field.annotation) for each, field in _fields_of(cls)
    }
    if secret.get(name, True):
        return "a value that is not shown"
    return repr(_USER_INFO.sub("//***@", gathered.get(name, "")))
