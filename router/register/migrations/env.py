"""Alembic's entry: the register's tables, on the connection that ``ingest.database.upgrade`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="register_version")
with context.begin_transaction():
    context.run_migrations()
