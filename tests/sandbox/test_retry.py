"""What follows from a receiver's answer."""

import pytest

from sandbox.retry import Reply, Schedule, Verdict

SCHEDULE = Schedule(waits=(0.1, 1.0), attempts=5)


@pytest.mark.parametrize(
    ("attempt", "reply", "verdict"),
    [
        (1, Reply(202), "acknowledged"),
        (4, Reply(200), "acknowledged"),
        (1, Reply(410), "given-up"),
        (1, Reply(0), 0.1),
        (2, Reply(500), 1.0),
        (4, Reply(401), 1.0),
        (1, Reply(307), 0.1),
        (5, Reply(500), "given-up"),
        (1, Reply(429, retry_after=7), 7.0),
        (1, Reply(503, retry_after=0), 0.1),
        (1, Reply(503, retry_after=9_999), 60.0),
        (1, Reply(500, retry_after=7), 0.1),
    ],
)
def test_answers_lead_to_verdicts(attempt: int, reply: Reply, verdict: Verdict) -> None:
    """2xx is done, 410 and too many attempts end it, all else waits, 429 and 503 say how long."""
    assert SCHEDULE.after(attempt, reply) == verdict


def test_the_usual_schedule_outlasts_an_outage() -> None:
    """A receiver may be away for several minutes."""
    usual = Schedule()

    waits = [usual.after(n, Reply(0)) for n in range(1, usual.attempts)]

    assert sum(wait for wait in waits if isinstance(wait, float)) > 300
