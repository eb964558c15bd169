"""Plain reads of the cache, answered before anything is routed.

Of what a miss costs a quarter would be routing, injection and the making of a response. A GET of a
room, of rooms or of a player is admitted, read and answered here, by the same steps as in
`routes`, which stay for the description and for everything that is not plainly such a read.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from proxy.admission import Admission
from proxy.facade import policy
from proxy.facade.answers import refused
from proxy.facade.cachestatus import CACHE_STATUS, status_of
from proxy.facade.conditions import selected
from proxy.facade.policy import Plan
from proxy.facade.reading import Reader, Served, Source
from proxy.facade.routes.naming import NAME
from proxy.problems import MEDIA_TYPE, recorded
from proxy.telemetry import Telemetry

Fields = list[tuple[bytes, bytes]]
LIST: Final = b"/v1/rooms"
QUERY: Final = re.compile(rb"status=([a-z_-]{1,20})")
_ME: Final = b"me"
_CONDITIONS: Final = frozenset({b"if-none-match", b"range", b"if-range", b"if-modified-since"})
_JSON: Final = (b"content-type", b"application/json")
_BODILESS: Final = frozenset({204, 304})
_STATUS: Final = CACHE_STATUS.encode()


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """A route whose reads may be answered before routing: `template` and `operation` are those of
    the ordinary one, `name` is what its reads are counted under.
    """

    template: str
    name: str
    operation: str
    plan: Callable[[str], Plan]


def _rooms(status: str) -> Plan:
    return policy.rooms(status or None)


PLAIN_LIST: Final = PlainRoute("/v1/rooms", "rooms", "ListRooms", _rooms)
PLAIN: Final = {
    b"/v1/rooms/": PlainRoute("/v1/rooms/{code}", "room", "GetRoom", policy.room),
    b"/v1/players/": PlainRoute("/v1/players/{player_id}", "player", "GetPlayer", policy.player),
}
"""By the beginning of the path. No game is ever answered here."""


class DirectReads:
    """Wraps the application; whatever is not plainly such a read goes on to it."""

    def __init__(
        self, app: ASGIApp, admission: Admission, reader: Reader, telemetry: Telemetry
    ) -> None:
        self._app = app
        self._admission = admission
        self._reader = reader
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        found = None
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.GET:
            found = _found(scope.get("raw_path") or b"", scope["query_string"])
        asked = None if found is None else _conditions(scope)
        if found is None or asked is None:
            await self._app(scope, receive, send)
            return
        route, name = found
        scope["path_template"] = route.template
        status, fields, body = await self._answered(scope, route, name, asked)
        if status not in _BODILESS:
            fields.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answered(
        self, scope: Scope, route: PlainRoute, name: str, asked: Mapping[str, str]
    ) -> tuple[int, Fields, bytes]:
        told: Fields = []
        try:
            admitted = await self._admission.admit(scope, route.operation)
            told += admitted.fields
            served = await self._reader.read(route.plan(name))
            self._telemetry.read(route.name, served.source.value)
            told.append((_STATUS, status_of(served).encode()))
            status, fields, body = _answer(served, asked)
        except Exception as error:  # as Litestar would answer it
            problem = recorded(error)
            status, body = problem.status, msgspec.json.encode(problem.body)
            fields = [(b"content-type", MEDIA_TYPE.encode())]
            fields += [(k.lower().encode(), v.encode()) for k, v in problem.fields.items()]
        return status, fields + told, body


def _found(path: bytes, query: bytes) -> tuple[PlainRoute, str] | None:
    """The route and the name in it. What is encoded is for the ordinary way."""
    if path == LIST:
        status = QUERY.fullmatch(query)
        if query and status is None:
            return None
        return PLAIN_LIST, "" if status is None else status[1].decode()
    begin = path.rfind(b"/") + 1
    route, name = PLAIN.get(path[:begin]), path[begin:]
    if route is None or query or name == _ME:
        return None
    text = name.decode("latin-1")
    return (route, text) if NAME.fullmatch(text) and text.strip(".") else None


def _conditions(scope: Scope) -> dict[str, str] | None:
    """The fields that select what is answered; None if one comes twice."""
    asked: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _CONDITIONS:
            text = name.decode()
            if text in asked:
                return None
            asked[text] = value.decode("latin-1")
    return asked


def _answer(served: Served, asked: Mapping[str, str]) -> tuple[int, Fields, bytes]:
    """Status, header fields but for the length, and body; raises UpstreamRefused for a refusal."""
    if served.ready.status >= 400:
        raise refused(served.ready.status, served.ready.body)
    ready = selected(served.ready, asked) if asked else served.ready
    fields = [p for p in ready.fields if p[0] not in (b"content-length", b"content-type")]
    if ready.status != 304:
        fields.append(_JSON)
    fields.append((b"age", b"%d" % served.age))
    if served.source is Source.SAVED:
        fields.append((b"ludo-stale", b"true"))
    return ready.status, fields, ready.body
