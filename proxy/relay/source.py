"""The seam to the store: where mirrors and feeds are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy of a game stands; places of different epochs cannot be compared."""

    epoch: str
    seq: int


class Stored(Protocol):
    """A mirror as it is stored."""

    @property
    def epoch(self) -> str:
        """With `seq`, its place."""
        ...

    @property
    def seq(self) -> int:
        """With `epoch`, its place."""
        ...

    @property
    def body_json(self) -> bytes:
        """The `data` of GET state, encoded."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """The `data` of GET state."""
        ...

    @property
    def as_of(self) -> int:
        """When it was last known to be true, in Unix milliseconds."""
        ...

    @property
    def stale(self) -> bool:
        """Whether upstream could not be asked since."""
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing more can happen in this game."""
        ...

    @property
    def placements(self) -> Sequence[str]:
        """All player ids, best first (R14)."""
        ...


class Source(Protocol):
    """Reads what the workers write; every method may raise when Redis is out of reach."""

    async def load(self, game_id: str) -> Stored | None:
        """The mirror, wherever it is kept now; None for a game that nobody knows."""
        ...

    async def tips(self, game_ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        """The places `(epoch, seq)` of the mirrors that Redis holds, in one round trip."""
        ...

    async def after(self, game_id: str, epoch: str, seq: int) -> Sequence[tuple[int, bytes]]:
        """The feed's `d` frames above `seq`, in order; none if the mirror is in another epoch."""
        ...

    async def room_games(self, room_codes: Sequence[str]) -> Mapping[str, str]:
        """The ids of the games that rooms play, of those that are known to play one."""
        ...

    async def ask(self, game_id: str) -> None:
        """Ask that this unknown game be fetched once."""
        ...

    def channel(self, game_id: str) -> str:
        """The Redis channel on which the game's changes are published."""
        ...
