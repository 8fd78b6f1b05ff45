"""Contacts through the rules, the reading and the register as they are today: what would become of each. Nothing is written.

A contact is looked at as if it came now: what came of it before (its own record, handoff and link) counts for nothing.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import Contact
from ingest.database import Database, among
from router.allocation import allocated
from router.consequences import ROUTER, House, Standing, kind_of, newcomer_of, team_of
from router.decide import Decision, Situation, decide
from router.gather import Known, gather
from router.match.register_view import IndividualView
from router.opening import reading_of
from router.read import Reading
from router.register import tables
from router.writer import MADE

_PAGE: Final = 1_000  # DESIGN section 2: commands beside a running service read in bounded pages


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a contact comes to, in what matters to whoever gets it."""

    disposition: str  # its kind, and the team where it goes to one
    rule: str
    urgent: bool
    individual: str | None
    case: str | None

    @classmethod
    def of(cls, decision: Decision) -> "Verdict":
        """A decision's."""
        team = team_of(decision.disposition)
        disposition = _named(kind_of(decision.disposition), team.value if team else None)
        return cls(disposition, decision.rule, bool(decision.urgent), decision.individual_id, decision.case_reference)

    @classmethod
    def of_row(cls, row: Any) -> "Verdict":
        """A stored version's."""
        return cls(_named(row.kind, row.team), row.rule, row.urgent, row.individual_id, row.case_reference)


def _named(kind: str, team: str | None) -> str:
    return f"{kind} to {team}" if team else kind


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stored contact, what it came to, and what it would come to; None with ``broken`` where it can no longer be decided on."""

    reference: str
    channel: str
    received_at: datetime
    was: Verdict
    becomes: Verdict | None
    broken: str | None = None

    @property
    def differs_in(self) -> tuple[str, ...]:
        """The fields of the verdict that would change."""
        becomes = self.becomes
        if becomes is None:
            return ("disposition",)
        return tuple(each.name for each in fields(Verdict) if getattr(self.was, each.name) != getattr(becomes, each.name))


@dataclass(frozen=True, slots=True)
class Which:
    """Which stored contacts: those received since then, by this channel; all where neither is named."""

    since: datetime | None = None
    channel: str | None = None

    def conditions(self) -> Iterable[ColumnElement[bool]]:
        """As the database has them."""
        contacts = tables.contacts
        if self.since:
            yield contacts.c.received_at >= self.since
        if self.channel:
            yield contacts.c.channel == self.channel


async def numbers(database: Database, which: Which) -> tuple[int, int]:
    """How many of them the rules have decided on, and how many a person has, which are left out. Raises Unavailable."""
    contacts, current = tables.contacts, tables.dispositions
    query = (
        select(func.count().filter(current.c.by == ROUTER), func.count().filter(current.c.by != ROUTER))
        .join(contacts, contacts.c.id == current.c.contact_id)
        .where(current.c.current.is_(True), *which.conditions())
    )
    async with database.read() as connection:
        by_rules, by_people = (await connection.execute(query)).one()
    return by_rules, by_people


async def replay(
    database: Database, house: House, now: datetime, which: Which, most: int
) -> AsyncGenerator[Sequence[Replayed]]:
    """What the rules decided on, decided anew, the latest first, a page at a time.

    No transaction is open while a page is read for what it says, so that a service beside it is kept waiting by nothing. Raises
    Unavailable.
    """
    last: Any = None
    while most > 0 and (page := await _page(database, which, last, min(_PAGE, most))):
        yield await _replayed(database, house, now, page)
        last, most = page[-1], most - len(page)


async def _page(database: Database, which: Which, last: Any, most: int) -> Sequence[Any]:
    contacts, current = tables.contacts, tables.dispositions
    at, id_ = contacts.c.received_at, contacts.c.id
    query = (
        select(
            id_, contacts.c.reference, contacts.c.channel, at, contacts.c.body,
            current.c.kind, current.c.team, current.c.urgent, current.c.rule, current.c.individual_id, current.c.case_reference,
        )
        .join(current, (current.c.contact_id == id_) & current.c.current.is_(True))
        .where(current.c.by == ROUTER, *which.conditions())
        .order_by(at.desc(), id_.desc())
        .limit(most)
    )  # fmt: skip
    if last is not None:
        query = query.where(at <= last.received_at, or_(at < last.received_at, and_(at == last.received_at, id_ < last.id)))
    async with database.read() as connection:
        return (await connection.execute(query)).all()


async def _replayed(database: Database, house: House, now: datetime, page: Sequence[Any]) -> list[Replayed]:
    read: dict[UUID, tuple[Contact, Reading]] = {}
    broken: dict[UUID, str] = {}
    for row in page:
        try:
            contact = Contact.model_validate_json(row.body)
            read[row.id] = contact, reading_of(contact, house)
        except Exception as error:  # noqa: BLE001 - one poison hides none of its neighbours
            broken[row.id] = type(error).__name__
    async with database.read() as connection:
        found = await situations(connection, list(read.values()), house, now)
    decided: dict[UUID, Verdict] = {}
    for situation, _ in found:
        try:
            decision = decide(situation)
            new = newcomer_of(situation, decision, house)
            decided[situation.contact.id] = Verdict.of(replace(decision, individual_id=new.individual_id) if new else decision)
        except Exception as error:  # noqa: BLE001 - the same
            broken[situation.contact.id] = type(error).__name__
    return [
        Replayed(row.reference, row.channel, row.received_at, Verdict.of_row(row), decided.get(row.id), broken.get(row.id))
        for row in page
    ]


async def situations(
    connection: AsyncConnection, contacts: Sequence[tuple[Contact, Reading]], house: House, now: datetime
) -> list[tuple[Situation, Standing]]:
    """How each would meet the rules if it came now, and what is known of the addresses it came from."""
    ids = [contact.id for contact, _ in contacts]
    known = await known_before(connection, contacts, house, now)
    made = await _made(connection, ids)
    wrote = await _wrote(connection, known.people)
    said = await allocated(connection, ids)
    found: list[tuple[Situation, Standing]] = []
    for contact, reading in contacts:
        situation = known.situation(contact, reading)
        person = situation.individual
        if person:
            person = replace(person, written_before=bool(wrote.get(person.individual_id, set()) - {contact.id}))
        situation = replace(
            situation,
            individual=person,
            unsettled=tuple(each for each in situation.unsettled if made.get(each.id) != contact.id),
            allocation=said.get(contact.id),
        )
        found.append((situation, known.standing(contact)))
    return found


async def known_before(
    connection: AsyncConnection, contacts: Sequence[tuple[Contact, Reading]], house: House, now: datetime
) -> Known:
    """What the register knows that bears on them, less whom the router made out of them: when they come those are nobody yet."""
    known = await gather(connection, contacts, house, now)
    people = tables.individuals
    ids = {each.individual_id for some in known.candidates.values() for each in some if each.individual_id.startswith(MADE)}
    rows = await connection.execute(select(people.c.id, people.c.made_from).where(among(people.c.id, ids)))
    for row in rows:
        if row.made_from in known.candidates:
            known.forget(row.made_from, row.id)
    return known


async def _made(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The records and handoffs that these contacts gave rise to, each with its contact."""
    made: dict[UUID, UUID] = {}
    for table in (tables.feedback_records, tables.handoffs):
        rows = await connection.execute(select(table.c.id, table.c.contact_id).where(among(table.c.contact_id, ids)))
        made.update((row.id, row.contact_id) for row in rows)
    return made


async def _wrote(connection: AsyncConnection, people: Mapping[str, IndividualView]) -> dict[str, set[UUID]]:
    """The contacts that each of these people is linked to, by themselves or as somebody who was merged into them."""
    links, counts_as = tables.links, {each: id_ for id_, person in people.items() for each in (id_, *person.also)}
    query = select(links.c.individual_id, links.c.contact_id).where(
        among(links.c.individual_id, counts_as), links.c.undone_at.is_(None)
    )
    wrote: dict[str, set[UUID]] = defaultdict(set)
    for individual, contact_id in await connection.execute(query):
        wrote[counts_as[individual]].add(contact_id)
    return wrote
