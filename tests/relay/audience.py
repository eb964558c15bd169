"""Many clients of one deployment, and how long they take to have the truth again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from ludo.relay import Delta, Place, Relay, RelayError, Snapshot
from ludo.tasks import end
from tests.relay.scribe import Scribe


@dataclass
class Viewer:
    """One client; counts what must never happen."""

    relay: Relay
    games: Sequence[str]
    at: dict[str, Place] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, int, float]] = field(default_factory=list)
    """Each delta with the time at which it came."""

    async def watch(self) -> None:
        """Take every change, and check that each is the next."""
        clock = asyncio.get_running_loop().time
        async for change in self.relay.watch(*self.games):
            match change:
                case Snapshot(game=game, place=place):
                    self.seen["snapshots"] += 1
                    self.at[game] = place
                case Delta(game=game, seq=seq):
                    before = self.at[game]
                    self.seen["missed"] += max(0, seq - before.seq - 1)
                    self.seen["doubled"] += seq <= before.seq
                    self.seen["deltas"] += 1
                    self.at[game] = Place(before.epoch, seq)
                    self.log.append((game, seq, clock()))
                case _:
                    pass

    def has(self, game: Scribe) -> bool:
        """Whether this client's state is the game's."""
        held = self.relay.snapshot(game.game)
        return held is not None and held.state == game.state


@dataclass
class Audience:
    """All of them."""

    viewers: list[Viewer]

    def total(self, what: str) -> int:
        """The sum of one count."""
        return sum(viewer.seen[what] for viewer in self.viewers)

    async def until_all_have(self, games: Sequence[Scribe], within: float) -> float:
        """Wait until every client equals every game that it watches; the seconds that took."""
        clock = asyncio.get_running_loop().time
        by_name = {game.game: game for game in games}
        begun = clock()
        while behind := [v for v in self.viewers if not all(v.has(by_name[g]) for g in v.games)]:
            took = clock() - begun
            assert took < within, f"{len(behind)} clients differ after {took:.1f} s"
            await asyncio.sleep(0.02)
        return clock() - begun


@asynccontextmanager
async def seated(
    url: str, count: int, games: Sequence[str], each: int = 1
) -> AsyncIterator[Audience]:
    """So many clients, each of which watches so many of the games."""
    viewers = []
    for number in range(count):
        chosen = [games[(number + n) % len(games)] for n in range(each)]
        viewers.append(Viewer(Relay(url, chance=Random(number)), chosen))
    tasks = []
    try:
        for viewer in viewers:
            await viewer.relay.__aenter__()
            tasks.append(asyncio.create_task(viewer.watch()))
            await asyncio.sleep(0.006)  # 200 newcomers a second are admitted
        yield Audience(viewers)
    finally:
        await end(*tasks)
        with suppress(RelayError):
            await asyncio.gather(*(v.relay.__aexit__(None, None, None) for v in viewers))
