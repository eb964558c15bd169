"""Files that browsers load: read once, served from memory with an ETag (RFC 9110 §8.8.3)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

WEB: Final = Path(__file__).parent / "web"
BOARD_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it goes out; browsers ask each time whether it is still this one."""

    body: bytes
    media_type: str
    etag: str
    policy: str

    @classmethod
    def of(cls, body: bytes, suffix: str, policy: str) -> "Page":
        """A page of these bytes."""
        return cls(body, _TYPES[suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"', policy)

    def answer(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The page, or 304 for a browser that has it."""
        headers = {
            "ETag": self.etag,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": self.policy,
        }
        if matches(request.headers.get("if-none-match"), self.etag):
            return Response(b"", status_code=304, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


def matches(condition: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag, compared weakly (RFC 9110 §13.1.2)."""
    if condition is None:
        return False
    given = (part.strip().removeprefix("W/") for part in condition.split(","))
    return any(part in ("*", etag.removeprefix("W/")) for part in given)


def pages_route(name: str, pages: Mapping[str, Page]) -> HTTPRouteHandler:
    """One route for pages by their paths; it is no part of the API's description."""

    @get(list(pages), include_in_schema=False, name=name)
    async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
        return pages[request.scope["path_template"]].answer(request)

    return serve


def board_route(folder: Path = WEB) -> HTTPRouteHandler:
    """The board: `board.html` at `/`, and every file beside it under its own name."""
    files = (file for file in sorted(folder.iterdir()) if file.suffix in _TYPES)
    pages = {
        f"/{file.name}": Page.of(file.read_bytes(), file.suffix, BOARD_POLICY) for file in files
    }
    return pages_route("board", {"/": pages["/board.html"], **pages})
