"""How long upstream is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, and the connections that the waiting happens on.

    `attempt` bounds one attempt as a whole, however slowly its bytes drip; `connect` its
    connection; `idle` how long a connection is kept unused; `deadline` the whole call with its
    attempts and the waits between them, where the caller names none.
    """

    attempt: float = 5.0
    connect: float = 2.0
    idle: float = 30.0
    deadline: float = 10.0
    connections: int = 20
