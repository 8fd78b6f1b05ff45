"""Work passed to people: a contact handed to a team, and a task for somebody to decide or do."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from ingest.contract.contact import Attachment, Digest, Person, UnsafeWay
from ingest.contract.shape import Moment, Shape, Text


class Team(StrEnum):
    """Who a contact can be handed to."""

    INTAKE = "intake"
    INVESTIGATORS = "investigators"
    CASE_OWNER = "case-owner"


class Handoff(Shape):
    """A contact for another team, whole enough to act on without our register."""

    id: UUID
    contact_id: UUID
    reference: Text
    team: Team
    mailbox: Text = Field(description="where the notice was sent: the owner, the team, or Customer Care")
    channel: Text
    received_at: Moment
    handed_off_at: Moment
    sender_name: Text | None = None
    individual_id: Text | None = None
    case_reference: Text | None = None
    subject: Text | None = None
    text: Text
    full_text: Text
    attachments: tuple[Attachment, ...] = ()
    original: Digest
    urgent: bool = False
    reasonable_adjustments: tuple[Text, ...] = ()
    unsafe_ways: tuple[UnsafeWay, ...] = Field(default=(), description="how they must not be reached")
    on_behalf_of: Person | None = Field(
        default=None, description="for whom they write, as they say it; answers go to the writer only"
    )
    authority: Text | None = Field(
        default=None, description="by what right they say that they do: a claim, until it has been seen"
    )
    because: tuple[Text, ...] = Field(default=(), description="the rule and the evidence, in sentences")


class TaskKind(StrEnum):
    """Why a person is asked, in the order they should be looked at."""

    URGENT = "urgent"
    NOT_READ_FOR_RISK = "not-read-for-risk"
    ALLOCATION = "allocation"
    REVIEW = "review"
    LETTER = "letter"


class Task(Shape):
    """Something only a person can decide or do. Carries reasons and candidates, never the contact's words."""

    id: UUID
    contact_id: UUID | None
    reference: Text
    kind: TaskKind
    mailbox: Text
    channel: Text | None
    created_at: Moment
    due: Moment
    reasons: tuple[Text, ...] = ()
    candidates: tuple[Text, ...] = Field(default=(), description="register ids of who it may be, likeliest first")
    case_reference: Text | None = None
    suggestion: Text | None = Field(default=None, description="what the reading leaned to, where it leaned")
