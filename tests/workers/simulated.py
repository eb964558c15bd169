"""A game as a store and its workers see it, without either: time moves when it is told to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from ludo.mirror.body import from_body, to_body
from ludo.mirror.incoming import GameEvent
from ludo.mirror.mirror import Referee
from ludo.mirror.owed import Pace
from ludo.mirror.settle import Waiting
from ludo.mirror.snapshot import Snapshot
from ludo.rules.ruleset import RuleSet
from ludo.store.record import Record
from workers.planning import Fetched, Plan, Policy, Situation, Unreachable, plan

POLICY = Policy(Referee(), Pace(gap_wait=1_000, silence=45_000))
EMPTY = Record(None, None, None, 0, stale=False, closed=False, revision=0)


def silent() -> Fetched:
    """A state endpoint that never answers."""
    return Unreachable("503")


def provisional(snapshot: Snapshot) -> Snapshot:
    """The same state, from a body that leaves out whatever may be left out."""
    left_out = dict.fromkeys(("phase", "consecutiveSixes", "finishOrder"))
    return from_body(to_body(snapshot) | left_out, RuleSet())


@dataclass
class Simulated:
    """One game; `endpoint` is upstream's state as it stands when it is asked."""

    endpoint: Callable[[], Fetched] = silent
    record: Record = EMPTY
    now: int = 1_000_000
    applied: dict[int, str] = field(default_factory=dict)
    late: dict[int, str] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    next_look: int | None = None
    arrived: int = 0

    def arrive(self, events: Iterable[GameEvent]) -> None:
        """The events are accepted a millisecond apart; then a worker looks."""
        for event in events:
            self.now += 1
            self.arrived += 1
            entry = f"{self.now}-0"
            item = Waiting(entry, self.now, "webhook", f"msg_{self.arrived}", event)
            self.waiting = (*self.waiting, item)
        self.look()

    def look(self) -> None:
        """A worker decides, asks upstream if that is owed now, and decides again."""
        self._decide(None)
        owed = self.record.owed
        if owed is not None and owed.at <= self.now:
            self._decide(self.endpoint())

    def settle(self, looks: int = 200) -> None:
        """Time passes from look to look until the game is over and compared, or nothing is due."""
        for _ in range(looks):
            if self.next_look is None or self.record.closed:
                return
            self.now = max(self.now, self.next_look)
            self.look()
        raise AssertionError(f"still due after {looks} looks: {self.record.owed}")

    def _decide(self, fetched: Fetched | None) -> None:
        sequences = {item.event.event.sequence for item in self.waiting}
        digests = {s: self.applied[s] for s in sequences if s in self.applied}
        situation = Situation(self.record, self.waiting, digests, self.now, fetched, self.now)
        self._write(plan(situation, POLICY, f"epoch-{self.now}"))

    def _write(self, decision: Plan) -> None:
        commit = decision.commit
        self.record = replace(commit.record, revision=self.record.revision + 1)
        self.applied |= commit.applied_digests
        for sequence, digest in commit.late_digests.items():
            if sequence not in self.applied:
                self.late.setdefault(sequence, digest)
        self.waiting, self.next_look = decision.waiting, commit.next_look
        place = self.record.mirror.sequence if self.record.mirror else 0
        assert place == len(self.applied) + self.record.skipped
