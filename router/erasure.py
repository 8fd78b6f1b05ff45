"""Somebody erased: all that is held on an individual goes, and what is other people's stays without them.

Theirs are the contacts that are linked to them, and those that could not be read and came from an address of theirs. A contact in which
they write for somebody else is that person's as well: it stays, without whoever wrote it. The register changes in one transaction, which
leaves marks by which nothing of it is filed anew; ``finish`` then sees to what is outside it (the marks kept elsewhere, the embedded log,
the originals) and, stopped at any moment, goes on when it is called again.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from typing import cast as cast_to
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Text, cast, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import (
    DEAD_LETTERS,
    TOPIC_NAMES,
    Audience,
    Contact,
    GivenDetails,
    Person,
    decode,
)
from ingest.database import Database, among, each_of, insert
from ingest.errors import Refused, Unavailable, Unreadable
from ingest.ids import erasure_marks, reference
from ingest.log import Delivery, Feature, Log, pages
from ingest.originals import Originals
from ingest.settings import AuditSettings, OriginalsSettings
from router import duties, holds
from router.audit import AuditEntry
from router.holdings import contacts_of, who
from router.ledger import CONTACTS
from router.opening import record_in
from router.register import index, tables
from router.removal import (
    LetGo,
    Removed,
    Word,
    change_entries,
    end_sends,
    leave_marks,
    let_go,
    note,
    removing,
    take_out,
)
from router.subjects import TAKEN_OUT, Subject, left_of, told_of, without
from router.writer import MADE

_OF_PEOPLE: Final = (tables.identifiers, tables.addresses, tables.adjustments, tables.parties)
_NO_ORIGINAL: Final = "0" * 64
_READMITTED: Final = "readmitted"
_MADE: Final = "made"
"""Of an individual whom the router made: only that they were erased. They are made anew when they write again, under the same id."""
_MOST_NAMED: Final = 20
_OPEN_TASKS: Final = ("open", "claimed")
_OPEN_HANDOFFS: Final = ("sent", "overdue", "taken")
_PAGE: Final = 1_000

Json = Any


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that does not go, and why."""

    what: str
    number: int
    because: str


@dataclass(slots=True)
class Erased:
    """What went, or would: rows by their table, contacts that went and that stay without them; what stays, and what speaks against it."""

    word: Word
    removed: Removed
    contacts: int = 0
    shared: int = 0
    stays: list[Stays] = field(default_factory=list[Stays])
    holds: list[str] = field(default_factory=list[str])
    on_hold: list[str] = field(default_factory=list[str])
    gone: set[Subject] = field(default_factory=set[Subject])  # whom no record of the log may tell of any more
    known: "Known | None" = None


class _Rehearsed(Exception):
    """Nothing is to stand; never leaves this module."""


async def erase(
    database: Database,
    key: bytes,
    individual: str,
    word: Word,
    *,
    also: Sequence[UUID] = (),
    represented: Sequence[UUID] = (),
    even_if_open: bool = False,
    rehearse: bool = False,
) -> Erased:
    """Erase an individual, and whoever counts as them, from the register; with ``rehearse`` see what would go, and let it stand.

    ``also`` are contacts that are linked to nobody and are theirs all the same, ``represented`` those in which others write for them
    (``mentions``). Where something is open, only a rehearsal says so in ``holds``; a legal hold, which nobody may pass over, is in
    ``on_hold``. Raises Refused: ``no-such-individual``, ``counts-as``, ``linked-to-another``, ``on-legal-hold``, ``open``.
    """
    outcome = Erased(word, Removed())
    with suppress(_Rehearsed):
        async with removing(database) as connection:
            await _erase(connection, key, individual, also, outcome)
            await _not_represented(connection, represented)
            if rehearse:
                raise _Rehearsed
            if outcome.on_hold:
                raise Refused("on-legal-hold", " ".join(outcome.on_hold))
            if outcome.holds and not even_if_open:
                raise Refused("open", " ".join(outcome.holds))
    return outcome


@dataclass(frozen=True, slots=True)
class Mentions:
    """Where else they are named: ``represented`` are contacts of others who write for them, out of whose fields they are taken; what the words
    of others say of them ``stays``, since only a person can say what becomes of it.
    """

    represented: tuple[UUID, ...]
    stays: Stays | None


async def mentions(database: Database, told: Erased, watch: Callable[[int], None] = lambda _contacts: None) -> Mentions:
    """Other people's contacts, and what could not be read, that name them, as a rehearsal has ``told`` who they are.

    All that is stored is read through; ``watch`` is told of each page. Raises Unavailable.
    """
    contacts, dead, known = tables.contacts, tables.dead_letters, told.known
    if known is None or known.words is None:
        return Mentions((), None)
    theirs = {each.id for each in told.gone if each.kind == "contact"}
    found, represented, last = list[str](), list[UUID](), UUID(int=0)
    while True:
        query = select(contacts.c.id, contacts.c.reference, contacts.c.body).where(contacts.c.id > last)
        async with database.read() as connection:
            page = (await connection.execute(query.order_by(contacts.c.id).limit(_PAGE))).all()
        named = [row for row in page if str(row.id) not in theirs and known.words.search(row.body)]
        found += [row.reference for row in named]
        represented += [row.id for row in named if known.are(Contact.model_validate_json(row.body).on_behalf_of)]
        watch(len(page))
        if len(page) < _PAGE:
            break
        last = page[-1].id
    async with database.read() as connection:
        unread = (await connection.execute(select(dead.c.id, dead.c.value).where(dead.c.value.is_not(None)))).all()
    others = (row for row in unread if str(row.id) not in theirs)
    found += [f"dead letter {row.id}" for row in others if known.words.search(row.value.decode(errors="replace"))]
    if not found:
        return Mentions((), None)
    some = ", ".join(found[:_MOST_NAMED]) + (" and more" if len(found) > _MOST_NAMED else "")
    why = f"they are named in what is not theirs, or not known to be ({some}): a person must look"
    return Mentions(tuple(represented), Stays("contacts", len(found), why))


async def stored(database: Database) -> int:
    """How many contacts the register has, for a bar."""
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(tables.contacts))).scalar_one()


async def erased_before(database: Database, key: bytes, individual: str) -> tuple[datetime, str] | None:
    """When, and on whose word, an individual was erased; None where they were not."""
    whom = ("individual", individual)
    async with database.read() as connection:
        row = (await state.marks_of(connection, key, [whom])).get(whom)
    return (row.at, row.by) if row else None


async def readmit(database: Database, key: bytes, individual: str, word: Word, kept: Sequence[Originals]) -> bool:
    """Let somebody be imported again who was erased and has come back; whether they were. Raises Unavailable."""
    if await erased_before(database, key, individual) is None:
        return False
    marks = erasure_marks(key, "individual", individual)
    for place in kept:
        await place.put([_line(mark, _READMITTED, word.at, word.by).encode() for mark in marks])
    async with removing(database) as connection:
        await connection.execute(delete(state.erased).where(state.erased.c.mark.in_(marks)))
        row = {"id": word.id, "at": word.at, "action": _READMITTED, "actor": word.by, "evidence": {"because": word.because}}
        await connection.execute(tables.audit.insert().values(row))
    return True


async def _erase(connection: AsyncConnection, key: bytes, individual: str, also: Sequence[UUID], outcome: Erased) -> None:
    word, persons = outcome.word, tables.individuals
    people = await who(connection, individual)
    # Whoever writes a contact of theirs does so before this, and it goes too, or after, and finds nobody.
    await connection.execute(select(persons.c.id).where(among(persons.c.id, people)).with_for_update())
    theirs = [*await contacts_of(connection, people), *await _unlinked(connection, also)]
    known = await _known_by(connection, people, theirs)
    theirs = list(dict.fromkeys([*theirs, *await _unread(connection, known.addresses)]))
    shared = await _shared(connection, people, theirs)
    own = [each for each in theirs if each not in shared]
    outcome.contacts, outcome.shared, outcome.known = len(own), len(shared), known
    outcome.holds = await _holds(connection, people, theirs)
    outcome.on_hold = await holds.on(connection, people, theirs)
    outcome.stays = await _stays(connection, own, shared, known)
    await _take_all(connection, key, people, own, shared, known, outcome)
    marks = [("individual", each) for each in people if not each.startswith(MADE)]
    marks += [("reference", reference(each)) for each in own]
    await leave_marks(connection, marks, key, word)
    made = [("individual", each) for each in people if each.startswith(MADE)]
    await leave_marks(connection, made, key, word, as_kind=_MADE)
    await leave_marks(connection, [("contact", str(each)) for each in shared], key, word, as_kind="shared")
    await note(connection, word, outcome.removed, contacts=len(own), shared=len(shared))


async def _take_all(
    connection: AsyncConnection, key: bytes, people: Sequence[str], own: Sequence[UUID], shared: Sequence[UUID], known: "Known",
    outcome: Erased,
) -> None:  # fmt: skip
    word, removed = outcome.word, outcome.removed
    gone = {Subject("individual", each) for each in people} | {Subject("reference", reference(each)) for each in own}
    gone |= {Subject("contact", str(each)) for each in own}
    await _people(connection, people, known, own, removed)
    await _without_writer(connection, shared, gone, known, word, removed)
    await take_out(connection, key, own, word, removed)
    await _elsewhere(connection, gone, people, word, removed)
    await _on_outbox(connection, gone, shared, known)
    outcome.gone |= gone | {Subject("contact", str(each)) for each in shared}


async def _unlinked(connection: AsyncConnection, also: Sequence[UUID]) -> list[UUID]:
    links, contacts = tables.links, tables.contacts
    if not also:
        return []
    linked = select(links.c.contact_id, links.c.individual_id).where(
        among(links.c.contact_id, also), links.c.undone_at.is_(None)
    )
    if row := (await connection.execute(linked)).first():
        raise Refused(
            "linked-to-another",
            f"{reference(row.contact_id)} is linked to {row.individual_id}: unlink it first if it is not theirs.",
        )
    there = set((await connection.execute(select(contacts.c.id).where(among(contacts.c.id, also)))).scalars())
    return [each for each in also if each in there]


@dataclass(frozen=True, slots=True)
class Known:
    """By what they are known: addresses, canonical, that are theirs alone; and every word that names them."""

    addresses: frozenset[str]
    words: re.Pattern[str] | None

    def are(self, person: Person | None) -> bool:
        """Whether somebody for whom another writes is them."""
        if person is None:
            return False
        named = bool(self.words and person.name and self.words.fullmatch(person.name.strip()))
        return named or any(each.canonical in self.addresses for each in person.identifiers)

    def unnamed(self, text: str) -> str:
        """A text without what names them."""
        return self.words.sub(TAKEN_OUT, text) if self.words else text


async def _known_by(connection: AsyncConnection, people: Sequence[str], theirs: Sequence[UUID]) -> Known:
    persons, points, places, contacts = tables.individuals, tables.identifiers, tables.addresses, tables.contacts
    words: set[str] = set()
    addresses: set[str] = set()
    for row in await connection.execute(select(persons).where(among(persons.c.id, people))):
        words |= {
            f"{row.given_name or ''} {row.surname or ''}".strip(),
            f"{row.surname or ''}, {row.given_name or ''}".strip(" ,"),
        }
    for row in await connection.execute(select(points).where(among(points.c.individual_id, people))):
        words |= {row.given, row.canonical}
        addresses.add(row.canonical)
    for row in await connection.execute(select(places).where(among(places.c.individual_id, people))):
        words |= {*row.lines, row.postcode or "", ", ".join(row.lines)}
    for body in (await connection.execute(select(contacts.c.body).where(among(contacts.c.id, theirs)))).scalars():
        contact = Contact.model_validate_json(body)
        said = contact.declared
        words.add(contact.sender.name or "")
        words |= {text for each in contact.sender.identifiers for text in (each.given, each.canonical)}
        addresses |= {each.canonical for each in contact.sender.identifiers}
        if said:
            words |= {said.name or "", said.email or "", said.phone or "", said.postcode or "", *said.address}
    shared = select(points.c.canonical).where(among(points.c.canonical, addresses), ~among(points.c.individual_id, people))
    others = set((await connection.execute(shared)).scalars())
    longest = sorted((each for each in words if len(each) > 3), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in longest)
    return Known(frozenset(addresses - others), re.compile(pattern, re.IGNORECASE) if longest else None)


async def _unread(connection: AsyncConnection, addresses: frozenset[str]) -> list[UUID]:
    """Dead letters and parked contacts that say they are from an address of theirs."""
    found: list[UUID] = []
    for table in (tables.dead_letters, tables.parked):
        rows = await connection.execute(select(table.c.contact_id, table.c.key, table.c.headers, table.c.value))
        found += [row.contact_id for row in rows if row.contact_id and not addresses.isdisjoint(_senders(row))]
    return found


def _senders(row: Any) -> Iterable[str]:
    """The sender's canonical identifiers, as far as a record that could not be taken up tells them."""
    try:
        match json.loads(decode(record_in(row)).data):
            case {"sender": {"identifiers": [*identifiers]}}:
                return [str(each["canonical"]) for each in identifiers if "canonical" in each]
            case _:
                return []
    except (Unreadable, ValueError, TypeError, RecursionError):
        return []


async def _shared(connection: AsyncConnection, people: Sequence[str], theirs: Sequence[UUID]) -> list[UUID]:
    """Those in which they write for somebody else: as they declare it, as their words have it, or as the case's representative."""
    contacts, current, parties = tables.contacts, tables.dispositions, tables.parties
    found: set[UUID] = set()
    for row in await connection.execute(select(contacts.c.id, contacts.c.body).where(among(contacts.c.id, theirs))):
        if Contact.model_validate_json(row.body).on_behalf_of is not None:
            found.add(row.id)
    for table in (tables.feedback_records, tables.handoffs):
        for row in await connection.execute(select(table.c.contact_id, table.c.body).where(among(table.c.contact_id, theirs))):
            if json.loads(row.body).get("represented") is not None:
                found.add(row.contact_id)
    represents = select(parties.c.case_reference).where(
        among(parties.c.individual_id, people), parties.c.role == "representative"
    )
    others = select(parties.c.case_reference).where(~among(parties.c.individual_id, people))
    cases = current.c.case_reference
    about = select(current.c.contact_id).where(
        among(current.c.contact_id, theirs), current.c.current.is_(True), cases.in_(represents), cases.in_(others)
    )
    found.update((await connection.execute(about)).scalars())
    return [each for each in theirs if each in found]


async def _holds(connection: AsyncConnection, people: Sequence[str], theirs: Sequence[UUID]) -> list[str]:
    """What is not at its end, in sentences."""
    cases, parties, handoffs, tasks = tables.cases, tables.parties, tables.handoffs, tables.tasks
    mine = select(parties.c.case_reference).where(among(parties.c.individual_id, people))
    open_ = select(cases.c.reference).where(cases.c.reference.in_(mine), cases.c.status == "open").order_by(cases.c.reference)
    said = [f"The case {each} is open." for each in (await connection.execute(open_)).scalars()]
    going = select(handoffs.c.team, handoffs.c.state, func.count().label("number")).where(
        or_(among(handoffs.c.contact_id, theirs), among(handoffs.c.individual_id, people)), handoffs.c.state.in_(_OPEN_HANDOFFS)
    )
    rows = await connection.execute(going.group_by(handoffs.c.team, handoffs.c.state))
    said += [f"Handoffs of theirs to {row.team} that are {row.state} and not settled: {row.number}." for row in rows]
    asked = select(tasks.c.kind, func.count().label("number")).where(
        among(tasks.c.contact_id, theirs), tasks.c.state.in_(_OPEN_TASKS)
    )
    rows = await connection.execute(asked.group_by(tasks.c.kind))
    return said + [f"Tasks about them ({row.kind}) that are not done: {row.number}." for row in rows]


async def _stays(connection: AsyncConnection, own: Sequence[UUID], shared: Sequence[UUID], known: Known) -> list[Stays]:
    links, contacts, mails, handoffs = tables.links, tables.contacts, state.mail_ledger, tables.handoffs
    found: list[Stays] = []
    if shared:
        names = ", ".join(sorted(reference(each) for each in shared))
        why = f"they write for somebody else there, whose it is too ({names}): it stays without them"
        found.append(Stays("contacts", len(shared), why))
    standing = select(links.c.contact_id).where(links.c.contact_id == contacts.c.id, links.c.undone_at.is_(None)).exists()
    nobodys = select(contacts.c.reference).where(
        among(contacts.c.sender, known.addresses), ~among(contacts.c.id, [*own, *shared]), ~standing
    )
    if rows := list((await connection.execute(nobodys.order_by(contacts.c.reference))).scalars()):
        why = f"linked to nobody, from an address of theirs ({', '.join(rows)}): --contact takes one too"
        found.append(Stays("contacts", len(rows), why))
    on_server = select(mails.c.account, mails.c.folder, mails.c.uid).where(among(mails.c.contact_id, [*own, *shared]))
    for account, folder, uids in _by_folder((await connection.execute(on_server)).all()):
        why = f"in the mailbox {account}, folder {folder}, UID {', '.join(map(str, uids))}: delete them there"
        found.append(Stays("mails", len(uids), why))
    handed = select(handoffs.c.mailbox, func.count().label("number")).where(among(handoffs.c.contact_id, [*own, *shared]))
    rows = await connection.execute(handed.group_by(handoffs.c.mailbox).order_by(handoffs.c.mailbox))
    found += [
        Stays("handoffs", row.number, f"with whoever reads {row.mailbox}: what they were handed is theirs to erase")
        for row in rows
    ]
    return found


def _by_folder(rows: Sequence[Any]) -> Iterable[tuple[str, str, list[int]]]:
    folders: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        folders.setdefault((row.account, row.folder), []).append(row.uid)
    return [(account, folder, sorted(uids)) for (account, folder), uids in sorted(folders.items())]


async def _people(
    connection: AsyncConnection, people: Sequence[str], known: Known, own: Sequence[UUID], removed: Removed
) -> None:
    """Themselves, with their keys, cases that are nobody else's, and what was counted of their addresses."""
    cases, parties, spent, contacts = tables.cases, tables.parties, tables.budgets, tables.contacts
    mine = list(
        (await connection.execute(select(parties.c.case_reference).where(among(parties.c.individual_id, people)))).scalars()
    )
    async with index.kept_true(connection, people):
        for table in (tables.individuals, *_OF_PEOPLE):
            column = table.c.id if table is tables.individuals else table.c.individual_id
            await _delete(connection, table, among(column, people), removed)
    others = select(parties.c.case_reference).where(parties.c.case_reference == cases.c.reference).exists()
    await _delete(connection, cases, among(cases.c.reference, mine) & ~others, removed)
    written_from = select(contacts.c.id).where(contacts.c.sender == spent.c.recipient, ~among(contacts.c.id, own)).exists()
    await _delete(connection, spent, among(spent.c.recipient, known.addresses) & ~written_from, removed)


async def _delete(connection: AsyncConnection, table: Table, where: ColumnElement[bool], removed: Removed) -> None:
    removed.rows[table.name] += (await connection.execute(delete(table).where(where))).rowcount


async def _without_writer(
    connection: AsyncConnection, shared: Sequence[UUID], gone: set[Subject], known: Known, word: Word, removed: Removed
) -> None:
    """Leave what is somebody else's too standing without whoever wrote it; the original, which nobody can take them out of, goes."""
    contacts, receipts, sent = tables.contacts, state.receipts, tables.outgoing
    for row in (await connection.execute(select(contacts).where(among(contacts.c.id, shared)))).all():
        contact = Contact.model_validate_json(row.body)
        removed.digests.add(contact.original)
        left = _unnamed({**json.loads(row.body), "sender": Person().model_dump(mode="json"), "original": _NO_ORIGINAL}, known)
        left["declared"] = left["declared"] and _undeclared(left["declared"])
        changed = {"sender": None, "fingerprint": _NO_ORIGINAL, "body": Contact.model_validate(left).model_dump_json()}
        await connection.execute(update(contacts).where(contacts.c.id == row.id).values(changed))
    if not shared:
        return
    await state.let_go_of(connection, removed.digests, word.at)
    await connection.execute(update(receipts).where(among(receipts.c.contact_id, shared)).values(original=""))
    theirs = among(sent.c.contact_id, shared) & (sent.c.audience == Audience.PERSON.value)
    await end_sends(connection, theirs, word.at, removed)
    await _delete(connection, sent, theirs, removed)
    for table in (
        tables.links,
        tables.candidates,
        tables.needs,
        tables.variants,
        tables.restrictions,
        state.mails,
        state.claims,
    ):
        await _delete(connection, table, among(table.c.contact_id, shared), removed)
    for table in (tables.feedback_records, tables.handoffs):
        about = select(table.c.id, table.c.body).where(among(table.c.contact_id, shared))
        for row in (await connection.execute(about)).all():
            left = json.dumps(_others_part(json.loads(row.body), gone, known), ensure_ascii=False)
            await connection.execute(update(table).where(table.c.id == row.id).values(individual_id=None, body=left))
    audit = tables.audit
    entries = (await connection.execute(select(audit).where(among(audit.c.contact_id, shared)))).all()
    changed = {row.id: _entry(row, _others_part(row.evidence, gone, known)) for row in entries}
    await change_entries(connection, changed, word, removed)


_NO_WRITER: Final[Mapping[str, Json]] = {
    "individual_id": None, "name_given": None, "name_held": None, "address_given": None, "address_held": None, "phone_given": None,
    "email_given": None, "date_of_birth_given": None, "sender_name": None, "sender_identifiers": [], "given": None,
    "original": _NO_ORIGINAL,
}  # fmt: skip
_DECLARED_OF_SELF: Final = ("name", "postcode", "date_of_birth", "email", "phone")


_OF_ANOTHER: Final = frozenset({"on_behalf_of", "represented"})


def _others_part(value: dict[str, Json], gone: set[Subject], known: Known) -> dict[str, Json]:
    """What is said of a contact that is somebody else's too, without its writer."""
    left = _unnamed(without(value, gone), known)
    return left | {name: none for name, none in _NO_WRITER.items() if name in left}


def _undeclared(declared: dict[str, Json]) -> dict[str, Json]:
    return {**declared, **dict.fromkeys(_DECLARED_OF_SELF), "address": []}


def _unnamed(value: Json, known: Known) -> Json:
    """A JSON value whose texts do not name them."""
    match value:
        case str():
            return known.unnamed(value)
        case dict():
            items = cast_to("dict[str, Json]", value).items()
            return {name: item if name in _OF_ANOTHER else _unnamed(item, known) for name, item in items}
        case list():
            return [_unnamed(item, known) for item in cast_to("list[Json]", value)]
        case _:
            return value


async def _elsewhere(
    connection: AsyncConnection, gone: set[Subject], people: Sequence[str], word: Word, removed: Removed
) -> None:
    """In rows about other people's contacts: whom a letter may be from, whose it was once taken to be, what was said of it."""
    dispositions, audit, tasks, sent = tables.dispositions, tables.audit, tables.tasks, tables.outgoing
    for table in (tables.candidates, tables.links):
        await _delete(connection, table, among(table.c.individual_id, people), removed)
    for row in (await connection.execute(select(dispositions).where(among(dispositions.c.individual_id, people)))).all():
        this = (dispositions.c.contact_id == row.contact_id) & (dispositions.c.version == row.version)
        left = without({"because": row.because}, gone)
        await connection.execute(update(dispositions).where(this).values(individual_id=None, **left))
    for table in (tables.feedback_records, tables.handoffs):
        for row in (
            await connection.execute(select(table.c.id, table.c.body).where(among(table.c.individual_id, people)))
        ).all():
            body = without(json.loads(row.body), gone)
            body |= {name: None for name in ("name_held", "address_held") if name in body}
            changed = {"individual_id": None, "body": json.dumps(body, ensure_ascii=False)}
            await connection.execute(update(table).where(table.c.id == row.id).values(changed))
    staff = sent.c.audience == Audience.STAFF.value
    names = [each.id for each in gone if each.kind != "contact"]
    for table, where in ((tasks, tasks.c.body.is_not(None)), (sent, staff)):
        for row in (
            await connection.execute(select(table.c.id, table.c.body).where(where, _naming(table.c.body, names)))
        ).all():
            left = json.dumps(without(json.loads(row.body), gone), ensure_ascii=False)
            await connection.execute(update(table).where(table.c.id == row.id).values(body=left))
    sends = state.sends
    for row in (await connection.execute(select(sends.c.outgoing_id, sends.c.body).where(_naming(sends.c.body, names)))).all():
        left = json.dumps(without(json.loads(row.body), gone), ensure_ascii=False)
        await connection.execute(update(sends).where(sends.c.outgoing_id == row.outgoing_id).values(body=left))
    rows = (await connection.execute(select(audit).where(_naming(cast(audit.c.evidence, Text), names)))).all()
    changed = {row.id: _entry(row, left) for row in rows if (left := without(row.evidence, gone)) != row.evidence}
    await change_entries(connection, changed, word, removed)


async def _on_outbox(connection: AsyncConnection, gone: set[Subject], shared: Sequence[UUID], known: Known) -> None:
    """What is not on the log yet goes there without them; what went to them does not go."""
    outbox, theirs = tables.outbox, {str(each) for each in shared}
    words = re.compile("|".join(re.escape(each) for each in sorted({each.id for each in gone} | theirs)).encode())
    ours = outbox.c.topic.not_in((CONTACTS.name, DEAD_LETTERS))  # the others hold bytes as they came
    rows = (await connection.execute(select(outbox).where(ours, outbox.c.value.is_not(None)))).all()
    for row in (row for row in rows if words.search(row.value)):
        body = json.loads(row.value)
        is_shared = not theirs.isdisjoint((str(body.get("contact_id")), *map(str, body.get("contact_ids", ()))))
        left = _others_part(body, gone, known) if is_shared else without(body, gone)
        this = outbox.c.number == row.number
        if is_shared and body.get("audience") == Audience.PERSON.value:
            await connection.execute(delete(outbox).where(this))
        else:
            await connection.execute(update(outbox).where(this).values(value=json.dumps(left, ensure_ascii=False).encode()))


async def _not_represented(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Have others' contacts say that they write for somebody, and no longer for whom."""
    somebody, nothing = Person(name=TAKEN_OUT).model_dump(mode="json"), GivenDetails().model_dump(mode="json")
    for table in (tables.contacts, tables.feedback_records, tables.handoffs):
        column = table.c.id if table is tables.contacts else table.c.contact_id
        for row in (await connection.execute(select(table.c.id, table.c.body).where(among(column, ids)))).all():
            body = json.loads(row.body)
            body |= {"on_behalf_of": somebody, **({"represented": nothing} if body.get("represented") else {})}
            await connection.execute(
                update(table).where(table.c.id == row.id).values(body=json.dumps(body, ensure_ascii=False))
            )


def _naming(column: ColumnElement[Any], names: Sequence[str]) -> ColumnElement[bool]:
    """Whether any of these stands in a text; a statement of one size, however many they are."""
    each = each_of(names, Text())
    return select(literal(1)).select_from(each).where(column.contains(each.c.value)).exists()


def _entry(row: Any, evidence: dict[str, Any]) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.contact_id, row.action, row.actor, row.rule, row.rule_version, evidence)


@dataclass(frozen=True, slots=True)
class OnTopic:
    """Records on a topic that tell of somebody who was erased, and when the youngest of them was appended."""

    topic: str
    records: int
    youngest: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """What was seen to outside the register: records of the log that were emptied, those that it keeps for now, and originals."""

    emptied: int
    remain: tuple[OnTopic, ...]
    originals: LetGo


async def finish(
    database: Database, log: Log, originals: Originals, kept: Sequence[Originals], key: bytes, clock: Clock, *,
    also: Collection[Subject] = (), spool: Path | None = None, watch: Callable[[str, int], None] = lambda _topic, _records: None,
) -> Finished:  # fmt: skip
    """See to what is outside the register, of this erasure and of any that was stopped before: the marks go to where they are ``kept``
    beside the register, the embedded log is emptied of what tells of them, and originals go that nothing else refers to.

    ``also`` are some who leave no mark, such as individuals of the router's making; ``watch`` is told of each page of a topic that was looked
    through. Raises Unavailable.
    """
    await keep_marks(database, kept)
    emptied, remain, looked = 0, list[OnTopic](), dict[str, dict[int, int]]()

    async def empty() -> None:
        nonlocal emptied
        async for found in on_topics(database, log, key, also, watch, looked):
            if Feature.REWRITES in log.features:
                gone = {each.position: left_of(each.record, subjects, clock()) for each, subjects in found}
                await log.rewrite(found[0][0].partition.topic, gone)
                emptied += len(found)
            else:
                remain.append(_counted(found))

    await empty()
    went = await let_go(database, log, originals, spool)
    await duties.seal(database, clock)
    await database.tidy()
    await empty()  # what a service beside us had in hand, and has appended since
    return Finished(emptied, tuple(_together(remain)), went)


async def remaining(
    database: Database, log: Log, key: bytes, also: Collection[Subject] = (),
    watch: Callable[[str, int], None] = lambda _topic, _records: None,
) -> Sequence[OnTopic]:  # fmt: skip
    """What the log has of whoever was erased, and of these ``also``, topic by topic. Raises Unavailable."""
    return list(_together([_counted(found) async for found in on_topics(database, log, key, also, watch)]))


async def unwanted(database: Database) -> int:
    """How many originals wait to be removed."""
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(state.unwanted))).scalar_one()


Found = Sequence[tuple[Delivery, set[Subject]]]


async def on_topics(
    database: Database, log: Log, key: bytes, also: Collection[Subject] = (),
    watch: Callable[[str, int], None] = lambda _topic, _records: None, looked: dict[str, dict[int, int]] | None = None,
) -> AsyncGenerator[Found]:  # fmt: skip
    """Records of every topic that tell of somebody who was erased, or of these ``also``, a page at a time, each with whom it tells of.

    ``looked`` has up to where each was looked through before, and then up to where it was now. Raises Unavailable.
    """
    unmarked, looked = set(also), {} if looked is None else looked
    for topic in TOPIC_NAMES:
        async for page in _pages(log, topic, looked.setdefault(topic, {})):
            told = [(each, told_of(each.record)) for each in page]
            gone = await _erased(database, key, {one for _, subjects in told for one in subjects}) | unmarked
            watch(topic, len(page))
            if found := [(each, subjects & gone) for each, subjects in told if subjects & gone]:
                yield found


async def _pages(log: Log, topic: str, after: dict[int, int]) -> AsyncGenerator[Sequence[Delivery]]:
    """None of a topic that is not there."""
    try:
        async for page in pages(log, topic, after, _PAGE):
            yield page
    except Unavailable as error:
        if error.reason != "topic-missing":
            raise


async def _erased(database: Database, key: bytes, subjects: Collection[Subject]) -> set[Subject]:
    async with database.read() as connection:
        found = await state.marks_of(connection, key, subjects)
    return {Subject(*each) for each, mark in found.items() if mark.kind != _MADE}


def _counted(found: Found) -> OnTopic:
    return OnTopic(found[0][0].partition.topic, len(found), max(each.appended_at for each, _ in found))


def _together(pages: Iterable[OnTopic]) -> Iterable[OnTopic]:
    topics: dict[str, OnTopic] = {}
    for each in pages:
        before = topics.get(each.topic, OnTopic(each.topic, 0, each.youngest))
        topics[each.topic] = OnTopic(each.topic, before.records + each.records, max(before.youngest, each.youngest))
    return topics.values()


def marks_kept(bucket: OriginalsSettings, audit: AuditSettings) -> tuple[Originals, ...]:
    """Where marks of what was erased stand beside the register: with the originals, and with the audit trail's heads where those are kept.
    Raises Misconfigured.
    """
    places = (("originals.url", bucket.url), *((("audit.heads", audit.heads),) if audit.heads else ()))
    return tuple(Originals(f"{url.rstrip('/')}/erased", bucket, setting=setting) for setting, url in places)


async def keep_marks(database: Database, kept: Sequence[Originals]) -> int:
    """Have every mark of an erasure stand beside the register too, where a copy of it that is put back cannot lose it; how many are new."""
    marks = state.erased
    query = (
        select(marks)
        .where(marks.c.kind.in_(("contact", "shared", "reference", "individual")))
        .order_by(marks.c.at, marks.c.mark)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    new = 0
    for place in kept:
        there = {mark for mark, each in (await _kept_at(place)).items() if each["kind"] != _READMITTED}
        missing = [row for row in rows if row.mark not in there]
        if missing:
            await place.put(["".join(_line(row.mark, row.kind, row.at, row.by) for row in missing).encode()])
        new = max(new, len(missing))
    return new


def _line(mark: str, kind: str, at: datetime, by: str) -> str:
    return json.dumps({"mark": mark, "kind": kind, "at": at.isoformat(), "by": by}) + "\n"


async def _kept_at(place: Originals) -> dict[str, dict[str, Json]]:
    """What is kept there, by the mark; of several the latest."""
    found: dict[str, dict[str, Json]] = {}
    async for _, content in place.every():
        for line in content.splitlines():
            told: dict[str, Json] = json.loads(line)
            each: dict[str, Json] = {**told, "at": datetime.fromisoformat(told["at"])}
            before = found.get(each["mark"])
            if before is None or before["at"] <= each["at"]:
                found[each["mark"]] = each
    return found


async def recall(database: Database, kept: Sequence[Originals]) -> int:
    """Take up marks that the register does not have, as one that was put back from a copy does not; how many those were. Raises Unavailable."""
    known: dict[str, dict[str, Json]] = {}
    for place in kept:
        known |= await _kept_at(place)
    rows = [each for each in known.values() if each["kind"] != _READMITTED]
    if not rows:
        return 0
    async with database.write() as connection:
        new = insert(state.erased).on_conflict_do_nothing().returning(state.erased.c.mark)
        return len(list(await connection.scalars(new, rows)))


async def back(database: Database, key: bytes) -> tuple[list[str], list[UUID], list[UUID]]:
    """Who and what stands in the register though it was erased, as after a copy was put back: people, contacts that were theirs, and
    contacts that were somebody else's too.
    """
    persons, contacts, marks = tables.individuals, tables.contacts, state.erased
    people: list[str] = []
    own: list[UUID] = []
    shared: list[UUID] = []
    async with database.read() as connection:
        those = select(marks.c.mark, marks.c.kind).where(marks.c.kind != _MADE)
        kinds = {row.mark: row.kind for row in await connection.execute(those)}
        if not kinds:
            return people, own, shared

        def erased_as(kind: str, id_: object) -> str | None:
            return next((kinds[mark] for mark in erasure_marks(key, kind, str(id_)) if mark in kinds), None)

        async for row in await connection.stream(select(persons.c.id, persons.c.made_from)):
            made_from = erased_as("contact", row.made_from) if row.made_from else None
            if erased_as("individual", row.id) or made_from == "contact":
                people.append(row.id)
        async for row in await connection.stream(select(contacts.c.id, contacts.c.sender)):
            kind = erased_as("contact", row.id)
            if kind == "shared" and row.sender is not None:
                shared.append(row.id)
            elif kind == "contact":
                own.append(row.id)
        for table in (tables.dead_letters, tables.parked):
            ids = (await connection.execute(select(table.c.contact_id))).scalars()
            own += [each for each in ids if each and erased_as("contact", each) == "contact"]
    return people, list(dict.fromkeys(own)), shared


async def again(database: Database, key: bytes, word: Word, *, rehearse: bool = False) -> Erased:
    """Erase anew whatever was erased before and is back, as after a copy of the register was put back. Raises Unavailable."""
    people, own, shared = await back(database, key)
    outcome = Erased(word, Removed(), len(own), len(shared))
    if not (people or own or shared):
        return outcome
    with suppress(_Rehearsed):
        async with removing(database) as connection:
            known = await _known_by(connection, people, [*own, *shared])
            await _take_all(connection, key, people, own, shared, known, outcome)
            await note(connection, word, outcome.removed, contacts=len(own), shared=len(shared), again=True)
            if rehearse:
                raise _Rehearsed
    return outcome
