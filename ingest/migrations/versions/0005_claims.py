"""What an id that a sender gave stands for, whether another system gave it or a provider: ``published`` under its new name."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0005_claims"
down_revision = "0004_drafts"
branch_labels = None
depends_on = None
runs_with = "0005_claims"  # the table has another name


def upgrade() -> None:
    _renamed("published", "claims")


def downgrade() -> None:
    _renamed("claims", "published")


def _renamed(old: str, new: str) -> None:
    op.create_table(
        new,
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
        schema="state",
    )
    names = ("contact_id", "fingerprint", "received_at")
    before, after = (
        sa.Table(
            each, sa.MetaData(), *map(sa.Column, names), schema="state"
        )  # whose schema is translated, as a mere table()'s is not
        for each in (old, new)
    )
    op.execute(after.insert().from_select(names, sa.select(*before.c)))
    op.drop_table(old, schema="state")
