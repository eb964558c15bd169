"""The archive's tables; `migrations` makes them, and a test holds the two together.

Ids are opaque and compared byte by byte, so that SQL and Redis order them alike.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Opaque(TypeDecorator[str]):
    """A text that somebody else chose: PostgreSQL has no room for U+0000, so nobody keeps it."""

    impl = String().with_variant(String(collation="C"), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What is sent to the database."""
        return None if value is None else value.replace("\0", "\N{REPLACEMENT CHARACTER}")


_id: Final = Opaque()

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

games: Final = Table(
    "games",
    metadata,
    Column("id", _id, primary_key=True),
    Column("room_code", _id, nullable=False),
    Column("mode", String, nullable=False),
    Column("status", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    # Upstream's final state agreed; what the log says was played again and agreed.
    Column("confirmed", Boolean, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("winner_id", _id, nullable=True),
    Column("rules", String, nullable=False),
    Column("state_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger, nullable=False),
    # Redis' count of writes to the hot game: an older copy never replaces a newer one.
    Column("revision", BigInteger, nullable=False),
    Index(None, "ended_at", "id"),
    Index(None, "status", "ended_at", "id"),
    Index(None, "archived_at"),
)

players: Final = Table(
    "players",
    metadata,
    Column("game_id", _id, ForeignKey("games.id", ondelete="CASCADE"), primary_key=True),
    Column("seat", Integer, primary_key=True),
    Column("player_id", _id, nullable=False),
    Column("name", Opaque, nullable=False),
    Column("color", String, nullable=False),
    Column("place", Integer, nullable=False),
    Index(None, "player_id", "game_id"),
)

entries: Final = Table(
    "entries",
    metadata,
    Column("game_id", _id, ForeignKey("games.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("why", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
