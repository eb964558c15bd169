"""Connections to the archive's database."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WITHIN_S: Final = 10.0
"""How long a connection, a lock or a statement may take."""
CONNECTIONS: Final = 4
WRITING: Final = "ludo_writing"
"""The execution option of a transaction that writes."""


def make_engine(url: URL) -> AsyncEngine:
    """An engine that connects when first used; the caller disposes of it."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    server = {"statement_timeout": str(int(WITHIN_S * 1000))}
    return create_async_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WITHIN_S,
        pool_pre_ping=True,
        connect_args={"timeout": WITHIN_S, "command_timeout": WITHIN_S, "server_settings": server},
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database, None for another one."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _sqlite(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WITHIN_S,
        connect_args={"timeout": WITHIN_S},
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    # sqlite3 would begin transactions at the first write only, and never for DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The hot copy is dropped after the commit, so the commit has to survive a loss of power.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A reader that became a writer would be refused at once if another had written meanwhile.
    writing = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
