"""What the relay of one process has done so far, as plain numbers; `/metrics` reads them.

Plain, because some are counted for every delta and client: a metric object takes ten times as
long.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts since the process began; the keys are fixed words of the protocol."""

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    dropped: int = 0
    """Frames taken off a queue whose client was behind; each time one snapshot makes up for it."""
    resumes: Counter[str] = field(default_factory=Counter)
    """Subscriptions answered: recovered, replayed or snapshot."""
    snaps: Counter[str] = field(default_factory=Counter)
    """By `why`."""
    errors: Counter[str] = field(default_factory=Counter)
    """`err` frames by code."""
    opened: Counter[str] = field(default_factory=Counter)
    """Connections by kind: socket or stream."""
    closes: Counter[str] = field(default_factory=Counter)
    """Connections that ended, by our close code; `gone` if the client left."""
    pongs: Counter[str] = field(default_factory=Counter)
    """Answers to pings: current, or behind what had been sent before the ping."""
    said: int = 0
    """Table talk that was published from here."""

    def came(self, size: int) -> None:
        """A frame of a client."""
        self.frames_in += 1
        self.bytes_in += size

    def went(self, size: int) -> None:
        """A frame to a client."""
        self.frames_out += 1
        self.bytes_out += size
