"""The sole writer of the register: one transaction a batch, and one for each act of a person.

A batch's transaction holds the contacts, dispositions, records, tasks, messages, audit entries, outbox rows *and the position*,
fenced by the partition's epoch (DESIGN promise 2): whoever lost the partition writes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import (
    DEAD_LETTERS,
    Audience,
    Contact,
    Event,
    OutgoingState,
    OutgoingStatus,
    Record,
    Task,
    TaskKind,
    Topic,
    encode,
    topic_of,
)
from ingest.contract.shape import Shape
from ingest.database import Database, insert
from ingest.ids import derived_id, digest, new_id
from ingest.log import Delivery, Partition
from ingest.telemetry import ERRORS, telemetry
from router.audit import AuditEntry
from router.consequences import Consequences, House, Message, kind_of, task, task_mail, team_of
from router.register import tables

SOURCE = "urn:contact-ingest:router"

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
        async with self._database.write() as connection:
            await self._advance(connection, batch)
            fresh = await self._contacts(connection, batch.decided, now)
            decided = [each for each in batch.decided if each.contact.id in fresh]
            await self._decisions(connection, decided, now)
            await self._dead(connection, batch.dead, now)
            await self._parked(connection, batch, now)
            await self._variants(connection, batch.variants, now)
        self.pending.set()

    async def _advance(self, connection: AsyncConnection, batch: Batch) -> None:
        where, at = tables.positions, batch.partition
        moved = await connection.execute(
            update(where)
            .where(where.c.log_id == at.log_id, where.c.topic == at.topic, where.c.partition == at.number)
            .where(where.c.epoch == self._epochs.get(at, -1), where.c.next == batch.first)
            .values(next=batch.following)
        )
        if moved.rowcount != 1:
            raise Fenced(f"{at.topic}/{at.number} from {batch.first}")

    async def _contacts(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> set[UUID]:
        if not decided:
            return set()
        receipts = [
            {
                "contact_id": c.id,
                "channel": c.channel,
                "account": c.account,
                "received_at": c.received_at,
                "original": c.original,
            }
            for c in (each.contact for each in decided)
        ]
        await self._insert(connection, state.receipts, receipts)
        rows = [
            {
                "id": each.contact.id,
                "reference": each.reference,
                "channel": each.contact.channel,
                "account": each.contact.account,
                "received_at": each.contact.received_at,
                "sender": each.sender,
                "fingerprint": each.fingerprint,
                "body": each.contact.model_dump_json(),
                "routed_at": now,
            }
            for each in decided
        ]
        new = insert(tables.contacts).on_conflict_do_nothing().returning(tables.contacts.c.id)
        return set((await connection.execute(new, rows)).scalars())

    async def _decisions(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        if not decided:
            return
        await self._insert(connection, tables.dispositions, [disposition_row(each, 1, now, "router") for each in decided])
        await self._insert(connection, tables.links, [row for each in decided for row in link_rows(each, now, "router")])
        await self.write(connection, decided, now)

    async def write(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        """Records, handoffs, additions, tasks, messages, wishes, audit entries and what is published of them."""
        records = [each.feedback for each in decided if each.feedback]
        handoffs = [each.handoff for each in decided if each.handoff]
        tasks = [every for each in decided for every in each.tasks]
        messages = [every for each in decided for every in each.messages]
        await self._insert(
            connection,
            tables.feedback_records,
            [
                {
                    "id": r.id, "reference": r.reference, "contact_id": r.contact_ids[0], "individual_id": r.individual_id,
                    "case_reference": r.case_reference, "type": r.type, "settled": False, "recorded_at": now, "body": r.model_dump_json(),
                }
                for r in records
            ],
        )  # fmt: skip
        await self._insert(
            connection,
            tables.handoffs,
            [
                {
                    "id": h.id, "contact_id": h.contact_id, "team": h.team.value, "mailbox": h.mailbox, "individual_id": h.individual_id,
                    "case_reference": h.case_reference, "state": "sent", "handed_off_at": now, "body": h.model_dump_json(),
                }
                for h in handoffs
            ],
        )  # fmt: skip
        added = [{"contact_id": each.contact.id, "added_to": each.added_to, "at": now} for each in decided if each.added_to]
        await self._insert(connection, tables.additions, added)
        await self._tasks(connection, tasks)
        await self.send(connection, messages, now)
        wishes = [
            {"sender": each.sender, "method": method, "words": words, "contact_id": each.contact.id, "since": now}
            for each in decided
            if each.sender
            for method, words in each.restrictions
        ]
        await self._insert(connection, tables.restrictions, wishes)
        await self._obey(connection, decided, now)
        bounces = [
            OutgoingStatus(outgoing_id=each.bounced, state=OutgoingState.BOUNCED, at=now, attempts=1, reason="bounced")
            for each in decided
            if each.bounced
        ]
        await self._end(connection, bounces, now)
        await self.audit(connection, [entry for each in decided for entry in each.entries])
        publish = [(topic_of("records.feedback"), r.id, r) for r in records]
        publish += [(topic_of(f"handoffs.{h.team.value}"), h.id, h) for h in handoffs]
        publish += [(topic_of("tasks"), t.id, t) for t in tasks]
        await self._publish(connection, publish, now)

    async def _obey(self, connection: AsyncConnection, decided: Sequence[Consequences], now: datetime) -> None:
        """An urgent contact or a wish not to be mailed holds what is already on its way to that address."""
        held = {each.sender: "urgent-earlier" for each in decided if each.sender and each.decision.urgent}
        held |= {
            each.sender: "wish" for each in decided if each.sender and any(method == "email" for method, _ in each.restrictions)
        }
        if not held:
            return
        sent = tables.outgoing
        found = (
            await connection.execute(
                select(sent.c.id, sent.c.recipient).where(
                    sent.c.recipient.in_(sorted(held)),
                    sent.c.state == OutgoingState.DUE.value,
                    sent.c.audience == Audience.PERSON.value,
                )
            )
        ).all()
        for id_, recipient in found:
            await connection.execute(
                update(sent)
                .where(sent.c.id == id_)
                .values(state=OutgoingState.HELD.value, reason=held[recipient], changed_at=now)
            )
        await state.cancel(connection, [id_ for id_, _ in found], now)
        entries = [
            AuditEntry(new_id(), now, None, "held", "router", evidence={"outgoing": str(id_), "reason": held[to]})
            for id_, to in found
        ]
        await self.audit(connection, entries)

    async def _dead(self, connection: AsyncConnection, dead: Sequence[Dead], now: datetime) -> None:
        dead = await self._unheard_of(connection, dead, now)
        if not dead:
            return
        receipts = [
            {
                "contact_id": d.contact_id,
                "channel": d.channel,
                "account": "unknown",
                "received_at": d.received_at,
                "original": "",
            }
            for d in dead
        ]
        await self._insert(connection, state.receipts, receipts)
        copies = [
            Record(
                d.delivery.record.key,
                d.delivery.record.value,
                (
                    *d.delivery.record.headers,
                    ("dead_letter_id", str(d.contact_id).encode()),
                    ("dead_letter_reason", d.reason.encode()),
                    ("dead_letter_detail", d.detail.encode("utf-8", "replace")),
                    ("dead_letter_origin", _where(d.delivery).encode()),
                    ("dead_letter_tries", b"1"),
                ),
            )
            for d in dead
        ]
        await self.out(connection, [(DEAD_LETTERS, copy) for copy in copies])
        for d in dead:
            await self._ask(
                connection, d.contact_id, d.channel, TaskKind.NOT_READ_FOR_RISK, f"dead-letter:{_where(d.delivery)}", now,
                ("It was accepted and could not be understood, so nobody has looked for risk.", f"{d.reason}: {d.detail}",
                 f"See it: ingest dead-letters show {d.contact_id}"),
            )  # fmt: skip
        await self.audit(
            connection,
            [
                AuditEntry(
                    new_id(), now, d.contact_id, "dead-lettered", "router", evidence={"reason": d.reason, "detail": d.detail}
                )
                for d in dead
            ],
        )

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

    async def _ask(
        self,
        connection: AsyncConnection,
        id_: UUID,
        channel: str,
        kind: TaskKind,
        purpose: str,
        now: datetime,
        reasons: tuple[str, ...],
    ) -> None:
        """A task that no decision of the router raises."""
        due = now + self._house.router.review_within
        raised = task(id_, channel, kind, self._house.teams.customer_care, now, due, reasons, purpose=purpose)
        await self.raise_tasks(connection, (raised,), now)

    async def raise_tasks(self, connection: AsyncConnection, raised: Sequence[Task], now: datetime) -> None:
        """Tasks with their notices, published."""
        await self._tasks(connection, raised)
        await self.send(connection, [mail for each in raised for mail in task_mail(each, self._house, now)], now)
        await self._publish(connection, [(topic_of("tasks"), each.id, each) for each in raised], now)

    async def _parked(self, connection: AsyncConnection, batch: Batch, now: datetime) -> None:
        rows = [{"contact_id": p.contact_id, "reason": p.reason, "at": now, **_of_delivery(p.delivery)} for p in batch.parked]
        await self._insert(connection, tables.parked, rows)
        # What another system published has no receipt of our edge's; it waits here, and the ledger must know of it.
        receipts = [
            {
                "contact_id": p.contact_id,
                "channel": p.channel,
                "account": "unknown",
                "received_at": p.delivery.appended_at,
                "original": "",
            }
            for p in batch.parked
            if p.contact_id
        ]
        await self._insert(connection, state.receipts, receipts)
        parked = tables.parked
        for partition, position in batch.unparked:
            await connection.execute(
                parked.delete().where(
                    parked.c.log_id == partition.log_id,
                    parked.c.topic == partition.topic,
                    parked.c.partition == partition.number,
                    parked.c.position == position,
                )
            )
        await self.audit(
            connection,
            [AuditEntry(new_id(), now, p.contact_id, "parked", "router", evidence={"reason": p.reason}) for p in batch.parked],
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
            await self._ask(
                connection, each.contact.id, each.contact.channel, TaskKind.REVIEW, f"variant:{each.fingerprint}", now, reasons
            )
            entry = AuditEntry(
                new_id(), now, each.contact.id, "same-id-other-content", "router", evidence={"fingerprint": each.fingerprint}
            )
            await self.audit(connection, [entry])

    async def _tasks(self, connection: AsyncConnection, raised: Sequence[Task]) -> None:
        rows = [
            {
                "id": t.id, "contact_id": t.contact_id, "kind": t.kind.value, "mailbox": t.mailbox, "state": "open",
                "created_at": t.created_at, "due": t.due, "body": t.model_dump_json(),
            }
            for t in raised
        ]  # fmt: skip
        await self._insert(connection, tables.tasks, rows)

    async def send(self, connection: AsyncConnection, messages: Sequence[Message], now: datetime) -> None:
        """Note messages; those that are due go to the outbox, and those to the public spend their address's budget with it."""
        rows = [
            {
                "id": m.id, "contact_id": m.contact_id, "kind": m.kind.value, "audience": m.audience.value, "recipient": m.recipient,
                "state": m.state.value, "reason": m.reason, "created_at": now, "due": m.due, "changed_at": now, "attempts": 0,
                "body": m.body.model_dump_json() if m.body else None,
            }
            for m in messages
        ]  # fmt: skip
        if not rows:
            return
        new = insert(tables.outgoing).on_conflict_do_nothing().returning(tables.outgoing.c.id)
        fresh = set((await connection.execute(new, rows)).scalars())
        due = [m for m in messages if m.state is OutgoingState.DUE and m.body and m.id in fresh]
        await self._publish(connection, [(topic_of("outgoing"), m.id, m.body) for m in due if m.body], now)
        to = sorted(m.recipient for m in due if m.audience is Audience.PERSON and m.recipient)  # in one order: no deadlock
        spent = [{"recipient": recipient, "day": now.date(), "spent": 1} for recipient in to]
        if spent:
            budget = insert(tables.budgets)
            more = budget.on_conflict_do_update(
                index_elements=["recipient", "day"], set_={"spent": tables.budgets.c.spent + budget.excluded.spent}
            )
            await connection.execute(more, spent)

    async def audit(self, connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit trail; a sealer takes the entries into the tree later."""
        rows = [
            {
                "id": e.id, "at": e.at, "contact_id": e.contact_id, "action": e.action, "rule": e.rule, "rule_version": e.rule_version,
                "actor": e.actor, "evidence": e.evidence,
            }
            for e in entries
        ]  # fmt: skip
        if rows:
            await connection.execute(tables.audit.insert(), rows)

    async def _publish(self, connection: AsyncConnection, shapes: Sequence[tuple[Topic, UUID, Shape]], now: datetime) -> None:
        """Shapes as events, keyed and named by what they are about, so that a repeat has the same ce_id."""
        events = [
            (topic.name, encode(Event(str(id_), SOURCE, topic.ce_type, shape.model_dump_json().encode(), time=now), str(id_)))
            for topic, id_, shape in shapes
        ]
        await self.out(connection, events)

    async def publish(self, connection: AsyncConnection, topic: str, ce_id: str, key: str, shape: Shape, now: datetime) -> None:
        """One shape, where its event's id is not its own."""
        at = topic_of(topic)
        await self.out(
            connection, [(topic, encode(Event(ce_id, SOURCE, at.ce_type, shape.model_dump_json().encode(), time=now), key))]
        )

    async def out(self, connection: AsyncConnection, records: Sequence[tuple[str, Record]]) -> None:
        """Rows for the outbox to append to the log."""
        rows = [
            {
                "topic": topic,
                "key": r.key,
                "headers": [[name, raw.decode("latin-1")] for name, raw in r.headers],
                "value": r.value,
            }
            for topic, r in records
        ]
        if rows:
            await connection.execute(tables.outbox.insert(), rows)

    async def _insert(self, connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            await connection.execute(insert(table).on_conflict_do_nothing(), list(rows))

    async def commit_statuses(self, batch: Batch, statuses: Sequence[OutgoingStatus]) -> list[OutgoingStatus]:
        """Write what became of messages; answers with those that changed something."""
        async with self._database.write() as connection:
            await self._advance(connection, batch)
            changed = await self._end(connection, statuses, self._clock())
        self.pending.set()
        return changed

    async def _end(
        self, connection: AsyncConnection, statuses: Sequence[OutgoingStatus], now: datetime
    ) -> list[OutgoingStatus]:
        """What became of messages, for those not at their end yet.

        A receipt that cannot reach its person raises a letter task: the promise of 48 hours is ours, not the mail server's.
        """
        sent, contacts = tables.outgoing, tables.contacts
        changed: list[OutgoingStatus] = []
        for each in statuses:
            if each.state is OutgoingState.CANCELLED:
                continue  # the register ordered it and says itself what the message is: held, or let go since
            bounced = each.state is OutgoingState.BOUNCED
            end = {"state": each.state.value, "reason": each.reason, "changed_at": each.at}
            moved = (
                await connection.execute(
                    update(sent)
                    .where(
                        sent.c.id == each.outgoing_id, sent.c.state.in_(("due", "held", "sending", *(("accepted",) * bounced)))
                    )
                    .values(end if bounced else end | {"attempts": each.attempts})
                    .returning(sent.c.contact_id, sent.c.audience)
                )
            ).one_or_none()
            if moved is None:
                continue
            changed.append(each)
            evidence = {
                "outgoing": str(each.outgoing_id),
                "state": each.state.value,
                "reason": each.reason,
                "attempts": each.attempts,
            }
            actor = "router" if bounced else "dispatcher"
            await self.audit(connection, [AuditEntry(new_id(), now, moved.contact_id, "sent", actor, evidence=evidence)])
            if each.state not in (OutgoingState.FAILED, OutgoingState.BOUNCED):
                continue
            if moved.audience == Audience.STAFF.value:
                ERRORS.labels("router", "notice-undelivered").inc()
                _say.error("notice-undelivered", outgoing=str(each.outgoing_id), reason=each.reason)
            elif moved.contact_id:
                of = select(contacts.c.channel).where(contacts.c.id == moved.contact_id)
                channel = (await connection.execute(of)).scalar_one_or_none() or "email"
                reasons = (
                    "Mail to them did not arrive; what is owed must reach them another way.",
                    f"The mail server said: {each.reason}",
                )
                await self._ask(
                    connection, moved.contact_id, channel, TaskKind.LETTER, f"undelivered:{each.outgoing_id}", now, reasons
                )
        return changed


def disposition_row(each: Consequences, version: int, now: datetime, by: str) -> dict[str, Any]:
    """A version of a contact's disposition, as the current one."""
    team = team_of(each.decision.disposition)
    return {
        "contact_id": each.contact.id, "version": version, "current": True, "kind": kind_of(each.decision.disposition),
        "team": team.value if team else None, "urgent": bool(each.decision.urgent), "rule": each.decision.rule,
        "rule_version": each.decision.version, "because": list(each.decision.because), "individual_id": each.decision.individual_id,
        "case_reference": each.decision.case_reference, "at": now, "by": by,
    }  # fmt: skip


def link_rows(each: Consequences, now: datetime, by: str) -> list[dict[str, Any]]:
    """That a contact is an individual's."""
    if each.decision.individual_id is None:
        return []
    return [
        {
            "contact_id": each.contact.id,
            "individual_id": each.decision.individual_id,
            "evidence": list(each.link_evidence),
            "at": now,
            "by": by,
        }
    ]


def _where(delivery: Delivery) -> str:
    return f"{delivery.partition.topic}/{delivery.partition.number}/{delivery.position}"


def _of_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "log_id": delivery.partition.log_id, "topic": delivery.partition.topic, "partition": delivery.partition.number,
        "position": delivery.position, "key": delivery.record.key,
        "headers": [[name, raw.decode("latin-1")] for name, raw in delivery.record.headers], "value": delivery.record.value,
    }  # fmt: skip
