"""A feedback record: what the service model has Customer Care write down, made from what the person said."""

from uuid import UUID

from pydantic import Field

from ingest.contract.contact import Criterion, FeedbackType, Person, UnsafeWay
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
    on_behalf_of: Person | None = Field(default=None, description="for whom they write, as they say it")
    authority: Text | None = Field(
        default=None, description="by what right they say that they do: a claim, until it has been seen"
    )
    promises_broken: tuple[Text, ...] = Field(default=(), description="their sentences about a promise we did not keep")
    missing: tuple[Text, ...] = Field(default=(), description="what the service model asks for and we were not told")
