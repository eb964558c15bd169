"""Which players of a game are connected, over all nodes of the relay.

Each node says every few seconds whom it has; what a killed node said ends by itself.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from ludo.store import keys
from ludo.store.scripts import Scripts

KEPT_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Seat:
    """Whether a player is here, since when (Unix milliseconds)."""

    online: bool
    since: int


class Presence:
    """One node's part in it; `lease` is how many seconds its word counts."""

    def __init__(self, scripts: Scripts, node: str, lease: float) -> None:
        self._scripts = scripts
        self._node = node
        self._lease_ms = int(lease * 1000)

    async def tell(self, game_id: str, players: Collection[str]) -> Mapping[str, Seat]:
        """Says that exactly these players of a game are on this node; who is on any of them.

        A change is published on the game's channel. Raises redis.exceptions.RedisError.
        """
        _, *flat = await self._scripts.run(
            "be_here",
            keys=[keys.presence(game_id)],
            args=[self._node, self._lease_ms, KEPT_S, keys.channel(game_id), *sorted(players)],
        )
        triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        return {who.decode(): Seat(online == b"1", int(since)) for who, online, since in triples}
