"""RFC 6902 patches on states that are never changed in place.

What a patch does not touch is shared with the state before it. No patch, however hostile, raises
anything but `PatchUnfit`, and `copy` shares what it copies, so no chain of copies can fill the
memory. Why this is not a library: decision 0014.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ludo.relay.errors import PatchUnfit

MISSING: Final = msgspec.UNSET
_Edit = Callable[[Any, str], Any]


class Operation(msgspec.Struct, frozen=True):
    """One step of a patch; `path` and `source` are JSON pointers (RFC 6901)."""

    op: str
    path: str
    source: str | msgspec.UnsetType = msgspec.field(default=MISSING, name="from")
    value: Any = MISSING


def patched(document: Any, patch: Sequence[Operation]) -> Any:
    """The document that a patch makes; raises PatchUnfit, and then nothing has been done."""
    for operation in patch:
        document = _done(document, operation)
    return document


def _done(document: Any, step: Operation) -> Any:
    path = _tokens(step.path)
    match step.op:
        case "add":
            return _added(document, path, _value(step))
        case "replace":
            return _edited(document, path, _replacing(_value(step)))
        case "remove":
            return _edited(document, path, _remove)
        case "move":
            source = _tokens(_source(step))
            if path[: len(source)] == source and path != source:
                raise PatchUnfit(f"expected to move {step.source} elsewhere; found {step.path}")
            moved = _found(document, source)
            return _added(_edited(document, source, _remove), path, moved)
        case "copy":
            return _added(document, path, _found(document, _tokens(_source(step))))
        case "test":
            if not same(_found(document, path), _value(step)):
                raise PatchUnfit(f"expected {step.path} to be as tested; found another value")
            return document
        case _:
            raise PatchUnfit(f"expected an operation of RFC 6902; found {step.op[:20]!r}")


def _added(document: Any, path: list[str], value: Any) -> Any:
    return _edited(document, path, lambda container, token: _add(container, token, value))


def _replacing(value: Any) -> _Edit:
    def replace(container: Any, token: str) -> Any:
        key = _member(container, token)
        copy = container.copy()
        copy[key] = value
        return copy

    return replace


def _edited(document: Any, path: list[str], edit: _Edit) -> Any:
    """The document with `edit` done to the container that the path leads into."""
    above: list[tuple[Any, Any]] = []
    at: Any = {"": document}
    for token in path[:-1]:
        key = _member(at, token)
        above.append((at, key))
        at = at[key]
    new = edit(at, path[-1])
    for container, key in reversed(above):
        copy = container.copy()
        copy[key] = new
        new = copy
    if "" not in new:
        raise PatchUnfit("expected a document to remain; found the whole removed")
    return new[""]


def _add(container: Any, token: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, token: value}
    if not isinstance(container, list):
        raise PatchUnfit(f"expected a container for {token[:20]!r}; found a plain value")
    index = len(container) if token == "-" else _index(token)  # noqa: S105
    if index > len(container):
        raise PatchUnfit(f"expected an index up to {len(container)}; found {index}")
    return [*container[:index], value, *container[index:]]


def _remove(container: Any, token: str) -> Any:
    key = _member(container, token)
    copy = container.copy()
    del copy[key]
    return copy


def _found(document: Any, path: list[str]) -> Any:
    at: Any = {"": document}
    for token in path:
        at = at[_member(at, token)]
    return at


def _member(container: Any, token: str) -> str | int:
    """The key under which the container has this member."""
    if isinstance(container, dict):
        if token in container:
            return token
    elif isinstance(container, list):
        index = _index(token)
        if index < len(container):
            return index
    raise PatchUnfit(f"expected a member {token[:20]!r}; found none")


def _index(token: str) -> int:
    """An index as RFC 6901 §4 writes it: digits without leading zeros."""
    digits = token.isascii() and token.isdigit() and len(token) <= 9
    if not digits or (len(token) > 1 and token[0] == "0"):
        raise PatchUnfit(f"expected an index; found {token[:20]!r}")
    return int(token)


def _tokens(pointer: str) -> list[str]:
    """The tokens of a pointer; the first leads to the document itself."""
    first, *rest = pointer.split("/")
    if first:
        raise PatchUnfit(f"expected a pointer that begins with /; found {pointer[:20]!r}")
    return [first, *(token.replace("~1", "/").replace("~0", "~") for token in rest)]


def _value(step: Operation) -> Any:
    if step.value is MISSING:
        raise PatchUnfit(f"expected {step.op} to have a value; found none")
    return step.value


def _source(step: Operation) -> str:
    if isinstance(step.source, msgspec.UnsetType):
        raise PatchUnfit(f"expected {step.op} to say from where; found nothing")
    return step.source


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal (RFC 6902 §4.6): `true` is not `1`, `1.0` is."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, bool) or isinstance(b, bool):
            if a is not b:
                return False
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            pairs += [(a[key], b[key]) for key in a]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs += zip(a, b, strict=True)
        elif isinstance(a, dict | list) or isinstance(b, dict | list) or a != b:
            return False
    return True
