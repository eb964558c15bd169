"""Hits of the in-process layer, answered before anything is routed.

What a hit costs is mostly routing, injection and the middle layers, none of which it needs. So a
plain GET whose answer lies here, of a caller whose token and quota are known here, is answered
from bytes. Everything else, and every doubt, goes the ordinary way, which says the same: a test
compares the two. Hits are counted, and not logged one by one.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from proxy.admission import Admission
from proxy.cors import Fields, Origins
from proxy.edge import PROTECTING, REQUEST_ID_FORM
from proxy.facade.cachestatus import CACHE_NAME, CACHE_STATUS
from proxy.facade.conditions import is_known, known_already
from proxy.facade.direct import LIST, PLAIN, PLAIN_LIST, QUERY
from proxy.facade.layer import Layer
from proxy.facade.ready import Ready
from proxy.telemetry import Telemetry

_PREFIX: Final = b"/v1"
_READ: Final = frozenset(
    {
        b"authorization",
        b"x-forwarded-for",
        b"origin",
        b"x-request-id",
        b"if-none-match",
        b"range",
        b"if-range",
        b"if-modified-since",
    }
)
"""The last three are rare, and answered where all of RFC 9110 is known."""
_JSON: Final = (b"content-type", b"application/json")
_HIT: Final = (CACHE_STATUS.encode(), f"{CACHE_NAME}; hit".encode())
_MOST_DRESSED: Final = 10_000
_SENDABLE: Final = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_STATUS_LINES: Final = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}


class _Route(NamedTuple):
    operation: str
    counts: dict[int, int]


class _Face(NamedTuple):
    """An answer with the fields that are the same for everybody; in `head` they are bytes."""

    status: int
    fields: Fields
    head: bytes
    body: bytes


class _Dressed(NamedTuple):
    """A kept answer as of one age: whole, and for those who have it already."""

    ready: Ready
    age: int
    whole: _Face
    known: _Face


class _Hit(NamedTuple):
    """One answer: its face, and the fields of this request only."""

    face: _Face
    own: Fields


class _Asked(NamedTuple):
    """What a request says that changes the answer; `origin` and `request_id` may be empty."""

    condition: str | None
    origin: bytes
    request_id: bytes
    tokens: list[str]
    forwarded: list[str]


class FastPath:
    """Wraps the whole application; `clock` is the layer's."""

    def __init__(
        self,
        app: ASGIApp,
        layer: Layer,
        admission: Admission,
        telemetry: Telemetry,
        origins: Origins,
        *,
        is_draining: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._layer = layer
        self._admission = admission
        self._origins = origins
        self._is_draining = is_draining
        self._clock = clock
        self._routes: dict[bytes, _Route] = {}
        for path, plain in {LIST: PLAIN_LIST, **PLAIN}.items():
            route = self._routes[path] = _Route(plain.operation, {200: 0, 304: 0})
            telemetry.watch_hits(plain.template, plain.name, route.counts)
        self._dressed: dict[str, _Dressed] = {}
        self._ids = itertools.count()
        self._own = secrets.token_hex(5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.GET:
            hit = self._hit(scope)
            if hit is not None:
                (status, fields, _, body), own = hit
                headers = [*fields, *own]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body, "more_body": False})
                return
        await self._app(scope, receive, send)

    def whole(self, scope: HTTPScope, more: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """A whole answer of HTTP/1.1 with these fields too (see `hits`), or None."""
        hit = self._hit(scope) if scope["method"] == HttpMethod.GET else None
        if hit is None:
            return None
        face, own = hit
        return b"".join((face.head, _lines(more), _lines(own), b"\r\n", face.body))

    def _route(self, path: bytes) -> _Route | None:
        exact = self._routes.get(path)
        return exact or self._routes.get(path[: path.rfind(b"/") + 1])

    def _hit(self, scope: Scope) -> _Hit | None:
        """The answer; None for whatever the ordinary way has to decide."""
        path: bytes = scope.get("raw_path") or b""
        route = self._route(path)
        key = None if route is None else _key(path, scope["query_string"])
        ready = None if key is None else self._layer.find(key)
        if route is None or key is None or ready is None:
            return None
        asked = _asked(scope) if ready.status == 200 and not self._is_draining() else None
        dressed = None if asked is None else self._dress(key, ready)
        if asked is None or dressed is None:
            return None
        told = self._admission.admit_at_once(scope, asked.tokens, asked.forwarded, route.operation)
        if told is None:
            return None
        face, condition = dressed.whole, asked.condition
        if condition is not None and is_known(ready, {"if-none-match": condition}):
            face = dressed.known
        given = asked.request_id or f"{self._own}{next(self._ids):x}".encode()
        route.counts[face.status] += 1
        return _Hit(face, (*self._origins.fields(asked.origin), *told, (b"x-request-id", given)))

    def _dress(self, key: str, ready: Ready) -> _Dressed | None:
        age, kept = ready.age(self._clock()), self._dressed.get(key)
        if kept is not None and kept.ready is ready and kept.age == age:
            return kept
        if len(self._dressed) >= _MOST_DRESSED:
            self._dressed.clear()
        # Upstream's values are written as they came: none may begin a line of its own.
        if not all(_SENDABLE.fullmatch(value) for _, value in ready.fields):
            return None
        whole, known = _face(ready, age), _face(known_already(ready), age)
        dressed = self._dressed[key] = _Dressed(ready, age, whole, known)
        return dressed


def _face(ready: Ready, age: int) -> _Face:
    kept = (pair for pair in ready.fields if pair[0] != b"content-type")
    typed = () if ready.status == 304 else (_JSON,)
    fields = (*kept, *typed, (b"age", str(age).encode()), _HIT, *PROTECTING)
    return _Face(ready.status, fields, _STATUS_LINES[ready.status] + _lines(fields), ready.body)


def _lines(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in fields])


def _key(path: bytes, query: bytes) -> str | None:
    """The key of the plan that a request stands for (`policy.Plan.key`), as it was sent.

    What is encoded is for the ordinary way: one path must not have two meanings.
    """
    if b"%" in path:
        return None
    if query and (path != LIST or QUERY.fullmatch(query) is None):
        return None
    return f"{path[len(_PREFIX) :].decode('latin-1')}?{query.decode()}"


def _asked(scope: Scope) -> _Asked | None:
    condition, origin, request_id = None, b"", b""
    tokens: list[str] = []
    forwarded: list[str] = []
    for name, value in scope["headers"]:
        if name not in _READ:
            continue
        if name == b"authorization":
            tokens.append(value.decode("latin-1"))
        elif name == b"x-forwarded-for":
            forwarded.append(value.decode("latin-1"))
        elif name == b"origin":
            origin = value
        elif name == b"x-request-id":
            request_id = value if REQUEST_ID_FORM.fullmatch(value) else b""
        elif name == b"if-none-match" and condition is None:
            condition = value.decode("latin-1")
        else:
            return None
    return _Asked(condition, origin, request_id, tokens, forwarded)
