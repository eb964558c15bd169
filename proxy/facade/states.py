"""Games as they stand: from the mirror, so that a read is never older than the last push."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from ludo.store.errors import StoreError
from ludo.store.games import Stored
from ludo.store.library import Library
from ludo.store.listing import Wanted, write_cursor
from ludo.store.writes import Writes
from ludo.upstream.errors import UpstreamError, UpstreamRefused
from ludo.upstream.wire.models import decode_any
from proxy.facade import policy
from proxy.facade.reading import Reader, Served

ADVANCE_WITHIN_S: Final = 0.5
POLL_S: Final = 0.02
_LISTED: Final = (
    "gameId",
    "roomCode",
    "gameMode",
    "status",
    "sequence",
    "currentPlayerId",
    "updatedAt",
)
_PLAYER: Final = ("playerId", "playerName", "color")

log = structlog.get_logger("facade")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A state from the mirror; `age` is seconds since it was last known to be true."""

    stored: Stored
    age: int

    @property
    def etag(self) -> str:
        """The mirror's place."""
        return f'"{self.stored.epoch}:{self.stored.seq}"'

    @property
    def body(self) -> bytes:
        """The whole answer."""
        return b'{"success":true,"data":' + self.stored.body_json + b"}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list; `cursor` leads to the next one, None after the last."""

    games: Sequence[dict[str, Any]]
    cursor: str | None


class GameStates:
    """Reads of games; every call raises RedisError, and what `Reader.read` raises."""

    def __init__(
        self,
        games: Library,
        writes: Writes,
        reader: Reader,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._games = games
        self._writes = writes
        self._reader = reader
        self._wall = wall

    async def state(self, game_id: str, caller: str) -> Mirrored | Served:
        """A game's state for a caller, who sees what he wrote."""
        since = await self._writes.pending(game_id, caller)
        if since is not None:
            return await self._after(game_id, since)
        stored = await self._games.load(game_id)
        if stored is not None:
            return self._mirrored(stored)
        served = await self._reader.read(policy.state(game_id))
        # A mirror may have begun meanwhile, and have been pushed.
        begun = await self._games.load(game_id)
        return served if begun is None else self._mirrored(begun)

    async def games(self, wanted: Wanted) -> Listed:
        """One page of games, the last first."""
        page = await self._games.page(wanted)
        following = None if page.next is None else write_cursor(page.next)
        return Listed([_listed(stored.body) for stored in page.games], following)

    async def _after(self, game_id: str, since: int) -> Mirrored | Served:
        """The state past a write: from the mirror if it moves on in time, else from upstream."""
        if await self._moves_on(game_id, since):
            stored = await self._games.load(game_id)
            if stored is not None:
                return self._mirrored(stored)
        try:
            fetched = await self._reader.fetch(policy.state(game_id))
        except (UpstreamError, StoreError) as error:
            stored = await self._games.load(game_id)
            if stored is None or isinstance(error, UpstreamRefused):
                raise
            log.info("state.unconfirmed", game=game_id, error=repr(error))
            return self._mirrored(stored)
        stored = await self._games.load(game_id)
        if stored is None or stored.seq < _sequence(fetched.ready.body):
            return fetched
        return self._mirrored(stored)

    async def _moves_on(self, game_id: str, since: int) -> bool:
        # The clock ends this, not a cancellation, which what is awaited may swallow on Python 3.11.
        until = time.monotonic() + ADVANCE_WITHIN_S
        while time.monotonic() < until:
            tip = (await self._games.tips([game_id])).get(game_id)
            if tip is not None and tip[1] > since:
                return True
            await asyncio.sleep(POLL_S)
        return False

    def _mirrored(self, stored: Stored) -> Mirrored:
        return Mirrored(stored, max(0, int(self._wall() - stored.as_of / 1000)))


def _listed(body: dict[str, Any]) -> dict[str, Any]:
    listed = {name: body[name] for name in _LISTED}
    players = [{name: player[name] for name in _PLAYER} for player in body["players"]]
    return {**listed, "players": players}


def _sequence(body: bytes) -> int:
    """The sequence that a state body names; -1 for a body without one."""
    document: Any = decode_any(body)
    data = document.get("data", document) if isinstance(document, dict) else {}
    sequence = data.get("sequence") if isinstance(data, dict) else None
    return sequence if isinstance(sequence, int) else -1
