"""What somebody has begun to tell us on the online form."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0004_drafts"
down_revision = "0003_published"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
        schema="state",
    )
    op.create_index("drafts_by_time", "drafts", ["at"], unique=False, schema="state")


def downgrade() -> None:
    op.drop_table("drafts", schema="state")
