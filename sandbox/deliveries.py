"""One delivery: a signed POST to the receiver (Standard Webhooks 1.0.0)."""

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp
import httpx

from ludo.upstream.keyring import SigningKey
from ludo.upstream.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from sandbox.retry import Reply
from sandbox.sending import Sending

_DEADLINE: Final = 15.0
"""Seconds after which nobody waits for the receiver's answer any more."""


class Deliveries:
    """Delivers to one address with one key; `now` gives Unix seconds. The client is the caller's"""

    def __init__(
        self, client: httpx.AsyncClient, url: str, key: SigningKey, now: Callable[[], float]
    ) -> None:
        self._client = client
        self._url = url
        self._key = key
        self._now = now

    async def attempt(self, sending: Sending, attempt: int) -> Reply:
        """Deliver once; no answer at all, for whatever reason, is a Reply with status 0."""
        body, tampered = sending.body, attempt == 1 and sending.tamper_at is not None
        timestamp = int(self._now())
        headers = {
            "content-type": "application/json",
            "user-agent": "ludo-sandbox",
            ID_HEADER: sending.webhook_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._key, sending.webhook_id, timestamp, body),
        }
        content = _tampered(body, sending.tamper_at or 0) if tampered else body
        try:
            async with asyncio.timeout(_DEADLINE):
                answer = await self._client.post(self._url, content=content, headers=headers)
        except (httpx.HTTPError, aiohttp.ClientError, OSError):
            return Reply(0)
        return Reply(answer.status_code, _seconds(answer.headers.get("retry-after", "")))


def _tampered(body: bytes, at: int) -> bytes:
    """The body with one bit of one byte turned over."""
    changed = bytearray(body)
    changed[at] ^= 1
    return bytes(changed)


def _seconds(retry_after: str) -> float | None:
    """Retry-After in its seconds form; the date form is no sender's habit and counts as none."""
    return float(retry_after) if retry_after.isdecimal() else None
