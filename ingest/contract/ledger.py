"""A line of the receipt ledger: for one channel and hour, what was received and what became of all of it."""

from pydantic import Field

from ingest.contract.shape import Moment, Shape, Text


class LedgerEntry(Shape):
    """received = the sum of dispositions + dead_lettered + waiting; ``unaccounted`` is the difference and must be 0."""

    channel: Text
    hour: Moment
    counted_at: Moment
    received: int = Field(ge=0)
    dispositions: dict[str, int]
    dead_lettered: int = Field(ge=0)
    waiting: int = Field(ge=0)
    unaccounted: int
    acknowledged: int = Field(default=0, ge=0, description="of those received, whose writer has heard from us")
    owed: int = Field(default=0, ge=0, description="of those received, whose writer is still to hear from us")
    earliest_due: Moment | None = Field(default=None, description="by when the first of those must have")
