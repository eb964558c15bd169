"""Games that never run out: as one ends the next begins, for the demo and for load."""

import asyncio
from itertools import count, islice
from random import Random

from ludo.rules.ruleset import GameMode
from sandbox import chance
from sandbox.lobby import Lobby, Order
from sandbox.playing import Playing


def order(seed: str, number: int) -> Order:
    """The bots' game of that number: what it is like follows from the seed."""
    room = f"{seed}:game:{number}"
    taste = Random(chance.number(room, "taste"))
    players = taste.choice((2, 3, 4, 4))
    modes = (GameMode.CLASSIC, GameMode.CLASSIC, GameMode.RANKED, GameMode.QUICK)
    return Order(players, taste.choice(modes), bots=players, seed=room, autostart=True)


class Continuous:
    """Bots' games one after another, until there were `total` of them (None: for ever)."""

    def __init__(self, lobby: Lobby, playing: Playing, seed: str, total: int | None) -> None:
        self._lobby = lobby
        self._playing = playing
        self._seed = seed
        self._numbers = count(1) if total is None else islice(count(1), total)
        self.over = False

    async def run(self, at_once: int) -> None:
        """Keep so many games running at once; returns when the last one has ended."""
        try:
            async with asyncio.TaskGroup() as tables:
                for _ in range(at_once):
                    tables.create_task(self._one_after_another())
        finally:
            self.over = True

    async def _one_after_another(self) -> None:
        for number in self._numbers:
            await self._playing.ended(self._lobby.open(order(self._seed, number)))
