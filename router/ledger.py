"""The receipt ledger: for every channel and hour, received at the edge = current dispositions + dead-lettered + waiting.

What the edge received is its own note (``state.receipts``); what waits is counted on the log itself. So a contact that fell
between the two stands out as unaccounted for.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.contract import LedgerEntry, topic_of
from ingest.database import Database
from ingest.ids import published_contact_id
from ingest.log import Log
from router.register import tables

_PAGE = 1_000
_OWN_SOURCE = "urn:contact-ingest:"


async def entries(log: Log, database: Database, now: datetime, *, since: datetime | None = None) -> list[LedgerEntry]:
    """The ledger's lines from ``since`` on (all of it where None), by hour and channel. Raises Unavailable."""
    async with database.read() as connection:
        positions = {
            row.partition: row.next
            for row in await connection.execute(
                select(tables.positions).where(tables.positions.c.topic == topic_of("contacts").name)
            )
        }
    waiting = await _on_the_log(log, positions)
    async with database.read() as connection:
        return await _count(connection, waiting, now, since)


async def _on_the_log(log: Log, positions: Mapping[int, int]) -> set[UUID]:
    """Ids of the contacts that lie on the log beyond the register's positions."""
    waiting: set[UUID] = set()
    after = dict(positions)
    while deliveries := await log.read(topic_of("contacts").name, after=after, most=_PAGE):
        for each in deliveries:
            source, ce_id = each.record.header("ce_source") or "", each.record.header("ce_id") or ""
            try:
                waiting.add(UUID(ce_id) if source.startswith(_OWN_SOURCE) else published_contact_id(source, ce_id))
            except ValueError:
                continue
            finally:
                after[each.partition.number] = each.position + 1
    return waiting


async def _count(connection: AsyncConnection, waiting: set[UUID], now: datetime, since: datetime | None) -> list[LedgerEntry]:
    receipts, current, dead, parked = state.receipts, tables.dispositions, tables.dead_letters, tables.parked
    query = (
        select(receipts.c.contact_id, receipts.c.channel, receipts.c.received_at, current.c.kind, dead.c.id, parked.c.position)
        .join(current, (current.c.contact_id == receipts.c.contact_id) & current.c.current.is_(True), isouter=True)
        .join(dead, (dead.c.contact_id == receipts.c.contact_id) & (dead.c.state != "replayed"), isouter=True)
        .join(parked, parked.c.contact_id == receipts.c.contact_id, isouter=True)
    )
    if since is not None:
        query = query.where(receipts.c.received_at >= since)
    kinds: dict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    async with connection.stream(query) as rows:
        async for contact_id, channel, received_at, kind, dead_id, parked_at in rows:
            hour = received_at.replace(minute=0, second=0, microsecond=0)
            line = kinds[hour, channel]
            line["received"] += 1
            if kind is not None:
                line[f"={kind}"] += 1
            elif dead_id is not None:
                line["dead"] += 1
            elif parked_at is not None or contact_id in waiting:
                line["waiting"] += 1
            else:
                line["unaccounted"] += 1
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
        )
        for (hour, channel), line in sorted(kinds.items())
    ]
