"""A client of the relay, for anyone: it depends on nothing else of this house.

    async with Relay("wss://proxy.example/ws") as relay:
        async for change in relay.watch("gm_1"):
            match change:
                case Snapshot(state=state):
                    draw(state)
                case Delta(event=event, state=state):
                    animate(event, state)

Reading order: `follower` (one game) · `conversation` and `reading` (the whole client without I/O) ·
`client` (the same over real sockets).
"""

from ludo.relay.changes import (
    Caught,
    Change,
    Connection,
    Delayed,
    Delta,
    Ended,
    Freshness,
    Place,
    Presence,
    Said,
    Snapshot,
    State,
)
from ludo.relay.client import Relay
from ludo.relay.errors import (
    GameGone,
    QueueFull,
    RelayError,
    RelayStopped,
    RequestRefused,
    RequestUnanswered,
)

__all__ = [
    "Caught",
    "Change",
    "Connection",
    "Delayed",
    "Delta",
    "Ended",
    "Freshness",
    "GameGone",
    "Place",
    "Presence",
    "QueueFull",
    "Relay",
    "RelayError",
    "RelayStopped",
    "RequestRefused",
    "RequestUnanswered",
    "Said",
    "Snapshot",
    "State",
]
