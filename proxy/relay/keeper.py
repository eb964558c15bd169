"""Does the chores of one room: what has to be awaited for it, one after another."""

import asyncio
from collections.abc import Callable
from typing import Final, assert_never

from proxy.relay.limits import Limits
from proxy.relay.news import Delta, read_delta
from proxy.relay.resume import REPLAY_AT_MOST
from proxy.relay.room import Fill, Load, Open, Room
from proxy.relay.snapshot import Snapshot, take
from proxy.relay.source import Place, Source

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.25

Clock = Callable[[], float]


async def keep(room: Room, source: Source, limits: Limits, clock: Clock) -> None:
    """Return when the room has no chores left; raises what the source raises.

    What was read before the link to Redis was lost is thrown away: something may have been
    published in between that nobody heard.
    """
    while (chore := room.chore()) is not None:
        link = room.link
        match chore:
            case Open():
                opened = await _open(room.game, source, limits, clock)
                if room.link != link:
                    continue
                if opened is None:
                    room.absent(clock())
                else:
                    room.open(*opened, clock())
            case Fill(place):
                deltas = await _after(room.game, place, source, limits)
                if room.link == link:
                    room.fill(deltas, clock())
            case Load(place):
                snapshot = await _load(room.game, source, limits)
                if room.link == link:
                    room.load(snapshot, place, clock())
            case _:
                assert_never(chore)


async def _open(
    game: str, source: Source, limits: Limits, clock: Clock
) -> tuple[Snapshot, list[Delta]] | None:
    snapshot = await _load(game, source, limits)
    if snapshot is None:
        snapshot = await _wait_for(game, source, limits, clock)
    if snapshot is None:
        return None
    place = snapshot.place
    since = Place(place.epoch, max(0, place.seq - REPLAY_AT_MOST))
    return snapshot, await _after(game, since, source, limits)


async def _wait_for(game: str, source: Source, limits: Limits, clock: Clock) -> Snapshot | None:
    """Have an unknown game fetched, and look for it for a while."""
    deadline = clock() + limits.unknown_for
    async with asyncio.timeout(limits.source_within):
        await source.ask(game)
    pause = _FIRST_PAUSE
    while clock() < deadline:
        await asyncio.sleep(min(pause, max(0.0, deadline - clock())))
        snapshot = await _load(game, source, limits)
        if snapshot is not None:
            return snapshot
        pause = min(2 * pause, _LONGEST_PAUSE)
    return None


async def _load(game: str, source: Source, limits: Limits) -> Snapshot | None:
    async with asyncio.timeout(limits.source_within):
        stored = await source.load(game)
    return None if stored is None else take(game, stored)


async def _after(game: str, place: Place, source: Source, limits: Limits) -> list[Delta]:
    async with asyncio.timeout(limits.source_within):
        frames = await source.after(game, place.epoch, place.seq)
    return [read_delta(place.epoch, seq, frame) for seq, frame in frames]
