"""`/openapi.json` and, offline, Swagger UI at `/docs`: nothing is loaded from elsewhere."""

from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from swagger_ui_bundle import swagger_ui_path

from proxy.openapi30 import as_30
from proxy.pages import Page, pages_route

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Swagger UI sets styles inline; scripts come from files only."""
_FILES: Final = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "favicon-32x32.png",
)
_HTML: Final = b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>ludo-proxy: API</title>
  <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <p style="font-family: sans-serif; margin: 1em"><a href="asyncapi.json">asyncapi.json</a>:
    the frames of the relay (WebSocket and server-sent events)</p>
  <div id="swagger-ui"></div>
  <noscript><a href="openapi.json">openapi.json</a></noscript>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/swagger-ui-standalone-preset.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
_START: Final = b"""window.ui = SwaggerUIBundle({
  url: "docs/openapi-3.0.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


def description() -> OpenAPIConfig:
    """How Litestar describes the routes; it serves nothing by itself."""
    bearer = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
    admin = SecurityScheme(type="http", scheme="bearer", description="LUDO_ADMIN_TOKEN")
    return OpenAPIConfig(
        title="ludo-proxy",
        version="1",
        description="LudoKingAPI's own paths, cached and guarded; webhooks in, live games out.",
        components=Components(security_schemes={"bearer": bearer, "admin": admin}),
        render_plugins=[],
    )


@get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description of all routes, OpenAPI 3.1."""
    return _document(request, _schema(request.app))


@get("/docs/openapi-3.0.json", include_in_schema=False)
async def openapi_30_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The same for Swagger UI 4, which reads OpenAPI 3.0 only."""
    return _document(request, as_30(_schema(request.app)))


def _schema(app: Litestar) -> dict[str, Any]:
    return app.openapi_schema.to_schema()


def _document(request: Request[Any, Any, Any], schema: dict[str, Any]) -> Response[bytes]:
    return Page.of(msgspec.json.encode(schema), ".json", POLICY).answer(request)


def docs_routes() -> list[HTTPRouteHandler]:
    """Everything that `/docs` needs."""
    folder = Path(str(swagger_ui_path))
    pages = {
        "/docs": Page.of(_HTML, ".html", POLICY),
        "/docs/start.js": Page.of(_START, ".js", POLICY),
        **{f"/docs/{name}": _file(folder / name) for name in _FILES},
    }
    return [pages_route("docs", pages), openapi_json, openapi_30_json]


def _file(path: Path) -> Page:
    return Page.of(path.read_bytes(), path.suffix, POLICY)
