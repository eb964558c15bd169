"""Where the relay is found by HTTP: as a stream of server-sent events."""

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, Parameter, QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from ludo.store.tickets import MAX_LENGTH
from proxy.relay.door import OPERATION, Door
from proxy.relay.relay import Relay
from proxy.relay.stream import MEDIA_TYPE, read_event_id

_Name = Annotated[str, Parameter(min_length=1, max_length=128)]
_Ticket = Annotated[
    str | None,
    QueryParameter(max_length=MAX_LENGTH, description="from POST /v1/ticket; good for one use"),
]
_LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", max_length=128, description="`epoch:seq` to go on from"),
]
_DESCRIPTION: Final = (
    "The frames of `ludorelay.v1` (see /asyncapi.json) as server-sent events: a `snap` or what was "
    "missed since `Last-Event-ID`, `live`, and every change until `ended`. The token comes as "
    "bearer, as cookie, or as a one-use ticket. 204: the game is over, and you know it."
)


def stream_route(relay: Relay, door: Door) -> HTTPRouteHandler:
    """`GET /v1/games/{gameId}/events`."""

    @get(
        "/v1/games/{game_id:str}/events",
        tags=["games"],
        operation_id=OPERATION,
        summary="A game as server-sent events",
        description=_DESCRIPTION,
        media_type=MEDIA_TYPE,
        security=[{"bearer": []}],
    )
    async def events(
        request: Request[Any, Any, Any],
        game_id: _Name,
        ticket: _Ticket = None,
        last_event_id: _LastEventId = None,
    ) -> ASGIApp:
        # Before the stream begins everything that is wrong is an ordinary answer.
        may_use_cookie = relay.admit_page(
            request.headers.get("origin"), request.headers.get("host")
        )
        caller = await door.open(request, ticket, may_use_cookie=may_use_cookie)

        async def stream(_scope: Scope, receive: Receive, send: Send) -> None:
            await relay.stream(receive, send, caller, game_id, read_event_id(last_event_id))

        return stream

    return events
