"""Clients of rooms that play no game yet: they are told when one begins."""

import asyncio
from typing import Final, Protocol

from proxy.relay.limits import Limits
from proxy.relay.rounds import rounds
from proxy.relay.source import Source

_AT_ONCE: Final = 500


class Guest(Protocol):
    """Somebody who waits for his room's game."""

    def adopt(self, game: str) -> None:
        """The room has begun to play this game."""
        ...


class Lobby:
    """Looks for the games of all rooms that are waited for, a few round trips a second."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._guests: dict[str, set[Guest]] = {}
        self._nudged = asyncio.Event()

    def __len__(self) -> int:
        return len(self._guests)

    def wait(self, room: str, guest: Guest) -> None:
        """Tell this guest when the room begins to play."""
        self._guests.setdefault(room, set()).add(guest)
        self._nudged.set()

    def leave(self, room: str, guest: Guest) -> None:
        """He is gone."""
        guests = self._guests.get(room)
        if guests is not None:
            guests.discard(guest)
            if not guests:
                del self._guests[room]

    async def run(self) -> None:
        """Look for ever."""
        await rounds("lobby", self._limits.look_every, self._nudged, self.look)

    async def look(self) -> None:
        """Look for every room's game once; raises what the source raises."""
        rooms = list(self._guests)
        for start in range(0, len(rooms), _AT_ONCE):
            async with asyncio.timeout(self._limits.source_within):
                found = await self._source.room_games(rooms[start : start + _AT_ONCE])
            for room, game in found.items():
                for guest in self._guests.pop(room, ()):
                    guest.adopt(game)
