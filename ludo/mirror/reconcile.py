"""What a fetched snapshot does to a mirror: the resync rules of design section 7."""

from dataclasses import dataclass, replace

from ludo.mirror.body import to_body
from ludo.mirror.mirror import Mirror
from ludo.mirror.snapshot import Snapshot, agree


@dataclass(frozen=True, slots=True)
class Behind:
    """Upstream's state is older than the mirror: nothing is taken from it."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Upstream says the same; what the mirror left open may be known now, in a new epoch."""

    mirror: Mirror


@dataclass(frozen=True, slots=True)
class Replaced:
    """The mirror is the snapshot now; `why` is what the relay tells its listeners."""

    mirror: Mirror
    why: str


Reconciled = Behind | Confirmed | Replaced


def reconcile(mirror: Mirror | None, snapshot: Snapshot, new_epoch: str) -> Reconciled:
    """What the snapshot does to the mirror; `new_epoch` is used if what was pushed is wrong."""
    if mirror is None:
        if not snapshot.games:
            return Behind()
        return Replaced(Mirror(new_epoch, snapshot, floor=snapshot.sequence), "initial")
    if snapshot.sequence < mirror.sequence:
        return Behind()
    if snapshot.sequence > mirror.sequence:
        return Replaced(_with(mirror, mirror.epoch, snapshot), "gap")
    if not agree(mirror.snapshot, snapshot):
        return Replaced(_with(mirror, new_epoch, snapshot), "epoch")
    return Confirmed(_completed(mirror, snapshot, new_epoch))


def _completed(mirror: Mirror, snapshot: Snapshot, new_epoch: str) -> Mirror:
    """The mirror with what it left open, or had wrong without consequence, if the snapshot tells.

    After the end that is the player in turn: past the divergences that are refused, the last event
    was taken at its word, and no event comes that would put it right.
    A place names one body: patches lead from it, and whoever has it is not told it again. So a
    body that changes has another epoch, and who is connected, which is no part of equality, is
    taken with the next body only.
    """
    narrower = len(snapshot.games) < len(mirror.snapshot.games)
    final = snapshot.over and snapshot.games != mirror.snapshot.games
    if not (narrower or (final and len(snapshot.games) == 1)):
        return mirror
    told = replace(mirror.snapshot, games=snapshot.games)
    same = to_body(told) == to_body(mirror.snapshot)
    return replace(mirror, snapshot=told, epoch=mirror.epoch if same else new_epoch)


def _with(mirror: Mirror, epoch: str, snapshot: Snapshot) -> Mirror:
    return replace(mirror, epoch=epoch, snapshot=snapshot, floor=snapshot.sequence)
