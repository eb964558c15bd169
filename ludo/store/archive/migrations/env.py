"""How Alembic runs here: on the connection that it is given, inside that one's transaction."""

from alembic import context

from ludo.store.archive.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
