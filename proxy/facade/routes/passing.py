"""What every write of the facade does with its answer."""

from litestar import Response

from ludo.upstream.call import IDEMPOTENCY_HEADER
from proxy.facade.answers import refused
from proxy.facade.writing import Reply, Write, Writer


async def passed_on(
    writer: Writer, write: Write, identity: str, key: str | None
) -> Response[bytes]:
    """Upstream's answer to a write; raises UpstreamRefused for its refusal."""
    reply = await writer.write(write, identity, key)
    if reply.status >= 400:
        raise refused(reply.status, reply.body)
    return _answer(reply)


def _answer(reply: Reply) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", IDEMPOTENCY_HEADER: reply.key}
    if reply.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(
        reply.body, status_code=reply.status, media_type="application/json", headers=headers
    )
