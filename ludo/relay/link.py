"""One socket of a client, as the conversation sees it. Two are there while it moves."""

from dataclasses import dataclass, field
from typing import Final

from ludo.relay.incoming import Bye

DIAL_WITHIN: Final = 10.0
PING_GRACE: Final = 10.0
NEVER: Final = float("inf")


@dataclass(slots=True)
class Link:
    """`lost_at` is when it is given up unless something is heard.

    `epochs` has the epoch in which this link brings each game's deltas; `unanswered` are the games
    that its hello named and that have had no answer yet; `expires` is the token's end as a time of
    ours, if the token says it.
    """

    number: int
    lost_at: float
    patience: float = DIAL_WITHIN
    epochs: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    named: frozenset[str] = frozenset()
    token_ends: float | None = None
    bye: Bye | None = None

    def heard(self, now: float) -> None:
        """Something came."""
        self.lost_at = now + self.patience

    def name(self, game: str, epoch: str | None) -> None:
        """We told this link where we are: its deltas follow from there, or a snapshot comes first.

        A link that has told an epoch keeps it: what is under way is still of that one.
        """
        if epoch is not None:
            self.epochs.setdefault(game, epoch)
