"""The log: topics of records in order, appended durably and read in batches.

Two kinds ship, and one conformance suite judges both: ``sqlite`` (one service process, one partition a topic) and
``kafka`` (groups of processes). What a kind cannot do it leaves out of its ``features``. ``spool`` stands before Kafka where
contacts are taken in.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from ingest.contract import Record
from ingest.errors import Refused


class Feature(Enum):
    """What some kinds of log have and others have not."""

    GROUPS = auto()
    """Several processes share a topic's partitions."""
    EXCLUSIVE = auto()
    """A second service on the same log is refused."""
    REWRITES = auto()
    """A record may be put in another's place; elsewhere what is on a topic stays until its retention is over."""
    MAKES_TOPICS = auto()
    """A topic is made when it is first appended to or consumed; elsewhere that is for the operator."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One ordered part of a topic. ``log_id`` names this making of it: a topic made anew has another."""

    log_id: str
    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record as the log hands it over."""

    partition: Partition
    position: int
    appended_at: datetime
    record: Record


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind on a topic: records not yet settled, and when the oldest of them was appended."""

    records: int
    oldest: datetime | None


Assigned = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int | None]]]
"""Called when partitions become ours, before anything of them is handed over. Answers where to begin in each: the position
of the next record wanted, or None for where the group last settled, else the earliest. A position outside what the log
holds means the earliest, with ``Consumption.rewound`` naming the partition: what was lost is looked for, never skipped."""

Revoked = Callable[[Sequence[Partition]], Awaitable[None]]
"""Called when partitions stop being ours; returns once nothing of them is in flight."""


def refuse_too_large(records: Sequence[Record], most_bytes: int) -> None:
    """For every kind alike. Raises Refused(``record-too-large``), naming the size, where a record is over the limit."""
    for record in records:
        if record.size > most_bytes:
            raise Refused(
                "record-too-large",
                f"The record is {record.size} bytes; {most_bytes} is the limit ([log] most_record_bytes).",
            )


class Consumption(Protocol):
    """One reader of a topic, as a member of its group."""

    @property
    def rewound(self) -> frozenset[Partition]:
        """Partitions whose given position the log did not hold, so that they are read again from the earliest."""
        ...

    async def take(self, *, most: int, most_bytes: int, within: float) -> Sequence[Delivery]:
        """The next records in order, all of one partition; empty where none came within so many seconds.

        At most ``most`` records, and no more bytes than ``most_bytes`` unless a single record is larger. What was taken before need
        not be settled yet: it is in hand until then, and partitions are not let go before that if it comes soon. Raises Unavailable.
        """
        ...

    async def settle(self, following: Mapping[Partition, int]) -> None:
        """Note, for each partition, the position of the next record wanted. Raises Unavailable."""
        ...


class Log(Protocol):
    """Topics of records. Every call raises Unavailable where the log is away."""

    @property
    def features(self) -> frozenset[Feature]:
        """What this kind has."""
        ...

    async def append(self, topic: str, records: Sequence[Record]) -> Sequence[int]:
        """Write the records in order and answer with their positions, once they would survive a loss of power.

        No positions come back where they wait in a spool and have none yet. Either all or none are written. Raises Refused(``record-too-large``) where one is over the limit, naming its size.
        """
        ...

    def consume(
        self, topic: str, group: str, *, assigned: Assigned, revoked: Revoked
    ) -> AbstractAsyncContextManager[Consumption]:
        """Read a topic as a member of a group."""
        ...

    async def settled(self, topic: str, group: str) -> Mapping[Partition, int]:
        """Where a group has itself settled that it goes on, in this making of the topic; of partitions where it never did, nothing."""
        ...

    async def reconcile(self, seen: Mapping[Partition, int]) -> Sequence[str]:
        """Hold the log against the positions of the next record that its readers want, before anything is appended to it.

        A topic that ends before one of them is an older copy, which would give its positions out again: where this kind can, it is
        made anew, to be read again from the earliest. Answers with the topics of which it was so.
        """
        ...

    async def lag(self, topic: str, group: str) -> Lag:
        """How far a group is behind, by what it has settled."""
        ...

    async def read(self, topic: str, *, after: Mapping[int, int], most: int) -> Sequence[Delivery]:
        """Up to ``most`` records from each partition number's position on (0 where it is not named), in order, without
        joining any group: for commands that look.
        """
        ...

    async def trim(self) -> int:
        """Let go of records past their retention that every group has settled; answers with how many, 0 where the broker does it."""
        ...

    async def rewrite(self, topic: str, instead: Mapping[int, Record]) -> None:
        """Put records in the place of those at these positions, for good: nothing of what was there is left in the log's files.

        Only where the kind has ``REWRITES``: elsewhere it raises Refused(``log-keeps-records``).
        """
        ...

    async def close(self) -> None:
        """Finish what is in flight and let go of everything."""
        ...


async def pages(log: Log, topic: str, after: dict[int, int], most: int) -> AsyncGenerator[Sequence[Delivery]]:
    """A topic from there to its end, a page at a time; ``after`` then has up to where it was read. Raises Unavailable."""
    while page := await log.read(topic, after=after, most=most):
        after.update({each.partition.number: each.position + 1 for each in page})
        yield page
