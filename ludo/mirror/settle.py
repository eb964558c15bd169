"""All that is waiting for one game, decided in sequence order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from ludo.mirror.decide import (
    Applied,
    Conflict,
    Divergent,
    Duplicate,
    Gap,
    Stale,
    decide,
)
from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.patch import Patch, patch_of
from ludo.rules.referee import Violation


class Outcome(StrEnum):
    """What became of an accepted event; the counters carry these names."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    FILTERED = "filtered"
    DEAD = "dead"


class Cause(StrEnum):
    """Why an event is a dead letter."""

    ILLEGAL = "illegal"
    CONFLICT = "conflict"
    ID_CONFLICT = "id-conflict"
    OVERFLOW = "overflow"
    SOURCE_UNKNOWN = "source-unknown"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An accepted event that is not decided yet.

    `entry` is its place in the inbox, `arrived` the inbox's time in Unix milliseconds, `body`
    the delivery as it was verified. `key_id` and `headers` (a JSON object) say how it came.
    """

    entry: str
    arrived: int
    source: str
    webhook_id: str
    event: GameEvent
    body: bytes = b""
    key_id: str = ""
    headers: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """An event with its outcome; `breach` is the clause it broke, if any."""

    waiting: Waiting
    outcome: Outcome
    cause: Cause | None = None
    breach: Violation | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the mirror, as the relay tells it: the patch leads from the state before."""

    event: GameEvent
    captured: tuple[str, ...]
    patch: Patch


@dataclass(frozen=True, slots=True)
class Settled:
    """The mirror after all that could be decided, and what is left.

    `missing_since` is the time since which the next event is missing although a later one, or a
    refused one, is here; None when nothing is known to be missing.
    """

    mirror: Mirror | None
    decided: tuple[Decided, ...]
    changes: tuple[Change, ...]
    waiting: tuple[Waiting, ...]
    missing_since: int | None
    conflict: bool


def settle(
    mirror: Mirror | None,
    waiting: Iterable[Waiting],
    applied_digests: Mapping[int, str],
    referee: Referee,
    new_epoch: str,
    missing_since: int | None = None,
) -> Settled:
    """Decides every waiting event, in sequence order and by arrival within a sequence."""
    run = _Run(mirror, dict(applied_digests), referee, new_epoch, missing_since)
    for item in sorted(waiting, key=lambda item: (item.event.event.sequence, item.arrived)):
        run.take(item)
    return run.settled()


class _Run:
    """The running totals of one `settle`; never leaves it."""

    def __init__(
        self,
        mirror: Mirror | None,
        digests: dict[int, str],
        referee: Referee,
        new_epoch: str,
        missing_since: int | None,
    ) -> None:
        self._mirror = mirror
        self._digests = digests
        self._referee = referee
        self._new_epoch = new_epoch
        self._refused_at = missing_since
        self._decided: list[Decided] = []
        self._changes: list[Change] = []
        self._left: list[Waiting] = []
        self._conflict = False

    def take(self, item: Waiting) -> None:
        event = item.event
        known = self._digests.get(event.event.sequence)
        decision = decide(self._mirror, event, known, self._referee, self._new_epoch)
        match decision:
            case Applied():
                self._apply(item, decision)
            case Duplicate():
                self._decided.append(Decided(item, Outcome.DUPLICATE))
            case Stale():
                self._decided.append(Decided(item, Outcome.STALE))
            case Conflict():
                self._conflict = True
                self._decided.append(Decided(item, Outcome.DEAD, Cause.CONFLICT))
            case Divergent(mirror=mirror, violation=breach):
                self._mirror = mirror
                self._refused_at = min(self._refused_at or item.arrived, item.arrived)
                self._decided.append(Decided(item, Outcome.DEAD, Cause.ILLEGAL, breach))
            case Gap():
                self._left.append(item)
            case _:
                assert_never(decision)

    def _apply(self, item: Waiting, decision: Applied) -> None:
        event = item.event
        if self._mirror is not None:
            patch = patch_of(self._mirror.snapshot, decision.mirror.snapshot)
            self._changes.append(Change(event, decision.captured, patch))
        self._mirror = decision.mirror
        self._digests[event.event.sequence] = event.digest
        self._refused_at = None
        self._decided.append(Decided(item, Outcome.APPLIED, breach=decision.breach))

    def settled(self) -> Settled:
        since = [item.arrived for item in self._left]
        if self._refused_at is not None:
            since.append(self._refused_at)
        return Settled(
            mirror=self._mirror,
            decided=tuple(self._decided),
            changes=tuple(self._changes),
            waiting=tuple(self._left),
            missing_since=min(since, default=None),
            conflict=self._conflict,
        )
