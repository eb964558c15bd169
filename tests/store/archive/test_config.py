"""Where the archive is, from the environment."""

from pathlib import Path

import pytest

from ludo.config import ConfigError
from ludo.store.archive.config import ArchiveConfig

FOLDER = Path("/data")


def address(**environ: str) -> str:
    """The address that follows from an environment."""
    config = ArchiveConfig.from_env(environ)
    return config.address(FOLDER).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql+asyncpg://u:p@h/ludo", "postgresql+asyncpg://u:p@h/ludo"),
        ("postgres://u:p@h:5433/ludo", "postgresql+asyncpg://u:p@h:5433/ludo"),
        ("postgresql://h/ludo", "postgresql+asyncpg://h/ludo"),
        ("sqlite:////srv/ludo.db", "sqlite+aiosqlite:////srv/ludo.db"),
    ],
)
def test_usual_addresses_are_taken(given: str, used: str) -> None:
    """Whatever a provider hands out, the driver is ours."""
    assert address(DATABASE_URL=given) == used


def test_without_an_address_there_is_a_file() -> None:
    """One machine needs no server."""
    assert address() == "sqlite+aiosqlite:////data/ludo.db"


@pytest.mark.parametrize(
    "given", ["mysql://h/x", "ludo.db", "sqlite://", "postgresql+psycopg://h/x", ""]
)
def test_other_databases_are_refused_with_what_was_expected(given: str) -> None:
    """The password is not shown, and memory is no archive."""
    if not given:
        assert address(DATABASE_URL="") == address()
        return
    with pytest.raises(ConfigError, match=r"DATABASE_URL: expected postgresql\+asyncpg"):
        ArchiveConfig.from_env({"DATABASE_URL": given})


def test_times_are_durations() -> None:
    """Hot for ten minutes and kept for ever, unless said otherwise."""
    assert (ArchiveConfig().after, ArchiveConfig().retention) == (600.0, None)
    told = ArchiveConfig.from_env({"LUDO_ARCHIVE_AFTER": "5s", "LUDO_ARCHIVE_RETENTION": "8760h"})
    assert (told.after, told.retention) == (5.0, 8760 * 3600.0)
