"""Legal holds: what may not be removed whatever its time, as while a court or a complaint asks for it.

On a contact, on an individual with all that is theirs, or on a case with all that is about it. Each is placed and lifted in somebody's
name, for a reason, and both stand on the audit trail.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.database import Database, among
from ingest.errors import Refused
from ingest.ids import new_id
from router.desk import entry
from router.register import tables
from router.store import Store

PLACED: Final = "legal-hold-placed"
LIFTED: Final = "legal-hold-lifted"


async def place(
    database: Database,
    store: Store,
    because: str,
    by: str,
    clock: Clock,
    *,
    contact: UUID | None = None,
    individual: str | None = None,
    case: str | None = None,
) -> UUID:
    """Keep one contact, all of an individual's or all about a case until it is lifted; answers with the hold's id.

    Raises Refused ``no-such-individual``. A case need not be in the register yet.
    """
    people = tables.individuals
    async with database.write() as connection:
        now, id_ = clock(), new_id()
        known = select(people.c.id).where(people.c.id == individual)
        if individual is not None and (await connection.execute(known)).first() is None:
            raise Refused(
                "no-such-individual",
                f"The register has nobody with the id {individual}. `ingest register search` finds people.",
            )
        about = {"contact_id": contact, "individual_id": individual, "case_reference": case}
        row = {"id": id_, **about, "because": because, "by": by, "since": now}
        await connection.execute(tables.legal_holds.insert().values(row))
        told = {name: each for name, each in (("individual", individual), ("case", case)) if each}
        await store.audit(connection, [entry(now, by, PLACED, contact, hold=str(id_), because=because, **told)])
    return id_


async def lift(database: Database, store: Store, hold_id: UUID, because: str, by: str, clock: Clock) -> None:
    """End a hold: what it kept goes when its time is over. Raises Refused ``no-such-hold``, ``lifted-already``."""
    holds = tables.legal_holds
    async with database.write() as connection:
        now = clock()
        lifted = update(holds).where(holds.c.id == hold_id, holds.c.lifted_at.is_(None)).values(lifted_by=by, lifted_at=now)
        row = (await connection.execute(lifted.returning(holds))).one_or_none()
        if row is None:
            known = (await connection.execute(select(holds).where(holds.c.id == hold_id))).one_or_none()
            if known is None:
                raise Refused("no-such-hold", f"There is no hold {hold_id}. `ingest retention holds` shows what there is.")
            raise Refused("lifted-already", f"{known.lifted_by} has lifted it already.")
        await store.audit(connection, [entry(now, by, LIFTED, row.contact_id, hold=str(hold_id), because=because)])


async def standing(connection: AsyncConnection) -> Sequence[Any]:
    """The holds that are not lifted, with the reference of their contact, the oldest first."""
    holds, contacts = tables.legal_holds, tables.contacts
    query = select(holds, contacts.c.reference).join(contacts, contacts.c.id == holds.c.contact_id, isouter=True)
    return (await connection.execute(query.where(holds.c.lifted_at.is_(None)).order_by(holds.c.since))).all()


async def on(connection: AsyncConnection, people: Collection[str], contacts: Collection[UUID]) -> list[str]:
    """The holds that stand on any of these individuals or contacts, a sentence each."""
    holds, known = tables.legal_holds, tables.contacts
    theirs = select(known.c.id).where(among(known.c.id, contacts), _about(known.c.id)).exists()
    query = select(holds).where(holds.c.lifted_at.is_(None), among(holds.c.individual_id, people) | theirs)
    return [
        f"A legal hold by {row.by} stands on it since {row.since:%d %B %Y}: {row.because}. "
        f"Lift it first, if it need not stand: `ingest retention lift {str(row.id)[:8]}`."
        for row in await connection.execute(query.order_by(holds.c.since))
    ]


def of_contact(contact_id: Column[Any]) -> ColumnElement[bool]:
    """Whether a hold stands on a contact of a query: itself, whoever it is from, or what it is about."""
    holds = tables.legal_holds
    return select(holds.c.id).where(holds.c.lifted_at.is_(None), _about(contact_id)).exists()


def of_individual() -> ColumnElement[bool]:
    """Whether a hold stands on an individual of a query, or on whom they count as."""
    holds, people = tables.legal_holds, tables.individuals
    it = or_(holds.c.individual_id == people.c.id, holds.c.individual_id == people.c.merged_into)
    return select(holds.c.id).where(holds.c.lifted_at.is_(None), it).exists()


def _about(contact_id: Column[Any]) -> ColumnElement[bool]:
    """That a hold of the query is on this contact."""
    holds, links, people, of = tables.legal_holds, tables.links, tables.individuals.alias(), contact_id.table
    # Correlated by name: what stands two queries deep would otherwise be a table of its own, and the hold of any contact everybody's.
    theirs = select(links.c.contact_id).join(people, people.c.id == links.c.individual_id).correlate(of, holds)
    theirs = theirs.where(links.c.contact_id == contact_id, links.c.undone_at.is_(None))
    theirs = theirs.where(or_(holds.c.individual_id == people.c.id, holds.c.individual_id == people.c.merged_into))
    about = [
        select(each.c.contact_id)
        .where(each.c.contact_id == contact_id, each.c.case_reference == holds.c.case_reference)
        .correlate(of, holds)
        .exists()
        for each in (tables.dispositions, tables.feedback_records, tables.handoffs)
    ]
    return or_(holds.c.contact_id == contact_id, theirs.exists(), *about)
