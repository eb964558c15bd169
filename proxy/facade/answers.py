"""What callers see of an answer: upstream's envelope, and headers that say where it came from."""

from typing import Any, Final

from litestar import Request, Response

from ludo.upstream.errors import UpstreamRefused
from ludo.upstream.wire.models import parse_refusal
from proxy.facade.reading import Served, Source
from proxy.pages import matches

CACHE_NAME: Final = "ludo-proxy"
REVALIDATED: Final = "private, no-cache"
"""Callers ask each time; with an ETag that costs them, and nobody else, next to nothing."""


def cached_answer(request: Request[Any, Any, Any], served: Served) -> Response[bytes]:
    """A read's answer, or 304; raises UpstreamRefused for a refusal that was kept."""
    entry = served.entry
    if entry.status >= 400:
        raise refused(entry.status, entry.body)
    headers = {
        "ETag": entry.etag,
        "Age": str(served.age),
        "Cache-Control": REVALIDATED,
        "Cache-Status": cache_status(served),
    }
    if served.source is Source.SAVED:
        headers["Ludo-Stale"] = "true"
    return json_answer(request, entry.body, headers, entry.status)


def json_answer(
    request: Request[Any, Any, Any], body: bytes, headers: dict[str, str], status: int = 200
) -> Response[bytes]:
    """Bytes of JSON as they are, or 304 for a caller who has them."""
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def refused(status: int, body: bytes) -> UpstreamRefused:
    """Upstream's refusal, from its body."""
    said = parse_refusal(body)
    message = said.error or f"upstream refused this with {status} and gave no reason"
    return UpstreamRefused(status, said.code, message, body, said.clause)


def cache_status(served: Served) -> str:
    """How the cache dealt with the request (RFC 9211)."""
    match served.source:
        case Source.HIT:
            return f"{CACHE_NAME}; hit"
        case Source.STALE:
            return f"{CACHE_NAME}; hit; detail=refreshing"
        case Source.SAVED:
            return f"{CACHE_NAME}; hit; detail=upstream-fails"
        case Source.MIRROR:
            return f"{CACHE_NAME}; hit; detail=mirror"
        case Source.FETCHED:
            return f"{CACHE_NAME}; fwd=miss; fwd-status={served.entry.status}"
        case Source.COLLAPSED:
            return f"{CACHE_NAME}; fwd=miss; fwd-status={served.entry.status}; collapsed"
