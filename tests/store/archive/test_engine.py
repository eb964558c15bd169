"""Connections that keep what they were told to."""

from pathlib import Path

from sqlalchemy import URL, text

from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine, sqlite_file


async def test_sqlite_keeps_a_commit_over_a_loss_of_power(tmp_path: Path) -> None:
    """WAL with full synchronisation; references hold."""
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "ludo.db"))
    engine = make_engine(url)
    archive = Archive(engine)
    await archive.open()
    async with engine.connect() as connection:
        pragmas = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await archive.aclose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert sqlite_file(url) == tmp_path / "ludo.db"
    assert sqlite_file(URL.create("postgresql+asyncpg", host="h", database="x")) is None
