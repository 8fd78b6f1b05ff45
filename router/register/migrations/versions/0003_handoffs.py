"""What became of a handoff, and hours of the receipt ledger that do not balance."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from ingest.database import UtcDateTime

revision = "0003_handoffs"
down_revision = "0002_allocation"
branch_labels = None
depends_on = None
runs_with = "0003_handoffs"  # a handoff has a time by which it is due

_WITHIN = timedelta(hours=48)  # of what was handed on before there was a setting for it


def upgrade() -> None:
    for column in ("taken_by", "ended_by", "because"):
        op.add_column("handoffs", sa.Column(column, sa.Text(), nullable=True))
    for column in ("due", "taken_at", "ended_at", "escalated_at"):
        op.add_column("handoffs", sa.Column(column, UtcDateTime(), nullable=True))
    handoffs = sa.table(
        "handoffs", sa.column("id", sa.Uuid()), sa.column("handed_off_at", UtcDateTime()), sa.column("due", UtcDateTime())
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(handoffs.c.id, handoffs.c.handed_off_at)).all():
        due = row.handed_off_at + _WITHIN
        connection.execute(sa.update(handoffs).where(handoffs.c.id == row.id).values(due=due))
    with op.batch_alter_table("handoffs") as table:
        table.alter_column("due", existing_type=UtcDateTime(), nullable=False)
    op.create_index("handoffs_by_state", "handoffs", ["state", "due"], unique=False)
    op.create_table(
        "ledger_gaps",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("alarmed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "hour"),
    )


def downgrade() -> None:
    op.drop_table("ledger_gaps")
    op.drop_index("handoffs_by_state", table_name="handoffs")
    for column in ("taken_by", "ended_by", "because", "due", "taken_at", "ended_at", "escalated_at"):
        op.drop_column("handoffs", column)
