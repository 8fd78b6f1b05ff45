"""The published language: what other people's systems read and write, stable from the first release.

Every type here is frozen, tolerates fields it does not know on the way in, and has its JSON Schema beside it. A change
that an old reader could not bear is a new type beside the old one; an optional field is not.
"""

from ingest.contract.allocation import Allocation, AllocationOutcome
from ingest.contract.canonical import (
    as_date,
    canonical_case_reference,
    canonical_email,
    canonical_phone,
    canonical_postcode,
)
from ingest.contract.contact import (
    FULL_TEXT_LIMIT,
    Attachment,
    Automatic,
    Contact,
    Criterion,
    DeclaredFacts,
    FeedbackType,
    GivenDetails,
    Identifier,
    LegalClock,
    Method,
    Person,
    Post,
    Returned,
    Thread,
    UnsafeWay,
    Verdict,
    within_limit,
)
from ingest.contract.envelope import ERASED, Event, Record, decode, encode, encode_structured
from ingest.contract.feedback import FeedbackRecord
from ingest.contract.handoff import Handoff, HandoffReceipt, ReceiptState, Task, TaskKind, Team
from ingest.contract.ledger import LedgerEntry
from ingest.contract.outgoing import UNSENT, Audience, Outgoing, OutgoingKind, OutgoingState, OutgoingStatus
from ingest.contract.topics import DEAD_LETTERS, TOPIC_NAMES, TOPICS, Topic, major_version, topic_of
from ingest.contract.trace import Trace, Traced, ids, in_trace, trace_of, traced

__all__ = [
    "DEAD_LETTERS",
    "ERASED",
    "FULL_TEXT_LIMIT",
    "TOPICS",
    "TOPIC_NAMES",
    "UNSENT",
    "Allocation",
    "AllocationOutcome",
    "Attachment",
    "Audience",
    "Automatic",
    "Contact",
    "Criterion",
    "DeclaredFacts",
    "Event",
    "FeedbackRecord",
    "FeedbackType",
    "GivenDetails",
    "Handoff",
    "HandoffReceipt",
    "Identifier",
    "LedgerEntry",
    "LegalClock",
    "Method",
    "Outgoing",
    "OutgoingKind",
    "OutgoingState",
    "OutgoingStatus",
    "Person",
    "Post",
    "ReceiptState",
    "Record",
    "Returned",
    "Task",
    "TaskKind",
    "Team",
    "Thread",
    "Topic",
    "Trace",
    "Traced",
    "UnsafeWay",
    "Verdict",
    "as_date",
    "canonical_case_reference",
    "canonical_email",
    "canonical_phone",
    "canonical_postcode",
    "decode",
    "encode",
    "encode_structured",
    "ids",
    "in_trace",
    "major_version",
    "topic_of",
    "trace_of",
    "traced",
    "within_limit",
]
