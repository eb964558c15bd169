"""Hits of the in-process layer, answered before anything is routed.

What a hit costs is mostly routing, injection and the middle layers, none of which it needs. So a
plain GET whose answer lies here, of a caller whose token and quota are known here, is answered
from bytes. Everything else, and every doubt, goes the ordinary way, which says the same: a test
compares the two. Hits are counted, and not logged one by one.
"""

import itertools
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from proxy.admission import Admission
from proxy.cors import Fields, Origins
from proxy.edge import PROTECTING, REQUEST_ID_FORM
from proxy.facade.cachestatus import CACHE_NAME, CACHE_STATUS
from proxy.facade.conditions import selected
from proxy.facade.layer import Layer
from proxy.facade.ready import Ready
from proxy.telemetry import Telemetry

_PREFIX: Final = "/v1"
_QUERY: Final = re.compile(rb"(?:status=[a-z_-]{1,20})?")
_ORDINARY: Final = frozenset({b"range", b"if-range", b"if-modified-since"})
"""Requests with these are rare, and answered where all of RFC 9110 is known."""
_ROUTES: Final = (
    ("/v1/rooms", "/v1/rooms", "rooms", "ListRooms"),
    ("/v1/rooms/", "/v1/rooms/{code}", "room", "GetRoom"),
    ("/v1/players/", "/v1/players/{player_id}", "player", "GetPlayer"),
)
"""Path or its beginning, template, name in metrics, operation. No game is ever answered here."""
_JSON: Final = (b"content-type", b"application/json")
_HIT: Final = (CACHE_STATUS.encode(), f"{CACHE_NAME}; hit".encode())
_MOST_DRESSED: Final = 10_000
_Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    note: Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class _Dressed:
    """An answer with all fields that are the same for everybody, as of one age."""

    ready: Ready
    age: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request says that changes the answer; `origin` and `request_id` may be empty."""

    condition: str | None
    origin: bytes
    request_id: bytes


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
        self._routes = {
            path: _Route(operation, telemetry.hits(template, name))
            for path, template, name, operation in _ROUTES
        }
        self._dressed: dict[str, _Dressed] = {}
        self._ids = itertools.count()
        self._own = secrets.token_hex(5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.GET:
            begun = time.perf_counter()
            route = self._route(scope["path"])
            hit = None if route is None else self._hit(scope, route)
            if route is not None and hit is not None:
                status, headers, body = hit
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body, "more_body": False})
                route.note(status, time.perf_counter() - begun)
                return
        await self._app(scope, receive, send)

    def _route(self, path: str) -> _Route | None:
        exact = self._routes.get(path)
        return exact or self._routes.get(path[: path.rfind("/") + 1])

    def _hit(self, scope: Scope, route: _Route) -> _Answer | None:
        """Status, headers and body; None for whatever the ordinary way has to decide."""
        key = _key(scope)
        ready = None if key is None else self._layer.find(key)
        if key is None or ready is None or ready.status != 200 or self._is_draining():
            return None
        asked = _asked(scope)
        admitted = asked and self._admission.admit_at_once(scope, route.operation)
        if asked is None or not admitted:
            return None
        dressed = self._dress(key, ready)
        status, fields, body = 200, dressed.fields, ready.body
        if asked.condition is not None:
            chosen = selected(ready, {"if-none-match": asked.condition})
            if chosen is not ready:
                status, fields, body = 304, self._fields(chosen, dressed.age), b""
        given = asked.request_id or f"{self._own}{next(self._ids):x}".encode()
        headers = [
            *fields,
            *self._origins.fields(asked.origin),
            *admitted.fields,
            (b"x-request-id", given),
        ]
        return status, headers, body

    def _dress(self, key: str, ready: Ready) -> _Dressed:
        age, kept = ready.age(self._clock()), self._dressed.get(key)
        if kept is not None and kept.ready is ready and kept.age == age:
            return kept
        if len(self._dressed) >= _MOST_DRESSED:
            self._dressed.clear()
        dressed = self._dressed[key] = _Dressed(ready, age, self._fields(ready, age))
        return dressed

    def _fields(self, ready: Ready, age: int) -> Fields:
        kept = (pair for pair in ready.fields if pair[0] != b"content-type")
        typed = () if ready.status == 304 else (_JSON,)
        return (*kept, *typed, (b"age", str(age).encode()), _HIT, *PROTECTING)


def _key(scope: Scope) -> str | None:
    """The key of the plan that this request stands for (`policy.Plan.key`)."""
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"]
    # What is encoded is for the ordinary way: one path must not have two meanings.
    if raw is None or raw != path.encode("latin-1", "replace") or b"%" in raw:
        return None
    query: bytes = scope["query_string"]
    if _QUERY.fullmatch(query) is None or (query and path != "/v1/rooms"):
        return None
    return f"{path[len(_PREFIX) :]}?{query.decode()}"


def _asked(scope: Scope) -> _Asked | None:
    condition, origin, request_id = None, b"", b""
    for name, value in scope["headers"]:
        if name == b"if-none-match" and condition is None:
            condition = value.decode("latin-1")
        elif name == b"origin":
            origin = value
        elif name == b"x-request-id":
            request_id = value if REQUEST_ID_FORM.fullmatch(value) else b""
        elif name in _ORDINARY or name == b"if-none-match":
            return None
    return _Asked(condition, origin, request_id)
