"""What an id that a sender gave stands for, whether another system gave it or a provider: ``published`` under its new name."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0005_claims"
down_revision = "0004_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
        schema="state",
    )
    names = ("contact_id", "fingerprint", "received_at")
    old, new = (
        sa.Table(
            each, sa.MetaData(), *map(sa.Column, names), schema="state"
        )  # whose schema is translated, as a mere table()'s is not
        for each in ("published", "claims")
    )
    op.execute(new.insert().from_select(names, sa.select(*old.c)))
    op.drop_table("published", schema="state")
