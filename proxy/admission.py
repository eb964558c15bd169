"""Who may come in and how often: the first thing that happens to a request of the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ludo.config import ConfigError
from ludo.store.quota import Quota
from ludo.store.windows import Outcome, Spent
from proxy.addresses import caller_address
from proxy.auth import bearer
from proxy.errors import NotAuthenticated, QuotaExceeded
from proxy.ratelimit import policy_name, quota_fields
from proxy.relay.callers import Caller, Refused
from proxy.remembering import RememberingVerifier
from proxy.telemetry import Telemetry

CALLER: Final = "caller"
IDENTITY: Final = "identity"
_ANONYMOUS: Final = Caller()
_AUTHORIZATION: Final = b"authorization"
_FORWARDED: Final = b"x-forwarded-for"

Fields = tuple[tuple[bytes, bytes], ...]

log = structlog.get_logger("quota")


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whoever passes; `identity` also tells anonymous callers apart, `fields` go on the answer."""

    caller: Caller
    identity: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Charges:
    """What a request costs its caller: `costs` by operation id, 1 for all others.

    With `dry_run` a spent quota is only counted and told.
    """

    costs: Mapping[str, int]
    dry_run: bool = False

    def of(self, operation: str | None) -> int:
        """The cost of one operation."""
        return self.costs.get(operation or "", 1)

    def check(self, operations: Iterable[str]) -> None:
        """Raises ConfigError for a cost of something that is no operation."""
        known = sorted(operations)
        for name in self.costs:
            if name not in known:
                raise ConfigError(
                    f"LUDO_QUOTA_COSTS: expected operations such as {', '.join(known)}; "
                    f"found {name!r}"
                )


class Admission(ASGIMiddleware):
    """Verifies the token, takes from the quota, and tells what is left of it.

    The quota is the token's subject's, else the address'. A bad token costs its address.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(
        self,
        verifier: RememberingVerifier,
        quota: Quota,
        charges: Charges,
        telemetry: Telemetry,
        *,
        hops: int,
        is_open: bool,
    ) -> None:
        self._verifier = verifier
        self._quota = quota
        self.charges = charges
        self._telemetry = telemetry
        self._hops = hops
        self._open = is_open

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Admission":
        """Itself: Litestar copies what a router holds, and a copied quota would count apart."""
        return self

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Lets the request pass with its caller, or raises NotAuthenticated or QuotaExceeded."""
        handler = scope["route_handler"]
        named = handler.operation_id if isinstance(handler, HTTPRouteHandler) else None
        admitted = await self.admit(scope, named if isinstance(named, str) else None)
        scope["state"][CALLER] = admitted.caller
        scope["state"][IDENTITY] = admitted.identity
        await next_app(scope, receive, _telling(send, admitted.fields))

    async def admit(self, scope: Scope, operation: str | None) -> Admitted:
        """Who comes; raises NotAuthenticated, KeysUnavailable or QuotaExceeded."""
        tokens, _ = _said(scope)
        found = await self._verifier.authenticate(bearer(tokens))
        return await self.admit_as(found, scope, operation)

    async def admit_as(
        self, found: Caller | Refused, scope: Scope, operation: str | None
    ) -> Admitted:
        """The same for somebody who was looked at already."""
        _, forwarded = _said(scope)
        identity = _identity(found, self._address(scope, forwarded))
        outcome = await self._quota.take(identity, self.charges.of(operation))
        self._refuse(outcome)
        if isinstance(found, Refused):
            raise NotAuthenticated(found.reason)
        return Admitted(found, identity, quota_fields(outcome.allowances))

    def admit_at_once(
        self, scope: Scope, tokens: list[str], forwarded: list[str], operation: str
    ) -> Fields | None:
        """What the answer says of the quota, if caller and quota are known here, else None."""
        caller = self._known(tokens)
        if caller is None:
            return None
        if not self._quota.counts:
            return ()
        sub = caller.sub
        identity = self._address(scope, forwarded) if sub is None else f"sub:{sub}"
        taken = self._quota.at_once(identity, self.charges.of(operation))
        return None if taken is None else quota_fields(taken.allowances)

    def _known(self, tokens: list[str]) -> Caller | None:
        if not tokens:
            return _ANONYMOUS if self._open else None
        scheme, _, token = tokens[0].partition(" ")
        if len(tokens) > 1 or scheme.lower() != "bearer":
            return None
        return self._verifier.at_once(token)

    def _refuse(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Spent):
            return
        name = policy_name(outcome.rate)
        self._telemetry.quota_spent(name, refused=not self.charges.dry_run)
        if self.charges.dry_run:
            log.info("quota.would_refuse", policy=name)
            return
        fields = {name.decode(): value.decode() for name, value in quota_fields(outcome.allowances)}
        raise QuotaExceeded(outcome.rate, outcome.retry_after, fields, policy=name)

    def _address(self, scope: Scope, forwarded: list[str]) -> str:
        client = scope.get("client")
        return f"ip:{caller_address(client[0] if client else None, forwarded, self._hops)}"


def _said(scope: Scope) -> tuple[list[str], list[str]]:
    """The `Authorization` and the `X-Forwarded-For` fields of a request."""
    tokens, forwarded = [], []
    for name, value in scope["headers"]:
        if name == _AUTHORIZATION:
            tokens.append(value.decode("latin-1"))
        elif name == _FORWARDED:
            forwarded.append(value.decode("latin-1"))
    return tokens, forwarded


def _identity(found: Caller | Refused, address: str) -> str:
    match found:
        case Caller(sub=str(sub)):
            return f"sub:{sub}"
        case _:
            return address


def _telling(send: Send, fields: Fields) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *fields]
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
