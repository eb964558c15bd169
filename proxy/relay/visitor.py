"""What a handshake says of who comes: read once, so that nothing of it has to be kept."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from litestar.types import Scope

from proxy.edge import REQUEST_ID_FORM

_READ: Final = frozenset({b"origin", b"host", b"cookie", b"x-request-id"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """The page that a client comes from, the host it asked for, and what it has with it."""

    origin: str | None
    host: str | None
    cookies: str
    request_id: str
    subprotocols: Sequence[str]
    can_be_refused: bool
    """Whether the server can answer the handshake with a status of ours."""

    def cookie(self, name: str) -> str | None:
        """The value of a cookie; of a repeated one the last."""
        found = None
        for each in self.cookies.split(";"):
            key, is_one, value = each.partition("=")
            if is_one and key.strip() == name:
                found = unquote(value.strip().strip('"'))
        return found


def visitor(scope: Scope) -> Visitor:
    """Who comes, by the scope of a WebSocket."""
    told = _told(scope["headers"])
    whole: Mapping[str, Any] = scope
    return Visitor(
        told.get(b"origin"),
        told.get(b"host"),
        told.get(b"cookie", ""),
        _request_id(told.get(b"x-request-id", "")),
        whole.get("subprotocols") or (),
        "websocket.http.response" in (whole.get("extensions") or {}),
    )


def _request_id(given: str) -> str:
    return given if REQUEST_ID_FORM.fullmatch(given.encode("latin-1")) else secrets.token_hex(8)


def _told(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _READ and name not in found:
            found[name] = value.decode("latin-1")
    return found
