"""Tokens that were verified before, so that a caller's signature is not computed at each request.

A token is remembered until it expires, and only for as long as the keys that it was verified with
are the ones that count: when published keys are fetched again, every token is verified again.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from proxy.relay.callers import Authenticator, Caller, Refused

MOST_TOKENS: Final = 10_000


class RememberingVerifier:
    """Verifies tokens as `verifier` does; bounded in what it remembers.

    `keys` names the set of keys that counts now, None if it has to be fetched first. `wall` gives
    Unix seconds; `forbids` says whether a token was revoked meanwhile. Tokens are remembered by
    their digest, not as they are.
    """

    def __init__(
        self,
        verifier: Authenticator,
        keys: Callable[[], int | None] = lambda: 0,
        wall: Callable[[], float] = time.time,
        forbids: Callable[[Caller], bool] = lambda _caller: False,
    ) -> None:
        self._verifier = verifier
        self._keys = keys
        self._wall = wall
        self._forbids = forbids
        self._known: OrderedDict[bytes, tuple[int, Caller]] = OrderedDict()

    def at_once(self, token: str) -> Caller | None:
        """Who this is; None for a token that has to be verified."""
        digest = _digest(token)
        keys, caller = self._known.get(digest, (None, None))
        if caller is None or caller.exp is None:
            return None
        ended = caller.exp <= self._wall() * 1000 or self._forbids(caller)
        if ended or keys != self._keys():
            del self._known[digest]
            return None
        return caller

    async def authenticate(self, token: str | None) -> Caller | Refused:
        """Who this is; raises KeysUnavailable if the published keys cannot be fetched now."""
        if token is None:
            return await self._verifier.authenticate(None)
        known = self.at_once(token)
        if known is not None:
            return known
        found = await self._verifier.authenticate(token)
        keys = self._keys()
        if isinstance(found, Caller) and keys is not None:
            self._known[_digest(token)] = keys, found
            if len(self._known) > MOST_TOKENS:
                self._known.popitem(last=False)
        return found


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "surrogateescape"), digest_size=20).digest()
