"""What was erased, by a mark that names nobody, and which originals are to go with it."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0008_erased"
down_revision = "0007_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
        schema="state",
    )
    op.create_table(
        "unwanted",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        schema="state",
    )


def downgrade() -> None:
    op.drop_table("unwanted", schema="state")
    op.drop_table("erased", schema="state")
