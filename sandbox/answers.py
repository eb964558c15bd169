"""What callers get: upstream's envelope around data, or a refusal with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer, with a JSON body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not done: status, a code for programs, a sentence for people.

    `clause` names the rule that a move breaks (R-number).
    """

    status: int
    code: str
    error: str
    clause: str | None = None

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """`{success: false, error, code}`, with `clause` where a rule was broken."""
        body: dict[str, Any] = {"success": False, "error": self.error, "code": self.code}
        if self.clause is not None:
            body["clause"] = self.clause
        return Answer(self.status, msgspec.json.encode(body), headers or {})


def done(data: object, status: int = 200) -> Answer:
    """`{success: true, data}`."""
    return Answer(status, msgspec.json.encode({"success": True, "data": data}))


def not_found(what: str, name: str) -> Refusal:
    """404 for a room, a game or a player that is not here."""
    return Refusal(404, "NOT_FOUND", f"expected a known {what}; found {name!r}")


def conflict(code: str, error: str) -> Refusal:
    """409 for something that cannot be done as things stand."""
    return Refusal(409, code, error)
