"""Which canary mails went out and came round, and which mail came to several mailboxes."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0007_mail"
down_revision = "0006_texts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "canaries",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("came_round", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account"),
        schema="state",
    )
    op.create_table(
        "mails",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        schema="state",
    )


def downgrade() -> None:
    op.drop_table("mails", schema="state")
    op.drop_table("canaries", schema="state")
