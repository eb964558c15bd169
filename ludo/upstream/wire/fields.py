"""Reading the fields of a JSON object: each is what the contract says, or is named and refused."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from ludo.upstream.errors import UpstreamMalformed

MAX_TEXT: Final = 128
MAX_NUMBER: Final = 2**53 - 1
"""The greatest whole number that JavaScript and Redis' Lua keep exactly."""
_SHOWN: Final = 60
_MISSING: Final = object()

E = TypeVar("E", bound=StrEnum)
Json = dict[str, Any]


def decode(body: bytes, malformed: type[UpstreamMalformed]) -> Json:
    """The JSON object in a body; raises `malformed` for anything else."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed("a JSON object", f"no JSON ({error})") from None
    if not isinstance(value, dict):
        raise malformed("a JSON object", shown(value))
    return value


def shown(value: object) -> str:
    """A value as a message may show it: short, and never a whole document."""
    match value:
        case dict():
            return "an object"
        case list():
            return f"an array of {len(value)}"
        case _ if value is _MISSING:
            return "nothing"
        case _:
            text = msgspec.json.encode(value).decode()
            return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


@cache  # of the contract's names only, never of what a body brings
def snake(name: str) -> str:
    """A camelCase name in snake_case."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def camelized(value: Any) -> Any:
    """The same JSON with every snake_case key in camelCase; a camelCase twin wins."""
    if isinstance(value, list):
        return [camelized(each) for each in value]
    if not isinstance(value, dict):
        return value
    renamed = {_camel(key): camelized(each) for key, each in value.items() if "_" in key}
    return renamed | {key: camelized(each) for key, each in value.items() if "_" not in key}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


class Fields:
    """One JSON object and where it stands in the body; a field may come in either casing.

    Every reader raises `malformed` with the field's path, what was expected and what was found.
    With `in_range` off, numbers may have any value and lists any length.
    """

    __slots__ = ("_data", "_in_range", "_malformed", "_where")

    def __init__(
        self,
        data: Mapping[str, Any],
        malformed: type[UpstreamMalformed],
        where: str = "",
        *,
        in_range: bool = True,
    ) -> None:
        self._data = data
        self._malformed = malformed
        self._where = where
        self._in_range = in_range

    def has(self, name: str) -> bool:
        """Whether the field is there, null or not."""
        return self._found(name) is not _MISSING

    def given(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._found(name) not in (None, _MISSING)

    def text(self, name: str) -> str:
        """A text of 1 to 128 characters: an id, a code."""
        value = self._found(name)
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            return value
        raise self._refusal(name, f"a text of 1 to {MAX_TEXT} characters", value)

    def label(self, name: str) -> str:
        """A text of at most 128 characters that people read; it may be empty."""
        value = self._found(name)
        if isinstance(value, str) and len(value) <= MAX_TEXT:
            return value
        raise self._refusal(name, f"a text of at most {MAX_TEXT} characters", value)

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`; neither `5.0` nor `true` is one."""
        value = self._found(name)
        if type(value) is int and (low <= value <= high or not self._in_range):
            return value
        raise self._refusal(name, f"a whole number from {low} to {high}", value)

    def one_of(self, name: str, kind: type[E]) -> E:
        """A member of an enumeration, by its value."""
        value = self._found(name)
        if isinstance(value, str) and value in kind.__members__.values():
            return kind(value)
        raise self._refusal(name, f"one of {', '.join(kind)}", value)

    def objects(self, name: str, low: int, high: int) -> "list[Fields]":
        """A list of `low` to `high` objects."""
        values = self._list(name, "objects", low, high)
        if not all(isinstance(value, dict) for value in values):
            raise self._refusal(name, "a list of objects", values)
        return [self._inner(f"{name}[{i}]", value) for i, value in enumerate(values)]

    def texts(self, name: str, low: int, high: int) -> tuple[str, ...]:
        """A list of `low` to `high` texts of 1 to 128 characters."""
        values = self._list(name, "texts", low, high)
        for value in values:
            if not (isinstance(value, str) and 0 < len(value) <= MAX_TEXT):
                raise self._refusal(name, f"texts of 1 to {MAX_TEXT} characters", value)
        return tuple(values)

    def nested(self, name: str) -> "Fields":
        """A nested object."""
        value = self._found(name)
        if isinstance(value, dict):
            return self._inner(name, value)
        raise self._refusal(name, "an object", value)

    def refuse(self, expected: str, found: str) -> UpstreamMalformed:
        """The error for what no single field can tell."""
        return self._malformed(f"{self._where}{expected}", found)

    def _list(self, name: str, of: str, low: int, high: int) -> list[Any]:
        value = self._found(name)
        if isinstance(value, list) and (low <= len(value) <= high or not self._in_range):
            return value
        raise self._refusal(name, f"a list of {low} to {high} {of}", value)

    def _inner(self, name: str, value: Mapping[str, Any]) -> "Fields":
        where = f"{self._where}{name}."
        return Fields(value, self._malformed, where, in_range=self._in_range)

    def _found(self, name: str) -> object:
        value = self._data.get(name, _MISSING)
        return self._data.get(snake(name), _MISSING) if value is _MISSING else value

    def _refusal(self, name: str, expected: str, value: object) -> UpstreamMalformed:
        return self._malformed(f"{self._where}{name} to be {expected}", shown(value))


def all_differ(values: Sequence[object] | Iterator[object]) -> bool:
    """Whether no value comes twice."""
    listed = list(values)
    return len(set(listed)) == len(listed)
