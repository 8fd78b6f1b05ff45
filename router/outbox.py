"""Committed rows to the log: appended in their order, then deleted. A crash between the two appends again, with the same ce_id."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import select

from ingest import state
from ingest.clock import now
from ingest.contract import Event, OutgoingState, encode, ids, topic_of, trace_of
from ingest.database import Alone, Database
from ingest.errors import Refused, Unavailable
from ingest.ids import new_id
from ingest.log import Log
from ingest.telemetry import ERRORS, telemetry
from router.opening import record_in
from router.register import tables
from router.store import SOURCE

_OUTGOING: Final = topic_of("outgoing")
_LOST_AFTER: Final = timedelta(minutes=10)
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


async def publish_again(log: Log, database: Database, now: datetime) -> int:
    """Publish messages again that are due and that nobody has: their topic lost them after we had appended them; answers with how many.

    Those only that have been due for a while, and where the dispatcher has taken in all that the topic holds. Raises Unavailable.
    """
    if (await log.lag(_OUTGOING.name, "dispatcher")).records:
        return 0
    due, waiting, taken = tables.outgoing, tables.outbox, state.sends
    lost = select(due.c.id, due.c.body).where(
        due.c.state == OutgoingState.DUE.value,
        due.c.body.is_not(None),
        due.c.changed_at < now - _LOST_AFTER,
        # One without words is what the dispatcher learned of after the register was put back: it has nothing to send yet.
        ~select(taken.c.outgoing_id)
        .where(taken.c.outgoing_id == due.c.id, (taken.c.state != "deferred") | taken.c.body.is_not(None))
        .exists(),
        ~select(waiting.c.number).where(waiting.c.topic == _OUTGOING.name).exists(),
    )
    async with database.read() as connection:
        rows = (await connection.execute(lost.limit(_MOST))).all()
    if rows:
        ERRORS.labels("outbox", "published-again").inc(len(rows))
        _say.warning("published-again", messages=len(rows))
        events = [Event(str(row.id), SOURCE, _OUTGOING.ce_type, row.body.encode(), time=now) for row in rows]
        await log.append(_OUTGOING.name, [encode(each, each.id) for each in events])
    return len(rows)


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
                _say.error("not-published", topic=row.topic, key=row.key, reason=error.reason, **ids(trace_of(record_in(row))))
                evidence = {"topic": row.topic, "key": row.key, "reason": error.reason}
                entry = {"action": "not-published", "actor": "router", "evidence": evidence}
                await connection.execute(tables.audit.insert().values(id=new_id(), at=now(), **entry))
    return len(rows)


async def _append(log: Log, topic: str, rows: Sequence[Any]) -> list[tuple[Any, Refused]]:
    """Append them, together or, where the log refuses one, by halves; answers with those refused alone."""
    records = [record_in(row) for row in rows]
    try:
        await log.append(topic, records)
    except Refused as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        half = len(rows) // 2
        return [*await _append(log, topic, rows[:half]), *await _append(log, topic, rows[half:])]
    return []


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
