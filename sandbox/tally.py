"""What became of the events so far, for whoever compares the two ends."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.sending import Worth


@dataclass(slots=True)
class Tally:
    """Counts since the start.

    Once all is settled: announced = acknowledged["genuine"] + dropped + those given up. `attempts`
    are deliveries, of which `retried` repeated an unanswered or refused one.
    """

    announced: int = 0
    dropped: int = 0
    attempts: int = 0
    retried: int = 0
    acknowledged: Counter[Worth] = field(default_factory=Counter)
    given_up: Counter[Worth] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def attempted(self, number: int, status: int) -> None:
        """Count a sending's delivery of that number, and how it was answered."""
        self.attempts += 1
        self.retried += number > 1
        self.statuses[status] += 1

    def body(self, pending: int) -> dict[str, Any]:
        """The counts as `GET /sandbox/deliveries/stats` tells them."""
        return {
            "announced": self.announced,
            "sent": self.attempts,
            "retried": self.retried,
            "acknowledged": self.acknowledged[Worth.GENUINE],
            "repeated": self.acknowledged[Worth.REPEATED],
            "forged": self.acknowledged[Worth.FORGED],
            "dropped": self.dropped,
            "givenUp": self.given_up.total(),
            "pending": pending,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "faults": dict(sorted(self.faults.items())),
        }
