"""Session tokens of registered players: JWTs (HS256), as upstream's are."""

from hashlib import sha256
from typing import Final

import jwt

_LIFETIME: Final = 24 * 3600


class SessionTokens:
    """Makes tokens with a secret that follows from the API key."""

    def __init__(self, api_key: str) -> None:
        self._secret = sha256(b"session:" + api_key.encode()).digest()

    def make(self, player_id: str, now: int) -> str:
        """A player's token from a moment (Unix milliseconds) on, for a day."""
        issued = now // 1000
        claims = {"sub": player_id, "iat": issued, "exp": issued + _LIFETIME}
        return jwt.encode(claims, self._secret, algorithm="HS256")
