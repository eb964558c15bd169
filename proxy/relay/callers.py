"""Who listens: what the relay asks of whoever verifies tokens."""

from dataclasses import dataclass
from typing import Protocol

from proxy.relay.codes import Code


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may connect.

    `sub` is the token's subject, None for an anonymous caller; `exp` is in Unix milliseconds;
    `games` names the only games that may be watched, None for all; `issued` (Unix seconds) and
    `token_id` are what a revocation goes by.
    """

    sub: str | None = None
    exp: int | None = None
    games: frozenset[str] | None = None
    issued: int | None = None
    token_id: str | None = None

    def may_watch(self, game: str) -> bool:
        """Whether this caller may subscribe to a game."""
        return self.games is None or game in self.games


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody who may come in; `reason` is fit for the client.

    The token is bad, or missing where one is required, unless `code` says otherwise; `after` is
    in seconds.
    """

    reason: str
    code: Code = Code.BAD_TOKEN
    after: float = 0.0


class Authenticator(Protocol):
    """Verifies callers' tokens. Anonymous callers (None) pass in open mode only."""

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """Who this is; raises only if that cannot be found out now."""
        ...


class Anyone:
    """Lets anonymous callers in and refuses every token: what open mode is without a key."""

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """An anonymous caller, or a refusal of whatever token is shown."""
        if token is None:
            return Caller()
        return Refused("no key is configured to verify tokens with")
