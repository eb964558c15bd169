"""The outermost layer: every request passes it, also those that match no route.

It gives a request its id, refuses paths that climb, sets the headers that every answer has, and
writes one line and one measurement when the answer is out.
"""

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from proxy import tracing
from proxy.cors import Origins
from proxy.problems import MEDIA_TYPE, Problem
from proxy.telemetry import Telemetry

REQUEST_ID: Final = "request_id"
REQUEST_ID_FORM: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CLIMBING: Final = re.compile(
    rb"//|\\|[\x00-\x20\x7f]|%(?:2f|5c|00)|(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE
)
PROTECTING: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""What protects browsers on every answer that says nothing else."""
_PROTECTED: Final = frozenset(name for name, _ in PROTECTING)
_SILENT: Final = frozenset({"/health", "/health/ready", "/metrics", "/webhooks/ludo"})
"""Asked by machines all the time; only what goes wrong there is worth a line. What was accepted is
in the store with its time of receipt."""

_READ: Final = frozenset({b"x-request-id", b"traceparent", b"origin"})

_CLIMBS: Final = Problem(
    400,
    "bad-request",
    "expected a plain path, without dot segments, empty segments or encoded slashes",
)

log = structlog.get_logger("http")


class Edge:
    """Wraps the application; `is_draining` makes answers close their connections."""

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        is_draining: Callable[[], bool],
        origins: Origins,
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._is_draining = is_draining
        self._origins = origins
        # A number costs less than dice, and is never the same for two processes either.
        self._ids, self._own = itertools.count(), secrets.token_hex(5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection; sockets only get their id."""
        given = _asked(scope)
        request_id = self._id_of(given.get(b"x-request-id"))
        scope["state"][REQUEST_ID] = request_id
        tracing.current.set(tracing.read(given.get(b"traceparent", b"").decode("latin-1")))
        # By tokens: `bound_contextvars` copies the whole context, at twice the price.
        bound = structlog.contextvars.bind_contextvars(request_id=request_id, **tracing.headers())
        try:
            if scope["type"] == ScopeType.HTTP:
                origin = given.get(b"origin", b"")
                await self._serve(scope, receive, send, request_id.encode(), origin)
            else:
                await self._app(scope, receive, send)
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    def _id_of(self, given: bytes | None) -> str:
        if given is not None and REQUEST_ID_FORM.fullmatch(given):
            return given.decode()
        return f"{self._own}{next(self._ids):x}"

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, request_id: bytes, origin: bytes
    ) -> None:
        begun = time.perf_counter()
        status = 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(message["headers"], request_id, origin)
            await send(message)

        try:
            if _CLIMBING.search(_raw_path(scope)):
                await _answer(dressed, _CLIMBS)
            elif self._origins.is_preflight(scope, origin):
                await _answer(dressed, self._origins.preflight(scope, origin))
            else:
                await self._app(scope, receive, dressed)
        finally:
            self._told(scope, status, time.perf_counter() - begun)

    def _headers(
        self, own: Iterable[tuple[bytes, bytes]], request_id: bytes, origin: bytes
    ) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower(), value) for name, value in own]
        names = {name for name, _ in headers}
        if names.isdisjoint(_PROTECTED):
            headers += PROTECTING
        else:
            headers += [each for each in PROTECTING if each[0] not in names]
        headers += self._origins.fields(origin)
        headers.append((b"x-request-id", request_id))
        if self._is_draining():
            headers.append((b"connection", b"close"))
        return headers

    def _told(self, scope: Scope, status: int, seconds: float) -> None:
        # A template, never the path: labels have to stay few.
        route = str(scope.get("path_template") or "unmatched")
        method = str(scope.get("method"))
        self._telemetry.answered(method, route, status, seconds)
        if route in _SILENT and status < 400:
            return
        log.info(
            "request",
            method=method,
            route=route,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
        )


async def _answer(
    send: Callable[[Message], Awaitable[None]], what: Problem | tuple[tuple[bytes, bytes], ...]
) -> None:
    """A problem, or nothing but headers."""
    body, status, headers = b"", 204, [(b"cache-control", b"no-store")]
    if isinstance(what, Problem):
        body, status = msgspec.json.encode(what.body), what.status
        headers += [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
    else:
        headers += what
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _raw_path(scope: Scope) -> bytes:
    # A server may leave it out (ASGI: optional); then only the decoded path is left to look at.
    raw: bytes | None = scope.get("raw_path")
    return scope["path"].encode() if raw is None else raw.partition(b"?")[0]


def _asked(scope: Scope) -> dict[bytes, bytes]:
    """The fields that this layer reads; of a repeated one the first."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ and name not in found:
            found[name] = value
    return found
