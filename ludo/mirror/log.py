"""Everything that made a mirror what it is, in order: applied events, and resyncs between them."""

from dataclasses import dataclass

from ludo.mirror.incoming import GameEvent
from ludo.mirror.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that was applied."""

    event: GameEvent

    @property
    def sequence(self) -> int:
        """Where the mirror is after it."""
        return self.event.event.sequence


@dataclass(frozen=True, slots=True)
class Resynced:
    """The mirror was replaced by a snapshot; `why` is a `Reason`, or what else ended the game."""

    snapshot: Snapshot
    why: str

    @property
    def sequence(self) -> int:
        """Where the mirror is after it."""
        return self.snapshot.sequence


Entry = Happened | Resynced
