"""Who was made from a contact, found without reading all individuals through: retention and an erasure ask it of each page of contacts."""

import sqlalchemy as sa
from alembic import op

revision = "0009_made_from"
down_revision = "0008_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = sa.text("made_from IS NOT NULL")
    op.create_index("individuals_made", "individuals", ["made_from"], sqlite_where=made, postgresql_where=made)


def downgrade() -> None:
    op.drop_index("individuals_made", "individuals")
