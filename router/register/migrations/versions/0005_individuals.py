"""Individuals that the router makes, those that count as one, and how a contact was found to be theirs."""

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0005_individuals"
down_revision = "0004_keys"
branch_labels = None
depends_on = None
runs_with = "0005_individuals"  # a link has a grade


def upgrade() -> None:
    op.add_column("individuals", sa.Column("made_from", sa.Uuid(), nullable=True))
    op.add_column("individuals", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("individuals", sa.Column("merged_at", UtcDateTime(), nullable=True))
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index("individuals_merged", "individuals", ["merged_into"], sqlite_where=merged, postgresql_where=merged)
    op.add_column("links", sa.Column("grade", sa.Text(), nullable=True))
    op.add_column("links", sa.Column("score", sa.Float(), nullable=True))
    _grade()
    _leave_one_standing()
    with op.batch_alter_table("links") as table:
        table.alter_column("grade", existing_type=sa.Text(), nullable=False)
    stands = sa.text("undone_at IS NULL")
    op.create_index("links_standing", "links", ["contact_id"], unique=True, sqlite_where=stands, postgresql_where=stands)
    op.create_table(
        "candidates",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("individual_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", "individual_id"),
    )


def _grade() -> None:
    """What the router found is probable, what a person said was chosen: which identifiers were verified nobody noted apart."""
    links = sa.table("links", sa.column("grade"), sa.column("by"))
    op.execute(sa.update(links).values(grade=sa.case((links.c.by == "router", "probable"), else_="chosen")))


def _leave_one_standing() -> None:
    """Of several links of one contact the last stands: a decision for two people at once was possible."""
    links = sa.table(
        "links", sa.column("contact_id", sa.Uuid()), sa.column("individual_id"), sa.column("at", UtcDateTime()),
        sa.column("undone_at", UtcDateTime()), sa.column("undone_by"),
    )  # fmt: skip
    later = links.alias()
    another = (
        (later.c.contact_id == links.c.contact_id)
        & later.c.undone_at.is_(None)
        & (later.c.individual_id != links.c.individual_id)
    )
    after = (later.c.at > links.c.at) | ((later.c.at == links.c.at) & (later.c.individual_id > links.c.individual_id))
    earlier = links.c.undone_at.is_(None) & sa.select(sa.literal(1)).where(another, after).exists()
    op.execute(sa.update(links).where(earlier).values(undone_at=links.c.at, undone_by="upgrade"))


def downgrade() -> None:
    op.drop_table("candidates")
    op.drop_index("links_standing", table_name="links")
    op.drop_column("links", "score")
    op.drop_column("links", "grade")
    op.drop_index("individuals_merged", table_name="individuals")
    for column in ("merged_at", "merged_into", "made_from"):
        op.drop_column("individuals", column)
