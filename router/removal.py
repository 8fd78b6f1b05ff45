"""Contacts taken out of the register with every row that is about them, and their originals once nothing else refers to those.

``remove_contacts`` is the one way in which a contact goes, for an erasure and for what is past its retention alike: within a transaction of
``removing`` it deletes what is keyed by them, empties their entries of the audit trail, leaves a mark by which they are not filed anew
when the log is read again (``state.erased``), notes their originals (``state.unwanted``), and writes the entry of the trail that says so.
``let_go`` removes what is noted so, after the commit: stopped at any moment, the next one goes on.
"""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import now
from ingest.contract import DEAD_LETTERS, UNSENT
from ingest.database import Database, among, insert
from ingest.ids import erasure_mark, new_id
from ingest.log import Log
from ingest.log.spool import waiting_in
from ingest.originals import Originals
from router.audit import EMPTIED, AuditEntry, Emptied, leaf_hash
from router.desk import INDIVIDUALS
from router.ledger import CONTACTS, not_routed, positions_of
from router.opening import identity_of, record_in
from router.register import tables

NOBODY: Final = UUID(int=0)
"""In place of a contact that is gone, in a row that must stay."""

ERASED: Final = "erased"
"""What the audit trail calls an erasure. Of whatever goes on another word, the marks tell which."""

OF_CONTACTS: Final[Mapping[Table, ColumnElement[UUID]]] = {
    **{
        table: table.c.contact_id
        for table in (
            tables.variants, tables.dispositions, tables.links, tables.candidates, tables.feedback_records, tables.handoffs, tables.additions,
            tables.tasks, tables.outgoing, tables.needs, tables.posts, tables.allocations, tables.ties, tables.parked, tables.dead_letters,
            tables.legal_holds, state.receipts, state.claims, state.mails,
        )
    },
    tables.contacts: tables.contacts.c.id,
    state.texts: state.texts.c.id,
}  # fmt: skip
"""Tables whose rows go with the contact that they are about, and which column says which that is. A test holds this against the tables."""
_MADE: Final = (tables.feedback_records, tables.handoffs, tables.tasks, tables.outgoing)
_DIGEST: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Word:
    """On whose word something goes, when and why: the entry of the audit trail that vouches for those which are emptied."""

    action: str  # ERASED, or what else the trail is to call it
    by: str
    because: str
    at: datetime
    id: UUID = field(default_factory=new_id)


@dataclass(slots=True)
class Removed:
    """What went: rows by their table's name (``audit`` counts entries that were emptied), and digests of originals that may go."""

    rows: Counter[str] = field(default_factory=Counter[str])
    digests: set[str] = field(default_factory=set[str])
    remains: dict[UUID, bytes] = field(default_factory=dict[UUID, bytes])  # of sealed entries that were emptied


@asynccontextmanager
async def removing(database: Database) -> AsyncGenerator[AsyncConnection]:
    """A transaction in which contacts may be removed: nobody says meanwhile whose they are, and nothing is sealed. Raises Unavailable."""
    async with database.write(INDIVIDUALS, "seal") as connection:
        yield connection


async def remove_contacts(connection: AsyncConnection, key: bytes, contact_ids: Collection[UUID], word: Word) -> Removed:
    """Take these contacts out, and say so on the audit trail; within ``removing``, and not many thousand at once.

    ``key`` is the service's. Raises Unavailable. What a wish restricts stays for as long as anybody else is known by that address.
    """
    removed = Removed()
    await take_out(connection, key, contact_ids, word, removed)
    await note(connection, word, removed, contacts=len(contact_ids))
    return removed


async def take_out(
    connection: AsyncConnection, key: bytes, contact_ids: Collection[UUID], word: Word, removed: Removed
) -> None:
    """The same without its entry, which is then for the caller to ``note``."""
    ids = list(contact_ids)
    removed.digests |= await digests_of(connection, ids)
    made = await _made(connection, ids)
    await end_sends(connection, among(tables.outgoing.c.contact_id, ids), word.at, removed)
    await _take_off_outbox(connection, set(ids), made, removed)
    await _wishes(connection, ids, removed)
    for table, column in OF_CONTACTS.items():
        where = among(column, ids)
        if table is tables.additions:
            where |= among(tables.additions.c.added_to, made)
        elif table is tables.ties:
            where |= among(tables.ties.c.earlier, ids)
        elif table is tables.dead_letters:
            where |= among(tables.dead_letters.c.id, ids)
        removed.rows[table.name] += (await connection.execute(delete(table).where(where))).rowcount
    await _let_stand(connection, ids)
    entries = tables.audit
    about = (await connection.execute(select(entries).where(among(entries.c.contact_id, ids)))).all()
    await change_entries(connection, {row.id: emptied(row) for row in about}, word, removed)
    await leave_marks(connection, [("contact", str(each)) for each in ids], key, word, as_kind=_kind(word))
    await state.let_go_of(connection, removed.digests, word.at)


async def note(connection: AsyncConnection, word: Word, removed: Removed, **evidence: Any) -> None:
    """Put the word itself onto the audit trail: it names nobody."""
    told = {
        "because": word.because, **evidence, "rows": dict(sorted(each for each in removed.rows.items() if each[1])),
        EMPTIED: Emptied(word.id, removed.remains).told(),
    }  # fmt: skip
    row = {"id": word.id, "at": word.at, "contact_id": None, "action": word.action, "actor": word.by, "evidence": told}
    await connection.execute(tables.audit.insert().values(row))


def _kind(word: Word) -> str:
    return "contact" if word.action == ERASED else word.action


async def leave_marks(
    connection: AsyncConnection, whom: Sequence[tuple[str, str]], key: bytes, word: Word, *, as_kind: str | None = None
) -> None:
    """That these were erased, by kind and id: what the marks stand for cannot be told from them."""
    told = {"at": word.at, "by": word.by}
    rows = [{"mark": erasure_mark(key, kind, id_), "kind": as_kind or kind, **told} for kind, id_ in whom]
    if rows:
        await connection.execute(insert(state.erased).on_conflict_do_nothing(), rows)


def emptied(row: Any) -> AuditEntry:
    """An entry of the audit trail without what it says of anybody: that something was done, when, by whom and under which rule."""
    return AuditEntry(row.id, row.at, None, row.action, row.actor, row.rule, row.rule_version, {})


async def change_entries(connection: AsyncConnection, entries: Mapping[UUID, AuditEntry], word: Word, removed: Removed) -> None:
    """Have entries of the audit trail stand as they are given; those sealed already are vouched for by the word."""
    leaves, audit = tables.audit_leaves, tables.audit
    sealed = set((await connection.execute(select(leaves.c.entry_id).where(among(leaves.c.entry_id, entries)))).scalars())
    stands = update(audit).where(audit.c.id == bindparam("entry"))
    stands = stands.values(contact_id=bindparam("about"), evidence=bindparam("says"))
    if rows := [{"entry": each.id, "about": each.contact_id, "says": each.evidence} for each in entries.values()]:
        await connection.execute(stands, rows)
    removed.rows["audit"] += len(entries)
    if not sealed:
        return
    await connection.execute(update(leaves).where(among(leaves.c.entry_id, sealed)).values(salt=None))
    remains = {each: leaf_hash(entries[each]) for each in sealed}
    removed.remains.update(remains)
    rows = [{"word_id": word.id, "entry_id": each, "remains": left} for each, left in remains.items()]
    put = insert(tables.audit_emptied)
    new = {"remains": put.excluded.remains}
    await connection.execute(put.on_conflict_do_update(index_elements=["word_id", "entry_id"], set_=new), rows)


async def digests_of(connection: AsyncConnection, ids: Sequence[UUID]) -> set[str]:
    """Whatever in what is held of the contacts may be the name of an original: what is none of them names nothing."""
    found: set[str] = set()
    for table in (tables.contacts, tables.variants):
        bodies = await connection.execute(select(table.c.body).where(among(OF_CONTACTS[table], ids)))
        found.update(each for body in bodies.scalars() for each in _DIGEST.findall(body))
    originals = await connection.execute(select(state.receipts.c.original).where(among(state.receipts.c.contact_id, ids)))
    found.update(each for each in originals.scalars() if each)
    for table in (tables.dead_letters, tables.parked):
        values = await connection.execute(select(table.c.value).where(among(table.c.contact_id, ids)))
        found.update(each for value in values.scalars() if value for each in digests_in(value))
    return found


def digests_in(value: bytes) -> list[str]:
    """Whatever in some bytes may be the name of an original."""
    return _DIGEST.findall(value.decode("latin-1"))


async def _made(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """The ids of the records, handoffs, tasks and messages that the contacts gave rise to."""
    made: set[UUID] = set()
    for table in _MADE:
        made.update((await connection.execute(select(table.c.id).where(among(table.c.contact_id, ids)))).scalars())
    return made


async def end_sends(connection: AsyncConnection, which: ColumnElement[bool], now: datetime, removed: Removed) -> None:
    """Nothing more is sent of these messages, though they be on the topic already; what was sent is forgotten."""
    sent = tables.outgoing
    rows = (await connection.execute(select(sent.c.id, sent.c.state).where(which))).all()
    gone = delete(state.sends).where(among(state.sends.c.outgoing_id, [row.id for row in rows]))
    removed.rows["sends"] += (await connection.execute(gone)).rowcount
    await state.cancel(connection, [row.id for row in rows if row.state in UNSENT], now)


async def _take_off_outbox(connection: AsyncConnection, ids: set[UUID], made: Collection[UUID], removed: Removed) -> None:
    outbox = tables.outbox
    gone = list((await connection.execute(select(outbox.c.number).where(among(outbox.c.key, map(str, made))))).scalars())
    bytes_of = outbox.c.topic.in_((CONTACTS.name, DEAD_LETTERS))  # keyed by their sender
    for row in (await connection.execute(select(outbox).where(bytes_of))).all():
        record = record_in(row)
        named = {str(identity_of(record)), record.header("dead_letter_id")}
        if not named.isdisjoint(map(str, ids)):
            gone.append(row.number)
    removed.rows["outbox"] += (await connection.execute(delete(outbox).where(among(outbox.c.number, gone)))).rowcount


async def _wishes(connection: AsyncConnection, ids: Collection[UUID], removed: Removed) -> None:
    """What they said must not be used to reach them. Where others write from that address, or are held to have it, it stays in force."""
    wishes, contacts, points = tables.restrictions, tables.contacts, tables.identifiers
    theirs = among(wishes.c.contact_id, ids)
    others = select(literal(1)).where(contacts.c.sender == wishes.c.sender, ~among(contacts.c.id, ids)).exists()
    held = select(literal(1)).where(points.c.kind.in_(("email", "phone")), points.c.canonical == wishes.c.sender).exists()
    kept = update(wishes).where(theirs, others | held).values(contact_id=NOBODY, words=None)
    await connection.execute(kept)
    removed.rows["restrictions"] += (await connection.execute(delete(wishes).where(theirs))).rowcount


async def _let_stand(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Rows that must stay name nobody: what was taken off a mail server would be taken in again, and who was made is made still."""
    people, mails = tables.individuals, state.mail_ledger
    await connection.execute(update(mails).where(among(mails.c.contact_id, ids)).values(contact_id=NOBODY))
    await connection.execute(update(people).where(among(people.c.made_from, ids)).values(made_from=NOBODY))


@dataclass(frozen=True, slots=True)
class LetGo:
    """What became of originals that were noted: removed for good, with how many bytes, or kept since something else refers to them."""

    removed: int
    kept: int
    freed_bytes: int


async def let_go(database: Database, log: Log, originals: Originals, spool: Path | None = None) -> LetGo:
    """Remove the originals of what was taken out, those that nothing in the register, on the log, in the ``spool`` or among uploads refers to.

    Every contact that stays is read through once, a page at a time, however many originals there are. Raises Unavailable.
    """
    unwanted = state.unwanted
    async with database.read() as connection:
        noted = set((await connection.execute(select(unwanted.c.digest))).scalars())
    if not noted:
        return LetGo(0, 0, 0)
    before = {each: await originals.look(each) for each in sorted(noted)}
    stays = await _referred_to(database, noted)
    stays |= noted & await _waiting(database, log, spool)
    removed = freed = 0
    for each in sorted(noted - stays):
        kept = await originals.look(each)
        if kept != before[each]:  # whoever put the same meanwhile will refer to it in a moment
            continue
        await originals.remove(each)
        removed, freed = removed + 1, freed + (kept.size if kept else 0)
    async with database.write() as connection:
        await connection.execute(delete(unwanted).where(among(unwanted.c.digest, noted)))
    return LetGo(removed, len(stays), freed)


async def _referred_to(database: Database, noted: set[str]) -> set[str]:
    found: set[str] = set()
    contacts = tables.contacts
    last: UUID | None = None
    while True:
        query = (
            select(contacts.c.id, contacts.c.body).where(contacts.c.stripped_at.is_(None)).order_by(contacts.c.id).limit(_PAGE)
        )
        async with database.read() as connection:
            page = (await connection.execute(query.where(contacts.c.id > last) if last else query)).all()
        found.update(each for row in page for each in _DIGEST.findall(row.body) if each in noted)
        if len(page) < _PAGE:
            break
        last = page[-1].id
    async with database.read() as connection:
        found.update((await connection.execute(select(state.uploads.c.digest))).scalars())
        receipts, variants = state.receipts, tables.variants
        stripped = select(contacts.c.id).where(contacts.c.stripped_at.is_not(None))
        noted_at_the_edge = select(receipts.c.original).where(
            among(receipts.c.original, noted), receipts.c.contact_id.not_in(stripped)
        )
        found.update((await connection.execute(noted_at_the_edge)).scalars())
        others = select(variants.c.body).where(variants.c.contact_id.not_in(stripped))
        for query in (others, select(tables.parked.c.value), select(tables.dead_letters.c.value)):
            async for value in await connection.stream_scalars(query):
                found.update(_DIGEST.findall(value) if isinstance(value, str) else digests_in(value or b""))
    return found & noted


async def _waiting(database: Database, log: Log, spool: Path | None) -> set[str]:
    """What is named by contacts that the router has not come to yet."""
    found: set[str] = set()
    async for each in not_routed(log, await positions_of(database)):
        found.update(digests_in(each.record.value or b""))
    if spool is not None:
        async for record in waiting_in(spool, now):
            found.update(digests_in(record.value or b""))
    return found
