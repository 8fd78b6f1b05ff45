"""Audit entries that were emptied when somebody was erased, and salt for the leaves of those that may be."""

import sqlalchemy as sa
from alembic import op

revision = "0007_erasure"
down_revision = "0006_needs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_leaves", sa.Column("salt", sa.LargeBinary(), nullable=True))
    op.create_table(
        "audit_emptied",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("word_id", sa.Uuid(), nullable=False),
        sa.Column("remains", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("word_id", "entry_id"),
    )
    op.create_index("audit_emptied_by_entry", "audit_emptied", ["entry_id"])


def downgrade() -> None:
    """Entries that were emptied, and those sealed with salt, no longer verify: nothing less than the whole trail could be sealed anew."""
    op.drop_index("audit_emptied_by_entry", table_name="audit_emptied")
    op.drop_table("audit_emptied")
    op.drop_column("audit_leaves", "salt")
