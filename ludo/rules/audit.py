"""One game heard event by event, until the first that the clauses forbid (R16–R18)."""

from typing import NamedTuple

from ludo.rules.board import Game
from ludo.rules.events import Event
from ludo.rules.referee import judge
from ludo.rules.ruleset import RuleSet
from ludo.rules.verdict import Violation


class Audit(NamedTuple):
    """What the referee has to say of a game so far.

    `events` counts what was heard, the violation included and nothing behind it. `game` is the
    last legal one, None before a legal start. `broken_at` is the sequence that the illegal event
    itself carries, and both it and `violation` are None as long as all was legal.
    """

    events: int = 0
    game: Game | None = None
    violation: Violation | None = None
    broken_at: int | None = None


def hear(audit: Audit, event: Event, rules: RuleSet) -> Audit:
    """The audit after one more event; behind a violation nothing is heard any more."""
    if audit.violation is not None:
        return audit
    verdict = judge(audit.game, event, rules)
    if isinstance(verdict, Violation):
        return Audit(audit.events + 1, audit.game, verdict, event.sequence)
    return Audit(audit.events + 1, verdict.game)
