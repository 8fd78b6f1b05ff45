"""The receipt ledger: for every channel and hour, received at the edge = current dispositions + dead-lettered + waiting.

What the edge received is its own note (``state.receipts``); what waits is counted on the log itself. So a contact that fell
between the two stands out as unaccounted for.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, tuple_

from ingest import state
from ingest.contract import LedgerEntry, topic_of
from ingest.database import Database, among
from ingest.log import Delivery, Log, Partition, pages
from router.opening import identity_of
from router.register import owed, tables

CONTACTS: Final = topic_of("contacts")
_PAGE = 1_000

Line = tuple[datetime, str]
"""An hour and a channel."""


async def entries(
    log: Log, database: Database, now: datetime, *, since: datetime | None = None, until: datetime | None = None
) -> list[LedgerEntry]:
    """The ledger's lines by hour and channel, from the hour of ``since`` up to ``until``; all of it where neither is given.

    Positions are read first and the log last: whatever has come to no end in between is on the log from there on. Raises
    Unavailable.
    """
    positions = await positions_of(database)
    lines, earliest, open_ = await _count(database, since, until)
    if open_:
        waiting = await _on_the_log(log, positions)
        for contact_id, line in open_.items():
            lines[line]["waiting" if contact_id in waiting else "unaccounted"] += 1
    return [
        LedgerEntry(
            channel=channel,
            hour=hour,
            counted_at=now,
            received=line["received"],
            dispositions={kind[1:]: number for kind, number in sorted(line.items()) if kind.startswith("=")},
            dead_lettered=line["dead"],
            waiting=line["waiting"],
            unaccounted=line["unaccounted"],
            acknowledged=line["acknowledged"],
            owed=line["owed"],
            earliest_due=earliest.get((hour, channel)),
        )
        for (hour, channel), line in sorted(lines.items())
    ]


async def missing(
    log: Log, database: Database, *, since: datetime | None = None, until: datetime | None = None
) -> Sequence[Any]:
    """The receipts of what is in no disposition, dead letter or queue, the oldest first. Raises Unavailable."""
    positions = await positions_of(database)
    _, _, open_ = await _count(database, since, until)
    if not open_ or not (lost := open_.keys() - await _on_the_log(log, positions)):
        return []
    receipts = state.receipts
    query = select(receipts).where(among(receipts.c.contact_id, lost)).order_by(receipts.c.received_at, receipts.c.contact_id)
    async with database.read() as connection:
        return (await connection.execute(query)).all()


async def positions_of(database: Database) -> dict[Partition, int]:
    """Where the register stands on the topic of contacts, by partition. Raises Unavailable."""
    where = tables.positions
    async with database.read() as connection:
        rows = await connection.execute(select(where).where(where.c.topic == CONTACTS.name))
        return {Partition(row.log_id, row.topic, row.partition): row.next for row in rows}


async def not_routed(log: Log, positions: Mapping[Partition, int]) -> AsyncGenerator[Delivery]:
    """The contacts that lie on the log from the register's positions on. A log made anew has positions of its own. Raises Unavailable."""
    after: dict[int, int] = {}
    for partition, position in positions.items():
        after[partition.number] = min(position, after.get(partition.number, position))
    async for page in pages(log, CONTACTS.name, after, _PAGE):
        for each in page:
            if each.position >= positions.get(each.partition, 0):
                yield each


async def _on_the_log(log: Log, positions: Mapping[Partition, int]) -> set[UUID]:
    return {found async for each in not_routed(log, positions) if (found := identity_of(each.record))}


async def _count(
    database: Database, since: datetime | None, until: datetime | None
) -> tuple[dict[Line, Counter[str]], dict[Line, datetime], dict[UUID, Line]]:
    """What was received by line, with what became of it; by when its first acknowledgement is owed; and those of which the register
    knows no end.

    A page at a time, so that nobody who writes must wait. A dead letter put back on its topic stays one until it is decided.
    """
    receipts, current, dead, parked = state.receipts, tables.dispositions, tables.dead_letters, tables.parked
    posts = tables.posts
    is_parked = select(parked.c.position).where(parked.c.contact_id == receipts.c.contact_id).exists()
    is_unallocated = posts.c.contact_id.is_not(None)
    query = (
        select(
            receipts.c.contact_id,
            receipts.c.channel,
            receipts.c.received_at,
            current.c.kind,
            dead.c.id,
            is_parked,
            is_unallocated,
            *owed.of_contact(receipts.c.contact_id),
        )
        .join(current, (current.c.contact_id == receipts.c.contact_id) & current.c.current.is_(True), isouter=True)
        .join(dead, dead.c.id == receipts.c.contact_id, isouter=True)
        .join(posts, (posts.c.contact_id == receipts.c.contact_id) & posts.c.outcome.is_(None), isouter=True)
        .order_by(receipts.c.received_at, receipts.c.contact_id)
        .limit(_PAGE)
    )
    if since is not None:
        query = query.where(receipts.c.received_at >= _hour(since))
    if until is not None:
        query = query.where(receipts.c.received_at < until)
    lines: dict[Line, Counter[str]] = defaultdict(Counter)
    earliest: dict[Line, datetime] = {}
    open_: dict[UUID, Line] = {}
    page = query
    while True:
        async with database.read() as connection:
            rows: Sequence[Any] = (await connection.execute(page)).all()
        for contact_id, channel, received_at, kind, dead_id, waits, unallocated, heard, message_due, letter_due in rows:
            at = _hour(received_at), channel
            line = lines[at]
            line["received"] += 1
            # A letter is asked for where a message did not arrive; a message after one that did is no acknowledgement any more.
            if due := letter_due or (None if heard else message_due):
                line["owed"] += 1
                earliest[at] = min(due, earliest.get(at, due))
            elif heard:
                line["acknowledged"] += 1
            if unallocated:
                line["waiting"] += 1
            elif kind is not None:
                line[f"={kind}"] += 1
            elif waits:
                line["waiting"] += 1
            elif dead_id is not None:
                line["dead"] += 1
            else:
                open_[contact_id] = at
        if len(rows) < _PAGE:
            return lines, earliest, open_
        last = tuple_(
            rows[-1].received_at, rows[-1].contact_id, types=[receipts.c.received_at.type, receipts.c.contact_id.type]
        )
        page = query.where(tuple_(receipts.c.received_at, receipts.c.contact_id) > last)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
