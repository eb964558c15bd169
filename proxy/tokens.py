"""`POST /token`, with LUDO_DEV=1 only: a token for whoever asks, to try things out."""

import time
from typing import Annotated, Any, Final

import jwt
import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from proxy.auth import SHARED_ALGORITHM

LONGEST_S: Final = 86_400


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
        expires = int(time.time()) + data.lifetime
        claims: dict[str, Any] = {"sub": data.player_id, "exp": expires}
        if data.games is not None:
            claims["games"] = data.games
        token = jwt.encode(claims, secret, algorithm=SHARED_ALGORITHM)
        answer = {"success": True, "data": {"token": token, "expiresAt": expires * 1000}}
        return Response(answer, headers={"Cache-Control": "no-store"})

    return make_token
