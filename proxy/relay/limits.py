"""The numbers of the protocol, and the rules of the house, in one value; tests shorten times."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection and of one process; times in seconds, sizes in bytes."""

    frame: int = 4096
    hello: int = 16384
    frames_per_minute: int = 120
    subs: int = 32
    resync_every: float = 2.0
    talk: int = 500
    """Characters that may be said at once."""
    user_connections: int = 10
    """Of one user, over all nodes."""

    table_talk: bool = False
    spectators: bool = True
    """Whether a game may be watched by others than its players."""

    hello_within: float = 5.0
    ping_every: float = 20.0
    pong_within: float = 10.0
    idle_after: float = 300.0
    authenticate_within: float = 5.0

    backlog_frames: int = 64
    backlog_bytes: int = 65536
    behind: float = 1.0
    stuck_after: float = 5.0
    close_within: float = 2.0

    ring: int = 256
    early: int = 256
    unknown_for: float = 2.0
    linger: float = 10.0
    audit_every: float = 1.0
    source_within: float = 2.0
    look_every: float = 1.0
    """Between looks at what is not told: rooms that begin to play, players that come and go."""
    lease: float = 10.0
    """How long other nodes believe what a node said of its clients."""
    tell_every: float = 3.0
    """Between renewals of the lease."""

    stream_ping_every: float = 15.0
    """Between the comments that keep a stream alive."""
    stream_retry: float = 2.0
    """What a stream's client is told to wait before it comes back, ± a half."""

    connections: int = 20_000
    """Beyond it newcomers are sent away with 4008; beyond a tenth more, with 503 unaccepted."""
    joins_per_second: float = 200.0
