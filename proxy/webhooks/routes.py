"""`POST /webhooks/ludo`: the answers that a sender relies on (design section 7)."""

from typing import Any, Final, assert_never

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive, Scope

from proxy.problems import Problem
from proxy.webhooks.config import ReceiverConfig
from proxy.webhooks.examining import NotGenuine, NotReadable
from proxy.webhooks.intake import Accepted, Intake, NotNow, Received, TooMany
from proxy.webhooks.reading import Unreadable, headers_of, read_delivery

PATH: Final = "/webhooks/ludo"

# What is left of the body would be taken for the next request.
_CLOSE: Final = {"Connection": "close"}


def webhook_routes(intake: Intake, config: ReceiverConfig) -> list[HTTPRouteHandler]:
    """The routes of this room, for this intake and within these bounds."""

    @post(
        PATH,
        operation_id="ReceiveWebhook",
        summary="Receive a signed event (Standard Webhooks)",
        tags=["webhooks"],
        status_code=202,
        request_max_body_size=None,
    )
    async def receive_webhook(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        """202 stored, 200 stored before; anything else was not stored (429, 503: come again)."""
        answer = await answer_to(request.scope, request.receive, intake, config)
        if isinstance(answer, Problem):
            return answer.response()
        return Response(body_of(answer), status_code=answer.status)

    return [receive_webhook]


async def answer_to(
    scope: Scope, receive: Receive, intake: Intake, config: ReceiverConfig
) -> Accepted | Problem:
    """Reads the delivery and receives it: what its sender is told."""
    headers = headers_of(scope["headers"])
    body = await read_delivery(headers, receive, limit=config.body_limit, within=config.body_within)
    if isinstance(body, Unreadable):
        intake.refuse_unread(body.type, headers)
        return Problem(body.status, body.type, body.detail, headers=_CLOSE)
    return _told(await intake.receive(headers, body))


def body_of(accepted: Accepted) -> dict[str, Any]:
    """The body of a 2xx."""
    return {"success": True, "data": {"status": accepted.verdict.value}}


def _told(received: Received) -> Accepted | Problem:
    match received:
        case Accepted():
            return received
        case NotGenuine(reason=reason):
            detail = f"the delivery is not genuine: {reason.value}"
            return Problem(401, "bad-signature", detail)
        case NotReadable(detail=detail):
            return Problem(400, "malformed-event", detail)
        case TooMany(detail=detail, retry_after=retry_after):
            return Problem(429, "quota-exceeded", detail, retry_after)
        case NotNow(detail=detail, retry_after=retry_after):
            return Problem(503, "not-now", detail, retry_after)
        case _:
            assert_never(received)
