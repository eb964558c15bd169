"""Tokens for development: signed here, for whoever asks.

`POST /token` is there with LUDO_DEV=1 only; `ludo-proxy token` needs the secret.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import jwt
import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from proxy.auth import SHARED_ALGORITHM

LONGEST_S: Final = 86_400
_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Signed:
    """A token; `expires` in Unix seconds, `token_id` is what it can be revoked by."""

    token: str
    expires: int
    token_id: str


def sign(
    secret: str, player: str, games: Sequence[str] | None, lifetime: int, now: float
) -> Signed:
    """A token of a player, for all games or some, good for `lifetime` seconds."""
    issued, token_id = int(now), secrets.token_hex(_ID_BYTES)
    expires = issued + lifetime
    claims: dict[str, Any] = {"sub": player, "iat": issued, "exp": expires, "jti": token_id}
    if games is not None:
        claims["games"] = list(games)
    return Signed(jwt.encode(claims, secret, algorithm=SHARED_ALGORITHM), expires, token_id)


class Wanted(msgspec.Struct, rename="camel"):
    """Whose token it is to be, for which games (all), for how many seconds."""

    player_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    games: list[str] | None = None
    lifetime: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_S)] = 3_600


def token_route(secret: str) -> HTTPRouteHandler:
    """The route that signs with this secret."""

    @post("/token", tags=["development"], operation_id="MakeToken", status_code=200)
    async def make_token(data: JSONBody[Wanted]) -> Response[dict[str, Any]]:
        """A token for any player. Never in production."""
        signed = sign(secret, data.player_id, data.games, data.lifetime, time.time())
        told = {"token": signed.token, "expiresAt": signed.expires * 1000}
        headers = {"Cache-Control": "no-store"}
        return Response({"success": True, "data": told}, headers=headers)

    return make_token
