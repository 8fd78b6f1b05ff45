"""What comes of a post once External Affairs & Strategy has allocated it, whether it came to us before that or after.

There is one way: a post waits, an allocation is noted, and where there are both, in either order, ``apply`` decides anew on every version
of the post. Its writer is invited once; a version that comes later is kept and answered no more. What was deleted is answered never.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import Allocation, AllocationOutcome, Audience, OutgoingKind, OutgoingState, Task, TaskKind
from ingest.database import Database, among
from ingest.errors import Refused, Unavailable
from ingest.ids import derived_id, new_id
from ingest.telemetry import ERRORS, UNALLOCATED, UNALLOCATED_OLDEST, telemetry
from router.audit import AuditEntry
from router.consequences import Consequences, House, consequences, invite_by_hand, kind_of, task, task_mail
from router.decide import Allocated, decide
from router.desk import RULED, contact_of, end_task, only_new, relink, supersede
from router.gather import gather
from router.opening import reading_of
from router.register import tables
from router.store import Store, link_row

_ROUTER: Final = "router"
_AT_ONCE: Final = 200

_say = telemetry("allocation")


async def apply(database: Database, store: Store, house: House, clock: Clock) -> int:
    """Do what is to be done where a post and an allocation of it have come together; answers with how many posts that was.

    Each is a transaction by itself: one that breaks whatever decides on it keeps no other waiting. Raises Unavailable.
    """
    posts, told = tables.posts, tables.allocations
    new = select(told.c.contact_id).where(
        told.c.applied_at.is_(None), select(posts.c.first).where(posts.c.first == told.c.contact_id).exists()
    )
    waits = select(posts.c.first).where(
        posts.c.outcome.is_(None), select(told.c.id).where(told.c.contact_id == posts.c.first).exists()
    )
    async with database.read() as connection:
        ready = list((await connection.execute(new.union(waits).limit(_AT_ONCE))).scalars())
    for first in ready:
        try:
            async with database.write(f"post {first}") as connection:
                await _apply(connection, store, house, first, clock())
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one poison must not stop its neighbours
            ERRORS.labels("allocations", "not-applied").inc()
            _say.error("not-applied", contact=str(first), reason=type(error).__name__)
    if ready:
        store.pending.set()
    return len(ready)


async def allocate(
    database: Database,
    store: Store,
    house: House,
    contact_id: UUID,
    outcome: AllocationOutcome,
    by: str,
    because: str | None,
    clock: Clock,
) -> list[str]:
    """Say whose a post is, with every version of it that waits; answers with what became of each.

    Raises Refused ``not-a-post``, ``not-waiting``.
    """
    posts = tables.posts
    async with database.read() as connection:
        row = (await connection.execute(select(posts).where(posts.c.contact_id == contact_id))).one_or_none()
    if row is None:
        raise Refused("not-a-post", f"The contact {contact_id} is no post on social media that would wait to be allocated.")
    async with database.write(f"post {row.first}") as connection:
        now = clock()
        outcome_now = select(posts.c.outcome).where(posts.c.contact_id == contact_id)
        stands = (await connection.execute(outcome_now)).scalar_one()
        if stands is not None:
            how = "a person has decided on it" if stands == RULED else f"it is allocated: {stands}"
            raise Refused("not-waiting", f"The post waits no longer; {how}. `ingest social list` shows what waits.")
        said = Allocation(id=new_id(), contact_id=row.first, outcome=outcome, by=by, at=now)
        await store.note_allocations(connection, [said], now, **({"because": because} if because else {}))
        written = await _apply(connection, store, house, row.first, now)
    store.pending.set()
    return [kind_of(each.decision.disposition) for each in written]


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a post: its contact, and what it has come to; None while it waits."""

    contact_id: UUID
    outcome: str | None
    received_at: datetime


async def _apply(connection: AsyncConnection, store: Store, house: House, first: UUID, now: datetime) -> list[Consequences]:
    """Decide anew on every version of a post that has not come to what was last said of it."""
    said = await _said(connection, first)
    versions = await _versions(connection, first)
    rule = said.outcome.value
    wanting = [each for each in versions if each.outcome not in (rule, RULED)]
    before = [each for each in versions if each.outcome == rule]
    news = await _note_applied(connection, first, now)
    written: list[Consequences] = []
    for version in wanting:
        if not await _moved(connection, version, rule):
            continue  # a person has decided on it meanwhile
        place = Allocated(said.outcome, said.by, speaks=not written, settled=bool(before))
        each = await _decide(connection, house, version, place, before[-1] if before else None, now)
        await end_task(connection, version.contact_id, TaskKind.ALLOCATION.value, rule, said.by, now)
        await supersede(connection, each, now, _ROUTER)
        await relink(connection, store, version.contact_id, link_row(each, now, _ROUTER), now, _ROUTER)
        await store.write(connection, [each], now)
        written.append(each)
    if news and said.outcome is not AllocationOutcome.CUSTOMER_CARE:
        await _send_nothing_more(connection, store, [each.contact_id for each in versions], rule, now)
    if news and said.outcome is AllocationOutcome.DELETED:
        await _ask_whether_it_is_kept(connection, store, house, versions[0].contact_id, first, now)
    return written


async def _said(connection: AsyncConnection, first: UUID) -> Allocation:
    """What rules: that it was deleted, else what was said last."""
    told = tables.allocations
    rows = (await connection.execute(select(told).where(told.c.contact_id == first).order_by(told.c.at, told.c.id))).all()
    row = _what_rules(rows)
    return Allocation(id=row.id, contact_id=first, outcome=AllocationOutcome(row.outcome), by=row.by, at=row.at)


def _what_rules(rows: Sequence[Any]) -> Any:
    """Of what was said of one post, in order: that it was deleted, else what was said last."""
    return next((each for each in rows if each.outcome == AllocationOutcome.DELETED.value), rows[-1])


async def allocated(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Allocated]:
    """Those of these contacts that are posts and allocated, as deciding looks at it.

    ``settled`` where another version of the post had come to the same before; whether it reads as something else is not looked at.
    """
    wanted = set(ids)
    posts, told, current = tables.posts, tables.allocations, tables.dispositions
    firsts = select(posts.c.first).where(among(posts.c.contact_id, wanted))
    decided = select(posts.c.contact_id, posts.c.first, posts.c.outcome, current.c.at).join(
        current, (current.c.contact_id == posts.c.contact_id) & current.c.current.is_(True)
    )
    decided = decided.where(posts.c.first.in_(firsts), posts.c.outcome.is_not(None), posts.c.outcome != RULED)
    versions = {row.contact_id: row for row in await connection.execute(decided)}
    if not versions:
        return {}
    said: dict[UUID, list[Any]] = defaultdict(list)
    of_these = among(told.c.contact_id, {row.first for row in versions.values()})
    for row in await connection.execute(select(told).where(of_these).order_by(told.c.at, told.c.id)):
        said[row.contact_id].append(row)
    earliest: dict[tuple[UUID, str], datetime] = {}
    for row in versions.values():
        earliest[row.first, row.outcome] = min(row.at, earliest.get((row.first, row.outcome), row.at))
    return {
        row.contact_id: Allocated(
            AllocationOutcome(row.outcome), _what_rules(said[row.first]).by, settled=earliest[row.first, row.outcome] < row.at
        )
        for row in versions.values()
        if row.contact_id in wanted
    }


async def _versions(connection: AsyncConnection, first: UUID) -> list[_Version]:
    """Those that have reached us: the post as it was first written, then its edits as they came."""
    posts, contacts = tables.posts, tables.contacts
    query = (
        select(posts.c.contact_id, posts.c.outcome, contacts.c.received_at)
        .join(contacts, contacts.c.id == posts.c.contact_id)
        .where(posts.c.first == first)
        .order_by(posts.c.contact_id != first, contacts.c.received_at, posts.c.contact_id)
    )
    return [_Version(*row) for row in await connection.execute(query)]


async def _moved(connection: AsyncConnection, version: _Version, outcome: str) -> bool:
    posts = tables.posts
    as_it_was = (posts.c.contact_id == version.contact_id) & posts.c.outcome.is_not_distinct_from(version.outcome)
    return (await connection.execute(update(posts).where(as_it_was).values(outcome=outcome))).rowcount == 1


async def _note_applied(connection: AsyncConnection, first: UUID, now: datetime) -> bool:
    """Whether anything was said that had not been applied."""
    told = tables.allocations
    unapplied = (told.c.contact_id == first) & told.c.applied_at.is_(None)
    return (await connection.execute(update(told).where(unapplied).values(applied_at=now))).rowcount > 0


async def _decide(
    connection: AsyncConnection, house: House, version: _Version, place: Allocated, before: _Version | None, now: datetime
) -> Consequences:
    contact, fingerprint = await contact_of(connection, version.contact_id)
    reading = reading_of(contact, house)
    if before is not None:
        earlier, _ = await contact_of(connection, before.contact_id)
        place = replace(place, differs=reading_of(earlier, house).outcome is not reading.outcome)
    known = await gather(connection, [(contact, reading)], house, now)
    situation = replace(known.situation(contact, reading), allocation=place)
    made = consequences(situation, decide(situation), fingerprint, house, known.standing(contact), now)
    written = await only_new(connection, made, _ROUTER)
    return await _invited_once(connection, house, made, written, now)


async def _invited_once(
    connection: AsyncConnection, house: House, made: Consequences, written: Consequences, now: datetime
) -> Consequences:
    """That a thread had its one reply before, said on the audit trail; where that never went, a person is asked to see to it."""
    sent, contact = tables.outgoing, written.contact
    missing = [each.id for each in made.messages if each.kind is OutgoingKind.INVITATION and each not in written.messages]
    found = (await connection.execute(select(sent.c.id, sent.c.state).where(sent.c.id.in_(missing)))).all()
    entries = tuple(_entry(now, contact.id, "invited-already", outgoing=str(row.id), state=row.state) for row in found)
    if not any(row.state == OutgoingState.CANCELLED.value for row in found):
        return replace(written, entries=(*written.entries, *entries))
    by_hand = invite_by_hand(contact, "the one reply that the thread would have had was cancelled", house, now)
    notices = task_mail(by_hand, house, now)
    entries += (_entry(now, contact.id, "task-raised", task=str(by_hand.id), kind=by_hand.kind.value),)
    return replace(
        written,
        tasks=(*written.tasks, by_hand),
        messages=(*written.messages, *notices),
        entries=(*written.entries, *entries),
    )


async def _send_nothing_more(
    connection: AsyncConnection, store: Store, contact_ids: Sequence[UUID], because: str, now: datetime
) -> None:
    """Cancel what has not gone to whoever wrote it."""
    sent = tables.outgoing
    unsent = (
        sent.c.contact_id.in_(contact_ids)
        & (sent.c.audience == Audience.PERSON.value)
        & sent.c.state.in_((OutgoingState.DUE.value, OutgoingState.HELD.value))
    )
    ended = update(sent).where(unsent).values(state=OutgoingState.CANCELLED.value, reason=f"post-{because}", changed_at=now)
    ids = [(row.id, row.contact_id) for row in await connection.execute(ended.returning(sent.c.id, sent.c.contact_id))]
    await state.cancel(connection, [id_ for id_, _ in ids], now)
    await store.audit(connection, [_entry(now, about, "cancelled", outgoing=str(id_)) for id_, about in ids])


async def _ask_whether_it_is_kept(
    connection: AsyncConnection, store: Store, house: House, contact_id: UUID, first: UUID, now: datetime
) -> None:
    """Once a post, however often it is told."""
    reasons = ("The person has deleted the post: decide whether it is kept.", "Nothing is sent to them because of the post.")
    due = now + house.router.review_within
    asked = task(
        contact_id, "social", TaskKind.REVIEW, house.teams.customer_care, now, due, reasons, purpose=f"deleted:{first}"
    )
    there = select(tables.tasks.c.id).where(tables.tasks.c.id == asked.id)
    if (await connection.execute(there)).first() is None:
        await store.raise_tasks(connection, (asked,), now)
        await store.audit(connection, [_entry(now, contact_id, "task-raised", task=str(asked.id), kind=asked.kind.value)])


async def alarm(database: Database, store: Store, house: House, now: datetime) -> int:
    """Tell of posts that are past their time and not allocated, once each; answers with how many. Raises Unavailable."""
    posts = tables.posts
    overdue = posts.c.outcome.is_(None), posts.c.due < now, posts.c.alarmed_at.is_(None)
    async with database.read() as connection:
        ids = list((await connection.execute(select(posts.c.contact_id).where(*overdue).limit(_AT_ONCE))).scalars())
    for contact_id in ids:
        async with database.write() as connection:
            taken = await connection.execute(
                update(posts).where(posts.c.contact_id == contact_id, *overdue).values(alarmed_at=now)
            )
            if taken.rowcount != 1:
                continue
            asked = derived_id(contact_id, f"task:{TaskKind.ALLOCATION.value}")
            body = select(tables.tasks.c.body).where(tables.tasks.c.id == asked)
            if found := (await connection.execute(body)).scalar_one_or_none():
                await store.send(connection, task_mail(Task.model_validate_json(found), house, now, again=True), now)
            await store.audit(connection, [_entry(now, contact_id, "unallocated")])
        ERRORS.labels("duties", "unallocated").inc()
        _say.error("unallocated", contact=str(contact_id))
    if ids:
        store.pending.set()
    return len(ids)


async def measure(connection: AsyncConnection) -> None:
    """Set the gauges of what waits to be allocated."""
    posts, contacts = tables.posts, tables.contacts
    query = (
        select(func.count(), func.min(contacts.c.received_at))
        .select_from(posts.join(contacts, contacts.c.id == posts.c.contact_id))
        .where(posts.c.outcome.is_(None))
    )
    number, oldest = (await connection.execute(query)).one()
    UNALLOCATED.set(number)
    UNALLOCATED_OLDEST.set(oldest.timestamp() if oldest else 0)


async def waiting(connection: AsyncConnection) -> Sequence[Any]:
    """Posts that wait, the soonest due first: contact's id, reference and body, due, urgent, and the task's body where there is one."""
    posts, contacts, tasks, current = tables.posts, tables.contacts, tables.tasks, tables.dispositions
    query = (
        select(
            posts.c.contact_id, posts.c.due, contacts.c.reference, contacts.c.body, current.c.urgent, tasks.c.body.label("task")
        )
        .join(contacts, contacts.c.id == posts.c.contact_id)
        .join(current, (current.c.contact_id == posts.c.contact_id) & current.c.current.is_(True))
        .join(
            tasks,
            (tasks.c.contact_id == posts.c.contact_id)
            & (tasks.c.kind == TaskKind.ALLOCATION.value)
            & or_(tasks.c.state == "open", tasks.c.state == "claimed"),
            isouter=True,
        )
        .where(posts.c.outcome.is_(None))
        .order_by(posts.c.due, posts.c.contact_id)
    )
    return (await connection.execute(query)).all()


def _entry(now: datetime, contact_id: UUID | None, action: str, **evidence: Any) -> AuditEntry:
    return AuditEntry(new_id(), now, contact_id, action, _ROUTER, evidence=evidence)
