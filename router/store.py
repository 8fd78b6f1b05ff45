"""The sole writer of the register: one transaction a batch, and one for each act of a person.

A batch's transaction holds the contacts, dispositions, records, tasks, messages, audit entries, outbox rows *and the position*,
fenced by the partition's epoch (DESIGN promise 2): whoever lost the partition writes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import (
    DEAD_LETTERS,
    UNSENT,
    Allocation,
    Audience,
    Contact,
    Event,
    Outgoing,
    OutgoingState,
    OutgoingStatus,
    Record,
    Task,
    TaskKind,
    Trace,
    canonical_email,
    encode,
    in_trace,
    topic_of,
    trace_of,
)
from ingest.contract.shape import Shape
from ingest.database import Database, Json, among, as_json, insert
from ingest.errors import Unavailable
from ingest.ids import derived_id, digest, new_id
from ingest.log import Delivery, Partition
from ingest.page import Kept, Page, Turn
from ingest.telemetry import ERRORS, telemetry
from router import undelivered
from router.audit import AuditEntry
from router.consequences import Consequences, House, Message, came_back_mail, kind_of, task, task_mail, team_of, within_of
from router.register import intake, tables

SOURCE = "urn:contact-ingest:router"
_IN_A_TRACE: Final = '"traceparent":'

_KEPT: Final = (
    Kept(state.receipts),
    Kept(tables.contacts, parent=True),
    Kept(tables.dispositions),
    Kept(tables.links),
    Kept(tables.candidates),
    Kept(tables.feedback_records),
    Kept(tables.handoffs),
    Kept(tables.additions),
    Kept(tables.tasks),
    Kept(tables.outgoing, parent=True),
    Kept(tables.budgets, on_conflict="sum"),
    Kept(tables.restrictions),
    Kept(tables.needs),
    Kept(tables.posts),
    Kept(tables.allocations),
    Kept(tables.ties),
    Kept(tables.parked),
    Kept(tables.audit, on_conflict="fail"),
    Kept(tables.outbox, on_conflict="fail"),
)

_say = telemetry("store")


class Fenced(Exception):
    """Somebody else has the partition now, or the position moved: nothing of the batch was written."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that could not be read or decided on, and why."""

    delivery: Delivery
    reason: str
    detail: str
    contact_id: UUID
    channel: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """A record of a version this release does not know, or one behind such a record of the same key."""

    delivery: Delivery
    reason: str
    contact_id: UUID | None
    channel: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A contact whose id the register has with other content."""

    contact: Contact
    reference: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Batch:
    """All that a run of one partition's records writes: from ``first`` up to, and not including, ``following``."""

    partition: Partition
    first: int
    following: int
    decided: tuple[Consequences, ...] = ()
    dead: tuple[Dead, ...] = ()
    parked: tuple[Parked, ...] = ()
    variants: tuple[Variant, ...] = ()
    unparked: tuple[tuple[Partition, int], ...] = ()


class Store:
    """Writes to the register. ``pending`` is set when the outbox has something new."""

    def __init__(self, database: Database, house: House, clock: Clock) -> None:
        self._database = database
        self._house = house
        self._clock = clock
        self._epochs: dict[Partition, int] = {}
        self.pending = asyncio.Event()

    async def assume(self, partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        """Make partitions ours: raise each one's epoch, and answer with the register's position (None where it is new)."""
        found: dict[Partition, int | None] = {}
        where = tables.positions
        async with self._database.write() as connection:
            for each in sorted(partitions, key=lambda each: (each.log_id, each.topic, each.number)):
                new = insert(where).values(log_id=each.log_id, topic=each.topic, partition=each.number, epoch=1, next=0)
                raised = new.on_conflict_do_update(
                    index_elements=["log_id", "topic", "partition"], set_={"epoch": where.c.epoch + 1}
                ).returning(where.c.epoch, where.c.next)
                row = (await connection.execute(raised)).one()
                self._epochs[each], found[each] = row.epoch, row.next if row.epoch > 1 else None
        return found

    async def positions(self) -> dict[Partition, int]:
        """Of every partition that the register has read, the position of the next record wanted. Raises Unavailable."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(tables.positions))
            return {Partition(row.log_id, row.topic, row.partition): row.next for row in rows}

    async def put_back(self, topic: str, behind: Mapping[Partition, tuple[int, int]]) -> None:
        """Note that the register, or the log, is an older copy: where one of them stands, and where the other says that we had come."""
        evidence = {"topic": topic, "partitions": {str(each.number): list(at) for each, at in behind.items()}}
        now = self._clock()
        async with self._database.write() as connection:
            await self.audit(connection, [AuditEntry(new_id(), now, None, "put-back", "router", evidence=evidence)])

    async def realign(self, partition: Partition, position: int) -> None:
        """Take up at the position where the log really begins: nothing lies between, or the log lost it and was read again."""
        where = tables.positions
        at = and_(where.c.log_id == partition.log_id, where.c.topic == partition.topic, where.c.partition == partition.number)
        async with self._database.write() as connection:
            mine = and_(at, where.c.epoch == self._epochs.get(partition, -1))
            if (await connection.execute(update(where).where(mine).values(next=position))).rowcount != 1:
                raise Fenced(f"{partition.topic}/{partition.number}")

    async def release(self, partitions: Sequence[Partition]) -> None:
        """Forget partitions that are no longer ours."""
        for each in partitions:
            self._epochs.pop(each, None)

    async def commit(self, batch: Batch) -> None:
        """Write a batch, all of it or nothing. Raises Fenced, Unavailable; a refusal of the data by the database as it comes."""
        now = self._clock()
        page = Page(_KEPT)
        for each in batch.decided:
            id_ = each.contact.id
            _receipt(page, id_, each.contact.channel, each.contact.account, each.contact.received_at, each.contact.original)
            page.put(tables.contacts, _contact_row(each, now))
            page.put(tables.dispositions, disposition_row(each, 1, now, "router"), id_)
            if link := link_row(each, now, "router"):
                page.put(tables.links, link, id_)
            _consequences(page, each, now, id_)
        async with self._database.write() as connection:
            new = await page.write(connection, self._turn(batch))
            if new is None:
                raise Fenced(f"{batch.partition.topic}/{batch.partition.number} from {batch.first}")
            written = [each for each in batch.decided if each.contact.id in new]
            await _still_there(connection, written)
            await intake.make(connection, {each.contact.id: each.newcomer for each in written if each.newcomer}, now)
            await self._reach_out(connection, written, now)
            await self._dead(connection, batch.dead, now)
            await self._parked(connection, batch, now)
            await self._variants(connection, batch.variants, now)
        self.pending.set()

    def _turn(self, batch: Batch) -> Turn:
        """That the partition is ours still and stands where the batch begins, to go on behind it."""
        at = batch.partition
        where = {"log_id": at.log_id, "topic": at.topic, "partition": at.number, "epoch": self._epochs.get(at, -1)}
        return Turn(tables.positions, {**where, "next": batch.first}, {"next": batch.following})

    async def write(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        """Records, handoffs, additions, tasks, messages, wishes, needs, audit entries and what is published of them."""
        page = Page(_KEPT)
        for each in decided:
            _consequences(page, each, now)
        await page.write(connection)
        await intake.make(connection, {each.contact.id: each.newcomer for each in decided if each.newcomer}, now)
        await self._reach_out(connection, decided, now)

    async def _reach_out(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        """What they mean for messages that are on their way already."""
        await self._obey(connection, decided, now)
        await self._end(connection, await self._bounces(connection, decided, now), now)
        await self._tell_of_own(connection, {each.came_back: each.contact.id for each in decided if each.came_back}, now)

    async def _tell_of_own(self, connection: AsyncConnection, back: Mapping[UUID, UUID], now: datetime) -> None:
        """Raise the alarm where what we sent to a person comes to us: a notice to our own people may, where their mailbox is read."""
        if not back:
            return
        sent = tables.outgoing
        to_people = select(sent.c.id).where(among(sent.c.id, list(back)), sent.c.audience == Audience.PERSON.value)
        for id_ in (await connection.execute(to_people)).scalars():
            ERRORS.labels("router", "own-mail-came-back").inc()
            _say.error("own-mail-came-back", outgoing=str(id_), contact=str(back[id_]))
            await self.send(connection, [came_back_mail(back[id_], self._house, now)], now)

    async def _bounces(
        self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime
    ) -> list[OutgoingStatus]:
        """What came back, as far as it is proved that it went: by our token, or by its Message-ID and whom it was sent to."""
        back = [each.bounced for each in decided if each.bounced]
        if not back:
            return []
        sent = tables.outgoing
        to = select(sent.c.id, sent.c.recipient).where(among(sent.c.id, [each.outgoing_id for each in back]))
        recipients = {row.id: row.recipient for row in await connection.execute(to)}
        return [
            OutgoingStatus(
                outgoing_id=each.outgoing_id,
                state=OutgoingState.BOUNCED,
                at=now,
                attempts=1,
                reason=f"bounced: {each.code}" if each.code else "bounced",
            )
            for each in back
            if each.named is None or canonical_email(recipients.get(each.outgoing_id) or "") in each.named
        ]

    async def _obey(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        """An urgent contact holds what is already on its way to its writer, and a wish what is on its way by the methods it names."""
        urgent = {each for one in decided if one.decision.urgent for each in one.addresses}
        unwished = {(each, method) for one in decided for each, (method, _) in product(one.addresses, one.restrictions)}
        reached = urgent.union(each for each, _ in unwished)
        if not reached:
            return
        sent = tables.outgoing
        due = (sent.c.state == OutgoingState.DUE.value) & (sent.c.audience == Audience.PERSON.value)
        to_them = select(sent.c.id, sent.c.recipient, sent.c.body).where(among(sent.c.recipient, sorted(reached)), due)
        found: dict[str, list[UUID]] = {"wish": [], "urgent-earlier": []}
        for row in (await connection.execute(to_them)).all():
            if (row.recipient, Outgoing.model_validate_json(row.body).channel) in unwished:
                found["wish"].append(row.id)
            elif row.recipient in urgent:
                found["urgent-earlier"].append(row.id)
        page = Page(_KEPT)
        for reason, ids in found.items():
            holding = update(sent).where(among(sent.c.id, ids), due)
            holding = holding.values(state=OutgoingState.HELD.value, reason=reason, changed_at=now).returning(sent.c.id)
            held = list((await connection.execute(holding)).scalars()) if ids else []
            await state.cancel(connection, held, now)
            for id_ in held:
                _note(page, now, None, "held", {"outgoing": str(id_), "reason": reason})
        await page.write(connection)

    async def _dead(self, connection: AsyncConnection, dead: Sequence[Dead], now: datetime) -> None:
        dead = await self._unheard_of(connection, dead, now)
        if not dead:
            return
        page = Page(_KEPT)
        for d in dead:
            _receipt(page, d.contact_id, d.channel, "unknown", d.received_at, "")
            told = {"id": str(d.contact_id), "reason": d.reason, "detail": d.detail, "origin": _where(d.delivery), "tries": "1"}
            headers = ((f"dead_letter_{name}", text.encode("utf-8", "replace")) for name, text in told.items())
            record = d.delivery.record
            _out(page, DEAD_LETTERS, Record(record.key, record.value, (*record.headers, *headers)))
            self._ask(
                page, d.contact_id, d.channel, TaskKind.NOT_READ_FOR_RISK, f"dead-letter:{_where(d.delivery)}", now,
                ("It was accepted and could not be understood, so nobody has looked for risk.", f"{d.reason}: {d.detail}",
                 f"See it: ingest dead-letters show {d.contact_id}"), trace_of(record),
            )  # fmt: skip
            _note(page, now, d.contact_id, "dead-lettered", {"reason": d.reason, "detail": d.detail})
        await page.write(connection)

    async def _unheard_of(self, connection: AsyncConnection, dead: Sequence[Dead], now: datetime) -> list[Dead]:
        """Keep dead letters, and answer with those that are news: a record read again is none; one put back and dead again is.

        Where a publisher gives one id to several, each is kept under an id of its own.
        """
        kept = tables.dead_letters
        news: list[Dead] = []
        for told in dead:
            before = (await connection.execute(select(kept.c.value).where(kept.c.id == told.contact_id))).one_or_none()
            d = told
            if before is not None and before.value != told.delivery.record.value:
                d = replace(told, contact_id=derived_id(told.contact_id, f"dead:{digest(told.delivery.record.value or b'')}"))
            row = {
                "id": d.contact_id, "contact_id": d.contact_id, "channel": d.channel, "received_at": d.received_at, "reason": d.reason,
                "detail": d.detail, "at": now, "state": "open", "settled_by": None, "settled_at": None, **_of_delivery(d.delivery),
            }  # fmt: skip
            new = insert(kept).values(row)
            again = (kept.c.state == "replayed") & (
                (kept.c.log_id != new.excluded.log_id) | (kept.c.position != new.excluded.position)
            )
            opened = new.on_conflict_do_update(index_elements=["id"], set_=row, where=again).returning(kept.c.id)
            if (await connection.execute(opened)).first() is not None:
                news.append(d)
        return news

    def _ask(
        self,
        page: Page,
        id_: UUID,
        channel: str,
        kind: TaskKind,
        purpose: str,
        now: datetime,
        reasons: tuple[str, ...],
        trace: Trace | None,
    ) -> None:
        """A task that no decision of the router raises."""
        due = now + within_of(kind, self._house)
        asked = task(id_, channel, kind, self._house.teams.customer_care, now, due, reasons, purpose=purpose)
        self._raise(page, asked, now, trace)

    def _raise(self, page: Page, raised: Task, now: datetime, trace: Trace | None) -> None:
        _task(page, raised, now, trace)
        for each in task_mail(raised, self._house, now):
            _message(page, each, now, trace)

    async def raise_tasks(self, connection: AsyncConnection, raised: Sequence[Task], now: datetime) -> None:
        """Tasks with their notices, published."""
        page, traces = Page(_KEPT), await _traces(connection, [each.contact_id for each in raised])
        for each in raised:
            self._raise(page, each, now, traces.get(each.contact_id))
        await page.write(connection)

    async def _parked(self, connection: AsyncConnection, batch: Batch, now: datetime) -> None:
        page, parked = Page(_KEPT), tables.parked
        for p in batch.parked:
            page.put(parked, {"contact_id": p.contact_id, "reason": p.reason, "at": now, **_of_delivery(p.delivery)})
            # What another system published has no receipt of our edge's; it waits here, and the ledger must know of it.
            if p.contact_id:
                _receipt(page, p.contact_id, p.channel, "unknown", p.delivery.appended_at, "")
            _note(page, now, p.contact_id, "parked", {"reason": p.reason})
        await page.write(connection)
        for partition, position in batch.unparked:
            await connection.execute(
                parked.delete().where(
                    parked.c.log_id == partition.log_id,
                    parked.c.topic == partition.topic,
                    parked.c.partition == partition.number,
                    parked.c.position == position,
                )
            )

    async def _variants(self, connection: AsyncConnection, variants: Sequence[Variant], now: datetime) -> None:
        for each in variants:
            row = {
                "contact_id": each.contact.id,
                "fingerprint": each.fingerprint,
                "body": each.contact.model_dump_json(),
                "at": now,
            }
            kept = insert(tables.variants).on_conflict_do_nothing().returning(tables.variants.c.contact_id)
            if (await connection.execute(kept, [row])).first() is None:
                continue
            reasons = (
                "The same contact came again with other content; both are kept.",
                "Nothing was sent or changed because of it.",
            )
            page = Page(_KEPT)
            purpose = f"variant:{each.fingerprint}"
            self._ask(page, each.contact.id, each.contact.channel, TaskKind.REVIEW, purpose, now, reasons, each.contact.trace)
            _note(page, now, each.contact.id, "same-id-other-content", {"fingerprint": each.fingerprint})
            await page.write(connection)

    async def send(self, connection: AsyncConnection, messages: Sequence[Message], now: datetime) -> None:
        """Note messages; those that are due go to the outbox, and those to the public spend their address's budget with it."""
        page, traces = Page(_KEPT), await _traces(connection, [each.contact_id for each in messages])
        for each in messages:
            _message(page, each, now, traces.get(each.contact_id))
        await page.write(connection)

    async def audit(self, connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit trail; a sealer takes the entries into the tree later."""
        page = Page(_KEPT)
        for each in entries:
            _entry(page, each)
        await page.write(connection)

    async def publish(
        self, connection: AsyncConnection, topic: str, ce_id: str, key: str, shape: Shape, now: datetime, trace: Trace | None
    ) -> None:
        """One shape, where its event's id is not its own, in the trace of the contact that it is about."""
        event = Event(ce_id, SOURCE, topic_of(topic).ce_type, shape.model_dump_json().encode(), time=now)
        await self.out(connection, [(topic, in_trace(encode(event, key), trace))])

    async def out(self, connection: AsyncConnection, records: Sequence[tuple[str, Record]]) -> None:
        """Rows for the outbox to append to the log."""
        page = Page(_KEPT)
        for topic, record in records:
            _out(page, topic, record)
        await page.write(connection)

    @asynccontextmanager
    async def taking(self, batch: Batch) -> AsyncGenerator[AsyncConnection]:
        """A transaction that moves the position past a batch, for what is written because of it. Raises Fenced, Unavailable."""
        async with self._database.write() as connection:
            if await Page(_KEPT).write(connection, self._turn(batch)) is None:
                raise Fenced(f"{batch.partition.topic}/{batch.partition.number} from {batch.first}")
            yield connection

    async def commit_statuses(self, batch: Batch, statuses: Sequence[OutgoingStatus]) -> list[OutgoingStatus]:
        """Write what became of messages; answers with those that changed something."""
        async with self.taking(batch) as connection:
            changed = await self._end(connection, statuses, self._clock())
        self.pending.set()
        return changed

    async def commit_allocations(self, batch: Batch, allocations: Sequence[Allocation]) -> None:
        """Note what External Affairs & Strategy has decided; what comes of it is for ``allocation`` to see to."""
        async with self.taking(batch) as connection:
            await self.note_allocations(connection, allocations, self._clock())

    async def note_allocations(
        self, connection: AsyncConnection, allocations: Sequence[Allocation], now: datetime, **evidence: Any
    ) -> None:
        """Each that is not known yet, with who made it on the audit trail."""
        known = tables.allocations
        page = Page(_KEPT)
        for each in allocations:
            new = insert(known).values(_allocation_row(each)).on_conflict_do_nothing().returning(known.c.id)
            if (await connection.execute(new)).first() is None:
                continue
            told = {"allocation": str(each.id), "outcome": each.outcome.value, **evidence}
            _entry(page, AuditEntry(new_id(), now, each.contact_id, "allocated", each.by, evidence=told))
        await page.write(connection)

    async def _end(
        self, connection: AsyncConnection, statuses: Sequence[OutgoingStatus], now: datetime
    ) -> list[OutgoingStatus]:
        """What became of messages, for those not at their end yet.

        What cannot reach its person is made up for in the same transaction: the promise of 48 hours is ours, not a provider's.
        """
        sent = tables.outgoing
        about = select(sent.c.id, sent.c.contact_id, sent.c.audience, sent.c.state, sent.c.attempts)
        about = about.where(among(sent.c.id, [each.outgoing_id for each in statuses])).order_by(sent.c.id).with_for_update()
        known = {row.id: row for row in (await connection.execute(about)).all()} if statuses else {}
        stands = {row.id: (row.state, row.attempts) for row in known.values()}
        changed: list[OutgoingStatus] = []
        lost: list[tuple[UUID, UUID, str]] = []
        for each in statuses:
            # What is cancelled the register ordered itself, and says itself what the message is: held, or let go since.
            if (row := known.get(each.outgoing_id)) is None or each.state is OutgoingState.CANCELLED:
                continue
            became = _became(*stands[row.id], each)
            if became is None:
                continue
            stands[row.id] = became["state"], became.get("attempts", stands[row.id][1])
            await connection.execute(update(sent).where(sent.c.id == row.id).values(became))
            changed.append(each)
            evidence = {
                "outgoing": str(each.outgoing_id),
                "state": each.state.value,
                "reason": each.reason,
                "attempts": each.attempts,
            }
            actor = "router" if each.state is OutgoingState.BOUNCED else "dispatcher"
            await self.audit(connection, [AuditEntry(new_id(), now, row.contact_id, "sent", actor, evidence=evidence)])
            if each.state not in (OutgoingState.FAILED, OutgoingState.BOUNCED):
                continue
            if row.audience == Audience.STAFF.value:
                ERRORS.labels("router", "notice-undelivered").inc()
                _say.error("notice-undelivered", outgoing=str(each.outgoing_id), reason=each.reason)
            elif row.contact_id:
                lost.append((row.contact_id, row.id, each.reason or each.state.value))
        await self._make_up_for(connection, lost, now)
        return changed

    async def _make_up_for(self, connection: AsyncConnection, lost: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
        """Have what did not reach its person reach them another way, or a person see to it."""
        page, traces = Page(_KEPT), await _traces(connection, [contact_id for contact_id, _, _ in lost])
        for contact_id, outgoing_id, reason in lost:
            made = await undelivered.made_up_for(connection, self._house, contact_id, outgoing_id, reason, now)
            for raised in made.tasks:
                _task(page, raised, now, traces.get(contact_id))
            for message in made.messages:
                _message(page, message, now, traces.get(contact_id))
            for entry in made.entries:
                _entry(page, entry)
        await page.write(connection)


def _became(standing: str, attempts: int, told: OutgoingStatus) -> dict[str, Any] | None:
    """How a message stands now, whose row said ``standing``; None where it is told nothing new.

    A provider's receipt may overtake the dispatcher's word that it was accepted; it then brings only how often it was tried.
    """
    unsent = standing in UNSENT
    if standing == OutgoingState.DELIVERED and told.state is OutgoingState.ACCEPTED and not attempts:
        return {"state": standing, "attempts": told.attempts}
    if not unsent and (standing != OutgoingState.ACCEPTED or told.state is OutgoingState.ACCEPTED):
        return None
    end = {"state": told.state.value, "reason": told.reason, "changed_at": told.at}
    counts = told.state is OutgoingState.ACCEPTED or (unsent and told.state is OutgoingState.FAILED)
    return end | {"attempts": told.attempts} if counts else end


def _receipt(page: Page, id_: UUID, channel: str, account: str, received_at: datetime, original: str) -> None:
    """What the ledger counts from, also for what another system published."""
    row = {"contact_id": id_, "channel": channel, "account": account, "received_at": received_at, "original": original}
    page.put(state.receipts, row)


def _contact_row(each: Consequences, now: datetime) -> dict[str, Any]:
    c = each.contact
    return {
        "id": c.id, "reference": each.reference, "channel": c.channel, "account": c.account, "received_at": c.received_at,
        "sender": each.sender, "fingerprint": each.fingerprint, "body": c.model_dump_json(), "routed_at": now,
    }  # fmt: skip


def _consequences(page: Page, each: Consequences, now: datetime, new: UUID | None = None) -> None:
    """All that comes of a contact; ``new`` where the page has the contact too, and nothing comes of one that is there already."""
    trace = each.contact.trace
    if r := each.feedback:
        body = r.model_dump_json()
        row = {
            "id": r.id, "reference": r.reference, "contact_id": r.contact_ids[0], "individual_id": r.individual_id,
            "case_reference": r.case_reference, "type": r.type, "settled": False, "recorded_at": now, "body": body,
        }  # fmt: skip
        page.put(tables.feedback_records, row, new)
        _publish(page, "records.feedback", r.id, body, now, new, trace)
    if h := each.handoff:
        body = h.model_dump_json()
        row = {
            "id": h.id, "contact_id": h.contact_id, "team": h.team.value, "mailbox": h.mailbox, "individual_id": h.individual_id,
            "case_reference": h.case_reference, "state": "sent", "handed_off_at": now, "due": h.due or now, "body": body,
        }  # fmt: skip
        page.put(tables.handoffs, row, new)
        _publish(page, f"handoffs.{h.team.value}", h.id, body, now, new, trace)
    for whom in each.candidates:
        row = {
            "contact_id": each.contact.id, "individual_id": whom.individual_id, "rank": whom.rank, "score": whom.score,
            "evidence": list(whom.evidence), "at": now, "same": None,
        }  # fmt: skip
        page.put(tables.candidates, row, new)
    if each.added_to:
        page.put(tables.additions, {"contact_id": each.contact.id, "added_to": each.added_to, "at": now}, new)
    for raised in each.tasks:
        _task(page, raised, now, trace, new)
    for message in each.messages:
        _message(page, message, now, trace, new)
    for address, (method, words) in product(each.addresses, each.restrictions):
        row = {"sender": address, "method": method, "words": words, "contact_id": each.contact.id, "since": now}
        page.put(tables.restrictions, row, new)
    for kind in each.needs:
        row = {"contact_id": each.contact.id, "kind": kind, "since": now, "withdrawn_at": None, "withdrawn_by": None}
        page.put(tables.needs, row, new)
    if each.waiting:
        row = {
            "contact_id": each.contact.id, "first": each.waiting.first, "due": each.waiting.due, "alarmed_at": None, "outcome": None,
        }  # fmt: skip
        page.put(tables.posts, row, new)
    if each.allocation:
        page.put(tables.allocations, _allocation_row(each.allocation), new)
    if each.tied_to:
        page.put(tables.ties, {"contact_id": each.contact.id, "earlier": each.tied_to, "at": now}, new)
    for entry in each.entries:
        _entry(page, entry, new)


def _allocation_row(each: Allocation) -> dict[str, Any]:
    return {
        "id": each.id, "contact_id": each.contact_id, "outcome": each.outcome.value, "by": each.by, "at": each.at, "applied_at": None,
    }  # fmt: skip


def _task(page: Page, t: Task, now: datetime, trace: Trace | None, new: UUID | None = None) -> None:
    body = t.model_dump_json()
    row = {
        "id": t.id, "contact_id": t.contact_id, "kind": t.kind.value, "mailbox": t.mailbox, "state": "open",
        "created_at": t.created_at, "due": t.due, "body": body,
    }  # fmt: skip
    page.put(tables.tasks, row, new)
    _publish(page, "tasks", t.id, body, now, new, trace)


def _message(page: Page, m: Message, now: datetime, trace: Trace | None, new: UUID | None = None) -> None:
    """One that is there already is neither published nor paid for again."""
    told = m.body if m.body is None or trace is None else m.body.model_copy(update={"trace": trace})
    body = told.model_dump_json() if told else None
    row = {
        "id": m.id, "contact_id": m.contact_id, "kind": m.kind.value, "audience": m.audience.value, "recipient": m.recipient,
        "state": m.state.value, "reason": m.reason, "created_at": now, "due": m.due, "changed_at": now, "attempts": 0, "body": body,
    }  # fmt: skip
    page.put(tables.outgoing, row, new)
    if m.state is OutgoingState.DUE and body:
        _publish(page, "outgoing", m.id, body, now, m.id, trace)
        if m.audience is Audience.PERSON and m.recipient:
            page.put(tables.budgets, {"recipient": m.recipient, "day": now.date(), "spent": 1}, m.id)


def _note(page: Page, now: datetime, contact_id: UUID | None, action: str, evidence: dict[str, Any]) -> None:
    _entry(page, AuditEntry(new_id(), now, contact_id, action, "router", evidence=evidence))


def _entry(page: Page, e: AuditEntry, new: UUID | None = None) -> None:
    row = {
        "id": e.id, "at": e.at, "contact_id": e.contact_id, "action": e.action, "rule": e.rule, "rule_version": e.rule_version,
        "actor": e.actor, "evidence": e.evidence,
    }  # fmt: skip
    page.put(tables.audit, row, new)


def _publish(page: Page, topic: str, id_: UUID, body: str, now: datetime, of: UUID | None, trace: Trace | None) -> None:
    """A shape as an event, keyed and named by what it is about, so that a repeat has the same ce_id."""
    key, (before, behind) = str(id_), _headers(topic_of(topic).ce_type, now)
    if trace is not None:
        behind = f"{behind[:-1]},{as_json(_pairs(trace.on_records()))[1:]}"
    page.put(tables.outbox, {"topic": topic, "key": key, "headers": Json(before + key + behind), "value": body.encode()}, of)


@lru_cache(maxsize=16)
def _headers(ce_type: str, now: datetime) -> tuple[str, str]:
    """An event's headers as the outbox has them, before and behind its id: nothing else of them differs within a batch."""
    before, _, behind = as_json(_pairs(encode(Event("{id}", SOURCE, ce_type, b"", time=now), None).headers)).partition("{id}")
    return before, behind


def _out(page: Page, topic: str, r: Record) -> None:
    page.put(tables.outbox, {"topic": topic, "key": r.key, "headers": _pairs(r.headers), "value": r.value})


def _pairs(headers: Iterable[tuple[str, bytes]]) -> list[list[str]]:
    return [[name, raw.decode("latin-1")] for name, raw in headers]


async def _traces(connection: AsyncConnection, contacts: Iterable[UUID | None]) -> Mapping[UUID | None, Trace]:
    """The traces of contacts that the register has, of those that have one: for what comes of a contact after its batch."""
    wanted, known = {each for each in contacts if each}, tables.contacts.c
    if not wanted:
        return {}
    rows = await connection.execute(
        select(known.id, known.body).where(among(known.id, wanted), known.body.contains(_IN_A_TRACE))
    )
    bodies = ((row.id, Contact.model_validate_json(row.body)) for row in rows)
    return {id_: contact.trace for id_, contact in bodies if contact.trace}


def disposition_row(each: Consequences, version: int, now: datetime, by: str) -> dict[str, Any]:
    """A version of a contact's disposition, as the current one."""
    team = team_of(each.decision.disposition)
    return {
        "contact_id": each.contact.id, "version": version, "current": True, "kind": kind_of(each.decision.disposition),
        "team": team.value if team else None, "urgent": bool(each.decision.urgent), "rule": each.decision.rule,
        "rule_version": each.decision.version, "because": list(each.decision.because), "individual_id": each.decision.individual_id,
        "case_reference": each.decision.case_reference, "at": now, "by": by,
    }  # fmt: skip


async def _still_there(connection: AsyncConnection, written: Sequence[Consequences]) -> None:
    """Have everybody whom these name stay until they are written. Raises Unavailable where somebody has been erased since they were found."""
    named = {each.decision.individual_id for each in written} | {
        whom.individual_id for each in written for whom in each.candidates
    }
    known = named - {each.newcomer.individual_id for each in written if each.newcomer} - {None}
    if not known:
        return
    persons = tables.individuals
    there = select(persons.c.id).where(among(persons.c.id, list(known))).with_for_update(read=True, key_share=True)
    if known - set((await connection.execute(there)).scalars()):
        raise Unavailable("individual-erased", "Somebody was erased while contacts were decided on: they are decided on again.")


def link_row(each: Consequences, now: datetime, by: str) -> dict[str, Any] | None:
    """That a contact is an individual's; None where it is nobody's."""
    if each.decision.individual_id is None or each.grade is None:
        return None
    return {
        "contact_id": each.contact.id, "individual_id": each.decision.individual_id, "grade": each.grade.value, "score": each.score,
        "evidence": list(each.link_evidence), "at": now, "by": by, "undone_at": None, "undone_by": None,
    }  # fmt: skip


def _where(delivery: Delivery) -> str:
    return f"{delivery.partition.topic}/{delivery.partition.number}/{delivery.position}"


def _of_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "log_id": delivery.partition.log_id, "topic": delivery.partition.topic, "partition": delivery.partition.number,
        "position": delivery.position, "key": delivery.record.key,
        "headers": _pairs(delivery.record.headers), "value": delivery.record.value,
    }  # fmt: skip
