"""Games that are over: saved whole, read again, and given up after their time."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Row, delete, insert, literal, select, text, tuple_
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ludo.mirror.body import from_body
from ludo.rules.placements import placements
from ludo.rules.ruleset import RuleSet
from ludo.store.archive.engine import WITHIN_S, WRITING
from ludo.store.archive.migrations import HEAD
from ludo.store.archive.tables import Opaque, entries, games, players
from ludo.store.errors import ArchiveUnavailable
from ludo.store.log import VERSION, Kept

STATE_VERSION: Final = 1
ASK_AGAIN_S: Final = 1.0
"""After a failure nobody tries to open the database for so long."""
READ_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class ArchivedGame:
    """A game that is over, without its log.

    `body_json` is the final state, `epoch` that of its place; `rules` are the switches that it was
    judged by. `confirmed`: upstream's final state agreed; `verified`: the log, played again, ends
    in this state. Times are Unix milliseconds; `revision` counts the writes to the hot game.
    """

    game_id: str
    epoch: str
    body_json: bytes
    rules: str
    confirmed: bool
    verified: bool
    as_of: int
    ended_at: int
    archived_at: int
    revision: int


class Archive:
    """The database; every call raises ArchiveUnavailable.

    Its schema is brought up to date before the first use, by whichever process comes first.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._opening: asyncio.Task[None] | None = None
        self._is_open = False
        self._failed: tuple[float, ArchiveUnavailable] | None = None

    async def aclose(self) -> None:
        """Closes every connection; a schema that is being changed is finished first."""
        if self._opening is not None:
            await asyncio.wait([self._opening], timeout=WITHIN_S)
        await self._engine.dispose()

    async def open(self) -> None:
        """Reaches the database, and makes its schema that of this version."""
        if self._is_open:
            return
        if self._failed is not None and monotonic() < self._failed[0] + ASK_AGAIN_S:
            raise self._failed[1]
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="archive-open")
        # Whoever has no time to wait does not end it for the others.
        await asyncio.shield(self._opening)
        if self._failed is not None:
            raise self._failed[1]

    async def _open(self) -> None:
        try:
            async with _translated(2 * WITHIN_S):
                await self._bring_up_to_date()
        except ArchiveUnavailable as error:
            self._failed = (monotonic(), error)
            return
        self._is_open, self._failed = True, None

    async def ping(self) -> None:
        """Whether it can be read now."""
        async with self._reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def save(self, game: ArchivedGame, log: Sequence[Kept]) -> bool:
        """Keeps the game with all its entries, whole or not at all; it survives a loss of power.

        May be called again: what is there is replaced by the same or a newer copy of the game,
        never by an older one. False if a newer one was there.
        """
        body = msgspec.json.decode(game.body_json)
        async with self._writing() as connection:
            known = await connection.execute(
                select(games.c.sequence, games.c.revision)
                .where(games.c.id == game.game_id)
                .with_for_update()
            )
            found = known.one_or_none()
            if found is not None:
                if tuple(found) > (body["sequence"], game.revision):
                    return False
                await connection.execute(delete(games).where(games.c.id == game.game_id))
            await connection.execute(insert(games), _game_row(game, body))
            for table, rows in (
                (players, _player_rows(game.game_id, body)),
                (entries, _entry_rows(game.game_id, log)),
            ):
                if rows:
                    await connection.execute(insert(table), rows)
        return True

    async def load(self, game_id: str) -> ArchivedGame | None:
        """A game, or None if it is not here."""
        async with self._reading() as connection:
            found = await connection.execute(select(games).where(games.c.id == game_id))
            row = found.one_or_none()
        return None if row is None else _game(row)

    async def log(self, game_id: str) -> list[Kept]:
        """The entries of a game, in order."""
        async with self._reading() as connection:
            found = await connection.execute(
                select(entries).where(entries.c.game_id == game_id).order_by(entries.c.number)
            )
            return [
                Kept(row.kind, row.sequence, row.why, row.body.encode(), row.at) for row in found
            ]

    async def list(
        self,
        *,
        limit: int,
        status: str | None = None,
        player_id: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> Sequence[ArchivedGame]:
        """Games that ended before `(time, id)`, the last one first."""
        wanted = select(games).order_by(games.c.ended_at.desc(), games.c.id.desc()).limit(limit)
        if status is not None:
            wanted = wanted.where(games.c.status == status)
        if player_id is not None:
            theirs = select(players.c.game_id).where(players.c.player_id == player_id)
            wanted = wanted.where(games.c.id.in_(theirs))
        if before is not None:
            place = tuple_(literal(before[0], BigInteger()), literal(before[1], Opaque()))
            wanted = wanted.where(tuple_(games.c.ended_at, games.c.id) < place)
        async with self._reading() as connection:
            return [_game(row) for row in await connection.execute(wanted)]

    async def give_up(self, before: int, limit: int) -> int:
        """Deletes games archived before a time, the first ones first; how many."""
        old = (
            select(games.c.id)
            .where(games.c.archived_at < before)
            .order_by(games.c.archived_at)
            .limit(limit)
        )
        async with self._writing() as connection:
            ids = [row.id for row in await connection.execute(old)]
            if ids:
                await connection.execute(delete(games).where(games.c.id.in_(ids)))
        return len(ids)

    async def _bring_up_to_date(self) -> None:
        if await self._version() == HEAD:
            return
        # Alembic is large, and nearly never needed.
        module = "ludo.store.archive.migrating"
        migrating = await asyncio.to_thread(importlib.import_module, module)
        await migrating.migrate(self._engine)

    async def _version(self) -> str | None:
        try:
            async with self._engine.connect() as connection:
                found = await connection.execute(text("SELECT version_num FROM alembic_version"))
                version: str | None = found.scalar_one_or_none()
        except DBAPIError:
            return None  # no such table, or no such file yet; migrating says what else is wrong
        return version

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        await self.open()
        async with _translated(READ_WITHIN_S), self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        await self.open()
        async with _translated(WITHIN_S), self._engine.connect() as plain:
            connection = await plain.execution_options(**{WRITING: True})
            async with connection.begin():
                yield connection


@asynccontextmanager
async def _translated(within: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within):
            yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise ArchiveUnavailable(f"expected the archive's database to answer; {first}") from error


def _game_row(game: ArchivedGame, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": game.game_id,
        "room_code": body["roomCode"],
        "mode": body["gameMode"],
        "status": body["status"],
        "epoch": game.epoch,
        "sequence": body["sequence"],
        "confirmed": game.confirmed,
        "verified": game.verified,
        "winner_id": body["winnerId"],
        "rules": game.rules,
        "state_version": STATE_VERSION,
        "state": game.body_json.decode(),
        "as_of": game.as_of,
        "ended_at": game.ended_at,
        "archived_at": game.archived_at,
        "revision": game.revision,
    }


def _player_rows(game_id: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    if not body["players"]:
        return []
    (game, *_) = from_body(body, RuleSet()).games
    return [
        {
            "game_id": game_id,
            "seat": seat,
            "player_id": game.player_at(seat).id,
            "name": game.player_at(seat).name,
            "color": game.player_at(seat).color.value,
            "place": place,
        }
        for place, seat in enumerate(placements(game.board), start=1)
    ]


def _entry_rows(game_id: str, log: Sequence[Kept]) -> list[dict[str, Any]]:
    return [
        {
            "game_id": game_id,
            "number": number,
            "kind": kept.kind,
            "sequence": kept.sequence,
            "why": kept.why,
            "at": kept.at,
            "version": VERSION,
            "body": kept.body.decode(),
        }
        for number, kept in enumerate(log, start=1)
    ]


def _game(row: Row[Any]) -> ArchivedGame:
    return ArchivedGame(
        game_id=row.id,
        epoch=row.epoch,
        body_json=row.state.encode(),
        rules=row.rules,
        confirmed=row.confirmed,
        verified=row.verified,
        as_of=row.as_of,
        ended_at=row.ended_at,
        archived_at=row.archived_at,
        revision=row.revision,
    )
