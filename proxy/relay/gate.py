"""Lets callers in: a good token, not revoked, and not too many connections of one user."""

import asyncio

import structlog

from proxy.errors import KeysUnavailable
from proxy.orders import OrderWatch
from proxy.relay.attendance import Attendance
from proxy.relay.callers import Authenticator, Caller, Refused
from proxy.relay.codes import Code
from proxy.relay.limits import Limits

log = structlog.get_logger()

_COME_BACK_AFTER = 2.0


class Pass:
    """What one connection holds of the gate; `user` is whom it counts for."""

    __slots__ = ("user",)

    def __init__(self) -> None:
        self.user: str | None = None


class Gate:
    """Decides who comes in; `leave` has to be called for every connection that ends."""

    def __init__(
        self,
        authenticator: Authenticator,
        attendance: Attendance,
        orders: OrderWatch,
        limits: Limits,
    ) -> None:
        self._authenticator = authenticator
        self._attendance = attendance
        self._orders = orders
        self._limits = limits

    async def admit(self, token: str | None, held: Pass) -> Caller | Refused:
        """Who this is, or why he may not come in; never raises but for a cancellation or a bug."""
        try:
            async with asyncio.timeout(self._limits.authenticate_within):
                found = await self._authenticator.authenticate(token)
        except (KeysUnavailable, TimeoutError) as error:
            log.warning("relay.token_not_verified", error=repr(error))
            reason = "the token cannot be verified now"
            return Refused(reason, Code.INTERNAL, _COME_BACK_AFTER)
        return found if isinstance(found, Refused) else await self.enter(found, held)

    async def enter(self, caller: Caller, held: Pass) -> Caller | Refused:
        """Counts a connection of somebody whose token is good, unless he has too many."""
        if caller.sub is not None and held.user is None:
            if not await self._attendance.enter(caller.sub):
                most = self._limits.user_connections
                reason = f"expected at most {most} connections of one user"
                return Refused(reason, Code.CONNECTION_LIMIT)
            held.user = caller.sub
        # Looked at last: an order that came while we waited found no connection to end.
        if self._orders.forbids(caller):
            return Refused("the token was revoked")
        return caller

    def leave(self, held: Pass) -> None:
        """Gives back what a connection holds."""
        if held.user is not None:
            self._attendance.leave(held.user)
            held.user = None
