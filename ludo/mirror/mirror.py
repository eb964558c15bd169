"""Our copy of one upstream game, and how strictly its events are judged."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import RuleSet

MAX_DIVERGENCES: Final = 3
"""After so many in one game, its events are applied as announced (design section 6)."""


class Strictness(StrEnum):
    """What happens to an event that the rules refuse (`LUDO_REFEREE`)."""

    ENFORCE = "enforce"
    OBSERVE = "observe"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Referee:
    """The rules in force, and what a breach of them leads to."""

    rules: RuleSet = field(default_factory=RuleSet)
    strictness: Strictness = Strictness.ENFORCE

    def strictness_for(self, divergences: int) -> Strictness:
        """How strict to be with a game that diverged so often."""
        if self.strictness is Strictness.ENFORCE and divergences >= MAX_DIVERGENCES:
            return Strictness.OBSERVE
        return self.strictness


@dataclass(frozen=True, slots=True)
class Mirror:
    """A game as we know it. Its place is `(epoch, sequence)`.

    `epoch` is opaque and changes when a resync contradicts what was already pushed.
    `floor` is the sequence of the last resync: everything up to it came from the snapshot.
    `divergences` counts the events that the rules refused, `refused` is the digest of the
    last of them: copies of one false event in a row are one divergence.
    """

    epoch: str
    snapshot: Snapshot
    floor: int = 0
    divergences: int = 0
    refused: str = ""

    @property
    def sequence(self) -> int:
        """The number of the last event that the mirror contains."""
        return self.snapshot.sequence
