"""What of each kind may go: how the database is asked, of some things at a time, since when each has been at its end and what keeps it.

A shelf is a kind with the time it is kept for. It is looked through in the order of its keys, some hundred rows to a transaction, so
that nobody who writes must wait; whether a thing goes is said by ``router.keeping`` alone.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Date, Select, Table, Text, and_, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.contract import UNSENT, TaskKind
from ingest.database import among
from ingest.settings import RetentionSettings
from router import holds
from router.handoffs import UNTAKEN
from router.keeping import Held, Kind, Why, of_one_matter
from router.register import index, tables
from router.removal import Removed, Word, change_entries, digests_of, note, remove_contacts
from router.removal import emptied as emptied_entry

OF_RETENTION: Final = ("retention-begun", "retention-ended", "retention-removed")
"""What the audit trail calls a turn's beginning, its end, and a transaction of it that emptied entries: they name nobody, and stay."""

SETTINGS: Final[Mapping[Kind, str]] = {
    Kind.CONTACTS: "retention.contacts",
    Kind.ORIGINALS: "retention.originals",
    Kind.FEEDBACK: "retention.feedback",
    Kind.HANDOFFS: "retention.handoffs",
    Kind.TASKS: "retention.tasks",
    Kind.MESSAGES: "retention.messages",
    Kind.BUDGETS: "retention.messages",
    Kind.CLAIMS: "retention.repeats",
    Kind.MAILS: "retention.repeats",
    Kind.MAIL_LEDGER: "retention.repeats",
    Kind.RECEIPTS: "retention.receipts",
    Kind.AUDIT: "retention.audit",
    Kind.DEAD_LETTERS: "retention.dead_letters",
    Kind.INDIVIDUALS: "retention.individuals",
    Kind.DRAFTS: "channels.web_form draft_kept_for",
    Kind.UPLOADS: "uploads.kept_for",
}
"""What says how long each kind is kept."""

Key = tuple[Any, ...]
Look = Callable[[AsyncConnection, Sequence[Key]], Awaitable[list[list[Held]]]]
"""Of the things with these keys that are still there, what is known; those that go together, together."""
Remove = Callable[[AsyncConnection, Sequence[Key], Word], Awaitable[None]]
"""Takes things out within ``router.removal.removing``, on a word of the audit trail that is written where it vouches for something."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A kind of thing, how long it is kept, and how it is looked at and removed."""

    kind: Kind
    kept_for: timedelta | None
    table: Table
    look: Look
    remove: Remove
    since: ColumnElement[Any]
    only: ColumnElement[bool] | None = None
    at_once: int = 500
    """How many are removed in one transaction; their own rows go with them."""

    @property
    def key(self) -> Sequence[Any]:
        """The columns of its key."""
        return list(self.table.primary_key.columns)

    async def number(self, connection: AsyncConnection) -> tuple[int, datetime | None]:
        """How many there are, and when the oldest began."""
        query = select(func.count(), func.min(self.since)).select_from(self.table)
        number, oldest = (await connection.execute(query if self.only is None else query.where(self.only))).one()
        return number, _moment(oldest) if oldest is not None else None

    async def page(self, connection: AsyncConnection, after: Key | None, before: datetime, most: int) -> list[Key]:
        """The next keys, of what began before then; the rest cannot be past its time."""
        query = select(*self.key).where(self.since <= (before.date() if isinstance(self.since.type, Date) else before))
        if self.only is not None:
            query = query.where(self.only)
        if after is not None:
            query = query.where(_within(self.key) > _value(self.key, after))
        return [tuple(row) for row in await connection.execute(query.order_by(*self.key).limit(most))]


def _within(key: Sequence[Any]) -> Any:
    return tuple_(*key) if len(key) > 1 else key[0]


def _value(key: Sequence[Any], value: Key) -> Any:
    return tuple_(*value, types=[each.type for each in key]) if len(key) > 1 else value[0]


def _these(key: Sequence[Any], keys: Sequence[Key]) -> ColumnElement[bool]:
    if len(key) == 1:
        return among(key[0], [each for (each,) in keys])
    return tuple_(*key).in_([tuple(each) for each in keys])


def _moment(given: datetime | date) -> datetime:
    return given if isinstance(given, datetime) else datetime.combine(given, time.max, UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """How long each kind is kept, and what else shelves are made with. ``drafts`` is the form's own setting, ``key`` the service's."""

    chosen: RetentionSettings
    uploads: timedelta
    drafts: timedelta | None
    key: bytes

    def of(self, kind: Kind) -> timedelta | None:
        """None where it is kept for good, or for as long as its contact."""
        match kind:
            case Kind.UPLOADS:
                return self.uploads
            case Kind.DRAFTS:
                return self.drafts
            case _:
                return getattr(self.chosen, SETTINGS[kind].removeprefix("retention."))


def shelves(times: Times, now: datetime) -> list[Shelf]:
    """Every kind with its time, in order."""
    return [_MADE[kind](kind, times.of(kind), now, times.key) for kind in Kind]


def _contacts(kind: Kind, kept_for: timedelta | None, now: datetime, key: bytes) -> Shelf:
    contacts = tables.contacts

    async def remove(connection: AsyncConnection, keys: Sequence[Key], word: Word) -> None:
        await remove_contacts(connection, key, [each for (each,) in keys], word)

    return Shelf(
        kind, kept_for, contacts, _look_at_contacts(kept_for, now), remove, contacts.c.received_at,
        at_once=50,  # each is some twenty rows: DESIGN section 2 has no more than a thousand in a transaction beside the service
    )  # fmt: skip


def _originals(kind: Kind, kept_for: timedelta | None, now: datetime, _: bytes) -> Shelf:
    contacts = tables.contacts
    return Shelf(
        kind, kept_for, contacts, _look_at_contacts(kept_for, now), _strip, contacts.c.received_at,
        only=contacts.c.stripped_at.is_(None), at_once=200,
    )  # fmt: skip


def _feedback(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    records, added = tables.feedback_records, tables.additions
    since = (records.c.recorded_at, _last_act(records.c.contact_id), _last_addition(records.c.id))
    keeps = {
        Why.ON_HOLD: holds.of_contact(records.c.contact_id),
        Why.UNSETTLED: records.c.settled.is_(False),
        Why.CASE_OPEN: _is_open(records.c.case_reference),
    }
    remove = _removing(records, (records, records.c.id), (added, added.c.added_to))
    return Shelf(kind, kept_for, records, _looking(records, since, keeps), remove, records.c.recorded_at)


def _handoffs(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    handed, added = tables.handoffs, tables.additions
    since = (handed.c.handed_off_at, handed.c.taken_at, handed.c.ended_at, _last_addition(handed.c.id))
    keeps = {
        Why.ON_HOLD: holds.of_contact(handed.c.contact_id),
        Why.UNTAKEN: handed.c.state.in_(UNTAKEN),
        Why.CASE_OPEN: _is_open(handed.c.case_reference),
    }
    remove = _removing(handed, (handed, handed.c.id), (added, added.c.added_to))
    return Shelf(kind, kept_for, handed, _looking(handed, since, keeps), remove, handed.c.handed_off_at)


def _tasks(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    tasks = tables.tasks
    undone = tasks.c.state != "done"
    keeps = {
        Why.ON_HOLD: holds.of_contact(tasks.c.contact_id),
        Why.URGENT: undone & (tasks.c.kind == TaskKind.URGENT.value),
        Why.OPEN_TASK: undone,
    }
    look = _looking(tasks, (tasks.c.created_at, tasks.c.done_at), keeps)
    return Shelf(kind, kept_for, tasks, look, _removing(tasks, (tasks, tasks.c.id)), tasks.c.created_at)


def _messages(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    sent, sends = tables.outgoing, state.sends
    on_its_way = select(sends.c.outgoing_id).where(sends.c.outgoing_id == sent.c.id, sends.c.told.is_not(True)).exists()
    keeps = {Why.ON_HOLD: holds.of_contact(sent.c.contact_id), Why.UNSENT: sent.c.state.in_(UNSENT) | on_its_way}
    remove = _removing(sent, (sent, sent.c.id), (sends, sends.c.outgoing_id))
    return Shelf(kind, kept_for, sent, _looking(sent, (sent.c.changed_at,), keeps), remove, sent.c.created_at)


def _budgets(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    spent = tables.budgets
    return Shelf(kind, kept_for, spent, _looking(spent, (spent.c.day,), {}), _removing(spent), spent.c.day)


def _receipts(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    receipts, current, dead, claims = state.receipts, tables.dispositions, tables.dead_letters, state.claims
    id_ = receipts.c.contact_id
    decided = select(current.c.contact_id).where(current.c.contact_id == id_, current.c.current.is_(True)).exists()
    set_aside = select(dead.c.id).where(dead.c.id == id_, dead.c.state != "open").exists()
    keeps = {
        Why.ON_HOLD: holds.of_contact(id_),
        Why.WAITING: or_(~(decided | set_aside), _waits(id_)),
        Why.REFERRED_TO: select(claims.c.contact_id).where(claims.c.contact_id == id_).exists(),
    }
    look = _looking(receipts, (receipts.c.received_at,), keeps)
    return Shelf(kind, kept_for, receipts, look, _removing(receipts), receipts.c.received_at)


def _claims(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    claims = state.claims
    look = _looking(claims, (claims.c.received_at,), {Why.ON_HOLD: holds.of_contact(claims.c.contact_id)})
    return Shelf(kind, kept_for, claims, look, _removing(claims), claims.c.received_at)


def _mails(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    mails, receipts, contacts = state.mails, state.receipts, tables.contacts
    of_receipt = select(receipts.c.received_at).where(receipts.c.contact_id == mails.c.contact_id).scalar_subquery()
    of_contact = select(contacts.c.received_at).where(contacts.c.id == mails.c.contact_id).scalar_subquery()
    since = func.coalesce(of_receipt, of_contact, type_=receipts.c.received_at.type)
    look = _looking(mails, (since,), {Why.ON_HOLD: holds.of_contact(mails.c.contact_id)})
    return Shelf(kind, kept_for, mails, look, _removing(mails), since)


def _mail_ledger(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    ledger, boxes = state.mail_ledger, state.mailboxes
    same = and_(*(boxes.c[each] == ledger.c[each] for each in ("account", "folder", "uid_validity")))
    keeps = {
        Why.ON_HOLD: holds.of_contact(ledger.c.contact_id),
        Why.IN_A_MAILBOX: ledger.c.settled.is_(False) | select(boxes.c.account).where(same).exists(),
    }
    look = _looking(ledger, (ledger.c.taken_at,), keeps)
    return Shelf(kind, kept_for, ledger, look, _removing(ledger), ledger.c.taken_at)


def _dead_letters(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    dead = tables.dead_letters
    keeps = {
        Why.ON_HOLD: holds.of_contact(dead.c.contact_id),
        Why.OPEN_TASK: _undone(dead.c.id),
        Why.NOT_UNDERSTOOD: dead.c.state == "open",
    }
    look = _looking(dead, (dead.c.at, dead.c.settled_at), keeps)
    return Shelf(kind, kept_for, dead, look, _remove_dead_letters, dead.c.at, at_once=100)


def _drafts(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    drafts = state.drafts
    return Shelf(kind, kept_for, drafts, _looking(drafts, (drafts.c.at,), {}), _removing(drafts), drafts.c.at)


def _uploads(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    uploads = state.uploads
    remove = _removing(uploads)

    async def remove_with_bytes(connection: AsyncConnection, keys: Sequence[Key], word: Word) -> None:
        await state.let_go_of(connection, {digest for _, digest in keys}, word.at)
        await remove(connection, keys, word)

    return Shelf(kind, kept_for, uploads, _looking(uploads, (uploads.c.at,), {}), remove_with_bytes, uploads.c.at)


def _audit(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    entry, leaf, emptied_on = tables.audit, tables.audit_leaves, tables.audit_emptied
    sealed = select(leaf.c.number).where(leaf.c.entry_id == entry.c.id).exists()
    keeps = {**_open(entry.c.contact_id), Why.UNSEALED: ~sealed}
    says_something = func.length(cast(entry.c.evidence, Text)) > len("{}")
    vouches = select(emptied_on.c.word_id).where(emptied_on.c.word_id == entry.c.id).exists()
    return Shelf(
        kind, kept_for, entry, _looking(entry, (entry.c.at,), keeps), _empty, entry.c.at,
        only=says_something & ~vouches & entry.c.action.not_in(OF_RETENTION),
    )  # fmt: skip


async def _empty(connection: AsyncConnection, keys: Sequence[Key], word: Word) -> None:
    """Whose contact it was about stays as long as the contact: when that was last acted on is counted by it."""
    entry, removed = tables.audit, Removed()
    rows = (await connection.execute(select(entry).where(among(entry.c.id, [each for (each,) in keys])))).all()
    emptied = {row.id: replace(emptied_entry(row), contact_id=row.contact_id) for row in rows}
    await change_entries(connection, emptied, word, removed)
    await note(connection, word, removed)


def _individuals(kind: Kind, kept_for: timedelta | None, *_: Any) -> Shelf:
    people = tables.individuals
    return Shelf(
        kind, kept_for, people, _look_at_individuals, _remove_individuals, people.c.imported_at,
        only=people.c.made_from.is_not(None), at_once=50,
    )  # fmt: skip


_MADE: Final[Mapping[Kind, Callable[[Kind, timedelta | None, datetime, bytes], Shelf]]] = {
    Kind.CONTACTS: _contacts,
    Kind.ORIGINALS: _originals,
    Kind.FEEDBACK: _feedback,
    Kind.HANDOFFS: _handoffs,
    Kind.TASKS: _tasks,
    Kind.MESSAGES: _messages,
    Kind.BUDGETS: _budgets,
    Kind.CLAIMS: _claims,
    Kind.MAILS: _mails,
    Kind.MAIL_LEDGER: _mail_ledger,
    Kind.RECEIPTS: _receipts,
    Kind.AUDIT: _audit,
    Kind.DEAD_LETTERS: _dead_letters,
    Kind.INDIVIDUALS: _individuals,
    Kind.DRAFTS: _drafts,
    Kind.UPLOADS: _uploads,
}


# What is asked of each.


def _looking(table: Table, since: Sequence[ColumnElement[Any]], keeps: Mapping[Why, ColumnElement[bool]]) -> Look:
    """Each by itself: the latest of some moments, and which of some reasons hold."""
    key = list(table.primary_key.columns)
    query = _asking(key, since, keeps)

    async def look(connection: AsyncConnection, keys: Sequence[Key]) -> list[list[Held]]:
        return [[held] for held in await _held(connection, query.where(_these(key, keys)), len(key), len(since), keeps)]

    return look


def _asking(
    key: Sequence[ColumnElement[Any]], since: Sequence[ColumnElement[Any]], keeps: Mapping[Why, ColumnElement[bool]]
) -> Select[Any]:
    """A row of each: its key, then the moments, then a column by the name of each reason."""
    columns = [each.label(f"key_{place}") for place, each in enumerate(key)]
    columns += [each.label(f"since_{place}") for place, each in enumerate(since)]
    return select(*columns, *(each.label(why.name.lower()) for why, each in keeps.items()))


async def _held(connection: AsyncConnection, query: Select[Any], keys: int, moments: int, keeps: Iterable[Why]) -> list[Held]:
    """What the rows of ``_asking`` say."""
    found: list[Held] = []
    for row in await connection.execute(query):
        since = max(_moment(each) for each in row[keys : keys + moments] if each is not None)
        found.append(Held(tuple(row[:keys]), since, tuple(why for why in keeps if getattr(row, why.name.lower()))))
    return found


def _removing(table: Table, *of: tuple[Table, ColumnElement[Any]]) -> Remove:
    """The rows themselves; where ``of`` names columns, every row of those tables that has the key there."""
    key = list(table.primary_key.columns)

    async def remove(connection: AsyncConnection, keys: Sequence[Key], _: Word) -> None:
        if not of:
            await connection.execute(delete(table).where(_these(key, keys)))
        for theirs, column in of:
            await connection.execute(delete(theirs).where(among(column, [each for (each,) in keys])))

    return remove


def _last_act(contact_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """When a contact was last acted on: every action and decision is on the audit trail (DESIGN promise 5). To hold it is none."""
    entry = tables.audit
    acts = entry.c.contact_id == contact_id, entry.c.action.not_in((holds.PLACED, holds.LIFTED))
    return select(func.max(entry.c.at)).where(*acts).scalar_subquery()


def _last_addition(added_to: ColumnElement[Any]) -> ColumnElement[Any]:
    added = tables.additions
    return select(func.max(added.c.at)).where(added.c.added_to == added_to).scalar_subquery()


def _is_open(case_reference: ColumnElement[Any]) -> ColumnElement[bool]:
    cases = tables.cases
    return select(cases.c.reference).where(cases.c.reference == case_reference, cases.c.status == "open").exists()


def _undone(contact_id: ColumnElement[Any], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    tasks = tables.tasks
    return select(tasks.c.id).where(tasks.c.contact_id == contact_id, tasks.c.state != "done", *which).exists()


def _waits(contact_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """As a post that nobody has allocated, or one of a version that this release does not know."""
    posts, parked = tables.posts, tables.parked
    unallocated = select(posts.c.contact_id).where(posts.c.contact_id == contact_id, posts.c.outcome.is_(None)).exists()
    return unallocated | select(parked.c.position).where(parked.c.contact_id == contact_id).exists()


def _open(contact_id: Column[Any]) -> dict[Why, ColumnElement[bool]]:
    """Everything by which a contact is not at its end."""
    tasks, sent, handed, records = tables.tasks, tables.outgoing, tables.handoffs, tables.feedback_records
    dead, current = tables.dead_letters, tables.dispositions
    case_of = select(current.c.case_reference).where(current.c.contact_id == contact_id, current.c.current.is_(True))
    case_of = case_of.correlate(contact_id.table)
    return {
        Why.ON_HOLD: holds.of_contact(contact_id),
        Why.URGENT: _undone(contact_id, tasks.c.kind == TaskKind.URGENT.value),
        Why.OPEN_TASK: _undone(contact_id),
        Why.UNSENT: select(sent.c.id).where(sent.c.contact_id == contact_id, sent.c.state.in_(UNSENT)).exists(),
        Why.UNTAKEN: select(handed.c.id).where(handed.c.contact_id == contact_id, handed.c.state.in_(UNTAKEN)).exists(),
        Why.UNSETTLED: select(records.c.id).where(records.c.contact_id == contact_id, records.c.settled.is_(False)).exists(),
        Why.WAITING: _waits(contact_id),
        Why.NOT_UNDERSTOOD: select(dead.c.id).where(dead.c.contact_id == contact_id, dead.c.state == "open").exists(),
        Why.CASE_OPEN: _is_open(case_of.scalar_subquery()),
    }


# Contacts.


def _look_at_contacts(kept_for: timedelta | None, now: datetime) -> Look:
    contacts, entry, leaf, needs = tables.contacts, tables.audit, tables.audit_leaves, tables.needs
    id_ = contacts.c.id
    sealed = select(leaf.c.number).where(leaf.c.entry_id == entry.c.id).exists()
    stands = select(needs.c.kind).where(needs.c.contact_id == id_, needs.c.withdrawn_at.is_(None))
    keeps = {
        **_open(id_),
        Why.NEEDED: stands.exists(),
        Why.UNSEALED: select(entry.c.id).where(entry.c.contact_id == id_, ~sealed).exists(),
    }
    since = (contacts.c.received_at, contacts.c.routed_at, _last_act(id_))
    query = _asking([id_], since, keeps)

    async def look(connection: AsyncConnection, keys: Sequence[Key]) -> list[list[Held]]:
        groups = await _matters(connection, [each for (each,) in keys])
        every = [each for group in groups for each in group]
        held = {each.id: each for each in await _held(connection, query.where(among(id_, every)), 1, len(since), keeps)}
        if kept_for is not None:
            held |= await _without_needs(connection, held, now - kept_for)
        return [
            of_one_matter(there, kept_for, now)
            for group in groups
            if (there := [held[(each,)] for each in group if (each,) in held])
        ]

    return look


async def _matters(connection: AsyncConnection, ids: Collection[UUID]) -> list[list[UUID]]:
    """These contacts with all that are of the same matter: added to what another gave rise to, or versions of one post."""
    added, posts = tables.additions, tables.posts
    whose: dict[UUID, UUID] = {}

    def root(id_: UUID) -> UUID:
        while (above := whose.setdefault(id_, id_)) != id_:
            id_ = above
        return id_

    news = set(ids)
    for each in ids:
        root(each)
    while news:
        edges: list[tuple[UUID, UUID]] = []
        for made in (tables.feedback_records, tables.handoffs):
            to = select(added.c.contact_id, made.c.contact_id).join(made, made.c.id == added.c.added_to)
            for column in (added.c.contact_id, made.c.contact_id):
                edges += [tuple(row) for row in await connection.execute(to.where(among(column, news)))]
        for column in (posts.c.contact_id, posts.c.first):
            versions = select(posts.c.contact_id, posts.c.first).where(among(column, news))
            edges += [tuple(row) for row in await connection.execute(versions)]
        met = {each for edge in edges for each in edge}
        news = {each for each in met if each not in whose}
        for one, other in edges:
            whose[root(one)] = root(other)
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    for each in list(whose):
        groups[root(each)].append(each)
    return list(groups.values())


async def _without_needs(connection: AsyncConnection, held: Mapping[Any, Held], before: datetime) -> dict[Any, Held]:
    """Those of whose writer nothing else is left that is newer, nor an open case: what they need in their contacts keeps none of them."""
    asked = {each.id[0] for each in held.values() if Why.NEEDED in each.keeps}
    if not asked:
        return {}
    links, people, contacts = tables.links, tables.individuals, tables.contacts
    parties, cases = tables.parties, tables.cases
    counts_as = func.coalesce(people.c.merged_into, people.c.id)
    theirs = select(links.c.contact_id, counts_as.label("whom")).join(people, people.c.id == links.c.individual_id)
    theirs = theirs.where(links.c.undone_at.is_(None))
    whose = {row.contact_id: row.whom for row in await connection.execute(theirs.where(among(links.c.contact_id, asked)))}
    whom = set(whose.values())
    group = select(people.c.id, counts_as.label("whom")).where(or_(among(people.c.id, whom), among(people.c.merged_into, whom)))
    each_of = group.subquery()
    newer = select(each_of.c.whom).join(links, (links.c.individual_id == each_of.c.id) & links.c.undone_at.is_(None))
    newer = newer.join(contacts, contacts.c.id == links.c.contact_id).where(contacts.c.received_at > before)
    in_a_case = select(each_of.c.whom).join(parties, parties.c.individual_id == each_of.c.id)
    in_a_case = in_a_case.join(cases, cases.c.reference == parties.c.case_reference).where(cases.c.status == "open")
    still_with_us = {row.whom for query in (newer, in_a_case) for row in await connection.execute(query)}
    return {
        key: replace(each, keeps=tuple(why for why in each.keeps if why is not Why.NEEDED))
        for key, each in held.items()
        if key[0] in asked and whose.get(key[0]) not in still_with_us
    }


# Individuals.


async def _look_at_individuals(connection: AsyncConnection, keys: Sequence[Key]) -> list[list[Held]]:
    """Those whom the router made. One who counts as another goes once that other could go but for them."""
    people, links, parties = tables.individuals, tables.links, tables.parties
    others = people.alias()
    ids = [each for (each,) in keys]
    is_asked_about = select(tables.candidates.c.individual_id).where(among(tables.candidates.c.individual_id, ids)).distinct()
    asked_about = set((await connection.execute(is_asked_about)).scalars())
    referred = or_(
        *(_has(table.c.individual_id, people.c.id) for table in (links, tables.feedback_records, tables.handoffs, parties)),
        select(others.c.id).where(others.c.merged_into == people.c.id).exists(),
        *(
            _has(table.c.individual_id, people.c.merged_into)
            for table in (links, tables.feedback_records, tables.handoffs, parties)
        ),
    )
    keeps = {Why.ON_HOLD: holds.of_individual(), Why.REFERRED_TO: referred}
    query = _asking([people.c.id], (people.c.imported_at, people.c.merged_at), keeps)
    query = query.where(among(people.c.id, ids), people.c.made_from.is_not(None))
    found = await _held(connection, query, 1, 2, keeps)
    return [
        [replace(each, keeps=(*each.keeps, Why.REFERRED_TO)) if not each.keeps and each.id[0] in asked_about else each]
        for each in found
    ]


def _has(column: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(column).where(column == value).exists()


async def _remove_individuals(connection: AsyncConnection, keys: Sequence[Key], _: Word) -> None:
    ids = [each for (each,) in keys]
    async with index.kept_true(connection, ids):
        for table in (tables.identifiers, tables.addresses, tables.adjustments):
            await connection.execute(delete(table).where(among(table.c.individual_id, ids)))
        await connection.execute(delete(tables.individuals).where(among(tables.individuals.c.id, ids)))


async def _strip(connection: AsyncConnection, keys: Sequence[Key], word: Word) -> None:
    """Note the originals of contacts, to be let go; the contacts stay, and say when that was."""
    contacts, ids = tables.contacts, [each for (each,) in keys]
    await state.let_go_of(connection, await digests_of(connection, ids), word.at)
    where = among(contacts.c.id, ids), contacts.c.stripped_at.is_(None)
    await connection.execute(update(contacts).where(*where).values(stripped_at=word.at))


async def _remove_dead_letters(connection: AsyncConnection, keys: Sequence[Key], word: Word) -> None:
    """With its receipt, where it was the end of what our edge had received: the ledger would miss it."""
    dead, receipts, current = tables.dead_letters, state.receipts, tables.dispositions
    ids = [each for (each,) in keys]
    await state.let_go_of(connection, await digests_of(connection, ids), word.at)
    decided = select(current.c.contact_id).where(current.c.contact_id == receipts.c.contact_id).exists()
    await connection.execute(delete(receipts).where(among(receipts.c.contact_id, ids), ~decided))
    await connection.execute(delete(dead).where(among(dead.c.id, ids)))
