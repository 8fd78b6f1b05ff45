"""Which mails a contact is, found without reading the ledger through: retention and an erasure ask it of each page of contacts."""

from alembic import op

revision = "0009_by_contact"
down_revision = "0008_erased"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("mail_ledger_by_contact", "mail_ledger", ["contact_id"], schema="state")
    op.create_index("mails_by_contact", "mails", ["contact_id"], schema="state")


def downgrade() -> None:
    op.drop_index("mails_by_contact", "mails", schema="state")
    op.drop_index("mail_ledger_by_contact", "mail_ledger", schema="state")
