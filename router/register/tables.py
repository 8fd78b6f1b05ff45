"""The register's tables: who we know, their cases, and everything decided about every contact.

A column named ``body`` holds a published shape as JSON, so that what was said can be published again word for word. There
are no foreign keys on what a batch writes (they cost 7 to 19 %); the one writer and its one transaction keep it whole.
"""

from sqlalchemy import JSON, Boolean, Column, Date, Float, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid, text

from ingest.database import Long, TextList, UtcDateTime

metadata = MetaData()

individuals = Table(
    "individuals",
    metadata,
    Column("id", Text, primary_key=True),  # the case system's own, or where the router made them `made-` and a UUID
    Column("given_name", Text),
    Column("surname", Text),
    Column("canonical_surname", Text),  # as router.match.names has it, as the first forename
    Column("canonical_forename", Text),
    Column("date_of_birth", Date),
    Column("language", Text),
    Column("agreed_methods", JSON, nullable=False, default=list),
    Column("forbidden_methods", JSON, nullable=False, default=list),
    Column("safe_contact_note", Text),
    Column("arrangement", Text),  # the one named contact of somebody to whom nothing is sent by itself
    Column("died_on", Date),
    Column("imported_at", UtcDateTime, nullable=False),
    Column("made_from", Uuid),  # the contact of whose writer the router made them; null where they are the case system's own
    Column("merged_into", Text),  # whom they count as; never somebody who is merged into another themselves
    Column("merged_at", UtcDateTime),
    Index("individuals_by_name", "canonical_surname", "canonical_forename"),
    Index(
        "individuals_merged",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
    Index(
        "individuals_made",
        "made_from",
        sqlite_where=text("made_from IS NOT NULL"),
        postgresql_where=text("made_from IS NOT NULL"),
    ),
)

individual_keys = Table(
    "individual_keys",  # by what each individual is found (router.match.keys); the table is its own one index
    metadata,
    Column("key", Long, primary_key=True, autoincrement=False),
    Column("individual_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

key_versions = Table(
    "key_versions",  # of which version everybody's keys are; no row while they are being made
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("individual_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("canonical", Text, primary_key=True),
    Column("given", Text, nullable=False),
    Column("verified_by", Text),
    Column("since", UtcDateTime, nullable=False),
    Index("identifiers_by_canonical", "kind", "canonical"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("individual_id", Text, primary_key=True),
    Column("lines", TextList, primary_key=True),
    Column("postcode", Text),
    Column("canonical_postcode", Text, index=True),
    Column("since", UtcDateTime, nullable=False),
)

adjustments = Table(
    "adjustments",
    metadata,
    Column("individual_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("words", Text),
    Column("since", UtcDateTime, nullable=False),
    Column("source", Text, nullable=False),  # 'register': what contacts ask for is among the needs
)

cases = Table(
    "cases",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("status", Text, nullable=False),  # open, closed
    Column("stage", Text),
    Column("organisation", Text),
    Column("owner_email", Text),
    Column("owner_active", Boolean, nullable=False, default=True),
    Column("team_mailbox", Text),
    Column("decided_on", Date),
    Column("comments_due", Date),
)

parties = Table(
    "parties",
    metadata,
    Column("individual_id", Text, primary_key=True),
    Column("case_reference", Text, primary_key=True, index=True),
    Column("role", Text, nullable=False),  # complainant, representative, aggrieved
    Column("authority", Text, nullable=False),  # none, claimed, seen
    Column("may_be_told", Text),
    Column("until", Date),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("sender", Text),  # canonical, for what else they wrote
    Column("fingerprint", Text, nullable=False),  # SHA-256 of the event's data
    Column("body", Text, nullable=False),  # the Contact
    Column("routed_at", UtcDateTime, nullable=False),
    Column("stripped_at", UtcDateTime),  # when its originals were let go of; null while they are kept
    Index("contacts_by_sender", "sender", "received_at"),
)

variants = Table(
    "variants",  # the same id with other content: both are kept
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

dispositions = Table(
    "dispositions",
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("current", Boolean, nullable=False),
    Column("kind", Text, nullable=False),  # RecordFeedback, HandOff, AnswerQuery, InviteToContact, HoldForReview, NoAction
    Column("team", Text),
    Column("urgent", Boolean, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("because", JSON, nullable=False),
    Column("individual_id", Text),
    Column("case_reference", Text),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),  # 'router', or the person who decided
)

links = Table(
    "links",  # a contact found to be an individual's; of each contact at most one stands
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("individual_id", Text, primary_key=True, index=True),
    Column("grade", Text, nullable=False),  # verified, probable, first or chosen: router.consequences.Grade
    Column("score", Float),  # how sure the matching was; null where it did not decide
    Column("evidence", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("undone_at", UtcDateTime),
    Column("undone_by", Text),
    Index(
        "links_standing",
        "contact_id",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
)

candidates = Table(
    "candidates",  # whom a contact may be from, as a person is asked
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("individual_id", Text, primary_key=True),
    Column("rank", Integer, nullable=False),  # the likeliest is 0
    Column("score", Float),
    Column("evidence", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("same", Boolean),  # whether a person said that it is them; null while nobody has
)

feedback_records = Table(
    "feedback_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", Text, nullable=False, index=True),
    Column("contact_id", Uuid, nullable=False, index=True),
    Column("individual_id", Text, index=True),
    Column("case_reference", Text),
    Column("type", Text),
    Column("settled", Boolean, nullable=False, default=False),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("body", Text, nullable=False),  # the FeedbackRecord
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact_id", Uuid, nullable=False, index=True),
    Column("team", Text, nullable=False),
    Column("mailbox", Text, nullable=False),
    Column("individual_id", Text, index=True),
    Column("case_reference", Text),
    Column("state", Text, nullable=False),  # sent, taken, returned, overdue, settled
    Column("handed_off_at", UtcDateTime, nullable=False, index=True),
    Column("due", UtcDateTime, nullable=False),
    Column("taken_by", Text),
    Column("taken_at", UtcDateTime),
    Column("ended_by", Text),  # who returned or settled it
    Column("ended_at", UtcDateTime),
    Column("because", Text),  # why it was returned
    Column("escalated_at", UtcDateTime),
    Column("body", Text, nullable=False),  # the Handoff
    Index("handoffs_by_state", "state", "due"),
)

additions = Table(
    "additions",  # a further contact about an unsettled record or handoff
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("added_to", Uuid, primary_key=True, index=True),
    Column("at", UtcDateTime, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact_id", Uuid, index=True),
    Column("kind", Text, nullable=False),
    Column("mailbox", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, claimed, done
    Column("created_at", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_at", UtcDateTime),
    Column("escalated_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("done_by", Text),
    Column("outcome", Text),
    Column("body", Text, nullable=False),  # the Task
    Index("tasks_open", "state", "kind", "due"),
)

outgoing = Table(
    "outgoing",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact_id", Uuid, index=True),
    Column("kind", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("recipient", Text),  # canonical; null where there is nowhere to send it
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why it is held, failed, cancelled or impossible
    Column("created_at", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("body", Text),  # the Outgoing; null where it is impossible
    Index("outgoing_by_state", "state", "audience", "due"),
    Index("outgoing_by_recipient", "recipient", "state"),
)

budgets = Table(
    "budgets",  # automatic messages to one address on one day (UTC)
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("spent", Integer, nullable=False),
)

restrictions = Table(
    "restrictions",  # what somebody said restricts how we may reach them, obeyed before anybody has proved who they are
    metadata,
    Column("sender", Text, primary_key=True),  # canonical
    Column("method", Text, primary_key=True),  # email, sms, telephone, letter
    Column("words", Text),
    Column("contact_id", Uuid, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

needs = Table(
    "needs",  # an adjustment that a contact asks for: it is whose the contact's link says
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", Text),
)

posts = Table(
    "posts",  # what came by social media, each version by itself, and whether it waits to be allocated
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("first", Uuid, nullable=False, index=True),  # the contact of the post as it was first written
    Column("due", UtcDateTime, nullable=False),
    Column("alarmed_at", UtcDateTime),
    Column("outcome", Text),  # customer-care, nobody, deleted, or ruled where a person has decided on it; null while it waits
    Index("posts_by_outcome", "outcome", "due"),
)

allocations = Table(
    "allocations",  # what External Affairs & Strategy has decided, whether the post has reached us or not
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact_id", Uuid, nullable=False, index=True),  # of the post as it was first written
    Column("outcome", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime, index=True),
)

ties = Table(
    "ties",  # what came back by a link or a mail that we had sent; no proof of who it is from
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("earlier", Uuid, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Uuid, primary_key=True),  # UUIDv7
    Column("at", UtcDateTime, nullable=False),
    Column("contact_id", Uuid, index=True),
    Column("action", Text, nullable=False),
    Column("rule", Text),
    Column("rule_version", Integer),
    Column("actor", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
)

audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=False),
    Column("entry_id", Uuid, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("salt", LargeBinary),  # goes when the entry is emptied; what an earlier release sealed has none
)

audit_emptied = Table(
    "audit_emptied",  # what was left of an entry when somebody was erased, and the entry that vouches for it
    metadata,
    Column("word_id", Uuid, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    Column("remains", LargeBinary, nullable=False),  # the hash of the entry as it stands since
    Index("audit_emptied_by_entry", "entry_id"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("size", Long, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", JSON, nullable=False),  # hex roots of the full subtrees, largest first
    Column("at", UtcDateTime, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", Long, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", Text),
    Column("headers", JSON, nullable=False),  # pairs of name and value, whose bytes are read as Latin-1
    Column("value", LargeBinary),
    sqlite_autoincrement=True,
)

ledger_lines = Table(
    "ledger_lines",  # the ledger as last published
    metadata,
    Column("channel", Text, primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("body", Text, nullable=False),  # the LedgerEntry
)

ledger_gaps = Table(
    "ledger_gaps",  # an hour of a channel that does not balance, and since when
    metadata,
    Column("channel", Text, primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("alarmed_at", UtcDateTime),
)

positions = Table(
    "positions",
    metadata,
    Column("log_id", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("epoch", Long, nullable=False),
    Column("next", Long, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("log_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("position", Long, nullable=False),
    Column("contact_id", Uuid, index=True),  # where the record still told it
    Column("channel", Text),
    Column("received_at", UtcDateTime),
    Column("key", Text),
    Column("headers", JSON, nullable=False),  # pairs of name and value, whose bytes are read as Latin-1
    Column("value", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),  # open, replayed, discarded
    Column("settled_by", Text),
    Column("settled_at", UtcDateTime),
)

parked = Table(
    "parked",  # of a version this release does not know, and later ones of the same key
    metadata,
    Column("log_id", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("position", Long, primary_key=True),
    Column("contact_id", Uuid, index=True),
    Column("key", Text),
    Column("headers", JSON, nullable=False),
    Column("value", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

legal_holds = Table(
    "legal_holds",  # what may not be removed whatever its time: a contact, all of an individual's, or all about a case
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact_id", Uuid),
    Column("individual_id", Text),
    Column("case_reference", Text),
    Column("because", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", UtcDateTime),
)

retention_turns = Table(
    "retention_turns",  # each time that what was past its time was removed, and how much of each kind
    metadata,
    Column("id", Uuid, primary_key=True),  # UUIDv7
    Column("by", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),  # when something was last removed
    Column("ended_at", UtcDateTime),  # null while it goes on; where it was cut short, until a later turn has noted that
    Column("whole", Boolean, nullable=False),  # whether all was removed that was past its time
    Column("removed", JSON, nullable=False),  # how many by kind
    Column("freed_bytes", Long, nullable=False),  # of originals
)
