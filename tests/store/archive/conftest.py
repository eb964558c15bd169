"""The archive on every database there is here."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from ludo.store.archive.archive import Archive
from ludo.store.archive.engine import make_engine
from tests.postgres_servers import PrivatePostgres, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """This test process' own PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here (Debian: apt install postgresql)")
    with PrivatePostgres(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The address of an empty database."""
    if request.param == "sqlite":
        return URL.create("sqlite+aiosqlite", database=str(tmp_path / "data" / "ludo.db"))
    address: URL = request.getfixturevalue("postgres").url
    engine = make_engine(address)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return address


@pytest.fixture
async def archive(url: URL) -> AsyncIterator[Archive]:
    """An archive without games."""
    opened = Archive(make_engine(url))
    yield opened
    await opened.aclose()
