"""Where a subscriber goes on: the resume table of design section 8, and nothing else."""

from dataclasses import dataclass
from typing import Final, Literal

from proxy.relay.source import Place

REPLAY_AT_MOST: Final = 64

Why = Literal["initial", "epoch", "too_old", "ahead", "slow", "resync", "gap"]
"""Why a `snap` is sent."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The subscriber is at the tip already."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Every delta above `after` is at hand: send them all, never a part."""

    after: int


@dataclass(frozen=True, slots=True)
class Snap:
    """Only a snapshot helps."""

    why: Why


def resume(position: Place | None, tip: Place, held_from: int) -> Recovered | Replay | Snap:
    """How a subscriber at `position` gets to `tip`.

    The deltas `held_from`…`tip.seq` are at hand; `held_from` is `tip.seq + 1` if none is.
    """
    if position is None:
        return Snap("initial")
    if position.epoch != tip.epoch:
        return Snap("epoch")
    if position.seq == tip.seq:
        return Recovered()
    if position.seq > tip.seq:
        return Snap("ahead")
    if tip.seq - position.seq <= REPLAY_AT_MOST and held_from <= position.seq + 1:
        return Replay(position.seq)
    return Snap("too_old")
