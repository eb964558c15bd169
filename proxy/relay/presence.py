"""Tells every room who of its players is connected, over all nodes; at most once a second."""

import asyncio
from collections.abc import Mapping
from typing import Final

from ludo.store.presence import Presence, Seat
from proxy.relay.frames import SeatFrame
from proxy.relay.hub import Hub
from proxy.relay.keeper import Clock
from proxy.relay.limits import Limits
from proxy.relay.news import Attended
from proxy.relay.room import Room
from proxy.relay.rounds import rounds

_AT_ONCE: Final = 16

Told = tuple[frozenset[str], float]


class Presences:
    """Says whom this node has, as it changes and before its word expires; hears of the others."""

    def __init__(self, hub: Hub, presence: Presence, limits: Limits, clock: Clock) -> None:
        self._hub = hub
        self._presence = presence
        self._limits = limits
        self._clock = clock
        self._told: dict[Room, Told] = {}

    async def run(self) -> None:
        """Look for ever."""
        await rounds("presence", self._limits.look_every, asyncio.Event(), self.look)

    async def look(self) -> None:
        """Bring every room up to date; raises what Redis raises."""
        rooms = self._hub.rooms
        self._told = {room: self._told[room] for room in rooms if room in self._told}
        due = [(room, here) for room in rooms if self._is_due(room, here := room.players_here)]
        for start in range(0, len(due), _AT_ONCE):
            some = due[start : start + _AT_ONCE]
            await asyncio.gather(*(self._tell(room, here) for room, here in some))

    def _is_due(self, room: Room, here: frozenset[str]) -> bool:
        told, at = self._told.get(room, (frozenset(), float("-inf")))
        if room.place is None or (room.idle and not told):
            return False
        return here != told or self._clock() - at >= self._limits.tell_every

    async def _tell(self, room: Room, here: frozenset[str]) -> None:
        heard = room.times_attended
        async with asyncio.timeout(self._limits.source_within):
            seats = await self._presence.tell(room.game, here)
        now = self._clock()
        self._told[room] = (here, now)
        # What was published meanwhile may be newer than this answer, and says as much.
        if room.times_attended == heard:
            room.overhear(Attended(_frames(seats)), now)


def _frames(seats: Mapping[str, Seat]) -> dict[str, SeatFrame]:
    return {player: SeatFrame(seat.online, seat.since) for player, seat in seats.items()}
