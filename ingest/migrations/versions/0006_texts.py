"""Texts that wait for their pictures or their other parts, and up to when a provider was asked for what it could not tell us."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0006_texts"
down_revision = "0005_claims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("whole", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("try_after", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "fingerprint"),
        schema="state",
    )
    op.create_index("texts_by_account", "texts", ["account", "taken_at"], unique=False, schema="state")
    op.create_table(
        "reconciled",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
        schema="state",
    )


def downgrade() -> None:
    op.drop_table("reconciled", schema="state")
    op.drop_table("texts", schema="state")
