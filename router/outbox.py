"""Committed rows to the log: appended in their order, then deleted. A crash between the two appends again, with the same ce_id."""

import asyncio
from itertools import groupby

from sqlalchemy import select

from ingest.contract import Record
from ingest.database import Database
from ingest.errors import Refused, Unavailable
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
        except (Unavailable, Refused) as error:
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
    """Append the oldest rows to the log and delete them; answers with how many. Raises Unavailable, Refused."""
    outbox = tables.outbox
    async with database.read() as connection:
        rows = (await connection.execute(select(outbox).order_by(outbox.c.number).limit(_MOST))).all()
    for topic, some in groupby(sorted(rows, key=lambda row: (row.topic, row.number)), key=lambda row: row.topic):
        records = [
            Record(row.key, row.value, tuple((name, raw.encode("latin-1")) for name, raw in row.headers)) for row in some
        ]
        await log.append(topic, records)
    if rows:
        async with database.write() as connection:
            await connection.execute(outbox.delete().where(outbox.c.number.in_([row.number for row in rows])))
    return len(rows)


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
