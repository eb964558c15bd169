"""Brings the database to the schema of this version; any number of processes may do it at once."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

import aiosqlite
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ludo.store.archive.engine import WITHIN_S, WRITING, sqlite_file
from ludo.store.errors import ArchiveUnavailable

FOLDER: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x6C75646F
"""«ludo» in ASCII: PostgreSQL's advisory locks are numbers, shared by all users of a database."""
_POLL_S: Final = 0.05


def alembic_config() -> Config:
    """Where Alembic finds the migrations; no file on disk names them."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


async def migrate(engine: AsyncEngine) -> None:
    """Takes every step that the database lacks.

    Raises what the driver raises, and ArchiveUnavailable for a schema that this version cannot
    bring up to date.
    """
    async with _alone(engine), engine.connect() as plain:
        connection = await plain.execution_options(**{WRITING: True})
        async with connection.begin():
            await _wait_for_turn(connection)
            await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ArchiveUnavailable(
            f"expected the archive's schema to be one of this version's; found another: {error}"
        ) from error


async def _wait_for_turn(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """SQLite changes to WAL for one process at a time only: others would find it locked."""
    file = sqlite_file(engine.url)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        async with asyncio.timeout(WITHIN_S):
            while not _locked(lock):  # noqa: ASYNC110 (a file lock tells nobody)
                await asyncio.sleep(_POLL_S)
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            sqlite = cast(aiosqlite.Connection, raw.driver_connection)
            async with sqlite.execute("PRAGMA journal_mode = WAL"):
                pass
        yield
    finally:
        os.close(lock)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
