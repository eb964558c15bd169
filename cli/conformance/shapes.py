"""The frames that a relay may send: their fields and types, from design section 8."""

from collections.abc import Mapping
from typing import Any, Final

NUMBER: Final = (int, float)
ID: Final = (int, str)

WHYS: Final = ("initial", "epoch", "too_old", "ahead", "slow", "resync", "gap")
RETURNING: Final = range(4000, 4500)
"""Close codes after which a client comes back."""
CLOSE_CODES: Final = frozenset({*range(4000, 4010), 4500, 4501, 4502, 4503, 4504, 4506, 4507})

Fields = Mapping[str, type | tuple[type, ...]]

NEEDED: Final[Mapping[str, Fields]] = {
    "welcome": {"conn": str, "v": int, "now": int, "ping": NUMBER, "limits": dict},
    "snap": {
        "game": str,
        "epoch": str,
        "seq": int,
        "state": dict,
        "why": str,
        "asOf": int,
        "stale": bool,
    },
    "d": {"game": str, "seq": int, "at": int, "ev": dict, "patch": list},
    "live": {"game": str, "epoch": str, "seq": int, "recovered": bool, "replayed": int},
    "mirror": {"game": str, "asOf": int, "stale": bool},
    "presence": {"game": str, "seats": dict},
    "said": {"game": str},
    "ended": {"game": str, "epoch": str, "seq": int, "result": dict},
    "ping": {"n": int, "tips": dict},
    "pong": {"n": int, "now": int},
    "ok": {},
    "err": {"code": str, "msg": str, "retry": bool},
    "unsub": {"game": str, "code": str, "retry": bool},
    "bye": {"code": int, "reason": str, "reconnect": bool, "after": NUMBER},
}
"""What each kind has to have. More fields may be there."""

OPTIONAL: Final[Mapping[str, Fields]] = {
    "welcome": {"exp": int},
    "live": {"id": ID},
    "ok": {"id": ID},
    "err": {"id": ID, "after": NUMBER},
}
"""What may be left out, but has this type if it is there."""


def faults(frame: object) -> list[str]:
    """What is wrong with a frame by itself; none for a kind that the contract does not know."""
    if not isinstance(frame, dict) or not isinstance(frame.get("t"), str):
        return [f"expected an object with a string t; found {str(frame)[:80]}"]
    kind = frame["t"]
    if kind not in NEEDED:
        return []
    missing = [f"{kind}: expected {name}; found none" for name in NEEDED[kind] if name not in frame]
    known = {**NEEDED[kind], **OPTIONAL.get(kind, {})}
    wrong = [
        f"{kind}.{name}: expected {wanted}; found {frame[name]!r}"
        for name, wanted in known.items()
        if name in frame and not _is(frame[name], wanted)
    ]
    return [*missing, *wrong, *_values(kind, frame)]


def _is(value: Any, wanted: type | tuple[type, ...]) -> bool:
    types = wanted if isinstance(wanted, tuple) else (wanted,)
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _values(kind: str, frame: Mapping[str, Any]) -> list[str]:
    found = []
    if kind == "snap" and frame.get("why") not in WHYS:
        found.append(f"snap.why: expected one of {WHYS}; found {frame.get('why')!r}")
    if len(str(frame.get("epoch", ""))) > 32:
        found.append(f"{kind}.epoch: expected at most 32 characters; found {frame['epoch']!r}")
    if kind == "bye":
        found += _farewell(frame)
    return found


def _farewell(frame: Mapping[str, Any]) -> list[str]:
    code, reconnect = frame.get("code"), frame.get("reconnect")
    if code not in CLOSE_CODES:
        return [f"bye.code: expected a close code of the contract; found {code!r}"]
    if reconnect is not (code in RETURNING):
        return [f"bye.reconnect: expected {code in RETURNING} with {code}; found {reconnect!r}"]
    return []
