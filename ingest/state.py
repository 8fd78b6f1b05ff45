"""What channels and dispatcher must remember between one process and the next, in tables of their own.

The mail ledger and the receipts are what the edge knows by itself: nothing here is derived from the log or the register, so
that the receipt ledger can hold one against the other.
"""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, MetaData, Table, Text, Uuid

from ingest.database import UtcDateTime

metadata = MetaData()

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("account", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("first_seen_at", UtcDateTime, nullable=False),  # mail older than this is taken in with sending off
    Column("uid_validity", Integer, nullable=False),
    Column("next_uid", Integer, nullable=False),  # every UID below it is taken in
)

mail_ledger = Table(
    "mail_ledger",
    metadata,
    Column("account", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("uid_validity", Integer, primary_key=True),
    Column("uid", Integer, primary_key=True),
    Column("contact_id", Uuid, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("settled", Boolean, nullable=False),  # flagged or moved on the server
)

receipts = Table(
    "receipts",  # what our edge accepted
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("original", Text, nullable=False),
    Index("receipts_by_time", "received_at"),
)

sends = Table(
    "sends",
    metadata,
    Column("outgoing_id", Uuid, primary_key=True),
    Column("state", Text, nullable=False),  # sending, deferred, accepted, failed
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("try_after", UtcDateTime),
    Column("reason", Text),
    Column("audience", Text, nullable=False),
    Column("body", Text, nullable=False),  # the Outgoing
    Index("sends_deferred", "state", "try_after"),
)

switches = Table(
    "switches",  # what a person has turned by hand while the service runs
    metadata,
    Column("name", Text, primary_key=True),  # 'outgoing'
    Column("value", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
