"""Moves a game that is over from Redis to the archive."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from ludo.mirror.body import from_body
from ludo.mirror.log import Resynced
from ludo.mirror.replay import leads_to
from ludo.rules.ruleset import RuleSet
from ludo.store.archive.archive import Archive, ArchivedGame
from ludo.store.errors import ArchiveUnavailable
from ludo.store.log import Kept, from_kept, to_kept
from ludo.store.tombstones import Leaving, Tombstones

UNVERIFIED: Final = "unverified"
BATCH: Final = 200
BATCHES: Final = 50
"""Archived games that one round of giving up old ones deletes at most: 10,000."""

MOVING: Final = 4
LEAVING: Final = 1_000

log = structlog.get_logger("workers")


@dataclass(frozen=True, slots=True)
class Archiver:
    """The use cases of the archive. `retention` is in seconds; None keeps games for ever."""

    tombstones: Tombstones
    archive: Archive
    rules: RuleSet
    retention: float | None = None

    async def move(self, game_id: str) -> None:
        """Saves the game and leaves a tombstone; killed anywhere, it can be done again.

        An archive that does not take the game is tried again at the game's next look.
        """
        leaving = await self.tombstones.leaving(game_id)
        if leaving is None:
            return
        kept, verified = await asyncio.to_thread(checked, leaving, self.rules)
        if not verified:
            log.error("archive.unverified", game=game_id, entries=len(kept))
        try:
            await self.archive.save(archived(leaving, self.rules, verified=verified), kept)
        except ArchiveUnavailable as error:
            log.warning("archive.unavailable", game=game_id, error=str(error))
            await self.tombstones.note_failure()
            return
        if await self.tombstones.entomb(leaving):
            log.info("game.archived", game=game_id, status=leaving.status, entries=len(kept))

    async def give_up_old(self, now: int) -> int:
        """Deletes what is older than the retention at `now` (Unix ms); how many games."""
        if self.retention is None:
            return 0
        before, deleted = now - int(self.retention * 1000), 0
        for _ in range(BATCHES):
            count = await self.archive.give_up(before, BATCH)
            deleted += count
            if count < BATCH:
                break
        return deleted


class LeavingGames:
    """Games on their way to the archive, so that nobody who has games in hand waits for SQL.

    At most MOVING at once. One that finds no room, fails, or is lost with the process is moved at
    its game's next look.
    """

    def __init__(self, move: Callable[[str], Awaitable[None]]) -> None:
        self._move = move
        self._games: asyncio.Queue[str] = asyncio.Queue(LEAVING)

    async def put(self, game_id: str) -> None:
        """Has the game moved soon."""
        with suppress(asyncio.QueueFull):
            self._games.put_nowait(game_id)

    async def run(self) -> None:
        """Moves games until cancelled."""
        async with asyncio.TaskGroup() as movers:
            for _ in range(MOVING):
                movers.create_task(self._moving())

    async def _moving(self) -> None:
        while True:
            game_id = await self._games.get()
            try:
                await self._move(game_id)
            except Exception:
                log.exception("archive.failed", game=game_id)


def archived(leaving: Leaving, rules: RuleSet, *, verified: bool) -> ArchivedGame:
    """The game as the archive keeps it."""
    return ArchivedGame(
        game_id=leaving.game_id,
        epoch=leaving.epoch,
        body_json=leaving.body_json,
        rules=str(rules),
        confirmed=leaving.confirmed,
        verified=verified,
        as_of=leaving.as_of,
        ended_at=leaving.ended_at,
        archived_at=leaving.now,
        revision=leaving.revision,
    )


def checked(leaving: Leaving, rules: RuleSet) -> tuple[list[Kept], bool]:
    """The log, played again, and whether it ends in the final state.

    Where it does not, the final state follows as a resync: a replay ends in it all the same.
    """
    final = from_body(msgspec.json.decode(leaving.body_json), rules)
    try:
        verified = leads_to((from_kept(kept, rules) for kept in leaving.log), final, rules)
    except ValueError:
        verified = False
    if verified:
        return list(leaving.log), True
    closing = to_kept(Resynced(final, UNVERIFIED))
    return [*leaving.log, closing], False
