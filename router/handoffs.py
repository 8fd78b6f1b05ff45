"""What becomes of a handoff: its team has taken it, returns it, is done with it, or has not said so in time.

A team says so by a system of its own, on the topic ``handoffs.receipts``, or a person by ``ingest handoffs``. Of two who act at once the
first wins. What is returned is for a person of ours to decide anew, and stands as held until they have.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.contract import Handoff, HandoffReceipt, ReceiptState, TaskKind, Team, topic_of
from ingest.database import Database
from ingest.errors import Refused, Unreadable
from ingest.log import Delivery, Log
from ingest.settings import Publisher
from ingest.telemetry import ERRORS, HANDOFFS_OVERDUE, telemetry
from router.consequences import Consequences, House, not_taken_mail, task
from router.decide import Decision, HoldForReview
from router.desk import contact_of, entry, supersede
from router.opening import Receipt, reading_of, receipt_of
from router.register import tables
from router.store import Batch, Store
from router.worker import follow

RETURNED: Final = "returned-by-a-team"
"""The rule of a disposition that a return made."""
UNTAKEN: Final = ("sent", "overdue")
_MAY_FOLLOW: Final = {
    ReceiptState.TAKEN: UNTAKEN,
    ReceiptState.RETURNED: (*UNTAKEN, "taken"),
    ReceiptState.SETTLED: (*UNTAKEN, "taken"),
}
_AT_ONCE: Final = 200

_say = telemetry("handoffs")


async def follow_receipts(
    log: Log,
    store: Store,
    house: House,
    publishers: Mapping[str, Publisher],
    key: bytes,
    clock: Clock,
    stopping: asyncio.Event,
) -> None:
    """Take what teams say of their handoffs into the register, as far as it is to be believed."""

    async def take_in(batch: Batch, deliveries: Sequence[Delivery]) -> None:
        said = list(_believed(deliveries, publishers, key))
        async with store.taking(batch) as connection:
            for each in said:
                await _take_in(connection, store, house, each, clock())
        store.pending.set()

    await follow(topic_of("handoffs.receipts").name, take_in, log, store, stopping)


def _believed(deliveries: Sequence[Delivery], publishers: Mapping[str, Publisher], key: bytes) -> Iterable[Receipt]:
    """Those to be believed; of the rest it is told that there were some, and nothing comes of them."""
    for delivery in deliveries:
        try:
            yield receipt_of(delivery.record, publishers, key)
        except Unreadable as error:
            _nothing_comes_of(error.reason, position=delivery.position)


def _nothing_comes_of(reason: str, **which: object) -> None:
    ERRORS.labels("handoffs", reason).inc()
    _say.error("receipt-not-taken", reason=reason, **which)


async def _take_in(connection: AsyncConnection, store: Store, house: House, receipt: Receipt, now: datetime) -> None:
    """A team's own word stands over who of it had taken a handoff; what was said before, or comes too late, changes nothing."""
    said, handoffs = receipt.told, tables.handoffs
    team = (await connection.execute(select(handoffs.c.team).where(handoffs.c.id == said.handoff_id))).scalar_one_or_none()
    if team is None:
        _nothing_comes_of("unknown-handoff", handoff=str(said.handoff_id))
    elif receipt.teams is not None and team not in receipt.teams:
        _nothing_comes_of("another-teams", handoff=str(said.handoff_id))
    else:
        await _move(connection, store, house, said, now)


async def say(
    database: Database,
    store: Store,
    house: House,
    handoff_id: UUID,
    state: ReceiptState,
    by: str,
    because: str | None,
    clock: Clock,
) -> None:
    """Say in somebody's name that a handoff is taken, returned or settled.

    Raises Refused ``no-such-handoff``, ``taken-already`` (by somebody else), ``returned-already``, ``settled-already``.
    """
    handoffs = tables.handoffs
    theirs = or_(handoffs.c.taken_by.is_(None), handoffs.c.taken_by == by)
    async with database.write() as connection:
        now = clock()
        said = HandoffReceipt(handoff_id=handoff_id, state=state, by=by, at=now, because=because)
        if not await _move(connection, store, house, said, now, theirs):
            raise await _why_not(connection, handoff_id)
    store.pending.set()


async def _move(
    connection: AsyncConnection,
    store: Store,
    house: House,
    said: HandoffReceipt,
    now: datetime,
    *conditions: ColumnElement[bool],
) -> bool:
    """Whether it moved; it does not where somebody else came first, or nothing of the kind may follow."""
    handoffs = tables.handoffs
    if said.state is ReceiptState.TAKEN:
        becomes = {"taken_by": said.by, "taken_at": said.at}
    else:
        becomes = {"ended_by": said.by, "ended_at": said.at, "because": said.because}
    stands = and_(handoffs.c.id == said.handoff_id, handoffs.c.state.in_(_MAY_FOLLOW[said.state]), *conditions)
    moved = update(handoffs).where(stands).values(state=said.state.value, **becomes).returning(handoffs)
    row = (await connection.execute(moved)).one_or_none()
    if row is None:
        return False
    evidence = {"handoff": str(row.id), "team": row.team, **({"because": said.because} if said.because else {})}
    await store.audit(connection, [entry(now, said.by, f"handoff-{said.state.value}", row.contact_id, **evidence)])
    if said.state is ReceiptState.RETURNED:
        await _hold_again(connection, store, house, row, said.by, said.because, now)
    return True


async def _hold_again(
    connection: AsyncConnection, store: Store, house: House, row: Any, by: str, because: str | None, now: datetime
) -> None:
    """What came back is held for a person, with the reason and what had been added to it meanwhile; a link of it stands."""
    contact, fingerprint = await contact_of(connection, row.contact_id)
    versions, added, contacts = tables.dispositions, tables.additions, tables.contacts
    of_current = select(versions.c.individual_id, versions.c.case_reference)
    of_current = of_current.where(versions.c.contact_id == contact.id, versions.c.current.is_(True))
    current = (await connection.execute(of_current)).one()
    further = select(contacts.c.reference).join(added, added.c.contact_id == contacts.c.id).where(added.c.added_to == row.id)
    others = (await connection.execute(further.order_by(contacts.c.received_at))).scalars().all()
    reasons = (
        f"{by} has returned it, which was handed to {row.team}: {because or 'no reason was given'}",
        *((f"What they wrote since was added to it and is with you as well: {', '.join(others)}.",) if others else ()),
    )
    candidates = (current.individual_id,) if current.individual_id else ()
    decision = Decision(
        HoldForReview(TaskKind.REVIEW, candidates), RETURNED, 1, reasons, current.case_reference, current.individual_id,
        reading_of(contact, house).signs,
    )  # fmt: skip
    await supersede(connection, Consequences(contact, "", fingerprint, decision), now, by)
    asked = task(
        contact.id, contact.channel, TaskKind.REVIEW, house.teams.customer_care, now, now + house.router.review_within, reasons,
        candidates=candidates, case=current.case_reference, purpose=f"returned:{row.id}",
    )  # fmt: skip
    await store.raise_tasks(connection, (asked,), now)
    await store.audit(connection, [entry(now, by, "task-raised", contact.id, task=str(asked.id), kind=asked.kind.value)])


async def _why_not(connection: AsyncConnection, handoff_id: UUID) -> Refused:
    row = (await connection.execute(select(tables.handoffs).where(tables.handoffs.c.id == handoff_id))).one_or_none()
    if row is None:
        return Refused("no-such-handoff", f"There is no handoff {handoff_id}. `ingest handoffs list` shows what there is.")
    if row.state == ReceiptState.TAKEN:
        return Refused("taken-already", f"{row.taken_by} has taken it already.")
    return Refused(
        f"{row.state}-already", f"{row.ended_by} has {row.state} it already{f': {row.because}' if row.because else ''}."
    )


async def alarm(database: Database, store: Store, house: House, now: datetime) -> int:
    """Tell of handoffs that nobody has taken in time, once each; answers with how many. Raises Unavailable."""
    handoffs = tables.handoffs
    late = handoffs.c.state == "sent", handoffs.c.due <= now
    async with database.read() as connection:
        ids = list((await connection.execute(select(handoffs.c.id).where(*late).limit(_AT_ONCE))).scalars())
    for id_ in ids:
        async with database.write() as connection:
            overdue = update(handoffs).where(handoffs.c.id == id_, *late).values(state="overdue", escalated_at=now)
            row = (await connection.execute(overdue.returning(handoffs.c.body, handoffs.c.contact_id))).one_or_none()
            if row is None:
                continue  # taken meanwhile, or told of by another process
            await store.send(connection, not_taken_mail(Handoff.model_validate_json(row.body), house, now), now)
            await store.audit(connection, [entry(now, "router", "handoff-overdue", row.contact_id, handoff=str(id_))])
        ERRORS.labels("duties", "handoff-overdue").inc()
        _say.error("handoff-overdue", handoff=str(id_))
    if ids:
        store.pending.set()
    return len(ids)


async def measure(connection: AsyncConnection) -> None:
    """Set the gauge of what is overdue."""
    handoffs = tables.handoffs
    query = select(handoffs.c.team, func.count()).where(handoffs.c.state == "overdue").group_by(handoffs.c.team)
    overdue = {row[0]: row[1] for row in await connection.execute(query)}
    for team in Team:
        HANDOFFS_OVERDUE.labels(team.value).set(overdue.get(team.value, 0))
