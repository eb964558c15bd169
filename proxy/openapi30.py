"""An OpenAPI 3.1 description told in 3.0, for readers that know no later one."""

from typing import Any, Final

VERSION: Final = "3.0.3"


def as_30(document: dict[str, Any]) -> dict[str, Any]:
    """The same description with what 3.0 lacks put in its own words.

    `null` becomes `nullable`, `const` an `enum`, `examples` of a schema its `example`, numeric
    exclusive bounds flags; `webhooks` and `jsonSchemaDialect` are left out.
    """
    told: dict[str, Any] = _told(document)
    told["openapi"] = VERSION
    for unknown in ("webhooks", "jsonSchemaDialect"):
        told.pop(unknown, None)
    return told


def _told(value: Any) -> Any:
    if isinstance(value, list):
        return [_told(each) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: _told(inner) for name, inner in value.items()}
    return _nullable(_bounded(_plain(told)))


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if isinstance(schema.get("examples"), list):
        schema["example"] = schema.pop("examples")[0]
    return schema


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if _is_number(schema.get(exclusive)):
            schema[bound] = schema[exclusive]
            schema[exclusive] = True
    return schema


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema.get("type")
    if isinstance(types, list):
        rest = [each for each in types if each != "null"]
        schema["type"] = rest[0] if rest else "string"
        if "null" in types:
            schema["nullable"] = True
    for union in ("oneOf", "anyOf"):
        choices = schema.get(union)
        if isinstance(choices, list) and {"type": "null"} in choices:
            rest = [each for each in choices if each != {"type": "null"}]
            schema["nullable"] = True
            del schema[union]
            schema |= {"allOf": rest} if len(rest) == 1 else {union: rest}
    return schema


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
