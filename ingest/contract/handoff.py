"""Work passed to people: a contact handed to a team, what that team says of it, and a task for somebody to decide or do."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from ingest.contract.contact import Attachment, Digest, GivenDetails, Identifier, LegalClock, Person, UnsafeWay
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
    due: Moment | None = Field(default=None, description="by when we want to hear that you have taken it")
    sender_name: Text | None = None
    sender_identifiers: tuple[Identifier, ...] = Field(
        default=(), description="where it came from, and what proved each theirs; null there is a claim"
    )
    given: GivenDetails | None = Field(default=None, description="who they say that they are: claims")
    individual_id: Text | None = None
    case_reference: Text | None = None
    subject: Text | None = None
    text: Text
    full_text: Text
    attachments: tuple[Attachment, ...] = ()
    original: Digest
    urgent: bool = False
    asks_for: Text | None = Field(default=None, description="what the words read like, such as `intake`: a suggestion")
    key_points: tuple[Text, ...] = Field(default=(), description="the person's own sentences")
    remedy_sought: Text | None = None
    organisation_complained_of: Text | None = None
    under_18: Text | None = Field(default=None, description="their words that show the writer to be a child")
    legal_clock: LegalClock | None = None
    reasonable_adjustments: tuple[Text, ...] = ()
    agreed_method: Text | None = Field(default=None, description="how they want to be reached, where that is safe")
    unsafe_ways: tuple[UnsafeWay, ...] = Field(default=(), description="how they must not be reached")
    on_behalf_of: Person | None = Field(
        default=None, description="for whom they write, as they declare it; answers go to the writer only"
    )
    represented: GivenDetails | None = Field(
        default=None, description="for whom they write, as their words have it; empty where they name nobody"
    )
    authority: Text | None = Field(
        default=None, description="by what right they say that they do: a claim, until it has been seen"
    )
    because: tuple[Text, ...] = Field(default=(), description="the rule and the evidence, in sentences")


class ReceiptState(StrEnum):
    """What a team says of a handoff to it."""

    TAKEN = "taken"
    """It is theirs, and somebody works on it."""
    RETURNED = "returned"
    """It is not theirs: a person of ours decides anew."""
    SETTLED = "settled"
    """They are done with it: what the person writes next is a handoff of its own."""


class HandoffReceipt(Shape):
    """One word of a team's about one handoff. The same said again changes nothing."""

    handoff_id: UUID
    state: ReceiptState
    by: Text = Field(description="who says so, a person or a system of the team's")
    at: Moment
    because: Text | None = Field(default=None, description="why it is returned, for whoever decides anew")


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
