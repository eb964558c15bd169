"""Where the archive is, and how long games are kept where."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ludo.config import Duration, EnvConfig

FILE: Final = "ludo.db"
_DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_EXPECTED: Final = (
    "expected postgresql+asyncpg://user:password@host/name or sqlite+aiosqlite:///path"
)


def _is_known(value: SecretStr) -> SecretStr:
    try:
        url = make_url(value.get_secret_value())
    except ArgumentError:
        raise ValueError(_EXPECTED) from None
    in_memory = url.drivername.startswith("sqlite") and not url.database
    if url.drivername not in _DRIVERS or in_memory:
        raise ValueError(_EXPECTED)
    return value


class ArchiveConfig(EnvConfig):
    """Which database holds the games that are over, and for how long."""

    database_url: Annotated[SecretStr, AfterValidator(_is_known)] | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="postgresql+asyncpg:// or sqlite+aiosqlite:// address; unset: ludo.db in the "
        "data folder",
    )
    after: Duration = Field(
        default=600.0,
        validation_alias="LUDO_ARCHIVE_AFTER",
        description="how long a game that is over stays in Redis",
    )
    retention: Duration | None = Field(
        default=None,
        validation_alias="LUDO_ARCHIVE_RETENTION",
        description="how long archived games are kept; unset: for ever",
    )

    def address(self, data_dir: Path) -> URL:
        """The database's address; without a setting, a file in the data folder."""
        if self.database_url is None:
            return URL.create("sqlite+aiosqlite", database=str(data_dir / FILE))
        url = make_url(self.database_url.get_secret_value())
        return url.set(drivername=_DRIVERS[url.drivername])
