"""How far a connection has got."""

from enum import Enum, auto


class Phase(Enum):
    """From the accept to the end."""

    GREETING = auto()
    """Waiting for the hello."""
    OPEN = auto()
    LEAVING = auto()
    """`bye` is said; deltas still flow, so that the client can move without a gap."""
    CLOSED = auto()
