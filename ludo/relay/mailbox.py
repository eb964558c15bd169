"""Changes that wait for one caller, bounded: a caller that is slow gets one snapshot instead."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ludo.relay.changes import Change, Ended, Gone, Snapshot
from ludo.relay.errors import RelayError

MOST: Final = 256

Look = Callable[[str, str], Snapshot | None]
"""The present snapshot of a game, with the reason that it shall carry."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """A snapshot, made when it is taken: nothing of the game waits behind it."""

    game: str
    why: str


class Mailbox:
    """Keeps what was told until it is taken."""

    def __init__(self, look: Look, most: int = MOST) -> None:
        self._look = look
        self._most = most
        self._waiting: deque[Change | _Owed] = deque()
        self._owed: set[str] = set()
        self._arrived = asyncio.Event()
        self._end: RelayError | None = None
        self._ended = False

    def put(self, change: Change) -> None:
        """Something was told; never waits."""
        final = isinstance(change, Ended | Gone)
        if change.game in self._owed and not final:
            return
        if len(self._waiting) >= self._most and not final:
            self.owe(change.game, "behind")
        else:
            self._waiting.append(change)
            self._arrived.set()

    def owe(self, game: str, why: str) -> None:
        """Leave out what waits of a game, and give its snapshot when it is taken."""
        kept = (each for each in self._waiting if each.game != game)
        self._waiting = deque(kept)
        self._waiting.append(_Owed(game, why))
        self._owed.add(game)
        self._arrived.set()

    def end(self, error: RelayError | None = None) -> None:
        """Nothing more comes; `error` is raised once everything is taken."""
        self._end, self._ended = error, True
        self._arrived.set()

    async def take(self) -> Change | None:
        """The next change, None at the end; raises what it ended with."""
        while True:
            while self._waiting:
                change = self._opened(self._waiting.popleft())
                if change is not None:
                    return change
            if self._end is not None:
                raise self._end
            if self._ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()

    def _opened(self, waiting: Change | _Owed) -> Change | None:
        if not isinstance(waiting, _Owed):
            return waiting
        self._owed.discard(waiting.game)
        return self._look(waiting.game, waiting.why)
