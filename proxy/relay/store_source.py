"""The relay's source as our own store has it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ludo.store import keys
from ludo.store.feed import Feed
from ludo.store.games import Stored


class Asking(Protocol):
    """Whoever can have an unknown game fetched (`ludo.store.claims.Claims`)."""

    async def ask(self, game_id: str) -> None:
        """Ask that this game be fetched once."""
        ...


class Games(Protocol):
    """Wherever games are read (`ludo.store.library.Library`)."""

    async def load(self, game_id: str) -> Stored | None:
        """The game, hot or archived."""
        ...

    async def tips(self, game_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        """The places of those that Redis knows of."""
        ...

    async def room_games(self, room_codes: Sequence[str]) -> Mapping[str, str]:
        """The games that rooms play."""
        ...


class StoreSource:
    """Games from the store: feeds from Redis, games that are over from the archive too."""

    def __init__(self, games: Games, feed: Feed, asking: Asking) -> None:
        self._games = games
        self._feed = feed
        self._asking = asking

    async def load(self, game_id: str) -> Stored | None:
        """See `Source`."""
        return await self._games.load(game_id)

    async def tips(self, game_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        """See `Source`."""
        return await self._games.tips(game_ids)

    async def after(self, game_id: str, epoch: str, seq: int) -> Sequence[tuple[int, bytes]]:
        """See `Source`."""
        return await self._feed.in_epoch(game_id, epoch, seq)

    async def room_games(self, room_codes: Sequence[str]) -> Mapping[str, str]:
        """See `Source`."""
        return await self._games.room_games(room_codes)

    async def ask(self, game_id: str) -> None:
        """See `Source`."""
        await self._asking.ask(game_id)

    def channel(self, game_id: str) -> str:
        """See `Source`."""
        return keys.channel(game_id)
