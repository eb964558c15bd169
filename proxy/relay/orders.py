"""What an order of an operator does to the clients of this node."""

from collections.abc import Iterable
from typing import Protocol, assert_never

import structlog

from ludo.store.orders import Given, Kick, Revoke
from proxy.relay.callers import Caller
from proxy.relay.codes import Code

log = structlog.get_logger()


class Client(Protocol):
    """A connection as an order finds it."""

    @property
    def conn(self) -> str:
        """Its id."""
        ...

    @property
    def caller(self) -> Caller:
        """Whose it is."""
        ...

    def end(self, code: Code, reason: str, after: float = 0.0) -> None:
        """Say farewell and close now."""
        ...


def obey(given: Given, second: int, clients: Iterable[Client]) -> None:
    """End the connections that are meant by an order of this Unix second."""
    order = given.order
    match order:
        case Revoke():
            code, reason = Code.BAD_TOKEN, "the token was revoked"
            meant = [each for each in clients if _revokes(order, second, each.caller)]
        case Kick():
            code, reason = Code.KICKED, order.reason
            meant = [each for each in clients if _kicks(order, each)]
        case _:
            assert_never(order)
    log.info("relay.order_obeyed", order=type(order).__name__.lower(), clients=len(meant))
    for each in meant:
        each.end(code, reason)


def _revokes(order: Revoke, second: int, caller: Caller) -> bool:
    if order.token is not None and caller.token_id == order.token:
        return True
    mine = order.player is not None and caller.sub == order.player
    return mine and (caller.issued is None or caller.issued <= second)


def _kicks(order: Kick, client: Client) -> bool:
    mine = order.player is not None and client.caller.sub == order.player
    return mine or client.conn == order.conn
