"""What other systems' keys stand for at POST /contacts."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0003_published"
down_revision = "0002_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "published",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
        schema="state",
    )


def downgrade() -> None:
    op.drop_table("published", schema="state")
