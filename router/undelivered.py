"""What is done about a message that did not reach its person: it is looked up what it was of, whose that is and what was tried, and decided.

It is read in the transaction that notes that the message is lost, so that nobody is forgotten between the two.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import Audience, Contact, Outgoing, OutgoingState
from router.consequences import House, Instead, Lost, instead_of, task_mail, undelivered
from router.decide import decide
from router.gather import gather
from router.opening import reading_of
from router.register import search, tables

_LOST = (OutgoingState.FAILED.value, OutgoingState.BOUNCED.value)


async def made_up_for(
    connection: AsyncConnection, house: House, contact_id: UUID, outgoing_id: UUID, because: str, now: datetime
) -> Instead:
    """What is to be written. Of a contact that the register has no more, or cannot read, a person is asked to see to it."""
    lost = await _lost(connection, contact_id, outgoing_id, because)
    contacts = tables.contacts
    row = (
        await connection.execute(select(contacts.c.body, contacts.c.channel).where(contacts.c.id == contact_id))
    ).one_or_none()
    if row is None:
        asked = undelivered(contact_id, "email", lost, house, now)
        return Instead(task_mail(asked, house, now), (asked,), ())
    contact = Contact.model_validate_json(row.body)
    reading = reading_of(contact, house)
    known = await gather(connection, [(contact, reading)], house, now)
    situation = replace(known.situation(contact, reading), individual=None)
    links = tables.links
    linked = select(links.c.individual_id).where(links.c.contact_id == contact_id, links.c.undone_at.is_(None))
    if whose := (await connection.execute(linked)).scalar_one_or_none():
        # Whose it stands for now, who may have been chosen by a person, and not who it would be matched to.
        counts_as = (await search.merged(connection, {whose})).get(whose) or whose
        situation = replace(situation, individual=(await search.people(connection, {counts_as})).get(counts_as))
    return instead_of(lost, situation, decide(situation), house, known.standing(contact), now)


async def _lost(connection: AsyncConnection, contact_id: UUID, outgoing_id: UUID, because: str) -> Lost:
    """The message, and by which methods what went to its person about the same was lost: this one among them."""
    sent = tables.outgoing
    theirs = select(sent.c.id, sent.c.body).where(
        sent.c.contact_id == contact_id, sent.c.audience == Audience.PERSON.value, sent.c.state.in_(_LOST)
    )
    gone = {row.id: Outgoing.model_validate_json(row.body) for row in await connection.execute(theirs) if row.body}
    return Lost(gone[outgoing_id], because, frozenset(each.channel for each in gone.values()))
