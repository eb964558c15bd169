"""Games, their players and their entries."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """From an empty database."""
    opaque = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "games",
        sa.Column("id", opaque, nullable=False),
        sa.Column("room_code", opaque, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("winner_id", opaque, nullable=True),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("state_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_games"),
    )
    op.create_index("ix_games_ended_at_id", "games", ["ended_at", "id"])
    op.create_index("ix_games_status_ended_at_id", "games", ["status", "ended_at", "id"])
    op.create_index("ix_games_archived_at", "games", ["archived_at"])
    op.create_table(
        "players",
        sa.Column("game_id", opaque, nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("player_id", opaque, nullable=False),
        sa.Column("name", opaque, nullable=False),
        sa.Column("color", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_players_games", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("game_id", "seat", name="pk_players"),
    )
    op.create_index("ix_players_player_id_game_id", "players", ["player_id", "game_id"])
    op.create_table(
        "entries",
        sa.Column("game_id", opaque, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_entries_games", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("game_id", "number", name="pk_entries"),
    )
