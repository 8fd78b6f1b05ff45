"""Everything that is held on an individual, table by table: what they may ask to see (UK GDPR, Article 15).

Theirs is what the register says of them and of whoever counts as them, and of each contact that is linked to them now: its words, what
was decided, made, sent and noted because of it. A contact that somebody has unlinked is another's, and one that only may be theirs is
nobody's yet.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.database import among
from ingest.errors import Refused
from router.register import tables

_OF_PEOPLE: Final = (
    tables.individuals,
    tables.identifiers,
    tables.addresses,
    tables.adjustments,
    tables.parties,
    tables.links,
    tables.legal_holds,
)
_OF_CONTACTS: Final = (
    tables.contacts, tables.variants, tables.dispositions, tables.feedback_records, tables.handoffs, tables.additions, tables.tasks,
    tables.outgoing, tables.restrictions, tables.needs, tables.posts, tables.allocations, tables.ties, tables.candidates, tables.audit,
    tables.dead_letters, tables.parked, tables.legal_holds, state.receipts, state.claims, state.mail_ledger, state.mails,
)  # fmt: skip
"""Every table that says which contact it is about; a test holds this against the tables."""
_AT_A_TIME: Final = 200

Row = dict[str, Any]


async def who(connection: AsyncConnection, given: str) -> list[str]:
    """The individual and everybody who counts as them, by id. Raises Refused(``no-such-individual``, ``counts-as``)."""
    person = tables.individuals
    row = (await connection.execute(select(person.c.merged_into).where(person.c.id == given))).one_or_none()
    if row is None:
        raise Refused(
            "no-such-individual", f"Nobody in the register has the id {given}. `ingest register search` finds people."
        )
    if row.merged_into:
        raise Refused("counts-as", f"{given} counts as {row.merged_into}: ask for them, and this one is among what you get.")
    merged = await connection.execute(select(person.c.id).where(person.c.merged_into == given).order_by(person.c.id))
    return [given, *merged.scalars()]


async def contacts_of(connection: AsyncConnection, people: Sequence[str]) -> list[UUID]:
    """The contacts that are theirs now, in the order of their ids."""
    links = tables.links
    theirs = select(links.c.contact_id).where(among(links.c.individual_id, people), links.c.undone_at.is_(None))
    return list((await connection.execute(theirs.order_by(links.c.contact_id))).scalars())


async def holdings(
    connection: AsyncConnection, people: Sequence[str], contacts: Sequence[UUID]
) -> AsyncIterator[tuple[str, list[Row]]]:
    """Table by table, some rows at a time, as they are held."""
    for table in _OF_PEOPLE:
        column = table.c.id if table is tables.individuals else table.c.individual_id
        theirs = among(column, people)
        if table is tables.links:
            theirs &= table.c.undone_at.is_(None)
        yield table.name, await _rows(connection, table, theirs)
    cases = select(tables.parties.c.case_reference).where(among(tables.parties.c.individual_id, people))
    yield "cases", await _rows(connection, tables.cases, tables.cases.c.reference.in_(cases))
    for table in _OF_CONTACTS:
        column = table.c.id if table is tables.contacts else table.c.contact_id
        for start in range(0, len(contacts), _AT_A_TIME):
            about = among(column, contacts[start : start + _AT_A_TIME])
            if table is tables.candidates:  # who else it may have been from is said of others
                about &= among(table.c.individual_id, people)
            yield table.name, await _rows(connection, table, about)
    sent = select(tables.outgoing.c.id).where(among(tables.outgoing.c.contact_id, contacts))
    yield "sends", await _rows(connection, state.sends, state.sends.c.outgoing_id.in_(sent))
    # What was done to them in the register, such as a merging, is about no contact.
    audit = tables.audit
    named = or_(*(cast(audit.c.evidence, Text).contains(each, autoescape=True) for each in people))
    yield "audit", await _rows(connection, audit, audit.c.contact_id.is_(None) & named)


async def _rows(connection: AsyncConnection, table: Table, where: ColumnElement[bool]) -> list[Row]:
    query = select(table).where(where).order_by(*table.primary_key.columns)
    return [dict(each) for each in (await connection.execute(query)).mappings()]
