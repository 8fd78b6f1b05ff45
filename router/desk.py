"""What people do at the desk: claim and decide tasks, release and hold messages, replay dead letters.

Each act is one transaction with its audit entry, in the name of whoever acts. Two who act together: the first wins, and the
other is told by whom.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import (
    Audience,
    Contact,
    FeedbackRecord,
    Handoff,
    Outgoing,
    OutgoingKind,
    OutgoingState,
    Task,
    TaskKind,
    Team,
    topic_of,
)
from ingest.database import Database, insert
from ingest.errors import Refused
from ingest.ids import derived_id, new_id
from router.asking import note_choice, unseen
from router.audit import AuditEntry
from router.consequences import MISSING, Consequences, House, consequences, task, team_of
from router.decide import Disposition, HandOff, InviteToContact, NoAction, RecordFeedback, decide
from router.gather import gather
from router.match import Ambiguous, Evidence, Matched, MatchResult, Unmatched
from router.opening import reading_of, record_in
from router.register import search, tables
from router.store import Store, disposition_row, link_row

DECIDED = "decided-by-a-person"
RULED = "ruled"  # the outcome of a post on which a person has decided, allocated or not
INDIVIDUALS = "individuals"
"""The lock of every act that says who somebody is: whose a contact is, who counts as whom."""
_ID = re.compile(r"[0-9a-f]{6,32}")
_MOST_MEANT = 20


@dataclass(frozen=True, slots=True)
class Ruling:
    """One thing a person decides about a contact: what becomes of it, who it is from, and which case it is about. ``nobody`` where they
    say that it is from nobody of the register; without either, who it is from is left open.
    """

    disposition: Disposition
    individual_id: str | None
    case_reference: str | None
    because: str
    nobody: bool = False


@dataclass(frozen=True, slots=True)
class Ruled:
    """What came of rulings. ``unseen`` are individuals who come near now and whom whoever decided was not asked about: the register has
    changed since. ``left`` was made out of this contact, is no longer linked to it, and has no other.
    """

    written: tuple[Consequences, ...]
    unseen: tuple[str, ...] = ()
    left: str | None = None


async def claim(database: Database, store: Store, task_id: UUID, by: str, clock: Clock) -> None:
    """Take an open task. Raises Refused ``no-such-task``, ``claimed-already``, ``done-already``."""
    tasks = tables.tasks
    async with database.write() as connection:
        now = clock()
        taken = await connection.execute(
            update(tasks)
            .where(tasks.c.id == task_id, tasks.c.state == "open")
            .values(state="claimed", claimed_by=by, claimed_at=now)
            .returning(tasks.c.contact_id)
        )
        if (row := taken.one_or_none()) is None:
            raise await _why_not(connection, task_id)
        await store.audit(connection, [entry(now, by, "task-claimed", row.contact_id, task=str(task_id))])


async def rule(
    database: Database, store: Store, house: House, task_id: UUID, rulings: Sequence[Ruling], by: str, clock: Clock
) -> Ruled:
    """Decide a review: the first ruling supersedes the contact's disposition, and each has its record or handoff. A post waits no longer.

    The acknowledgement stands as it was, but for what only read like spam: decided to be none it goes, and with no action it
    never will. An approved answer is sent, and counts as the acknowledgement where that is held. Whose it is now stands in its link, its
    records and its handoffs; a link that no ruling names any more is undone. Raises Refused ``no-such-task``, ``claimed-already`` (by
    somebody else), ``done-already``, ``no-such-contact``, ``no-such-individual``, ``merged``, ``no-such-case``, ``not-a-post``,
    ``several-individuals``.
    """
    async with database.write(INDIVIDUALS) as connection:
        now = clock()
        outcome = ", ".join(type(each.disposition).__name__ for each in rulings)
        contact, fingerprint = await contact_of(connection, await _end(connection, task_id, outcome, by, now))
        if any(isinstance(each.disposition, InviteToContact) for each in rulings) and not contact.to_be_allocated:
            raise Refused("not-a-post", "Only who wrote on social media is invited: to anybody else we can write.")
        if len({each.individual_id for each in rulings}) > 1:
            raise Refused("several-individuals", "A contact is from one person: name the same in all that becomes of it.")
        await _wait_no_longer(connection, contact, now, by)
        new_since = await unseen(connection, house, contact, rulings[0].individual_id, now)
        made = [await _made(connection, house, contact, fingerprint, ruling, now, by) for ruling in rulings]
        written = [await only_new(connection, each, by) for each in made]
        await supersede(connection, written[0], now, by)
        await store.write(connection, written, now)
        link = next((link for each in written if (link := link_row(each, now, by))), None)
        was = await move(
            connection, store, house, contact, fingerprint, link, rulings[0].case_reference, now, by, rulings[0].because
        )
        if rulings[0].individual_id or rulings[0].nobody:
            speaks = link["evidence"] if link else ()
            await note_choice(connection, contact.id, rulings[0].individual_id, speaks, now)
        if not any(isinstance(each.disposition, RecordFeedback) for each in rulings):
            await end_task(connection, contact.id, MISSING, "decided", by, now)
        evidence = {"unseen": list(new_since)} if new_since else {}
        await store.audit(connection, [entry(now, by, "task-done", contact.id, task=str(task_id), **evidence)])
        if answered := [
            each.id for one in written for each in one.messages if each.answers and each.state is OutgoingState.DUE
        ]:
            await _end_acknowledgement(connection, store, contact.id, answered[0], now, by)
        await _let_reply_follow(connection, store, contact.id, rulings, now, by)
        left = was if was and await made_of_nothing_else(connection, was) else None
    store.pending.set()
    return Ruled(tuple(written), new_since, left)


async def made_of_nothing_else(connection: AsyncConnection, individual_id: str) -> bool:
    """Whether somebody was made by the router, counts as nobody else, and no contact is theirs any more."""
    links, people = tables.links, tables.individuals
    made = select(people.c.id).where(
        people.c.id == individual_id, people.c.made_from.is_not(None), people.c.merged_into.is_(None)
    )
    theirs = select(links.c.contact_id).where(links.c.individual_id == individual_id, links.c.undone_at.is_(None))
    return (await connection.execute(made.where(~theirs.exists()))).first() is not None


async def finish(database: Database, store: Store, task_id: UUID, outcome: str, by: str, clock: Clock) -> None:
    """Note that a task which decides nothing is done: a letter sent, an urgent contact seen to.

    Raises Refused ``no-such-task``, ``claimed-already``, ``done-already``, ``not-allocated``: such a task ends by saying whose it is.
    """
    tasks = tables.tasks
    async with database.write() as connection:
        now = clock()
        kind = (await connection.execute(select(tasks.c.kind).where(tasks.c.id == task_id))).scalar_one_or_none()
        if kind == TaskKind.ALLOCATION.value:
            raise Refused("not-allocated", "The post would wait on: say whose it is, with `ingest social allocate`.")
        about = await _end(connection, task_id, outcome, by, now)
        await store.audit(connection, [entry(now, by, "task-done", about, task=str(task_id), outcome=outcome)])


async def _end(connection: AsyncConnection, task_id: UUID, outcome: str, by: str, now: datetime) -> UUID | None:
    """End a task that is open or theirs, and answer with its contact: of two who end it at once the second is refused."""
    tasks = tables.tasks
    mine = (tasks.c.state == "open") | ((tasks.c.state == "claimed") & (tasks.c.claimed_by == by))
    ended = update(tasks).where(tasks.c.id == task_id, mine).values(state="done", done_at=now, done_by=by, outcome=outcome)
    row = (await connection.execute(ended.returning(tasks.c.contact_id))).one_or_none()
    if row is None:
        raise await _why_not(connection, task_id, by)
    return row.contact_id


async def release(database: Database, store: Store, outgoing_id: UUID, by: str, clock: Clock) -> None:
    """Send a message that was held. Raises Refused ``no-such-message``, ``not-held``."""
    sent = tables.outgoing
    async with database.write() as connection:
        now = clock()
        row = (await connection.execute(select(sent).where(sent.c.id == outgoing_id))).one_or_none()
        if row is None or row.body is None:
            raise Refused(
                "no-such-message",
                f"There is no message {outgoing_id} that could be sent. `ingest outgoing list` shows what there is.",
            )
        freed = await connection.execute(
            update(sent)
            .where(sent.c.id == outgoing_id, sent.c.state == OutgoingState.HELD.value)
            .values(state=OutgoingState.DUE.value, reason=None, changed_at=now)
        )
        if freed.rowcount != 1:
            raise Refused("not-held", f"The message {outgoing_id} is not held; it is {row.state}.")
        await _send_again(connection, store, row, now, by)
    store.pending.set()


async def _send_again(connection: AsyncConnection, store: Store, row: Any, now: datetime, by: str) -> None:
    """Publish a message that was held, under another ce_id: consumers have had the first, or never will."""
    await state.allow(connection, row.id)
    outgoing = Outgoing.model_validate_json(row.body)
    await store.publish(
        connection, topic_of("outgoing").name, f"{row.id}:{now.isoformat()}", str(row.id), outgoing, now, outgoing.trace
    )
    await store.audit(connection, [entry(now, by, "released", row.contact_id, outgoing=str(row.id), reason=row.reason)])


async def hold(database: Database, store: Store, outgoing_id: UUID, by: str, clock: Clock) -> None:
    """Keep one message from being sent. Raises Refused ``no-such-message``, ``not-due``: it went, or is held already."""
    sent = tables.outgoing
    async with database.write() as connection:
        now = clock()
        held = await connection.execute(
            update(sent)
            .where(sent.c.id == outgoing_id, sent.c.state == OutgoingState.DUE.value)
            .values(state=OutgoingState.HELD.value, reason="by-hand", changed_at=now)
            .returning(sent.c.contact_id)
        )
        if (taken := held.one_or_none()) is None:
            row = (await connection.execute(select(sent.c.state).where(sent.c.id == outgoing_id))).one_or_none()
            if row is None:
                raise Refused(
                    "no-such-message", f"There is no message {outgoing_id}. `ingest outgoing list` shows what there is."
                )
            raise Refused("not-due", f"The message {outgoing_id} cannot be held any more; it is {row.state}.")
        await state.cancel(connection, [outgoing_id], now)
        await store.audit(connection, [entry(now, by, "held", taken.contact_id, outgoing=str(outgoing_id), reason="by-hand")])


async def cancel(database: Database, store: Store, outgoing_id: UUID, because: str, by: str, clock: Clock) -> None:
    """Say that a held message need not go: the person was reached another way. Raises Refused ``no-such-message``, ``not-held``."""
    sent = tables.outgoing
    async with database.write() as connection:
        now = clock()
        ended = (
            await connection.execute(
                update(sent)
                .where(sent.c.id == outgoing_id, sent.c.state == OutgoingState.HELD.value)
                .values(state=OutgoingState.CANCELLED.value, reason=because, changed_at=now)
                .returning(sent.c.contact_id)
            )
        ).one_or_none()
        if ended is None:
            row = (await connection.execute(select(sent.c.state).where(sent.c.id == outgoing_id))).one_or_none()
            if row is None:
                raise Refused(
                    "no-such-message", f"There is no message {outgoing_id}. `ingest outgoing list` shows what there is."
                )
            raise Refused(
                "not-held", f"Only what is held can be cancelled, and the message {outgoing_id} is {row.state}. Hold it first."
            )
        await store.audit(
            connection, [entry(now, by, "cancelled", ended.contact_id, outgoing=str(outgoing_id), because=because)]
        )


async def turn(database: Database, store: Store, by: str, clock: Clock, *, stopped: bool) -> None:
    """Stop all sending to the public within seconds, or let it go on."""
    async with database.write() as connection:
        now = clock()
        await state.turn(connection, stopped=stopped, by=by, at=now)
        await store.audit(connection, [entry(now, by, "sending-stopped" if stopped else "sending-let-go-on", None)])


async def settle(database: Database, store: Store, record_id: UUID, by: str, clock: Clock) -> None:
    """Nothing more is to be done about a feedback record: what the person writes next is recorded anew.

    Raises Refused ``no-such-record``, ``settled-already``.
    """
    records = tables.feedback_records
    async with database.write() as connection:
        now = clock()
        settled = update(records).where(records.c.id == record_id, records.c.settled.is_(False)).values(settled=True)
        row = (await connection.execute(settled.returning(records.c.contact_id))).one_or_none()
        if row is None:
            known = (await connection.execute(select(records.c.id).where(records.c.id == record_id))).one_or_none()
            if known is None:
                raise Refused(
                    "no-such-record", f"There is no feedback record {record_id}. `ingest feedback list` shows what there is."
                )
            raise Refused("settled-already", f"The feedback record {record_id} is settled already.")
        await end_task(connection, row.contact_id, MISSING, "settled", by, now)
        await store.audit(connection, [entry(now, by, "feedback-settled", row.contact_id, record=str(record_id))])


async def end_task(connection: AsyncConnection, about: UUID, purpose: str, outcome: str, by: str, now: datetime) -> None:
    """Whoever was to do it, such as to ask for what a record lacks, need not any more."""
    tasks = tables.tasks
    asked = (tasks.c.id == derived_id(about, f"task:{purpose}")) & (tasks.c.state != "done")
    await connection.execute(update(tasks).where(asked).values(state="done", done_at=now, done_by=by, outcome=outcome))


async def replay(database: Database, store: Store, dead_letter_id: UUID, by: str, clock: Clock) -> None:
    """Put a dead letter's bytes back on its topic. Raises Refused ``no-such-dead-letter``, ``settled-already``."""
    async with database.write() as connection:
        now = clock()
        row = await _settle_dead(connection, dead_letter_id, "replayed", by, now)
        await store.out(connection, [(row.topic, record_in(row))])
        await store.audit(connection, [entry(now, by, "dead-letter-replayed", row.contact_id, dead_letter=str(dead_letter_id))])
    store.pending.set()


async def discard(database: Database, store: Store, dead_letter_id: UUID, because: str, by: str, clock: Clock) -> None:
    """Say that nothing more will be done with a dead letter; its bytes stay. Raises Refused as ``replay`` does."""
    async with database.write() as connection:
        now = clock()
        row = await _settle_dead(connection, dead_letter_id, "discarded", by, now)
        evidence = {"dead_letter": str(dead_letter_id), "because": because}
        await store.audit(connection, [entry(now, by, "dead-letter-discarded", row.contact_id, **evidence)])


async def _made(
    connection: AsyncConnection, house: House, contact: Contact, fingerprint: str, ruling: Ruling, now: datetime, by: str
) -> Consequences:
    """What a ruling comes to; nothing of it is written. Raises Refused as ``rule`` does."""
    reading = reading_of(contact, house)
    known = await gather(connection, [(contact, reading)], house, now)
    individual, case = ruling.individual_id, ruling.case_reference
    found = await search.people(connection, {individual} if individual else set())
    cases = await search.cases(connection, {case} if case else set())
    if individual and (counts_as := (await search.merged(connection, {individual})).get(individual)):
        raise Refused("merged", f"{individual} counts as {counts_as} since they were merged: name {counts_as}.")
    if individual and individual not in found:
        raise Refused("no-such-individual", f"The register has nobody with the id {individual}.")
    if case and case not in cases:
        raise Refused("no-such-case", f"The register has no case {case}.")
    situation = replace(
        known.situation(contact, reading),
        match=_as_ruled(known.matches[contact.id], ruling),
        individual=found[individual] if individual else None,
        named=(cases[case],) if case else (),
        unknown_references=(),
    )
    decision = replace(
        decide(situation),
        disposition=ruling.disposition,
        rule=DECIDED,
        version=1,
        because=(f"{by}: {ruling.because}",),
        case_reference=case,
        individual_id=individual,
    )
    known_of, ended = known.standing(contact), await _ended(connection, contact.id, ruling.disposition)
    return consequences(situation, decision, fingerprint, house, known_of, now, by_person=True, ended=ended)


def _as_ruled(found: MatchResult, ruling: Ruling) -> MatchResult:
    """Who it is from: whom a person named, with what speaks for it; nobody where they say so; and else it stays open."""
    if ruling.individual_id:
        return Matched(ruling.individual_id, 1.0, _evidence_of(found, ruling.individual_id))
    if ruling.nobody:
        return Unmatched("A person said that it is from nobody of the register.")
    if isinstance(found, Matched):
        return Ambiguous((found.individual_id,), ("Nobody has said whose it is.",), (found.score,), (found.evidence,))
    return found


def _evidence_of(found: MatchResult, individual_id: str) -> tuple[Evidence, ...]:
    match found:
        case Matched(individual_id=who) if who == individual_id:
            return found.evidence
        case Ambiguous():
            return next(
                (evidence for who, evidence in zip(found.candidates, found.evidence, strict=False) if who == individual_id), ()
            )
        case _:
            return ()


async def _ended(connection: AsyncConnection, contact_id: UUID, disposition: Disposition) -> int:
    """How often the team that it goes to has returned or settled it before: what goes there again is another handoff."""
    if (team := team_of(disposition)) is None:
        return 0
    handoffs = tables.handoffs
    before = (handoffs.c.contact_id == contact_id) & (handoffs.c.team == team.value)
    ended = select(func.count()).select_from(handoffs).where(before, handoffs.c.state.in_(("returned", "settled")))
    return (await connection.execute(ended)).scalar_one()


async def only_new(connection: AsyncConnection, written: Consequences, by: str) -> Consequences:
    """Less the records, handoffs, tasks and messages that there are already, with the audit entries in the name of whoever decided."""
    records, handoffs, tasks, sent = tables.feedback_records, tables.handoffs, tables.tasks, tables.outgoing
    record, handoff = written.feedback, written.handoff
    ids = [
        each.id
        for each in (*written.tasks, *written.messages, *((record,) if record else ()), *((handoff,) if handoff else ()))
    ]
    have: set[UUID] = set()
    for table in (records, handoffs, tasks, sent):
        have |= set((await connection.execute(select(table.c.id).where(table.c.id.in_(ids)))).scalars())
    there = {str(each) for each in have}
    return replace(
        written,
        feedback=record if record and record.id not in have else None,
        handoff=handoff if handoff and handoff.id not in have else None,
        tasks=tuple(each for each in written.tasks if each.id not in have),
        messages=tuple(each for each in written.messages if each.id not in have),
        tied_to=None,
        entries=tuple(
            replace(each, actor=by)
            for each in written.entries
            if each.action != "tied-to"
            and there.isdisjoint(each.evidence.get(name) for name in ("task", "outgoing", "record", "handoff"))
        ),
    )


async def _wait_no_longer(connection: AsyncConnection, contact: Contact, now: datetime, by: str) -> None:
    """A person has decided on a post whatever its allocation says: nobody is asked for that any more, nor will it change a thing."""
    if not contact.to_be_allocated:
        return
    posts = tables.posts
    await connection.execute(update(posts).where(posts.c.contact_id == contact.id).values(outcome=RULED))
    await end_task(connection, contact.id, TaskKind.ALLOCATION.value, "decided", by, now)


async def move(
    connection: AsyncConnection, store: Store, house: House, contact: Contact, fingerprint: str, link: dict[str, Any] | None,
    case: str | None, now: datetime, by: str, because: str,
) -> str | None:  # fmt: skip
    """Have a contact be one individual's, or nobody's, with all that was made of it; answers with whose it was, where that changed.

    What had been sent or handed on in the wrong name a person is asked about, once for each link that is undone.
    """
    stood = await standing(connection, contact.id)
    individual, before = link["individual_id"] if link else None, stood.individual_id if stood else None
    was = before if before != individual else None
    done = await _done_in_the_name_of(connection, contact.id, was) if was else ()
    await relink(connection, store, contact.id, link, now, by, because)
    if before != individual:
        await _correct(connection, store, house, contact, fingerprint, individual, case, now, by)
    if done:
        reasons = (f"Its link to {was} is undone, by {by}. What was done in their name must be put right:", *done)
        asked = task(
            contact.id, contact.channel, TaskKind.REVIEW, house.teams.customer_care, now, now + house.router.review_within, reasons,
            candidates=(individual,) if individual else (), purpose=f"wrong-name:{was}:{stood.at.isoformat()}",
        )  # fmt: skip
        there = select(tables.tasks.c.id).where(tables.tasks.c.id == asked.id)
        if (await connection.execute(there)).first() is None:
            await store.raise_tasks(connection, (asked,), now)
            await store.audit(
                connection, [entry(now, by, "task-raised", contact.id, task=str(asked.id), kind=asked.kind.value)]
            )
    return was


async def standing(connection: AsyncConnection, contact_id: UUID) -> Any:
    """The one link of a contact that stands; None where there is none."""
    links = tables.links
    query = select(links).where(links.c.contact_id == contact_id, links.c.undone_at.is_(None))
    return (await connection.execute(query)).one_or_none()


async def relink(
    connection: AsyncConnection,
    store: Store,
    contact_id: UUID,
    link: dict[str, Any] | None,
    now: datetime,
    by: str,
    because: str | None = None,
) -> None:
    """Undo a link of the contact that stands and is another's, and put this one in its place."""
    links = tables.links
    another = links.c.contact_id == contact_id, links.c.undone_at.is_(None)
    undoing = (
        update(links).where(*another, links.c.individual_id != link["individual_id"]) if link else update(links).where(*another)
    )
    undone = await connection.execute(undoing.values(undone_at=now, undone_by=by).returning(links.c.individual_id))
    await store.audit(
        connection,
        [
            entry(now, by, "link-undone", contact_id, individual=each, **({"because": because} if because else {}))
            for each in undone.scalars()
        ],
    )
    if link:
        new = insert(links).values(link)
        await connection.execute(new.on_conflict_do_update(index_elements=["contact_id", "individual_id"], set_=link))


async def _done_in_the_name_of(connection: AsyncConnection, contact_id: UUID, individual_id: str) -> tuple[str, ...]:
    """What has left us, or lies on a record, as that individual's: sentences that hold nothing of them."""
    records, handoffs, tasks, sent = tables.feedback_records, tables.handoffs, tables.tasks, tables.outgoing
    said: list[str] = []
    in_their_name = select(records.c.reference).where(
        records.c.contact_id == contact_id, records.c.individual_id == individual_id
    )
    said += [
        f"The feedback record {each} was published in their name; it is corrected."
        for each in (await connection.execute(in_their_name)).scalars()
    ]
    went = select(handoffs.c.team, handoffs.c.mailbox, handoffs.c.state).where(
        handoffs.c.contact_id == contact_id, handoffs.c.individual_id == individual_id
    )
    said += [
        f"It was handed to {row.team} ({row.mailbox}) in their name, and is {row.state} there: tell them."
        for row in await connection.execute(went)
    ]
    letters = select(tasks.c.id, tasks.c.state, tasks.c.body).where(
        tasks.c.contact_id == contact_id, tasks.c.kind == TaskKind.LETTER.value
    )
    said += [
        f"The task {row.id} to write or ring names them, and is {row.state}: see where that went or is to go."
        for row in await connection.execute(letters)
        if individual_id in Task.model_validate_json(row.body).candidates
    ]
    told = select(sent.c.kind, sent.c.state).where(
        sent.c.contact_id == contact_id, sent.c.audience == Audience.PERSON.value,
        sent.c.state.not_in([each.value for each in (OutgoingState.CANCELLED, OutgoingState.COVERED, OutgoingState.IMPOSSIBLE)]),
    )  # fmt: skip
    if said:
        said += [
            f"The {row.kind} to whoever wrote is {row.state}; what was held of {individual_id} may have decided its language and way."
            for row in await connection.execute(told)
        ]
    return tuple(said)


async def _correct(
    connection: AsyncConnection, store: Store, house: House, contact: Contact, fingerprint: str, individual: str | None,
    case: str | None, now: datetime, by: str,
) -> None:  # fmt: skip
    """Have the contact's record and the handoffs that are not at their end name who it is from now, and publish them again.

    The event has another id, since whoever reads the topic has had the first.
    """
    records, handoffs = tables.feedback_records, tables.handoffs
    stale = records.c.contact_id == contact.id, records.c.individual_id.is_distinct_from(individual)
    for row in (await connection.execute(select(records).where(*stale))).all():
        made = await _made(connection, house, contact, fingerprint, Ruling(RecordFeedback(), individual, case, ""), now, by)
        assert made.feedback is not None
        recorded_at = FeedbackRecord.model_validate_json(row.body).recorded_at
        body = made.feedback.model_copy(update={"id": row.id, "recorded_at": recorded_at, "individual_id": individual})
        named = {"individual_id": individual, "case_reference": case, "body": body.model_dump_json()}
        await connection.execute(update(records).where(records.c.id == row.id).values(named))
        await store.publish(
            connection, "records.feedback", f"{row.id}:{now.isoformat()}", str(row.id), body, now, contact.trace
        )
        await store.audit(
            connection, [entry(now, by, "feedback-corrected", contact.id, record=str(row.id), individual=individual)]
        )
    stale = handoffs.c.contact_id == contact.id, handoffs.c.individual_id.is_distinct_from(individual)
    for row in (
        await connection.execute(select(handoffs).where(*stale, handoffs.c.state.in_(("sent", "taken", "overdue"))))
    ).all():
        made = await _made(
            connection, house, contact, fingerprint, Ruling(HandOff(Team(row.team)), individual, case, ""), now, by
        )
        assert made.handoff is not None
        kept = Handoff.model_validate_json(row.body)
        same = {name: getattr(kept, name) for name in ("id", "mailbox", "handed_off_at", "due", "because")}
        body = made.handoff.model_copy(update=same | {"individual_id": individual})
        named = {"individual_id": individual, "case_reference": case, "body": body.model_dump_json()}
        await connection.execute(update(handoffs).where(handoffs.c.id == row.id).values(named))
        await store.publish(
            connection, f"handoffs.{row.team}", f"{row.id}:{now.isoformat()}", str(row.id), body, now, contact.trace
        )
        await store.audit(
            connection, [entry(now, by, "handoff-corrected", contact.id, handoff=str(row.id), individual=individual)]
        )


async def _end_acknowledgement(
    connection: AsyncConnection, store: Store, contact_id: UUID, answer: UUID, now: datetime, by: str
) -> None:
    """What is held of it need not go any more: an answer is on its way."""
    sent = tables.outgoing
    held = (
        (sent.c.contact_id == contact_id)
        & (sent.c.kind == OutgoingKind.ACKNOWLEDGEMENT.value)
        & (sent.c.state == OutgoingState.HELD.value)
    )
    ended = update(sent).where(held).values(state=OutgoingState.CANCELLED.value, reason=f"answered:{answer}", changed_at=now)
    ids = list((await connection.execute(ended.returning(sent.c.id))).scalars())
    await store.audit(connection, [entry(now, by, "cancelled", contact_id, outgoing=str(each)) for each in ids])


async def _let_reply_follow(
    connection: AsyncConnection, store: Store, contact_id: UUID, rulings: Sequence[Ruling], now: datetime, by: str
) -> None:
    """What is held only for reading like spam goes once a person says it is none, and never where there is nothing to do."""
    sent = tables.outgoing
    unsent = sent.c.contact_id == contact_id, sent.c.audience == Audience.PERSON.value, sent.c.state == OutgoingState.HELD.value
    if all(isinstance(each.disposition, NoAction) for each in rulings):
        ended = update(sent).where(*unsent).values(state=OutgoingState.CANCELLED.value, reason="no-action", changed_at=now)
        ids = list((await connection.execute(ended.returning(sent.c.id))).scalars())
        await store.audit(connection, [entry(now, by, "cancelled", contact_id, outgoing=str(each)) for each in ids])
        return
    freed = update(sent).where(*unsent, sent.c.reason == "reads-like-spam")
    freed = freed.values(state=OutgoingState.DUE.value, reason=None, changed_at=now).returning(sent)
    for row in (await connection.execute(freed)).all():
        await _send_again(connection, store, row, now, by)


async def supersede(connection: AsyncConnection, each: Consequences, now: datetime, by: str) -> None:
    """A new version of a contact's disposition; the ones before it stay, no longer current."""
    dispositions, contacts = tables.dispositions, tables.contacts
    # Of two who decide on one contact at once the second counts on from the first.
    await connection.execute(select(contacts.c.id).where(contacts.c.id == each.contact.id).with_for_update())
    versions = (
        select(dispositions.c.version)
        .where(dispositions.c.contact_id == each.contact.id)
        .order_by(dispositions.c.version.desc())
    )
    latest = (await connection.execute(versions.limit(1))).scalar_one_or_none() or 0
    await connection.execute(update(dispositions).where(dispositions.c.contact_id == each.contact.id).values(current=False))
    await connection.execute(dispositions.insert().values(**disposition_row(each, latest + 1, now, by)))


async def contact_of(connection: AsyncConnection, contact_id: UUID | None) -> tuple[Contact, str]:
    """A contact and its fingerprint. Raises Refused ``no-such-contact``."""
    contacts = tables.contacts
    row = (
        await connection.execute(select(contacts.c.body, contacts.c.fingerprint).where(contacts.c.id == contact_id))
    ).one_or_none()
    if row is None:
        raise Refused(
            "no-such-contact", f"The register has no contact {contact_id}; a dead letter is replayed or discarded instead."
        )
    return Contact.model_validate_json(row.body), row.fingerprint


async def _settle_dead(connection: AsyncConnection, dead_letter_id: UUID, to: str, by: str, now: datetime) -> Any:
    dead = tables.dead_letters
    row = (await connection.execute(select(dead).where(dead.c.id == dead_letter_id))).one_or_none()
    if row is None:
        raise Refused(
            "no-such-dead-letter", f"There is no dead letter {dead_letter_id}. `ingest dead-letters list` shows what there is."
        )
    settled = await connection.execute(
        update(dead).where(dead.c.id == dead_letter_id, dead.c.state == "open").values(state=to, settled_by=by, settled_at=now)
    )
    if settled.rowcount != 1:
        raise Refused("settled-already", f"{row.settled_by} has {row.state} it already.")
    await end_task(connection, dead_letter_id, "dead-letter", to, by, now)
    return row


async def _why_not(connection: AsyncConnection, task_id: UUID, by: str | None = None) -> Refused:
    row = (await connection.execute(select(tables.tasks).where(tables.tasks.c.id == task_id))).one_or_none()
    if row is None:
        return Refused("no-such-task", f"There is no task {task_id}. `ingest review list` shows what there is.")
    if row.state == "done":
        return Refused("done-already", f"{row.done_by} has done it already: {row.outcome}.")
    return Refused("claimed-already", f"{row.claimed_by} has claimed it{', not ' + by if by else ''}.")


def entry(now: datetime, by: str, action: str, contact_id: UUID | None, **evidence: Any) -> AuditEntry:
    """What somebody did, for the audit trail."""
    return AuditEntry(new_id(), now, contact_id, action, by, evidence=evidence)


async def ids_of(connection: AsyncConnection, table: Table, given: str) -> list[UUID]:
    """The rows of a table that somebody means by the beginning of an id (6 characters or more) or by a contact's reference."""
    typed = given.strip().replace("-", "").lower()
    if _ID.fullmatch(typed):
        lowest, highest = UUID(typed.ljust(32, "0")), UUID(typed.ljust(32, "f"))
        query = select(table.c.id).where(table.c.id.between(lowest, highest))
    else:
        reference = given.strip().upper()
        contacts = select(tables.contacts.c.id).where(tables.contacts.c.reference == reference)
        meant = (table.c.id if table is tables.contacts else table.c.contact_id).in_(contacts)
        if table is tables.tasks:  # a dead letter's task has a reference and no contact
            meant |= (table.c.state != "done") & table.c.body.contains(f'"reference":"{reference}"', autoescape=True)
        query = select(table.c.id).where(meant)
    return list((await connection.execute(query.order_by(table.c.id).limit(_MOST_MEANT))).scalars())


async def id_of(connection: AsyncConnection, table: Table, given: str) -> UUID:
    """The one row that ``ids_of`` finds. Raises Refused ``no-such-id``, ``several-ids``."""
    found = await ids_of(connection, table, given)
    if not found:
        raise Refused(
            "no-such-id", f"Nothing has the id or reference {given}. An id may be given by 6 of its characters or more."
        )
    if len(found) > 1:
        raise Refused("several-ids", f"{given} could be any of these; give one by its id: {', '.join(map(str, found))}.")
    return found[0]


async def tied_to(connection: AsyncConnection, contact_id: UUID) -> list[tuple[bool, str]]:
    """What a contact came after, and what came after it, by a link or a mail that we had sent: whether it was earlier, and which it is.

    It is no proof of who wrote either.
    """
    ties, contacts = tables.ties, tables.contacts
    named = select(contacts.c.reference, contacts.c.channel, contacts.c.received_at)
    found: list[tuple[bool, str]] = []
    for earlier, one, other in ((True, ties.c.contact_id, ties.c.earlier), (False, ties.c.earlier, ties.c.contact_id)):
        query = named.join(ties, other == contacts.c.id).where(one == contact_id).order_by(contacts.c.received_at)
        for row in (await connection.execute(query.limit(_MOST_MEANT))).all():
            by = row.channel.replace("_", " ")
            found.append((earlier, f"{row.reference} by {by}, {row.received_at:%d %B %Y %H:%M} UTC; no proof of who wrote it"))
    return found
