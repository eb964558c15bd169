"""Callers for tests: a token is somebody's name."""

from dataclasses import dataclass

from proxy.relay.callers import Caller, Refused


@dataclass
class Names:
    """Takes a token for its bearer's name; `strict` lets nobody in without one."""

    strict: bool = False

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """See `Authenticator`."""
        if token is None:
            return Refused("who are you?") if self.strict else Caller()
        return Caller(token, issued=0, token_id=f"id-of-{token}")
