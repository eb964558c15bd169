"""A source in memory that can be slow, or out of reach."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis.exceptions import ConnectionError as RedisConnectionError

from ludo.store.games import Stored


def stored(game: str, seq: int, epoch: str = "e") -> Stored:
    """A mirror in the store."""
    return Stored(game, epoch, seq, b'{"status":"playing"}', as_of=1, stale=False, settled=True)


@dataclass
class Library:
    """Knows what it is given; counts what it is asked. While `shut` nothing can be read."""

    games: dict[str, Stored] = field(default_factory=dict)
    feeds: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    playing: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    reads: int = 0
    shut: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def load(self, game_id: str) -> Stored | None:
        """See `Source`."""
        found = self.games.get(game_id)
        await self._read()
        return found

    async def tips(self, game_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        """See `Source`."""
        await self._read()
        known = {name: self.games[name] for name in game_ids if name in self.games}
        return {name: (one.epoch, one.seq) for name, one in known.items()}

    async def after(self, game_id: str, epoch: str, seq: int) -> Sequence[tuple[int, bytes]]:
        """See `Source`."""
        await self._read()
        return [entry for entry in self.feeds.get(game_id, []) if entry[0] > seq]

    async def room_games(self, room_codes: Sequence[str]) -> Mapping[str, str]:
        """See `Source`."""
        await self._read()
        return {code: self.playing[code] for code in room_codes if code in self.playing}

    async def ask(self, game_id: str) -> None:
        """See `Source`."""
        await self._read()
        self.asked.append(game_id)

    def channel(self, game_id: str) -> str:
        """See `Source`."""
        return f"channel:{game_id}"

    async def _read(self) -> None:
        self.reads += 1
        await self.gate.wait()
        if self.shut:
            raise RedisConnectionError("out of reach")


@dataclass
class Radio:
    """A tuner whose channels are heard at once."""

    wanted: set[str] = field(default_factory=set)

    def want(self, channel: str) -> bool:
        """See `Tuner`."""
        self.wanted.add(channel)
        return True

    def unwant(self, channel: str) -> None:
        """See `Tuner`."""
        self.wanted.discard(channel)
