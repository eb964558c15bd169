"""When a mirror owes a resync, and when its game has to be looked at next."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ludo.mirror.mirror import Mirror
from ludo.mirror.settle import Settled

MAX_BACKOFF_MS: Final = 30_000


class Reason(StrEnum):
    """Why upstream has to be asked; `ludo_repaired_total` carries these names."""

    GAP = "gap"
    CONFLICT = "conflict"
    OVERFLOW = "overflow"
    HINT = "hint"
    ASKED = "asked"
    SILENCE = "silence"
    FINAL = "final"
    CENSUS = "census"
    RECONNECT = "reconnect"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Owed:
    """A resync that has to happen: not before `at` (Unix ms), after so many `tries`."""

    reason: Reason
    at: int
    tries: int = 0

    def later(self, now: int) -> "Owed":
        """The same debt after a try that did not settle it: 1, 2, 4 … 30 s on."""
        backoff = min(1000 * 2 ** min(self.tries, 10), MAX_BACKOFF_MS)
        return replace(self, at=now + backoff, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient we are, in milliseconds.

    `gap_wait`: how long an event may be missing before upstream is asked. `silence`: how long a
    live game may say nothing. `give_up`: how long events wait for a source that does not know
    the game, and how long a game may not move before it is abandoned. `confirm`: how long a
    finished game waits for upstream's final state. `unknown`: how long upstream has to deny a game
    before that is believed. `hot`: how long a game that is over stays in Redis.
    """

    gap_wait: int = 1_000
    silence: int = 45_000
    give_up: int = 24 * 3_600_000
    confirm: int = 3_600_000
    unknown: int = 60_000
    hot: int = 600_000


def owed_after(
    owed: Owed | None, settled: Settled, now: int, pace: Pace, *, as_of: int, closed: bool
) -> Owed | None:
    """What is owed once `settled` is written.

    A gap whose next event came and a silence that ended cancel what was owed for them; a hole
    that remains starts its own wait.
    """
    if settled.conflict:
        return Owed(Reason.CONFLICT, now)
    if owed is not None and not _cancelled(owed, settled):
        return owed
    missing = settled.missing_since
    if missing is not None:
        return Owed(Reason.GAP, now) if now >= missing + pace.gap_wait else None
    mirror = settled.mirror
    if mirror is None:
        return None
    if mirror.snapshot.over:
        return None if closed else Owed(Reason.FINAL, now)
    return Owed(Reason.SILENCE, now) if now >= as_of + pace.silence else None


def _cancelled(owed: Owed, settled: Settled) -> bool:
    if owed.reason is Reason.GAP:
        return settled.missing_since is None or bool(settled.changes)
    if owed.reason is Reason.SILENCE:
        return bool(settled.changes)
    return False


def next_look(
    owed: Owed | None, settled: Settled, pace: Pace, *, as_of: int, closed: bool
) -> int | None:
    """When the game is due again (Unix ms); None if nothing can happen without a new event."""
    if owed is not None:
        return owed.at
    if settled.missing_since is not None:
        return settled.missing_since + pace.gap_wait
    mirror: Mirror | None = settled.mirror
    if mirror is None or (mirror.snapshot.over and closed):
        return None
    return as_of + pace.silence
