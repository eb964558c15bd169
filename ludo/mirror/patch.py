"""The difference between two state bodies as an RFC 6902 patch.

Bodies of one game have the same keys and lists of the same length except `finishOrder`, which
is small: it is replaced whole, as is every other list whose length changes.
"""

from typing import Any

Operation = dict[str, Any]
Patch = list[Operation]


def patch_between(before: Any, after: Any, path: str = "") -> Patch:
    """The operations that turn `before` into `after`, in document order."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        places = [(key, _escaped(key)) for key in before if before[key] != after[key]]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        places = [(i, str(i)) for i, value in enumerate(before) if value != after[i]]
    else:
        return [{"op": "replace", "path": path, "value": after}]
    # Equal parts are passed over at the speed of `==`, which is most of every body.
    return [
        operation
        for key, token in places
        for operation in patch_between(before[key], after[key], f"{path}/{token}")
    ]


def _escaped(key: str) -> str:
    """The key as a JSON pointer token (RFC 6901 §3)."""
    return key.replace("~", "~0").replace("/", "~1")
