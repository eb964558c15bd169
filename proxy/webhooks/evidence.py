"""What was refused, kept for a while: bounded in number, in size and in writes a second."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ludo.store import keys

QUEUED: Final = 256
KEPT: Final = 1_000
BODY_KEPT: Final = 16_384
PAUSE_S: Final = 0.1
"""Ten writes a second: a flood of forgeries costs Redis nothing that matters."""
_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")

log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused delivery with what is needed to check it again. `received_at` is Unix seconds."""

    reason: str
    received_at: float
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, reason: str, headers: Mapping[str, str], body: bytes, now: float) -> Self:
        """The evidence of one refusal; of the headers only the three that are verified."""
        kept = tuple((name, headers[name][:2048]) for name in _HEADERS if name in headers)
        return cls(reason, now, kept, body[:BODY_KEPT])


class Evidence:
    """Notes refusals without waiting; `run` writes them, one task a process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: asyncio.Queue[Rejected] = asyncio.Queue(maxsize=QUEUED)
        self.dropped = 0

    def note(self, rejected: Rejected) -> None:
        """Keeps the refusal if there is room; a flood is counted, not kept."""
        try:
            self._noted.put_nowait(rejected)
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Writes what was noted until cancelled."""
        while True:
            rejected = await self._noted.get()
            try:
                await self._redis.xadd(
                    keys.REJECTED,
                    {
                        "v": "1",
                        "reason": rejected.reason,
                        "received_at": str(rejected.received_at),
                        "body": rejected.body,
                        **dict(rejected.headers),
                    },
                    maxlen=KEPT,
                    approximate=True,
                )
            except (RedisError, OSError) as error:
                log.warning("evidence.not_written", error=repr(error))
            await asyncio.sleep(PAUSE_S)
