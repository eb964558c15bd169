"""Where a stream's caller shows who he is, and tickets for those who cannot: browsers' streams."""

import time
from typing import Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler

from ludo.store.tickets import LIFETIME_S, Tickets
from proxy.admission import Admission, provide_caller
from proxy.auth import bearer
from proxy.relay.callers import Caller, Refused
from proxy.revoking import Revoking

OPERATION: Final = "WatchGame"
_CALLER: Final[msgspec.json.Decoder[Caller]] = msgspec.json.Decoder(Caller)


class Door:
    """Finds out who wants a stream, and takes from the same quota as any other request."""

    def __init__(
        self, admission: Admission, verifier: Revoking, tickets: Tickets, cookie: str
    ) -> None:
        self._admission = admission
        self._verifier = verifier
        self._tickets = tickets
        self._cookie = cookie

    async def open(
        self, request: Request[Any, Any, Any], ticket: str | None, *, may_use_cookie: bool
    ) -> Caller:
        """Who it is; raises NotAuthenticated or QuotaExceeded."""
        if ticket is not None:
            found = await self._redeem(ticket)
        else:
            shown = bearer(request.headers.getall("authorization", []))
            if shown is None and may_use_cookie:
                shown = request.cookies.get(self._cookie)
            found = await self._verifier.authenticate(shown)
        return (await self._admission.admit_as(found, request.scope, OPERATION)).caller

    async def _redeem(self, ticket: str) -> Caller | Refused:
        holder = await self._tickets.redeem(ticket)
        if holder is None:
            return Refused("expected a ticket that is new and not used yet; ask for another")
        return await self._verifier.recheck(_CALLER.decode(holder))


def ticket_route(tickets: Tickets, admission: Admission) -> HTTPRouteHandler:
    """`POST /v1/ticket`."""

    @post(
        "/v1/ticket",
        tags=["games"],
        operation_id="MakeTicket",
        summary="A ticket for one stream",
        status_code=201,
        middleware=[admission],
        dependencies={"caller": Provide(provide_caller, sync_to_thread=False)},
        security=[{"bearer": []}],
    )
    async def make_ticket(caller: NamedDependency[Caller]) -> Response[dict[str, Any]]:
        """It stands for the caller once, within 30 s, where no header can be sent: EventSource."""
        ticket = await tickets.issue(msgspec.json.encode(caller))
        data = {"ticket": ticket, "expiresAt": int((time.time() + LIFETIME_S) * 1000)}
        return Response({"success": True, "data": data}, headers={"Cache-Control": "no-store"})

    return make_ticket
