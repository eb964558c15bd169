"""All of `/admin` under one guard."""

from typing import Final

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.handlers import HTTPRouteHandler

from proxy.admin.deadletters import DEAD_LETTERS
from proxy.admin.guard import only_with
from proxy.admin.rejected import REJECTED
from proxy.admin.relay import RELAY

HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = (*REJECTED, *DEAD_LETTERS, *RELAY)
"""The route handlers of every part of `/admin`."""


def admin_router(token: str) -> Router:
    """The routes for whoever has this token; they have no quota, and nobody may store answers."""
    return Router(
        "/admin",
        route_handlers=list(HANDLERS),
        guards=[only_with(token)],
        cache_control=CacheControlHeader(no_store=True),
        tags=["operators"],
        security=[{"admin": []}],
    )
