"""A frontend that watches games through the relay, as any frontend would."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from time import time
from typing import Any

from ludo.relay import Change, Delta, Ended, Relay, Snapshot


@dataclass(slots=True)
class Watched:
    """One game as the relay told it: its state, and how it came."""

    game_id: str
    state: dict[str, Any] | None = None
    pushed: int = 0
    ended: bool = False
    delays_ms: list[float] = field(default_factory=list)

    def take(self, change: Change) -> None:
        """Follows one change."""
        match change:
            case Snapshot(state=state):
                self.state = state
            case Delta(state=state):
                self.state = state
                self.pushed += 1
                self.delays_ms.append(_delay_ms(state["updatedAt"]))
            case Ended():
                self.ended = True
            case _:
                pass


class Watcher:
    """Keeps one client of the relay, for as many games as one connection may have."""

    def __init__(self, url: str, game_ids: Iterable[str]) -> None:
        self._url = url
        self.games = {game_id: Watched(game_id) for game_id in game_ids}

    async def run(self) -> None:
        """Watches until every game has ended, over as many connections as it takes."""
        async with Relay(self._url) as relay:
            async for change in relay.watch(*self.games):
                self.games[change.game].take(change)


def _delay_ms(occurred_at: str) -> float:
    return (time() - datetime.fromisoformat(occurred_at).timestamp()) * 1000
