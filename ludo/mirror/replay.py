"""A log, played again: the state after each entry, and the state at one sequence."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from ludo.mirror.decide import Applied, decide
from ludo.mirror.log import Entry, Happened, Resynced
from ludo.mirror.mirror import Mirror, Referee, Strictness
from ludo.mirror.snapshot import Snapshot, agree
from ludo.rules.ruleset import RuleSet

_ANY_EPOCH: Final = ""


class BrokenLog(Exception):
    """The log has an event that does not follow what stands before it."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A resync went past this sequence; `until` is the first one after it that is known."""

    until: int


@dataclass(frozen=True, slots=True)
class Beyond:
    """The game never came so far; `last` is its last sequence."""

    last: int


def replay(log: Iterable[Entry], rules: RuleSet) -> Iterator[tuple[Entry, Snapshot]]:
    """Each entry with the state after it.

    An event that the rules refuse was applied because the referee only observed, so it is applied
    as announced here too. Raises BrokenLog.
    """
    referee = Referee(rules, Strictness.OFF)
    mirror: Mirror | None = None
    for entry in log:
        mirror = _after(mirror, entry, referee)
        yield entry, mirror.snapshot


def state_at(log: Iterable[Entry], sequence: int, rules: RuleSet) -> Snapshot | Passed | Beyond:
    """The state that the mirror had at a sequence, the last one if a resync corrected it.

    Raises BrokenLog.
    """
    found: Snapshot | None = None
    last, until = 0, None
    for _, snapshot in replay(log, rules):
        last = snapshot.sequence
        if last == sequence:
            found = snapshot
        elif last > sequence:
            until = last
            break
    if found is not None:
        return found
    return Beyond(last) if until is None else Passed(until)


def leads_to(log: Iterable[Entry], final: Snapshot, rules: RuleSet) -> bool:
    """Whether the log, from its last resync on, ends in this state."""
    last: Snapshot | None = None
    try:
        for _, snapshot in replay(since_last_resync(log), rules):
            last = snapshot
    except BrokenLog:
        return False
    return last is not None and agree(last, final)


def since_last_resync(log: Iterable[Entry]) -> list[Entry]:
    """The last resync and what follows it; the whole log if there was none."""
    tail: list[Entry] = []
    for entry in log:
        if isinstance(entry, Resynced):
            tail.clear()
        tail.append(entry)
    return tail


def _after(mirror: Mirror | None, entry: Entry, referee: Referee) -> Mirror:
    match entry:
        case Resynced(snapshot=snapshot):
            return Mirror(_ANY_EPOCH, snapshot, floor=snapshot.sequence)
        case Happened(event=event):
            decision = decide(mirror, event, None, referee, _ANY_EPOCH)
            if not isinstance(decision, Applied):
                at = mirror.sequence if mirror else 0
                raise BrokenLog(
                    f"expected an event that follows sequence {at}; found {event.event.sequence}"
                )
            return decision.mirror
        case _:
            assert_never(entry)
