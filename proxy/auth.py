"""Who is calling: JSON Web Tokens, verified with our secret or a published key.

A token's claims are `sub` (the player's id), `exp` and, optionally, `games` (the only games that
may be watched). A bad token is refused in open mode too: nobody is made anonymous by mistake.
"""

from dataclasses import dataclass
from typing import Any, Final

import jwt
from jwt import ExpiredSignatureError, InvalidTokenError, PyJWK

from proxy.config import Access, ProxyConfig
from proxy.errors import NotAuthenticated
from proxy.jwks import PUBLIC_ALGORITHMS, PublishedKeys
from proxy.relay.callers import Caller, Refused
from proxy.relay.codes import Code

SHARED_ALGORITHM: Final = "HS256"
MAX_TOKEN: Final = 8_192
_LEEWAY_S: Final = 5


class BadToken(Exception):
    """A token that proves nothing; the message is fit for the caller."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies callers' tokens; `secret` and `published` are what is configured."""

    access: Access
    secret: str | None = None
    published: PublishedKeys | None = None

    @classmethod
    def of(cls, config: ProxyConfig, published: PublishedKeys | None) -> "Verifier":
        """The verifier that the settings describe."""
        secret = config.jwt_secret
        return cls(config.access, secret.get_secret_value() if secret else None, published)

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """Who this is; raises KeysUnavailable if the published keys cannot be fetched now."""
        if token is None:
            if self.access is Access.OPEN:
                return Caller()
            return Refused("expected a token; found none")
        try:
            return _caller(await self._claims(token))
        except ExpiredSignatureError:
            reason = "expected a valid token; found one that has expired"
            return Refused(reason, Code.TOKEN_EXPIRED)
        except InvalidTokenError as error:
            return Refused(f"expected a valid token; found: {_lowered(error)}")
        except BadToken as error:
            return Refused(str(error))

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise BadToken(f"expected a token of at most {MAX_TOKEN} characters")
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm == SHARED_ALGORITHM and self.secret is not None:
            return _decoded(token, self.secret, SHARED_ALGORITHM)
        if algorithm in PUBLIC_ALGORITHMS and self.published is not None:
            key = await self.published.find(header.get("kid"), algorithm)
            if key is None:
                raise BadToken("expected a token signed with a published key; found another")
            return _decoded(token, key, algorithm)
        raise BadToken("expected a token signed as configured here; found another algorithm")


def _decoded(token: str, key: str | PyJWK, algorithm: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        leeway=_LEEWAY_S,
        # Tokens of one issuer serve several audiences; which ones is not ours to say.
        options={"require": ["exp", "sub"], "verify_aud": False},
    )


def _caller(claims: dict[str, Any]) -> Caller:
    sub, games = claims["sub"], claims.get("games")
    if not sub:
        raise BadToken("expected the claim `sub` to name a player; found an empty one")
    if games is not None and not _is_list_of_text(games):
        raise BadToken("expected the claim `games` to be a list of game ids")
    return Caller(
        sub=sub,
        exp=int(claims["exp"]) * 1000,
        games=None if games is None else frozenset(games),
        issued=int(claims["iat"]) if "iat" in claims else None,
        token_id=claims.get("jti"),
    )


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _lowered(error: InvalidTokenError) -> str:
    text = str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


def bearer(values: list[str]) -> str | None:
    """The token of the `Authorization` headers of a request; None if there is no such header.

    Raises NotAuthenticated for anything but one `Bearer <token>` (RFC 6750 §2.1).
    """
    if not values:
        return None
    scheme, _, token = values[0].strip().partition(" ")
    token = token.strip()
    if len(values) > 1 or scheme.lower() != "bearer" or not token or " " in token:
        raise NotAuthenticated("expected one header `Authorization: Bearer <token>`")
    return token
