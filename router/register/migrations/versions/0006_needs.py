"""Adjustments that contacts ask for: they are whose the contact's link says."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0006_needs"
down_revision = "0005_individuals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "needs",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", "kind"),
    )


def downgrade() -> None:
    op.drop_table("needs")
