"""What we say to the world: an acknowledgement to a person, a notice to a team, and what became of it."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from ingest.contract.shape import Moment, Shape, Text


class OutgoingKind(StrEnum):
    """Why it is sent."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    HANDOFF = "handoff"
    TASK = "task"
    DIGEST = "digest"


class Audience(StrEnum):
    """Whether it goes to somebody who wrote to us, or to our own people. Holds and limits are for the first."""

    PERSON = "person"
    STAFF = "staff"


class OutgoingState(StrEnum):
    """due → sending → accepted | failed; accepted → bounced; held waits for a person; impossible is an end."""

    DUE = "due"
    HELD = "held"
    SENDING = "sending"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    FAILED = "failed"
    IMPOSSIBLE = "impossible"
    CANCELLED = "cancelled"


class Outgoing(Shape):
    """One message for one recipient, ready to send."""

    id: UUID
    kind: OutgoingKind
    audience: Audience
    channel: Literal["email"] = Field(description="which channel sends it")
    account: Text = Field(description="which of our accounts it is sent from")
    recipient: Text
    subject: Text
    body: Text
    message_id: Text = Field(description="RFC 5322 Message-ID, the same for every copy")
    in_reply_to: Text | None = None
    references: tuple[Text, ...] = ()
    contact_id: UUID | None = None
    created_at: Moment
    due: Moment = Field(description="when the person must have heard; a send after it is late, not dropped")


class OutgoingStatus(Shape):
    """What became of an outgoing message."""

    outgoing_id: UUID
    state: OutgoingState
    at: Moment
    attempts: int = Field(ge=0, le=2**31 - 1, description="times it was handed to the provider or tried to be")
    reason: Text | None = None
