"""Posts on social media that wait to be allocated, what was decided about them, and what came back by a link that we sent."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0002_allocation"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Uuid(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("alarmed_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    op.create_index(op.f("ix_posts_first"), "posts", ["first"], unique=False)
    op.create_index("posts_by_outcome", "posts", ["outcome", "due"], unique=False)
    op.create_table(
        "allocations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_allocations_contact_id"), "allocations", ["contact_id"], unique=False)
    op.create_index(op.f("ix_allocations_applied_at"), "allocations", ["applied_at"], unique=False)
    op.create_table(
        "ties",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("earlier", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    op.create_index(op.f("ix_ties_earlier"), "ties", ["earlier"], unique=False)


def downgrade() -> None:
    for table in ("ties", "allocations", "posts"):
        op.drop_table(table)
