"""The application: which routes a role has, and what they are given."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler

from proxy import problems
from proxy.admin.routes import admin_router
from proxy.admission import provide_caller, provide_identity
from proxy.config import ProxySettings, Role
from proxy.cors import Origins
from proxy.devsecret import with_secret
from proxy.docs import description, docs_routes
from proxy.edge import Edge
from proxy.facade.cachestatus import FacadeFace
from proxy.facade.direct import DirectReads
from proxy.facade.routes.games import GAMES
from proxy.facade.routes.players import PLAYERS
from proxy.facade.routes.rooms import ROOMS
from proxy.fast import FastPath
from proxy.health import health_routes
from proxy.metrics import metrics_routes
from proxy.pages import board_route
from proxy.parts import Parts, make_parts, running
from proxy.relay.asyncapi import asyncapi_route
from proxy.relay.door import Door, ticket_route
from proxy.relay.entrance import Entrance
from proxy.relay.routes import stream_route
from proxy.tokens import token_route
from proxy.webhooks.direct import Direct
from proxy.webhooks.routes import webhook_routes

MAX_BODY: Final = 65_536


def create_app(
    settings: ProxySettings,
    *,
    redis_url: str,
    role: Role = Role.ALL,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """The application of one process; its lifespan opens and closes the parts.

    `transport` stands in for the connection to upstream.
    """
    parts = make_parts(with_secret(settings), redis_url, role, transport)
    app = Litestar(
        route_handlers=_routes(parts, role),
        dependencies=_provided(parts),
        exception_handlers={Exception: problems.answer},
        openapi_config=description(),
        request_max_body_size=MAX_BODY,
        lifespan=[_lifespan],
        state=State({"parts": parts}),
        logging_config=None,
    )
    # Outside of Litestar's own routing, so that answers to unknown paths pass it as well.
    faced: ASGIApp = app.asgi_handler
    faced = FacadeFace(_direct(faced, parts) if role.serves_api else faced)
    if role.serves_api:
        faced = Direct(faced, parts.receiver.intake, parts.settings.receiver)
    origins = Origins(settings.proxy.cors_origins)
    edge = Edge(faced, parts.telemetry, lambda: parts.readiness.is_draining, origins)
    outer: ASGIApp = _fast(edge, parts, origins) if role.serves_api else edge
    # The server's connections ask it themselves, whatever stands around it.
    app.state["hits"] = outer if isinstance(outer, FastPath) else None
    app.asgi_handler = outer if parts.relay is None else Entrance(outer, parts.relay)
    return app


def _direct(routed: ASGIApp, parts: Parts) -> ASGIApp:
    return DirectReads(routed, parts.admission, parts.facade.reader, parts.telemetry)


def _fast(edge: ASGIApp, parts: Parts, origins: Origins) -> FastPath:
    return FastPath(
        edge,
        parts.facade.purges.layer,
        parts.admission,
        parts.telemetry,
        origins,
        is_draining=lambda: parts.readiness.is_draining,
        clock=time.monotonic,
    )


def _routes(parts: Parts, role: Role) -> Sequence[ControllerRouterHandler]:
    routes: list[ControllerRouterHandler] = [*health_routes(), *metrics_routes(), *docs_routes()]
    routes.append(asyncapi_route())
    if role.serves_api:
        routes += [*_receiver(parts), _api(parts)]
        routes += _development(parts)
        routes += _admin(parts)
    if parts.relay is not None:
        door = Door(parts.admission, parts.verifier, parts.tickets, parts.settings.relay.cookie)
        routes += [stream_route(parts.relay, door), ticket_route(parts.tickets, parts.admission)]
        routes.append(board_route())
    return routes


def _receiver(parts: Parts) -> list[HTTPRouteHandler]:
    return webhook_routes(parts.receiver.intake, parts.settings.receiver)


def _api(parts: Parts) -> Router:
    handlers = (*ROOMS, *PLAYERS, *GAMES)
    parts.admission.charges.check(str(handler.operation_id) for handler in handlers)
    return Router(
        "/v1",
        route_handlers=handlers,
        middleware=[parts.admission],
        dependencies={
            "caller": Provide(provide_caller, sync_to_thread=False),
            "identity": Provide(provide_identity, sync_to_thread=False),
        },
        security=[{"bearer": []}],
    )


def _development(parts: Parts) -> list[ControllerRouterHandler]:
    config = parts.settings.proxy
    if not config.dev or config.jwt_secret is None:
        return []
    return [token_route(config.jwt_secret.get_secret_value())]


def _admin(parts: Parts) -> list[ControllerRouterHandler]:
    token = parts.settings.proxy.admin_token
    return [] if token is None else [admin_router(token.get_secret_value())]


def _provided(parts: Parts) -> dict[str, Provide]:
    given: dict[str, Any] = {
        "dead_letters": parts.redriver.letters,
        "metrics": parts.metrics,
        "orders": parts.orders.orders,
        "readiness": parts.readiness,
        "reader": parts.facade.reader,
        "recheck": parts.receiver.recheck,
        "redriver": parts.redriver,
        "referee": parts.facade.referee,
        "replays": parts.facade.replays,
        "rejected": parts.receiver.rejected,
        "states": parts.facade.states,
        "telemetry": parts.telemetry,
        "writer": parts.facade.writer,
    }
    return {name: Provide(_always(part), sync_to_thread=False) for name, part in given.items()}


def _always(part: Any) -> Any:
    return lambda: part


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    async with running(app.state.parts):
        yield
