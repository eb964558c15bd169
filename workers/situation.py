"""What a worker knows of a game when it decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from ludo.mirror.settle import Waiting
from ludo.mirror.snapshot import Snapshot
from ludo.store.record import Record


@dataclass(frozen=True, slots=True)
class Unknown:
    """Upstream does not know the game (404)."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Upstream could not be asked, or its answer could not be used."""

    why: str


Fetched = Snapshot | Unknown | Unreachable


@dataclass(frozen=True, slots=True)
class Situation:
    """What a worker knows of a game when it decides: read under the lease, at `now` (Unix ms).

    `fetched` answers what upstream was asked at `asked_at` (Unix ms).
    """

    record: Record
    waiting: tuple[Waiting, ...]
    applied_digests: Mapping[int, str]
    now: int
    fetched: Fetched | None = None
    asked_at: int = 0
