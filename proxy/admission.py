"""Who may come in and how often: the first thing that happens to a request of the API."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ludo.store.quota import Quota, Spent
from proxy.addresses import caller_address
from proxy.auth import Verifier, bearer
from proxy.errors import NotAuthenticated, QuotaExceeded
from proxy.ratelimit import quota_headers
from proxy.relay.callers import Caller, Refused

CALLER: Final = "caller"
IDENTITY: Final = "identity"


class Admission(ASGIMiddleware):
    """Verifies the token, takes from the quota, and tells what is left of it.

    The quota is the token's subject's, else the address'. A bad token costs its address.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, verifier: Verifier, quota: Quota, trusted_hops: int) -> None:
        self._verifier = verifier
        self._quota = quota
        self._hops = trusted_hops

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Admission":
        """Itself: Litestar copies what a router holds, and a copied quota would count apart."""
        return self

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Lets the request pass with its caller, or raises NotAuthenticated or QuotaExceeded."""
        request: Request[Any, Any, Any] = Request(scope)
        address = f"ip:{self._address(request)}"
        found = await self._verifier.authenticate(
            bearer(request.headers.getall("authorization", []))
        )
        identity = _identity(found, address)
        outcome = await self._quota.take(identity)
        if isinstance(outcome, Spent):
            raise QuotaExceeded(
                outcome.rate, outcome.retry_after, quota_headers(outcome.allowances)
            )
        if isinstance(found, Refused):
            raise NotAuthenticated(found.reason)
        scope["state"][CALLER] = found
        scope["state"][IDENTITY] = identity
        await next_app(scope, receive, _telling(send, quota_headers(outcome.allowances)))

    def _address(self, request: Request[Any, Any, Any]) -> str:
        peer = request.client.host if request.client else None
        return caller_address(peer, request.headers.getall("x-forwarded-for", []), self._hops)


def _identity(found: Caller | Refused, address: str) -> str:
    match found:
        case Caller(sub=str(sub)):
            return f"sub:{sub}"
        case _:
            return address


def _telling(send: Send, headers: Mapping[str, str]) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableScopeHeaders.from_message(message).update(headers)
        await send(message)

    return tell


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """Who calls, for routes behind the admission."""
    caller: Caller = request.scope["state"][CALLER]
    return caller


def provide_identity(request: Request[Any, Any, Any]) -> str:
    """A name for the caller that also tells anonymous ones apart, by their address."""
    identity: str = request.scope["state"][IDENTITY]
    return identity
