"""Texts that somebody else chose."""

from sqlalchemy.dialects import postgresql

from ludo.store.archive.tables import Opaque


def test_zero_character_is_replaced() -> None:
    """PostgreSQL would refuse it, and both databases are to hold the same."""
    dialect = postgresql.dialect()
    assert Opaque().process_bind_param("a\0b", dialect) == "a\N{REPLACEMENT CHARACTER}b"
    assert Opaque().process_bind_param(None, dialect) is None
