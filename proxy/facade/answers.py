"""What callers see of an answer: upstream's envelope, and headers that say where it came from."""

from typing import Any, Final

from litestar import Request, Response

from ludo.upstream.errors import UpstreamRefused
from ludo.upstream.wire.models import parse_refusal
from proxy.facade.cachestatus import CACHE_STATUS, note, status_of
from proxy.facade.conditions import selected
from proxy.facade.reading import Served, Source
from proxy.pages import matches

JSON: Final = "application/json"


def cached_answer(request: Request[Any, Any, Any], served: Served) -> Response[bytes]:
    """A read's answer: whole, in part or 304; raises UpstreamRefused for a refusal."""
    note(request.scope, served)
    if served.ready.status >= 400:
        raise refused(served.ready.status, served.ready.body)
    ready = selected(served.ready, request.headers)
    headers = {
        name.decode(): value.decode("latin-1")
        for name, value in ready.fields
        if name not in (b"content-length", b"content-type")
    }
    headers |= {"age": str(served.age), CACHE_STATUS: status_of(served)}
    if served.source is Source.SAVED:
        headers["ludo-stale"] = "true"
    return Response(ready.body, status_code=ready.status, media_type=JSON, headers=headers)


def json_answer(
    request: Request[Any, Any, Any], body: bytes, headers: dict[str, str], status: int = 200
) -> Response[bytes]:
    """Bytes of JSON as they are, or 304 for a caller who has them."""
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, status_code=status, media_type=JSON, headers=headers)


def refused(status: int, body: bytes) -> UpstreamRefused:
    """Upstream's refusal, from its body."""
    said = parse_refusal(body)
    message = said.error or f"upstream refused this with {status} and gave no reason"
    return UpstreamRefused(status, said.code, message, body, said.clause)
