"""`Cache-Status` (RFC 9211): how the cache dealt with a request, on every answer of the facade.

Also lets a HEAD be answered as its GET is, without the body.
"""

from copy import copy
from typing import Final

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from proxy.facade.reading import Served, Source

CACHE_NAME: Final = "ludo-proxy"
CACHE_STATUS: Final = "cache-status"
MIRRORED: Final = f"{CACHE_NAME}; hit; detail=mirror"
ARCHIVED: Final = f"{CACHE_NAME}; hit; detail=archive"
_NOTED: Final = "cache_status"
_FACADE: Final = "/v1/"
_BYPASSED: Final = f"{CACHE_NAME}; fwd=bypass"
_UNSAFE: Final = f"{CACHE_NAME}; fwd=method"


def status_of(served: Served) -> str:
    """The field's value for an answer of the cache."""
    match served.source:
        case Source.HIT:
            return f"{CACHE_NAME}; hit"
        case Source.STALE:
            return f"{CACHE_NAME}; hit; detail=refreshing"
        case Source.SAVED:
            return f"{CACHE_NAME}; hit; detail=upstream-fails"
        case Source.MIRROR:
            return MIRRORED
        case Source.FETCHED | Source.COLLAPSED:
            why = "stale" if served.stale else "miss"
            parts = [CACHE_NAME, f"fwd={why}", f"fwd-status={served.status}"]
            parts += ["stored"] if served.stored else []
            parts += ["collapsed"] if served.source is Source.COLLAPSED else []
            return "; ".join(parts)


def note(scope: Scope, served: Served) -> None:
    """Remember for this request what its answer is to say, also if that is an error."""
    scope["state"][_NOTED] = status_of(served)


class FacadeFace:
    """Wraps the application: of the facade's answers none goes out without `Cache-Status`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; whatever is not the facade's passes as it is."""
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(_FACADE):
            await self._app(scope, receive, send)
            return
        if scope["method"] == HttpMethod.HEAD:
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, _telling(send, scope))

    async def _head(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        # A copy: the server counts the bytes of the body by its own scope's method.
        asked = copy(scope)
        asked["method"] = HttpMethod.GET
        try:
            await self._app(asked, receive, _telling(_bodiless(send), asked))
        finally:
            if "path_template" in asked:
                scope["path_template"] = asked["path_template"]


def _bodiless(send: Send) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return tell


def _telling(send: Send, scope: HTTPScope) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            fields = list(message["headers"])
            if all(name.lower() != CACHE_STATUS.encode() for name, _ in fields):
                reads = scope["method"] == HttpMethod.GET
                said = scope["state"].get(_NOTED) or (_BYPASSED if reads else _UNSAFE)
                message["headers"] = [*fields, (CACHE_STATUS.encode(), said.encode())]
        await send(message)

    return tell
