"""The keys by which individuals are found, in one index, and the first forename as it is counted; the columns and indexes they replace go.

Whoever has people in the register makes their keys with ``ingest register index``: until then the router waits.
"""

import sqlalchemy as sa
from alembic import op

from ingest.database import Long
from router.match.keys import VERSION

revision = "0004_keys"
down_revision = "0003_handoffs"
branch_labels = None
depends_on = None
runs_with = "0004_keys"  # what people were found by before is gone


def upgrade() -> None:
    op.create_table(
        "individual_keys",
        sa.Column("key", Long, autoincrement=False, nullable=False),
        sa.Column("individual_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "individual_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.execute(f"INSERT INTO key_versions SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM individuals)")
    op.add_column("individuals", sa.Column("canonical_forename", sa.Text(), nullable=True))
    # The key of a name was "surname, forename".
    op.execute("UPDATE individuals SET canonical_forename = substr(name_key, length(canonical_surname) + 3)")
    for name in ("birth_key", "name_key", "canonical_surname"):
        op.drop_index(op.f(f"ix_individuals_{name}"), table_name="individuals")
    op.drop_column("individuals", "name_key")
    op.drop_column("individuals", "birth_key")
    op.create_index("individuals_by_name", "individuals", ["canonical_surname", "canonical_forename"], unique=False)


def downgrade() -> None:
    op.drop_index("individuals_by_name", table_name="individuals")
    for name in ("name_key", "birth_key"):
        op.add_column("individuals", sa.Column(name, sa.Text(), nullable=True))
    op.execute("UPDATE individuals SET name_key = canonical_surname || ', ' || canonical_forename")
    op.execute("UPDATE individuals SET birth_key = CAST(date_of_birth AS TEXT) || ' ' || canonical_surname")
    for name in ("birth_key", "canonical_surname", "name_key"):
        op.create_index(op.f(f"ix_individuals_{name}"), "individuals", [name], unique=False)
    op.drop_column("individuals", "canonical_forename")
    op.drop_table("key_versions")
    op.drop_table("individual_keys")
