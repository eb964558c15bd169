"""The rooms of this process: opened by the first listener, closed a while after the last."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from ludo.tasks import end
from proxy.relay.keeper import Clock, keep
from proxy.relay.limits import Limits
from proxy.relay.listener import Ask, Listener
from proxy.relay.news import Attended, Garbled, Talk, read_news
from proxy.relay.room import Room
from proxy.relay.source import Source

log = structlog.get_logger()


class Tuner(Protocol):
    """Whoever subscribes to channels for us."""

    def want(self, channel: str) -> bool:
        """Subscribe, and stay subscribed over every loss of the link; True: it is already so."""
        ...

    def unwant(self, channel: str) -> None:
        """Subscribe no longer."""
        ...


class Hub:
    """Brings listeners, channels and the store together, one room a game.

    A room outlives its last listener by `linger`, so that a herd that comes back finds it warm.
    `elsewhere` is given the channels that are no game's.
    """

    def __init__(
        self,
        source: Source,
        tuner: Tuner,
        limits: Limits,
        clock: Clock,
        elsewhere: Callable[[str], None] = lambda _channel: None,
    ) -> None:
        self._source = source
        self._tuner = tuner
        self._limits = limits
        self._clock = clock
        self._elsewhere = elsewhere
        self._rooms: dict[str, Room] = {}
        self._by_channel: dict[str, Room] = {}
        self._keepers: dict[Room, asyncio.Task[None]] = {}
        self._idle_since: dict[Room, float] = {}

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Every room that is open."""
        return tuple(self._rooms.values())

    def join(self, game: str, listener: Listener, ask: Ask) -> None:
        """Let somebody listen to a game; the room answers him, now or later."""
        room = self._rooms.get(game)
        if room is None:
            room = self._open(game)
        self._idle_since.pop(room, None)
        room.join(listener, ask, self._clock())
        self.look_after(room)

    def leave(self, game: str, listener: Listener) -> None:
        """Nothing more of this game for him."""
        room = self._rooms.get(game)
        if room is not None:
            room.leave(listener)

    def look_after(self, room: Room) -> None:
        """See that somebody does this room's chores."""
        if room not in self._keepers and room.chore() is not None:
            task = asyncio.create_task(keep(room, self._source, self._limits, self._clock))
            self._keepers[room] = task
            task.add_done_callback(lambda done: self._kept(room, done))

    def sweep(self) -> None:
        """Close the rooms that nobody has been in for a while; look after the others."""
        now = self._clock()
        for room in self.rooms:
            if room.idle and room not in self._keepers:
                if now - self._idle_since.setdefault(room, now) >= self._limits.linger:
                    self._close(room)
            else:
                self._idle_since.pop(room, None)
                self.look_after(room)

    async def aclose(self) -> None:
        """End what is being awaited, and forget every room."""
        await end(*self._keepers.values())
        for room in self.rooms:
            self._close(room)

    # ---- what the reader tells

    def tuned(self, channel: str) -> None:
        """From now on nothing published on this channel is missed."""
        room = self._by_channel.get(channel)
        if room is not None:
            room.tuned = True
            self.look_after(room)

    def deafened(self, channels: Iterable[str]) -> None:
        """These channels are not listened to at the moment."""
        for channel in channels:
            room = self._by_channel.get(channel)
            if room is not None:
                room.deafen()

    def heard(self, channel: str, payload: bytes) -> None:
        """Something was published."""
        room = self._by_channel.get(channel)
        if room is None:
            self._elsewhere(channel)
            return
        match news := read_news(payload):
            case Garbled(reason):
                log.warning("relay.message_unreadable", game=room.game, reason=reason)
            case Talk() | Attended():
                room.overhear(news, self._clock())
            case _:
                room.hear(news, self._clock())
                self.look_after(room)

    def _open(self, game: str) -> Room:
        room = Room(game, self._limits)
        channel = self._source.channel(game)
        self._rooms[game] = self._by_channel[channel] = room
        room.tuned = self._tuner.want(channel)
        return room

    def _close(self, room: Room) -> None:
        channel = self._source.channel(room.game)
        self._rooms.pop(room.game, None)
        self._by_channel.pop(channel, None)
        self._idle_since.pop(room, None)
        self._tuner.unwant(channel)

    def _kept(self, room: Room, done: asyncio.Task[None]) -> None:
        del self._keepers[room]
        if done.cancelled():
            return
        if done.exception() is not None:
            # The next audit looks after the room again; until then its listeners wait.
            log.warning("relay.store_unreachable", game=room.game, error=repr(done.exception()))
        else:
            self.look_after(room)
