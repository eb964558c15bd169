"""Which origins' pages may read our answers (the CORS part of the Fetch standard)."""

from collections.abc import Sequence
from typing import Final

from litestar.types import Scope

from proxy.problems import Problem

ANY: Final = "*"
_METHODS: Final = "GET, HEAD, POST"
_SENT: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Traceparent",
    "X-Request-Id",
)
_EXPOSED: Final = (
    "Age",
    "Cache-Status",
    "ETag",
    "Link",
    "Idempotency-Key",
    "Idempotency-Replayed",
    "Ludo-Stale",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
_KEPT_S: Final = 600
_SAFELISTED: Final = frozenset({"accept", "accept-language", "content-language", "range"})

Fields = tuple[tuple[bytes, bytes], ...]


class Origins:
    """The allowed origins; with none of them nothing is said at all."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._any = ANY in allowed
        self._allowed = {origin.encode() for origin in allowed}
        self._exposed = (b"access-control-expose-headers", ", ".join(_EXPOSED).encode())
        # Said to everybody: what one origin is told must not be kept for another.
        self._varies: Fields = ((b"vary", b"Origin"),) if allowed and not self._any else ()
        self._told = {origin: self._fields(origin) for origin in self._allowed}

    def fields(self, origin: bytes) -> Fields:
        """What an answer says to a page of this origin; `origin` is empty if there is none."""
        if self._any:
            return self._fields(ANY.encode()) if origin else ()
        return self._told.get(origin, self._varies)

    def is_preflight(self, scope: Scope, origin: bytes) -> bool:
        """Whether a browser asks if it may ask (Fetch §3.2.2)."""
        if not (self._allowed and origin and scope.get("method") == "OPTIONS"):
            return False
        return bool(_field(scope, b"access-control-request-method"))

    def preflight(self, scope: Scope, origin: bytes) -> Fields | Problem:
        """The fields of a 204, or why not; `fields` go with either."""
        method = _field(scope, b"access-control-request-method").decode("latin-1")
        names = _field(scope, b"access-control-request-headers").decode("latin-1")
        known = _SAFELISTED | {name.lower() for name in _SENT}
        asked = [name.strip().lower() for name in names.split(",") if name.strip()]
        if not (self._any or origin in self._allowed):
            return Problem(400, "bad-request", "expected an origin that CORS_ORIGINS lists")
        if method not in _METHODS.split(", "):
            return Problem(400, "bad-request", f"expected one of the methods {_METHODS}")
        if not set(asked) <= known:
            return Problem(400, "bad-request", f"expected headers among {', '.join(_SENT)}")
        return (
            (b"access-control-allow-methods", _METHODS.encode()),
            (b"access-control-allow-headers", ", ".join(_SENT).encode()),
            (b"access-control-max-age", str(_KEPT_S).encode()),
        )

    def _fields(self, origin: bytes) -> Fields:
        return ((b"access-control-allow-origin", origin), self._exposed, *self._varies)


def _field(scope: Scope, name: bytes) -> bytes:
    return next((value for each, value in scope["headers"] if each == name), b"")
