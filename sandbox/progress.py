"""How far the sandbox is: what is still on its way, and whether anything more will happen."""

from dataclasses import dataclass
from typing import Any

from sandbox.continuous import Continuous
from sandbox.outbox import Outbox
from sandbox.playing import Playing
from sandbox.tally import Tally


@dataclass(frozen=True, slots=True)
class Progress:
    """A look at the running parts."""

    outbox: Outbox
    playing: Playing
    tally: Tally
    continuous: Continuous

    def deliveries(self) -> dict[str, Any]:
        """The counts of events and deliveries."""
        return self.tally.body(self.outbox.pending)

    def idle(self) -> dict[str, Any]:
        """`idle`: no delivery is pending; `done`: and no game runs or will start by itself."""
        idle, games = self.outbox.pending == 0, self.playing.games
        return {
            "idle": idle,
            "pending": self.outbox.pending,
            "playing": games,
            "done": idle and games == 0 and self.continuous.over,
        }
