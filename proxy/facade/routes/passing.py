"""What every write of the facade does with its answer."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Response

from ludo.upstream.call import IDEMPOTENCY_HEADER
from ludo.upstream.wire.models import decode_any
from proxy.facade.answers import refused
from proxy.facade.writing import Reply, Write, Writer

_MADE: Final = {"/rooms": "code", "/players": "playerId"}
"""What names a thing that a write on a route has made."""


async def passed_on(
    writer: Writer, write: Write, identity: str, key: str | None
) -> Response[bytes]:
    """Upstream's answer to a write; raises UpstreamRefused for its refusal."""
    reply = await writer.write(write, identity, key)
    if reply.status >= 400:
        raise refused(reply.status, reply.body)
    return _answer(reply, _location(write, reply))


def _location(write: Write, reply: Reply) -> str | None:
    """Where what a write has made is found (RFC 9110 §15.3.2); None if nobody says."""
    if reply.status != 201 or write.route not in _MADE:
        return None
    document: Any = decode_any(reply.body)
    made = document.get("data") if isinstance(document, dict) else None
    name = made.get(_MADE[write.route]) if isinstance(made, dict) else None
    return f"/v1{write.route}/{quote(name, safe='')}" if isinstance(name, str) and name else None


def _answer(reply: Reply, location: str | None) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", IDEMPOTENCY_HEADER: reply.key}
    if location is not None:
        headers["Location"] = location
    if reply.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(
        reply.body, status_code=reply.status, media_type="application/json", headers=headers
    )
