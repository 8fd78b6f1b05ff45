"""What must happen by the clock: tasks that nobody has claimed and handoffs that nobody has taken escalate, posts that were allocated get what
comes of it, the morning digest goes out, the audit trail is sealed, the ledger is published, and the gauges say how things stand.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from functools import partial
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.contract import Audience, LedgerEntry, OutgoingKind, OutgoingState, Task, TaskKind, topic_of
from ingest.database import Database, among, insert
from ingest.errors import Unavailable
from ingest.ids import new_id
from ingest.log import Log
from ingest.promise import due_soon
from ingest.telemetry import (
    AUDIT_SEALED,
    DEAD_LETTERS,
    DUE_SOON,
    EARLIEST_DUE,
    ERRORS,
    HELD,
    LAG,
    LATE,
    MEASURED,
    OLDEST,
    TASKS,
    TASKS_OLDEST,
    UNACCOUNTED,
    telemetry,
)
from router import allocation, handoffs, ledger, wording
from router.audit import SALT_BYTES, AuditEntry, Emptied, Tree, Verdict, Verification, leaf_hash
from router.consequences import House, Message, notice_id, staff_message, task_mail
from router.heads import Heads
from router.outbox import publish_again
from router.register import owed, statistics, tables
from router.store import Store

_EVERY_SECONDS = 5.0
_SEAL_MOST = 1_000
_MOST_IN_A_NOTICE = 500
_LATE, _SOON = "acknowledgement-late", "acknowledgement-due-soon"
_DIGEST = UUID("6f0c1d7e-5b0e-5f3a-9d53-1d2f7c1a9b10")
_LEDGER_GAP = UUID("c4b0a1d2-0f8e-5c1b-8a37-4e6d2b9f5c11")

_say = telemetry("duties")


async def run(
    log: Log, database: Database, store: Store, house: House, clock: Clock, stopping: asyncio.Event, heads: Heads | None = None
) -> None:
    """See to every duty each few seconds until told to stop; then seal what is left, and sign its head where there are ``heads``."""
    since, turn = clock(), 0
    with suppress(Unavailable):
        await seal(database, clock, back=None)
    while True:
        last = stopping.is_set()
        for every, duty in (
            (1, lambda: escalate(database, store, house, clock())),
            (1, lambda: allocation.apply(database, store, house, clock)),
            (1, lambda: allocation.alarm(database, store, house, clock())),
            (12, lambda: tell_of_owed(database, store, house, clock())),
            (1, lambda: handoffs.alarm(database, store, house, clock())),
            (12, lambda: send_digest(database, store, house, clock(), since)),
            (1, partial(seal, database, clock, back=_look_back(turn, last))),
            *([(120, partial(heads.keep, database))] if heads else ()),
            (1, lambda: measure(log, database, house, clock())),
            (12, lambda: publish_again(log, database, clock())),
            (12, lambda: publish_ledger(log, database, store, house, clock())),
            (720, partial(count_names, database)),
            (720, log.trim),
        ):
            if turn % every and not last:
                continue
            try:
                await duty()
            except Unavailable as error:
                ERRORS.labels("duties", error.reason).inc()
                _say.warning("waiting", reason=error.reason)
        if last:
            return
        turn += 1
        try:
            await asyncio.wait_for(stopping.wait(), _EVERY_SECONDS)
        except TimeoutError:
            continue


async def count_names(database: Database) -> None:
    """How often each name is borne, for matching."""
    async with database.read() as connection:
        await statistics.counted(connection)


def _look_back(turn: int, last: bool) -> timedelta:
    """How far sealing looks back: a day once an hour and at the end, ten minutes once a minute; the start has seen all there was."""
    if last or (turn and turn % 720 == 0):
        return timedelta(days=1)
    return timedelta(minutes=10) if turn % 12 == 0 else timedelta(seconds=10)


async def escalate(database: Database, store: Store, house: House, now: datetime) -> int:
    """Tell of urgent tasks and of what nobody has read for risk, where nobody has claimed them in time, once each; answers with how many."""
    tasks = tables.tasks
    limits = house.router
    late = or_(
        and_(tasks.c.kind == TaskKind.URGENT.value, tasks.c.created_at <= now - limits.urgent_unclaimed_after),
        and_(tasks.c.kind == TaskKind.NOT_READ_FOR_RISK.value, tasks.c.created_at <= now - limits.not_read_within),
    )
    overdue = tasks.c.state == "open", tasks.c.escalated_at.is_(None)
    async with database.read() as connection:
        rows = (await connection.execute(select(tasks.c.id, tasks.c.kind, tasks.c.body).where(*overdue, late))).all()
    for id_, kind, body in rows:
        async with database.write() as connection:
            taken = await connection.execute(update(tasks).where(tasks.c.id == id_, *overdue).values(escalated_at=now))
            if taken.rowcount != 1:
                continue
            task = Task.model_validate_json(body)
            await store.send(connection, task_mail(task, house, now, again=True), now)
            entry = AuditEntry(new_id(), now, task.contact_id, "escalated", "router", evidence={"task": str(id_)})
            await store.audit(connection, [entry])
        reason = "urgent-unclaimed" if kind == TaskKind.URGENT else "not-read-for-risk"
        ERRORS.labels("duties", reason).inc()
        _say.error(reason, task=str(id_))
    if rows:
        store.pending.set()
    return len(rows)


async def tell_of_owed(database: Database, store: Store, house: House, now: datetime) -> int:
    """Warn Customer Care of acknowledgements that are due soon, and tell them of each that is late, once each; answers with how many.

    What was told stands on the audit trail. Up to 500 are told of in one notice, and what was told before is not read again: however
    many wait, as while mail cannot be sent, no more than a notice's worth is in hand.
    """
    before, told = due_soon(now, house.acknowledgement), 0
    async with database.read() as connection:
        new = await _news(connection, before, now)
    while new:
        async with database.write("owed") as connection:
            new = await _news(connection, before, now, new[0])  # another router may have told of some meanwhile
            news: dict[str, list[Any]] = defaultdict(list)
            for row in new:
                news[row.action].append(row)
            for action, owed_now in news.items():
                lines = [wording.Unfinished(row.reference, _how(row), row.due, None) for row in owed_now]
                words = wording.owed(lines, late=action == _LATE, zone=house.zone)
                mailbox = house.teams.customer_care
                notice = staff_message(house, OutgoingKind.TASK, mailbox, words, owed_now[0].id, action, None, now)
                await store.send(connection, [notice], now)
                entries = [
                    AuditEntry(new_id(), now, row.contact_id, action, "router", evidence={"owed": str(row.id)})
                    for row in owed_now
                ]
                await store.audit(connection, entries)
        store.pending.set()
        for action, owed_now in news.items():
            ERRORS.labels("duties", action).inc(len(owed_now))
            for row in owed_now:
                _say.error(action, contact=str(row.contact_id), due=row.due.isoformat())
        told += len(new)
        if len(new) < _MOST_IN_A_NOTICE:
            break
    return told


async def _news(connection: AsyncConnection, before: datetime, now: datetime, first: Any = None) -> Sequence[Any]:
    """What is owed by then and nobody was told of, late or soon, the most urgent first; from the ``first`` on of those found before."""
    each, contacts, told = owed.owed().subquery(), tables.contacts, tables.audit
    action = case((each.c.due < now, _LATE), else_=_SOON)
    its_id = func.replace(cast(each.c.id, Text), "-", "")  # SQLite has ids without
    been_told = select(told.c.id).where(
        told.c.contact_id == each.c.contact_id,
        told.c.action == action,
        func.replace(told.c.evidence["owed"].as_string(), "-", "") == its_id,
    )
    query = (
        select(each, contacts.c.reference, action.label("action"))
        .join(contacts, contacts.c.id == each.c.contact_id)
        .where(each.c.due <= before, ~been_told.exists())
        .order_by(each.c.due, each.c.id)
        .limit(_MOST_IN_A_NOTICE)
    )
    if first is not None:  # those before it were told of, and need not be gone through again
        query = query.where(or_(each.c.due > first.due, and_(each.c.due == first.due, each.c.id >= first.id)))
    return (await connection.execute(query)).all()


def _how(row: Any) -> str:
    return "a letter or call" if row.by_hand else f"held: {row.reason}" if row.reason else "not sent yet"


async def send_digest(database: Database, store: Store, house: House, now: datetime, since: datetime) -> int:
    """Each morning, once, tell every mailbox what of theirs is not settled; answers with how many were told."""
    local = now.astimezone(house.zone)
    hour, minute = (int(part) for part in house.outgoing.digest_at.split(":"))
    at = datetime.combine(local.date(), time(hour, minute), house.zone)
    if not at <= local < at + timedelta(hours=6) or since.astimezone(house.zone) > at:
        return 0
    day = local.date().isoformat()
    async with database.read() as connection:
        if not await _untold(connection, day):
            return 0
    async with database.write("digest") as connection:
        mailboxes = await _untold(connection, day)
        for mailbox in mailboxes:
            words = wording.digest(*await _unfinished(connection, mailbox, now), now, house.zone)
            notice = staff_message(house, OutgoingKind.DIGEST, mailbox, words, _DIGEST, day, None, now)
            await store.send(connection, [notice], now)
    if mailboxes:
        store.pending.set()
    return len(mailboxes)


async def _untold(connection: AsyncConnection, day: str) -> list[str]:
    """The mailboxes that have something unfinished and were not told of it on this day."""
    tasks, handed, sent = tables.tasks, tables.handoffs, tables.outgoing
    theirs = union(select(tasks.c.mailbox).where(_unsettled()), select(handed.c.mailbox).where(_untaken()))
    notices = {notice_id(_DIGEST, day, each): each for each in (await connection.execute(theirs)).scalars()}
    told = set((await connection.execute(select(sent.c.id).where(among(sent.c.id, notices)))).scalars())
    return sorted(mailbox for id_, mailbox in notices.items() if id_ not in told)


def _unsettled() -> ColumnElement[bool]:
    return tables.tasks.c.state.in_(("open", "claimed"))


def _untaken() -> ColumnElement[bool]:
    return tables.handoffs.c.state.in_(handoffs.UNTAKEN)


async def _unfinished(connection: AsyncConnection, mailbox: str, now: datetime) -> tuple[list[wording.Unfinished], int, int]:
    """What is a mailbox's, the most overdue first and no more than a mail has room for; how much there is, and how much is late."""
    tasks, handed, contacts = tables.tasks, tables.handoffs, tables.contacts
    of_tasks = _unsettled() & (tasks.c.mailbox == mailbox)
    of_handoffs = _untaken() & (handed.c.mailbox == mailbox)
    found: list[wording.Unfinished] = []
    query = select(tasks.c.body, tasks.c.claimed_by).where(of_tasks).order_by(tasks.c.due, tasks.c.id).limit(_MOST_IN_A_NOTICE)
    for row in await connection.execute(query):
        task = Task.model_validate_json(row.body)
        found.append(wording.Unfinished(task.reference, task.kind.value, task.due, row.claimed_by))
    query = select(handed.c.team, handed.c.due, contacts.c.reference).join(contacts, contacts.c.id == handed.c.contact_id)
    query = query.where(of_handoffs).order_by(handed.c.due, handed.c.id).limit(_MOST_IN_A_NOTICE)
    handed_on = await connection.execute(query)
    found += [wording.Unfinished(row.reference, f"handoff to {row.team}", row.due, None) for row in handed_on]
    number = late = 0
    for table, where in ((tasks, of_tasks), (handed, of_handoffs)):
        counted = select(func.count(), func.count().filter(table.c.due < now)).where(where)
        more, overdue = (await connection.execute(counted)).one()
        number, late = number + more, late + overdue
    return sorted(found, key=lambda each: each.due)[:_MOST_IN_A_NOTICE], number, late


async def seal(database: Database, clock: Clock, *, back: timedelta | None = timedelta(days=1)) -> int:
    """Take audit entries that are not sealed yet into the tree, in order of their ids; answers with how many.

    Ids begin with the time, so only what is newer than the newest sealed, or up to ``back`` older, is looked through; None for
    the whole trail. Where much comes in, looking far back for what was committed late is dear, so that is done more seldom.
    """
    entry, leaf, head = tables.audit, tables.audit_leaves, tables.audit_heads
    sealed = 0
    after: UUID | None = None
    while True:
        async with database.write("seal") as connection:
            last = (await connection.execute(select(head).order_by(head.c.size.desc()).limit(1))).one_or_none()
            tree = Tree(last.size, [bytes.fromhex(each) for each in last.frontier]) if last else Tree()
            waiting = select(entry).where(~select(leaf.c.entry_id).where(leaf.c.entry_id == entry.c.id).exists())
            if after is None and back is not None:
                newest = select(leaf.c.entry_id).order_by(leaf.c.entry_id.desc()).limit(1)
                latest = (await connection.execute(newest)).scalar_one_or_none()
                # A UUIDv7 begins with 48 bits of milliseconds.
                after = latest and UUID(int=max(0, latest.int - (back // timedelta(milliseconds=1) << 80)))
            if after is not None:
                waiting = waiting.where(entry.c.id > after)
            rows = (await connection.execute(waiting.order_by(entry.c.id).limit(_SEAL_MOST))).all()
            if not rows:
                AUDIT_SEALED.set(tree.size)
                return sealed
            leaves: list[dict[str, Any]] = []
            for row in rows:
                salt = token_bytes(SALT_BYTES)
                hashed = leaf_hash(_entry(row), salt)
                leaves.append({"number": tree.size, "entry_id": row.id, "hash": hashed, "salt": salt})
                tree.add(hashed)
            await connection.execute(leaf.insert(), leaves)
            frontier = [each.hex() for each in tree.frontier]
            await connection.execute(head.insert().values(size=tree.size, root=tree.root, frontier=frontier, at=clock()))
        sealed += len(rows)
        after = rows[-1].id


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.contact_id, row.action, row.actor, row.rule, row.rule_version, row.evidence)


async def verify_audit(database: Database, kept: Sequence[tuple[int, bytes]] = ()) -> Verdict:
    """Hold every sealed entry against the tree, its heads and those ``kept`` elsewhere, a page at a time so that nobody who writes must wait."""
    entry, leaf, head = tables.audit, tables.audit_leaves, tables.audit_heads
    async with database.read() as connection:
        found = await connection.execute(select(head.c.size, head.c.root).order_by(head.c.size))
        heads = sorted([*((row.size, row.root) for row in found), *kept])
        total = (await connection.execute(select(func.count()).select_from(entry))).scalar_one()
        leaves = (await connection.execute(select(func.max(leaf.c.number)))).scalar_one_or_none()
    verification, present, end = Verification(heads), 0, -1 if leaves is None else leaves
    joined = select(leaf.c.number, leaf.c.entry_id, leaf.c.hash, leaf.c.salt, entry).join(
        entry, entry.c.id == leaf.c.entry_id, isouter=True
    )
    for start in range(0, end + 1, _SEAL_MOST):
        page = leaf.c.number.between(start, min(start + _SEAL_MOST - 1, end))
        async with database.read() as connection:
            rows = (await connection.execute(joined.where(page).order_by(leaf.c.number))).all()
            remains = await _remains(connection, page)
        for row in rows:
            present += row.id is not None
            known = _entry(row) if row.id is not None else None
            verification.add(row.number, row.entry_id, row.hash, known, row.salt, remains.get(row.entry_id, ()))
    async for emptied, word in _emptied(database):
        verification.vouch(emptied, word)
    return verification.verdict(total - present)


async def _remains(connection: AsyncConnection, page: ColumnElement[bool]) -> dict[UUID, list[bytes]]:
    """What is left of those entries of a page of leaves that were emptied."""
    emptied, leaf = tables.audit_emptied, tables.audit_leaves
    query = select(emptied.c.entry_id, emptied.c.remains).join(leaf, leaf.c.entry_id == emptied.c.entry_id).where(page)
    found: dict[UUID, list[bytes]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.entry_id].append(row.remains)
    return found


async def _emptied(database: Database) -> AsyncGenerator[tuple[Emptied, AuditEntry | None]]:
    """What was emptied, word by word, with the word; one that is not sealed yet counts as it will in a moment."""
    entry, emptied = tables.audit, tables.audit_emptied
    async with database.read() as connection:
        words = list((await connection.execute(select(emptied.c.word_id).distinct())).scalars())
    for word_id in words:
        async with database.read() as connection:
            rows = await connection.execute(select(emptied.c.entry_id, emptied.c.remains).where(emptied.c.word_id == word_id))
            remains = {row.entry_id: row.remains for row in rows}
            word = (await connection.execute(select(entry).where(entry.c.id == word_id))).one_or_none()
        yield Emptied(word_id, remains), _entry(word) if word else None


async def publish_ledger(log: Log, database: Database, store: Store, house: House, now: datetime) -> int:
    """Publish the lines of hours that are over, each when it is first counted and whenever it has changed since; tell of gaps in any."""
    lines = await ledger.entries(log, database, now, since=now - timedelta(days=3))
    UNACCOUNTED.set(sum(line.unaccounted for line in lines))
    await _watch_for_gaps(database, store, house, lines, now)
    over = [line for line in lines if line.hour + timedelta(hours=1) <= now]
    changed = 0
    if over:
        kept = tables.ledger_lines
        async with database.write("ledger") as connection:
            published = {
                (row.channel, row.hour): LedgerEntry.model_validate_json(row.body)
                for row in await connection.execute(select(kept).where(kept.c.hour >= over[0].hour))
            }
            for line in over:
                before = published.get((line.channel, line.hour))
                if before and before.model_copy(update={"counted_at": now}) == line:
                    continue
                row = {"channel": line.channel, "hour": line.hour, "body": line.model_dump_json()}
                new = insert(kept).values(row)
                await connection.execute(
                    new.on_conflict_do_update(index_elements=["channel", "hour"], set_={"body": row["body"]})
                )
                key = f"{line.channel}:{line.hour.isoformat()}"
                await store.publish(connection, "ledger", f"{key}:{now.isoformat()}", key, line, now, None)
                changed += 1
    if changed:
        store.pending.set()
    return changed


async def _watch_for_gaps(database: Database, store: Store, house: House, lines: Sequence[LedgerEntry], now: datetime) -> None:
    """Tell Customer Care, once a line, of something unaccounted for that has not come to light in time."""
    gaps = tables.ledger_gaps
    open_ = {(line.channel, line.hour): line for line in lines if line.unaccounted}
    waiting = select(gaps).where(gaps.c.alarmed_at.is_(None))
    async with database.read() as connection:
        if not open_ and not (await connection.execute(waiting)).first():
            return
    told: list[LedgerEntry] = []
    async with database.write("ledger") as connection:
        for row in (await connection.execute(waiting)).all():
            this = (gaps.c.channel == row.channel) & (gaps.c.hour == row.hour)
            line = open_.pop((row.channel, row.hour), None)
            if line is None:
                await connection.execute(gaps.delete().where(this))
            elif now - row.since >= house.router.ledger_gap_after:
                await connection.execute(update(gaps).where(this).values(alarmed_at=now))
                await store.send(connection, [_gap_notice(line, row.since, house, now)], now)
                evidence = {"channel": line.channel, "hour": line.hour.isoformat(), "unaccounted": line.unaccounted}
                await store.audit(connection, [AuditEntry(new_id(), now, None, "ledger-gap", "router", evidence=evidence)])
                told.append(line)
        for channel, hour in open_:
            new = insert(gaps).values(channel=channel, hour=hour, since=now)
            await connection.execute(new.on_conflict_do_nothing())
    for line in told:
        ERRORS.labels("duties", "ledger-gap").inc()
        _say.error("ledger-gap", channel=line.channel, hour=line.hour.isoformat(), unaccounted=line.unaccounted)
    if told:
        store.pending.set()


def _gap_notice(line: LedgerEntry, since: datetime, house: House, now: datetime) -> Message:
    words = wording.ledger_gap(line, since, house.zone)
    purpose = f"{line.channel}:{line.hour.isoformat()}"
    return staff_message(house, OutgoingKind.TASK, house.teams.customer_care, words, _LEDGER_GAP, purpose, None, now)


async def measure(log: Log, database: Database, house: House, now: datetime) -> None:
    """Set the gauges."""
    sent, tasks, each = tables.outgoing, tables.tasks, owed.owed().subquery()
    async with database.read() as connection:
        person = sent.c.audience == Audience.PERSON.value
        held = sent.c.state == OutgoingState.HELD.value
        HELD.set((await connection.execute(select(func.count()).select_from(sent).where(person, held))).scalar_one())
        late, soon = each.c.due < now, each.c.due <= due_soon(now, house.acknowledgement)
        count, within = func.count().filter(late), func.count().filter(soon & ~late)
        number_late, number_soon, earliest = (await connection.execute(select(count, within, func.min(each.c.due)))).one()
        LATE.set(number_late)
        DUE_SOON.set(number_soon)
        EARLIEST_DUE.set(earliest.timestamp() if earliest else 0)
        by_kind = select(tasks.c.kind, func.count(), func.min(tasks.c.created_at)).where(tasks.c.state == "open")
        unclaimed = {row[0]: row[1:] for row in await connection.execute(by_kind.group_by(tasks.c.kind))}
        for kind in TaskKind:
            number, oldest = unclaimed.get(kind.value, (0, None))
            TASKS.labels(kind.value).set(number)
            TASKS_OLDEST.labels(kind.value).set(oldest.timestamp() if oldest else 0)
        dead = tables.dead_letters
        open_ = select(func.count()).select_from(dead).where(dead.c.state == "open")
        DEAD_LETTERS.set((await connection.execute(open_)).scalar_one())
        await allocation.measure(connection)
        await handoffs.measure(connection)
    for topic, group in (
        ("contacts", "router"),
        ("outgoing", "dispatcher"),
        ("outgoing.status", "router"),
        ("allocations", "router"),
        ("handoffs.receipts", "router"),
    ):
        behind = await log.lag(topic_of(topic).name, group)
        LAG.labels(topic).set(behind.records)
        if topic == "contacts":
            OLDEST.set(behind.oldest.timestamp() if behind.oldest else 0)
    MEASURED.set(now.timestamp())


async def audit_trail(database: Database, contact_id: UUID | None, most: int) -> Sequence[Any]:
    """The entries about one contact, or the latest of all, in order."""
    entry = tables.audit
    query = select(entry).order_by(entry.c.id.desc()).limit(most)
    if contact_id is not None:
        query = query.where(entry.c.contact_id == contact_id)
    async with database.read() as connection:
        return list(reversed((await connection.execute(query)).all()))
