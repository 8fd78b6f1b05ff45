"""A contact: one approach by one person, normalised, whatever channel it came by."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ingest.contract.shape import Moment, Shape, Text
from ingest.contract.trace import Traced, untraced

FULL_TEXT_LIMIT = 256 * 1024
"""Bytes of UTF-8 of ``full_text`` carried on the topic; the whole is in the original."""


def within_limit(full_text: str) -> tuple[str, bool]:
    """The text, or as many whole characters of it as the topic carries, and whether it was cut."""
    encoded = full_text.encode("utf-8", "replace")
    if len(encoded) <= FULL_TEXT_LIMIT:
        return full_text, False
    return encoded[:FULL_TEXT_LIMIT].decode("utf-8", "ignore"), True


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in lower-case hex")]


class Automatic(StrEnum):
    """Whether a person wrote it. Anything but ``none`` is answered by nobody (RFC 3834 section 2)."""

    NONE = "none"
    REPLY = "reply"
    BOUNCE = "bounce"
    LIST = "list"


class Verdict(StrEnum):
    """What the virus scan said of an attachment; only ``clean`` may be opened."""

    UNSCANNED = "unscanned"
    CLEAN = "clean"
    INFECTED = "infected"
    WITHHELD = "withheld"


class Identifier(Shape):
    """Something that may tell who a person is: as it was given, and in the form that is compared."""

    kind: Literal["email", "phone", "handle", "reference"]
    given: Text = Field(max_length=1024)
    canonical: Text = Field(max_length=1024)
    verified_by: Text | None = Field(
        default=None, description="what proved it is theirs, such as `dmarc` or `sign-in`; null where it is only claimed"
    )


class Person(Shape):
    """Somebody as they present themselves; nothing here has been checked against the register."""

    name: Text | None = Field(default=None, max_length=1024)
    identifiers: tuple[Identifier, ...] = ()


class Attachment(Shape):
    """A file that came with the contact; its bytes are kept apart, by digest."""

    digest: Digest
    name: Text = Field(max_length=255, description="a label without any path")
    content_type: Text = Field(max_length=255)
    size: int = Field(ge=0, description="bytes")
    verdict: Verdict = Verdict.UNSCANNED
    inline: bool = False


class Thread(Shape):
    """What ties this contact to an earlier one. None of it is proof of who writes."""

    reply_token: Text | None = None
    message_id: Text | None = None
    in_reply_to: Text | None = None
    references: tuple[Text, ...] = ()


class Returned(Shape):
    """What a bounce says of the mail of ours that it returns. A claim like any other: only a token of ours proves that the mail went."""

    outcome: Literal["failed", "delayed", "delivered"] = Field(
        default="failed", description="`delayed` is still on its way; `delivered` was asked to be told"
    )
    token: Text | None = Field(default=None, max_length=64, description="from the envelope's sender, where we put one there")
    message_id: Text | None = Field(default=None, description="of the mail that is returned")
    addresses: tuple[Text, ...] = Field(default=(), max_length=50, description="whom it names, canonical")
    code: Text | None = Field(default=None, max_length=32, description="RFC 3463, such as `5.1.1`")


Method = Literal["telephone", "sms", "email", "letter"]
"""A way to reach somebody."""

FeedbackType = Literal["service", "decision", "mixed", "praise", "suggestion"]
"""What feedback is about."""


class Criterion(Shape):
    """One of the review criteria, with the person's own words that show it."""

    name: Literal["inaccurate_facts", "new_information", "overlooked_information"]
    evidence: Text


class UnsafeWay(Shape):
    """A way that must not be used to reach somebody, with what they said of it."""

    method: Method
    words: Text = ""


class GivenDetails(Shape):
    """Who one person is, as somebody's words have it: claims, as they were written."""

    name: Text | None = None
    address: Text | None = Field(default=None, description="the postal address, its lines apart by commas")
    postcode: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    date_of_birth: Text | None = Field(default=None, description="YYYY-MM-DD")


class LegalClock(Shape):
    """What somebody asks that the law has a clock of its own for, and when that ends."""

    kind: Literal["subject-access", "freedom-of-information", "data-protection"]
    due: date = Field(
        description="the last day on which they are answered, or for a complaint about data protection told that we have it"
    )


class DeclaredFacts(Shape):
    """What a person said of themselves in fields of their own, such as a form's answers; null where they were not asked.

    ``asks_for`` is what they chose to do: feedback on us, a complaint about another body that is new to us, news for a case that is
    open, or a question.
    """

    asks_for: Literal["feedback", "new_complaint", "open_case", "question"] | None = None
    feedback_type: FeedbackType | None = None
    review_criteria: tuple[Criterion, ...] = ()

    name: Text | None = None
    address: tuple[Text, ...] = ()
    postcode: Text | None = None
    date_of_birth: Text | None = Field(default=None, description="YYYY-MM-DD")
    email: Text | None = None
    phone: Text | None = None
    case_reference: Text | None = None
    contacted_before: bool | None = None
    organisation_complained_of: Text | None = None
    remedy_sought: Text | None = None
    preferred_method: Method | None = None
    unsafe_ways: tuple[UnsafeWay, ...] = ()
    reasonable_adjustments: tuple[Text, ...] = ()
    authority: Text | None = Field(default=None, description="by what right they say that they write for another person")


class Post(Shape):
    """Where a post on social media stands on its network, so that it can be answered there and nowhere else.

    Its own id on the network is the ``message_id`` of the contact's ``thread``.
    """

    network: Text = Field(max_length=64, description="such as `facebook`, as the portal names it")
    thread_id: Text = Field(max_length=1024, description="the conversation, or the post at the top of the thread")
    private: bool = Field(default=False, description="only they and we can see it")
    private_way: bool = Field(default=False, description="the network lets us answer it where only they see it")
    own_thread: bool = Field(default=False, description="nobody else's post stands above it")
    permalink: Text | None = Field(default=None, max_length=2048)
    first: UUID | None = Field(
        default=None, description="where this is a later version: the contact of the post as it was first written"
    )
    version: Text | None = Field(
        default=None, max_length=255, description="of a later version, as the portal tells versions apart"
    )


class Contact(Shape):
    """One approach by one person, normalised.

    ``received_at`` is when our edge had it (for mail, when the mailbox took it), never what the sender's clock said. The
    48 hours run from it.
    """

    id: UUID
    source: Text = Field(description="the CloudEvents source that made this contact")
    channel: Literal["email", "letter", "web_form", "sms", "social", "telephone"]
    account: Text = Field(description="which of our mailboxes, numbers or forms it reached")
    received_at: Moment
    sent_at: Moment | None = None
    sender: Person = Person()
    on_behalf_of: Person | None = None
    subject: Text | None = None
    text: Text = Field(description="the new words, apart from quoted history")
    full_text: Text = Field(description="all of the words, cut at 256 KiB")
    full_text_cut: bool = False
    language: Text | None = Field(default=None, description="ISO 639-1, where it could be told")
    original: Digest
    attachments: tuple[Attachment, ...] = ()
    thread: Thread = Thread()
    automatic: Automatic = Automatic.NONE
    returned: Returned | None = Field(default=None, description="where it is a bounce")
    declared: DeclaredFacts | None = None
    post: Post | None = None
    needs_allocation: bool = Field(default=False, description="social media that waits for External Affairs & Strategy")
    backfill: bool = Field(default=False, description="older than the service: taken in, and nothing is sent by itself")
    acknowledged: bool = Field(
        default=False, description="the publisher has told the person already; believed only where settings allow"
    )
    warnings: tuple[Text, ...] = Field(default=(), description="what could not be read as it should, each `reason: sentence`")
    trace: Traced = Field(
        default=None,
        exclude_if=untraced,
        description="the trace that it belongs to, as its record's headers say; nothing that stands here on the topic counts",
    )

    @property
    def is_text(self) -> bool:
        """Whether they wrote it on a telephone, and so look for the answer there."""
        return self.channel == "sms"

    @property
    def to_be_allocated(self) -> bool:
        """Whether nothing comes of it before External Affairs & Strategy has said whose it is."""
        return self.channel == "social" or self.post is not None or self.needs_allocation
