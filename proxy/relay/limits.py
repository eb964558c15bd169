"""The numbers of the protocol in one value; tests shorten the times."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection and of one process; times in seconds, sizes in bytes."""

    frame: int = 4096
    hello: int = 16384
    frames_per_minute: int = 120
    subs: int = 32
    resync_every: float = 2.0

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

    connections: int = 20_000
    joins_per_second: float = 200.0
