"""Finds what the pub/sub link lost without a word: each second all tips are compared."""

import asyncio

import structlog

from proxy.relay.hub import Hub
from proxy.relay.keeper import Clock
from proxy.relay.limits import Limits
from proxy.relay.room import Room
from proxy.relay.source import Place, Source

log = structlog.get_logger()

_AT_ONCE = 500
"""Tips a round trip."""
_ASK_AGAIN = 5.0
"""Seconds until a game that is still unknown is asked for again: the question may be lost too."""


class Auditor:
    """Compares every room with Redis, periodically and when it is nudged."""

    def __init__(self, hub: Hub, source: Source, limits: Limits, clock: Clock) -> None:
        self._hub = hub
        self._source = source
        self._limits = limits
        self._clock = clock
        self._nudged = asyncio.Event()
        self._asked: dict[str, float] = {}

    def nudge(self) -> None:
        """Look at once: rooms wait for it."""
        self._nudged.set()

    async def run(self) -> None:
        """Audit for ever."""
        while True:
            self._nudged.clear()
            try:
                await self.audit()
            except Exception as error:  # the last line of defence must not end
                log.warning("relay.audit_failed", error=repr(error))
            self._hub.sweep()
            try:
                async with asyncio.timeout(self._limits.audit_every):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def audit(self) -> None:
        """Compare each open room's place with its tip; raises what the source raises."""
        open_rooms = [(room, room.place) for room in self._hub.rooms if room.tuned]
        places = [(room, place, room.link) for room, place in open_rooms if place is not None]
        games = {room.game for room in self._hub.rooms}
        self._asked = {game: at for game, at in self._asked.items() if game in games}
        for start in range(0, len(places), _AT_ONCE):
            await self._compare(places[start : start + _AT_ONCE])

    async def _compare(self, places: list[tuple[Room, Place, int]]) -> None:
        async with asyncio.timeout(self._limits.source_within):
            tips = await self._source.tips([room.game for room, _, _ in places])
        for room, before, link in places:
            if room.link != link:
                continue
            tip = tips.get(room.game)
            room.audit(before, None if tip is None else Place(*tip), self._clock())
            self._hub.look_after(room)
        for room, _, _ in places:
            await self._have_fetched(room, room.game in tips)

    async def _have_fetched(self, room: Room, known: bool) -> None:
        """Ask for a game whose mirror has vanished under its listeners, until it is known again."""
        if known:
            self._asked.pop(room.game, None)
        elif not room.idle and self._asked.get(room.game, 0.0) <= self._clock():
            self._asked[room.game] = self._clock() + _ASK_AGAIN
            async with asyncio.timeout(self._limits.source_within):
                await self._source.ask(room.game)
