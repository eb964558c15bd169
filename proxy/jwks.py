"""The published keys that callers' tokens are signed with (RFC 7517), fetched when needed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import structlog
from jwt import PyJWK, PyJWKSet, PyJWKSetError

from proxy.errors import KeysUnavailable

PUBLIC_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
FRESH_S: Final = 300.0
"""How long the keys count before they are fetched again."""
PAUSE_S: Final = 10.0
"""Tokens with invented key ids make us fetch no more often than this."""
TIMEOUT_S: Final = 3.0
MAX_BYTES: Final = 262_144

log = structlog.get_logger("auth")


class PublishedKeys:
    """The keys of one JWKS address; one fetch at a time, the last good ones outlive failures.

    Close it with `aclose`.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, follow_redirects=False
        )
        self._clock = clock
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._fetches = 0
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key under this id, or None; raises KeysUnavailable if none was ever fetched."""
        if self._is_due(key_id):
            async with self._lock:
                if self._is_due(key_id):
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable("the keys of tokens cannot be fetched now; ask again")
        key = self._keys.get(key_id)
        if key is None or (key.algorithm_name or algorithm) != algorithm:
            return None
        return key

    def current(self) -> int | None:
        """The number of the fetch that brought the keys, None when they are due to be fetched."""
        due = self._clock() - self._fetched > FRESH_S and self._clock() - self._tried > PAUSE_S
        return None if due else self._fetches

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _is_due(self, key_id: str | None) -> bool:
        now = self._clock()
        wanted = now - self._fetched > FRESH_S or key_id not in self._keys
        return wanted and now - self._tried > PAUSE_S

    async def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._client.get(self._url)
            self._keys = _keys_of(answer)
            self._fetched = self._clock()
            self._fetches += 1
        except (httpx.HTTPError, TimeoutError, ValueError, PyJWKSetError) as error:
            log.warning("jwks.not_fetched", error=repr(error))


def _keys_of(answer: httpx.Response) -> Mapping[str | None, PyJWK]:
    answer.raise_for_status()
    if len(answer.content) > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES} bytes of keys")
    document: Any = answer.json()
    keys = PyJWKSet.from_dict(document).keys
    return {key.key_id: key for key in keys if key.public_key_use in (None, "sig")}
