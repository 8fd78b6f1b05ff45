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
