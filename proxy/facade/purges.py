"""Hears of purges, so that this process' layer forgets what they cover."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog
from redis.asyncio import Redis

from ludo.store import keys
from proxy.facade.layer import MOST_BYTES, Layer
from proxy.relay.reader import Reader as Link

PING_EVERY_S: Final = 0.25
HEARD_WITHIN_S: Final = 1.0
"""A link that has been silent for longer may be dead: four pings went unanswered."""

log = structlog.get_logger("facade")


class Purges:
    """Owns the layer and the link that keeps it honest; `run` listens until it is cancelled.

    `connect` gives a client made with `proxy.relay.reader.LINK`.
    """

    def __init__(
        self,
        connect: Callable[[], Redis],
        clock: Callable[[], float],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._clock = clock
        self._link = Link(connect, clock, ping_every=PING_EVERY_S)
        self._tuned = False
        self.layer = Layer(clock, self.hears, most_bytes=most_bytes)

    def hears(self) -> bool:
        """Whether every purge of the last moments has arrived here."""
        heard = self._link.heard_at
        return self._tuned and heard is not None and self._clock() - heard < HEARD_WITHIN_S

    async def run(self) -> None:
        """Listen for ever."""
        self._link.want(keys.PURGED)
        try:
            await self._link.run(self, self._linked)
        finally:
            self.deafened(())

    def tuned(self, channel: str) -> None:
        """See `proxy.relay.reader.Audience`."""

    def deafened(self, channels: Iterable[str]) -> None:  # noqa: ARG002
        """The link is lost: nothing in the layer counts any more."""
        self._tuned = False
        self.layer.clear()

    def heard(self, channel: str, payload: bytes) -> None:  # noqa: ARG002
        """A tag was purged somewhere."""
        self.layer.purge(payload.decode(errors="replace"))

    def _linked(self) -> None:
        self.layer.clear()
        self._tuned = True
