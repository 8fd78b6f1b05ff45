"""What External Affairs & Strategy decided about a post on social media, or what became of the post itself."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from ingest.contract.shape import Moment, Shape, Text


class AllocationOutcome(StrEnum):
    """Whose it is."""

    CUSTOMER_CARE = "customer-care"
    """It is allocated to us: whoever wrote it is invited to contact us."""
    NOBODY = "nobody"
    """Nothing is to be done about it."""
    DELETED = "deleted"
    """Whoever wrote it has deleted it: nothing is sent, and a person decides whether it is kept."""


class Allocation(Shape):
    """One decision about one post, which holds for every version of it."""

    id: UUID
    contact_id: UUID = Field(description="of the post as it was first written, which may not have reached us yet")
    outcome: AllocationOutcome
    by: Text = Field(description="the portal, or a person of ours")
    at: Moment
