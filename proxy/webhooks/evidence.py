"""Notes refusals for the evidence ring: bounded in number, in size and in writes a second."""

import asyncio
from typing import Final

import structlog
from redis.exceptions import RedisError

from ludo.store.rejected import Rejected, RejectedRing

QUEUED: Final = 256
PAUSE_S: Final = 0.1
"""Ten writes a second: a flood of forgeries costs Redis nothing that matters."""

log = structlog.get_logger("webhooks")


class Evidence:
    """Notes refusals without waiting; `run` writes them, one task a process."""

    def __init__(self, ring: RejectedRing) -> None:
        self._ring = ring
        self._noted: asyncio.Queue[Rejected] = asyncio.Queue(maxsize=QUEUED)
        self.dropped = 0

    @property
    def noted(self) -> int:
        """How many wait to be written."""
        return self._noted.qsize()

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
                await self._ring.add(rejected)
            except (RedisError, OSError) as error:
                log.warning("evidence.not_written", error=repr(error))
            await asyncio.sleep(PAUSE_S)
