"""Files that are here before there is a contact that they came with."""

import sqlalchemy as sa
from alembic import op

from ingest.database import Long, UtcDateTime

revision = "0002_uploads"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", Long, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest"),
        schema="state",
    )
    op.create_index("uploads_by_time", "uploads", ["at"], unique=False, schema="state")


def downgrade() -> None:
    op.drop_table("uploads", schema="state")
