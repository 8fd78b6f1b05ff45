"""Alembic's entry: what channels and dispatcher remember, on the connection that ``ingest.database.upgrade`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="state_version")
with context.begin_transaction():
    context.run_migrations()
