"""The topics, the type of event each carries, and the versions of it that this release understands."""

import re
from typing import NamedTuple

from ingest.contract.allocation import Allocation
from ingest.contract.contact import Contact
from ingest.contract.feedback import FeedbackRecord
from ingest.contract.handoff import Handoff, HandoffReceipt, Task, Team
from ingest.contract.ledger import LedgerEntry
from ingest.contract.outgoing import Outgoing, OutgoingStatus
from ingest.contract.shape import Shape


class Topic(NamedTuple):
    """Where events of one type are found; ``ce_type`` is their type, whose ending is its major version."""

    name: str
    ce_type: str
    shape: type[Shape]
    about: str


TOPICS: tuple[Topic, ...] = (
    Topic("contacts", "contact-ingest.contact.v1", Contact, "every approach by a person, from every channel"),
    Topic("handoffs.intake", "contact-ingest.handoff.v1", Handoff, "new enquiries and complaints about other bodies"),
    Topic("handoffs.investigators", "contact-ingest.handoff.v1", Handoff, "for an open case, from a proven party to it"),
    Topic("handoffs.case-owner", "contact-ingest.handoff.v1", Handoff, "about a closed case, for who last had it"),
    Topic(
        "handoffs.receipts",
        "contact-ingest.handoff-receipt.v1",
        HandoffReceipt,
        "what a team says of a handoff: taken, returned or settled",
    ),
    Topic("records.feedback", "contact-ingest.feedback-record.v1", FeedbackRecord, "feedback as recorded"),
    Topic("tasks", "contact-ingest.task.v1", Task, "what a person must decide or do"),
    Topic("outgoing", "contact-ingest.outgoing.v1", Outgoing, "messages for the dispatcher to send"),
    Topic("outgoing.status", "contact-ingest.outgoing-status.v1", OutgoingStatus, "what became of each message"),
    Topic(
        "allocations",
        "contact-ingest.allocation.v1",
        Allocation,
        "whose a post on social media is, as External Affairs & Strategy decided",
    ),
    Topic("ledger", "contact-ingest.ledger-entry.v1", LedgerEntry, "received against accounted for, by channel and hour"),
)

DEAD_LETTERS = "contacts.dead-letter"
"""Bytes that could not be read, untouched; why, where from and how often tried are in the headers."""

TOPIC_NAMES = (*(topic.name for topic in TOPICS), DEAD_LETTERS)
"""Every topic there is."""

_BY_NAME = {topic.name: topic for topic in TOPICS}
_VERSION = re.compile(r"(?P<stem>.+)\.v(?P<major>[0-9]{1,6})")


def topic_of(name: str) -> Topic:
    """The topic of that name; KeyError where there is none."""
    return _BY_NAME[name]


def handoff_topic(team: Team) -> str:
    """The topic on which handoffs to that team are published."""
    return f"handoffs.{team.value}"


def major_version(ce_type: str) -> tuple[str, int] | None:
    """``contact-ingest.contact.v2`` as (``contact-ingest.contact``, 2); None where the type names no version."""
    found = _VERSION.fullmatch(ce_type)
    return (found["stem"], int(found["major"])) if found else None
