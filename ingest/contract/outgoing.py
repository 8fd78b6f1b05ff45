"""What we say to the world: an acknowledgement to a person, a notice to a team, and what became of it."""

from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from ingest.contract.contact import Post
from ingest.contract.shape import Moment, Shape, Text
from ingest.contract.trace import Traced, untraced


class OutgoingKind(StrEnum):
    """Why it is sent."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    HANDOFF = "handoff"
    TASK = "task"
    DIGEST = "digest"
    INVITATION = "invitation"


class Audience(StrEnum):
    """Whether it goes to somebody who wrote to us, or to our own people. Holds and limits are for the first."""

    PERSON = "person"
    STAFF = "staff"


class OutgoingState(StrEnum):
    """due → sending → accepted | failed; accepted → delivered | bounced; held waits for a person; impossible and covered are ends.

    What is covered never goes: the person has an earlier acknowledgement of the same matter, which its reason names.
    """

    DUE = "due"
    HELD = "held"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    IMPOSSIBLE = "impossible"
    CANCELLED = "cancelled"
    COVERED = "covered"


UNSENT: Final = (OutgoingState.DUE, OutgoingState.HELD, OutgoingState.SENDING)
"""A message that stands so has not come to its end, and goes unless it is kept from it."""


class Outgoing(Shape):
    """One message for one recipient, ready to send."""

    id: UUID
    kind: OutgoingKind
    audience: Audience
    channel: Literal["email", "sms", "social"] = Field(description="which channel sends it")
    account: Text = Field(description="which of our accounts it is sent from")
    recipient: Text
    subject: Text
    body: Text
    message_id: Text = Field(description="the same for every copy; for mail its RFC 5322 Message-ID, else the message's own id")
    in_reply_to: Text | None = None
    references: tuple[Text, ...] = ()
    reply_token: Text | None = Field(
        default=None,
        max_length=50,
        description="for mail: what ties an answer to the contact it is about, while it holds; no proof of who answers",
    )
    post: Post | None = Field(default=None, description="on social media: what it answers, whose id is `in_reply_to`")
    private: bool = Field(default=True, description="on social media: whether it goes where only its recipient sees it")
    language: Literal["en", "cy"] | None = Field(default=None, description="of the body, where it is in one language only")
    contact_id: UUID | None = None
    created_at: Moment
    due: Moment = Field(description="when the person must have heard; a send after it is late, not dropped")
    trace: Traced = Field(
        default=None, exclude_if=untraced, description="the trace of the contact that it comes of, as its record's headers say"
    )


class OutgoingStatus(Shape):
    """What became of an outgoing message."""

    outgoing_id: UUID
    state: OutgoingState
    at: Moment
    attempts: int = Field(ge=0, le=2**31 - 1, description="times it was handed to the provider or tried to be")
    reason: Text | None = None
