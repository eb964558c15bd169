"""What a path names."""

from dataclasses import dataclass

from proxy.relay.source import Place


@dataclass(frozen=True, slots=True)
class Own:
    """The game that a connection is about from the start; None while its room plays none.

    `name` is what the path says, `position` is where the client stands in the game.
    """

    name: str
    game: str | None
    position: Place | None = None
