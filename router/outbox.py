"""Committed rows to the log: appended in their order, then deleted. A crash between the two appends again, with the same ce_id."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select

from ingest.clock import now
from ingest.contract import Record, ids, trace_of
from ingest.database import Alone, Database
from ingest.errors import Refused, Unavailable
from ingest.ids import new_id
from ingest.log import Log
from ingest.telemetry import ERRORS, telemetry
from router.register import tables

_MOST = 500
_LOOK_EVERY = 0.5

_say = telemetry("outbox")


async def run(log: Log, database: Database, pending: asyncio.Event, stopping: asyncio.Event) -> None:
    """Empty the outbox whenever something is in it, until told to stop; then once more."""
    while True:
        last = stopping.is_set()
        try:
            while await publish(log, database):
                pass
        except Unavailable as error:
            ERRORS.labels("outbox", error.reason).inc()
            _say.warning("waiting", reason=error.reason)
            if not last:
                await asyncio.sleep(_LOOK_EVERY)
        if last:
            return
        pending.clear()
        try:
            await asyncio.wait_for(_either(pending, stopping), _LOOK_EVERY)
        except TimeoutError:
            continue


async def publish(log: Log, database: Database) -> int:
    """Append the oldest rows to the log and delete them; answers with how many. Raises Unavailable.

    Of several processes one does so at a time, so that what is of one key keeps its order; the others answer 0. One that the log
    refuses for its size is put aside with an entry in the audit trail: it must not hold up all that follows.
    """
    async with database.alone("outbox") as alone:
        return 0 if alone is None else await _publish(log, database, alone)


async def _publish(log: Log, database: Database, alone: Alone) -> int:
    outbox = tables.outbox
    async with database.read() as connection:
        rows = (await connection.execute(select(outbox).order_by(outbox.c.number).limit(_MOST))).all()
    refused: list[tuple[Any, Refused]] = []
    await alone.sure()
    for topic, some in groupby(sorted(rows, key=lambda row: (row.topic, row.number)), key=lambda row: row.topic):
        refused += await _append(log, topic, list(some))
    if rows:
        async with database.write() as connection:
            await connection.execute(outbox.delete().where(outbox.c.number.in_([row.number for row in rows])))
            for row, error in refused:
                ERRORS.labels("outbox", error.reason).inc()
                _say.error("not-published", topic=row.topic, key=row.key, reason=error.reason, **ids(trace_of(_record(row))))
                evidence = {"topic": row.topic, "key": row.key, "reason": error.reason}
                entry = {"action": "not-published", "actor": "router", "evidence": evidence}
                await connection.execute(tables.audit.insert().values(id=new_id(), at=now(), **entry))
    return len(rows)


async def _append(log: Log, topic: str, rows: Sequence[Any]) -> list[tuple[Any, Refused]]:
    """Append them, together or, where the log refuses one, by halves; answers with those refused alone."""
    records = [_record(row) for row in rows]
    try:
        await log.append(topic, records)
    except Refused as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        half = len(rows) // 2
        return [*await _append(log, topic, rows[:half]), *await _append(log, topic, rows[half:])]
    return []


def _record(row: Any) -> Record:
    return Record(row.key, row.value, tuple((name, raw.encode("latin-1")) for name, raw in row.headers))


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
