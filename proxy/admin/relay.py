"""`/admin/relay`: revoke tokens and send clients away, on every replica within a second."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from ludo.store.orders import KEPT_S, LONGEST_S, Kick, Orders, Revoke
from proxy.errors import BadRequest

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Revocation(msgspec.Struct, rename="camel"):
    """Whose tokens end, or which one (its `jti`), and for how many seconds that is remembered.

    Of a player, those end that were issued until now; one without `iat` counts as issued before.
    """

    player_id: _Name | None = None
    token_id: _Name | None = None
    lifetime: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_S)] = KEPT_S


class Expulsion(msgspec.Struct, rename="camel"):
    """Whose connections end, or which one; the tokens stay good."""

    player_id: _Name | None = None
    conn: _Name | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=120)] = "sent away by an operator"


@post(
    "/relay/revoke",
    operation_id="RevokeTokens",
    summary="Refuse a player's tokens from now on, or one token, and end their connections",
    status_code=200,
)
async def revoke(data: JSONBody[Revocation], orders: NamedDependency[Orders]) -> Response[Any]:
    """Connections end with 4500. Keep `lifetime` at least as long as your tokens live."""
    if (data.player_id is None) == (data.token_id is None):
        raise BadRequest("expected either playerId or tokenId")
    await orders.give(Revoke(player=data.player_id, token=data.token_id), data.lifetime)
    return Response({"success": True, "data": {"lifetime": data.lifetime}})


@post(
    "/relay/kick",
    operation_id="KickClients",
    summary="End a player's connections, or one connection",
    status_code=200,
)
async def kick(data: JSONBody[Expulsion], orders: NamedDependency[Orders]) -> Response[Any]:
    """They end with 4507 and do not come back by themselves."""
    if (data.player_id is None) == (data.conn is None):
        raise BadRequest("expected either playerId or conn")
    await orders.give(Kick(player=data.player_id, conn=data.conn, reason=data.reason))
    return Response({"success": True, "data": {}})


RELAY: Final[tuple[HTTPRouteHandler, ...]] = (revoke, kick)
