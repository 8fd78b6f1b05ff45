"""A feedback record: what the service model has Customer Care write down, made from what the person said."""

from uuid import UUID

from pydantic import Field

from ingest.contract.contact import Criterion, FeedbackType, GivenDetails, LegalClock, Person, UnsafeWay
from ingest.contract.shape import Moment, Shape, Text


class FeedbackRecord(Shape):
    """Name, address, type of feedback, contacted before, key points, criteria, remedy: as given and as held.

    Source: the service model, "Accurately record the following", and "Feedback Process".
    """

    id: UUID
    reference: Text
    contact_ids: tuple[UUID, ...]
    channel: Text
    received_at: Moment
    recorded_at: Moment
    individual_id: Text | None = None
    name_given: Text | None = None
    name_held: Text | None = None
    address_given: Text | None = None
    address_held: Text | None = None
    phone_given: Text | None = None
    email_given: Text | None = None
    date_of_birth_given: Text | None = Field(default=None, description="YYYY-MM-DD")
    type: FeedbackType | None = None
    key_points: tuple[Text, ...] = Field(default=(), description="the person's own sentences")
    review_criteria: tuple[Criterion, ...] = ()
    remedy_sought: Text | None = None
    contacted_before_said: bool | None = None
    contacted_before_held: bool = Field(default=False, description="the register has an earlier contact of theirs")
    case_reference: Text | None = None
    organisation_complained_of: Text | None = None
    reasonable_adjustments: tuple[Text, ...] = ()
    agreed_method: Text | None = None
    unsafe_ways: tuple[UnsafeWay, ...] = Field(default=(), description="how they must not be reached")
    on_behalf_of: Person | None = Field(default=None, description="for whom they write, as they declare it")
    represented: GivenDetails | None = Field(
        default=None, description="for whom they write, as their words have it; empty where they name nobody"
    )
    authority: Text | None = Field(
        default=None, description="by what right they say that they do: a claim, until it has been seen"
    )
    under_18: Text | None = Field(default=None, description="their words that show the writer to be a child")
    legal_clock: LegalClock | None = None
    promises_broken: tuple[Text, ...] = Field(default=(), description="their sentences about a promise we did not keep")
    missing: tuple[Text, ...] = Field(default=(), description="what the service model asks for and we were not told")
