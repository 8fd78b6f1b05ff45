"""What the register knows that bears on a batch of contacts, fetched in a few statements and kept up to date as the batch is decided.

Two contacts of one person may stand in one batch: the second must see the first, so ``Known.learn`` takes in each decision.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import Audience, Contact, Outgoing, OutgoingKind, OutgoingState, Team
from ingest.database import among
from router.consequences import (
    COVERS,
    Consequences,
    House,
    Standing,
    Told,
    addresses_of,
    answers_of,
    first_of,
    matter_of,
    sender_of,
)
from router.decide import Situation, Unsettled
from router.match import Candidate, Matched, MatchResult, Query, match
from router.match.register_view import CaseView, IndividualView
from router.match.statistics import Statistics
from router.match.weights import Weights
from router.read import Reading
from router.register import search, tables
from router.register.statistics import statistics
from router.writer import Newcomer, query_of


@dataclass(slots=True)
class Known:
    """The register's knowledge of a batch; grows with each decision."""

    today: date
    own_addresses: frozenset[str]
    queries: Mapping[UUID, Query]
    matches: dict[UUID, MatchResult]
    cases: dict[str, CaseView]
    people: dict[str, IndividualView]
    borne: Statistics = field(default_factory=Statistics)
    weights: Weights | None = None  # those that matching comes with where there are none
    unsettled: dict[str, list[Unsettled]] = field(default_factory=dict[str, list[Unsettled]])
    written: set[str] = field(default_factory=set[str])  # individuals with an earlier contact
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # said in this batch, by individual
    forbidden: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    urgent_waits: set[str] = field(default_factory=set[str])
    spent: dict[str, int] = field(default_factory=dict[str, int])
    allocated: set[UUID] = field(default_factory=set[UUID])  # by the contact of the post as it was first written
    told: dict[str, list[Told]] = field(default_factory=dict[str, list[Told]])  # by address and by individual
    follows: dict[UUID, UUID] = field(
        default_factory=dict[UUID, UUID]
    )  # by contact, the one that our mail was about which it answers
    candidates: dict[UUID, Sequence[Candidate]] = field(default_factory=dict[UUID, Sequence[Candidate]])
    newcomers: dict[str, list[Newcomer]] = field(default_factory=dict[str, list[Newcomer]])  # of this batch, by what finds them

    def situation(self, contact: Contact, reading: Reading) -> Situation:
        """The contact, who it is matched to, and the cases that bear on it."""
        query, found = self.queries[contact.id], self._match(contact.id)
        person = self.people.get(found.individual_id) if isinstance(found, Matched) else None
        if person and person.individual_id in self.written:
            said = self.needs.get(person.individual_id, ())
            person = replace(person, written_before=True, adjustments=tuple(dict.fromkeys((*person.adjustments, *said))))
        return Situation(
            contact=contact,
            reading=reading,
            match=found,
            today=self.today,
            individual=person,
            named=tuple(self.cases[each] for each in query.case_references if each in self.cases),
            theirs=tuple(self.cases[each] for each in (person.cases if person else ()) if each in self.cases),
            unknown_references=tuple(each for each in query.case_references if each not in self.cases),
            unsettled=tuple(self.unsettled.get(person.individual_id, ())) if person else (),
            ours=contact.declared is None and sender_of(contact) in self.own_addresses,
        )

    def forget(self, contact_id: UUID, individual_id: str) -> None:
        """Leave one individual out of those whom a contact may be from, and of those with whom the others share anything."""
        every = self.candidates[contact_id]
        gone = {point for each in every if each.individual_id == individual_id for point in (*each.emails, *each.phones)}
        left = [
            replace(each, holders={point: number - (point in gone) for point, number in each.holders.items()})
            for each in every
            if each.individual_id != individual_id
        ]
        self.candidates[contact_id], self.matches[contact_id] = left, self._who(contact_id, left)

    def _match(self, contact_id: UUID) -> MatchResult:
        """Who it is, those counted in who have become individuals of the register since the batch was begun."""
        query = self.queries[contact_id]
        found_by = (*query.emails, *query.phones, *query.postcodes)
        new = {each.individual_id: each for one in found_by for each in self.newcomers.get(one, ())}
        if new:
            for each in new.values():
                self.people.setdefault(each.individual_id, each.as_view())
            others = [each for each in self.candidates[contact_id] if each.individual_id not in new]
            self.matches[contact_id] = self._who(contact_id, [*others, *(each.as_candidate() for each in new.values())])
        return self.matches[contact_id]

    def _who(self, contact_id: UUID, candidates: Sequence[Candidate]) -> MatchResult:
        return match(self.queries[contact_id], candidates, self.borne, self.weights)

    def standing(self, contact: Contact) -> Standing:
        """What is known of the addresses it came from: whichever of them is answered at, the others' wishes are the same person's."""
        addresses, found = addresses_of(contact), self.matches.get(contact.id)
        whose = (*addresses, *((found.individual_id,) if isinstance(found, Matched) else ()))
        return Standing(
            forbidden=frozenset(method for each in addresses for method in self.forbidden.get(each, ())),
            urgent_waits=not self.urgent_waits.isdisjoint(addresses),
            budget_spent=max((self.spent.get(each, 0) for each in addresses), default=0),
            allocated=bool(self.allocated) and first_of(contact) in self.allocated,
            told=tuple(dict.fromkeys(each for one in whose for each in self.told.get(one, ()))),
            follows=self.follows.get(contact.id),
        )

    def learn(self, written: Consequences) -> None:
        """Take in what was decided, for the contacts after it in the batch."""
        decision = written.decision
        if written.allocation:
            self.allocated.add(written.allocation.contact_id)
        if new := written.newcomer:
            for one in (*new.points("email"), *new.points("phone"), *new.as_candidate().postcodes):
                self.newcomers.setdefault(one, []).append(new)
        if decision.individual_id:
            self.written.add(decision.individual_id)
            self.needs[decision.individual_id] = (*self.needs.get(decision.individual_id, ()), *written.needs)
            made = [(written.feedback, None)] if written.feedback else []
            made += [(written.handoff, written.handoff.team)] if written.handoff else []
            for each, team in made:
                known = self.unsettled.setdefault(decision.individual_id, [])
                known.append(Unsettled(each.id, team, each.case_reference))
        for address in written.addresses:
            self.forbidden.setdefault(address, set()).update(method for method, _ in written.restrictions)
        if decision.urgent:
            self.urgent_waits.update(written.addresses)
        for message in written.messages:
            if (
                message.audience is Audience.PERSON
                and message.state is OutgoingState.DUE
                and message.recipient
                and message.body
            ):
                self.spent[message.recipient] = self.spent.get(message.recipient, 0) + 1
                if message.kind is OutgoingKind.ACKNOWLEDGEMENT:
                    about, method = written.contact, message.body.channel
                    told = Told(message.id, about.id, about.received_at, about.channel, method, matter_of(decision))
                    for one in (*written.addresses, *((decision.individual_id,) if decision.individual_id else ())):
                        self.told.setdefault(one, []).append(told)


async def gather(
    connection: AsyncConnection, contacts: Sequence[tuple[Contact, Reading]], house: House, now: datetime
) -> Known:
    """Everything ``Known`` holds, for these contacts, in a number of statements that does not grow with them."""
    queries = {contact.id: query_of(contact, reading) for contact, reading in contacts}
    found = await search.candidates(connection, list(queries.values()), now.date())
    borne = await statistics(connection)
    candidates: dict[UUID, Sequence[Candidate]] = dict(zip(queries, found, strict=True))
    matches = {id_: match(query, candidates[id_], borne, house.weights) for id_, query in queries.items()}
    people = await search.people(connection, {each.individual_id for each in matches.values() if isinstance(each, Matched)})
    references = {each for query in queries.values() for each in query.case_references}
    references |= {each for person in people.values() for each in person.cases}
    cases = await search.cases(connection, references)
    known = Known(now.date(), house.own_addresses, queries, matches, cases, people, borne, house.weights, candidates=candidates)
    known.written.update(each.individual_id for each in people.values() if each.written_before)
    await _standing(connection, known, {each for contact, _ in contacts for each in addresses_of(contact)}, now.date())
    await _unsettled(connection, known)
    await _told(connection, known, [contact for contact, _ in contacts])
    await _follows(connection, known, {contact.id: answers_of(contact, house) for contact, _ in contacts})
    if posts := {first_of(contact) for contact, _ in contacts if contact.to_be_allocated}:
        told = tables.allocations
        found = await connection.execute(select(told.c.contact_id).where(among(told.c.contact_id, posts)))
        known.allocated.update(found.scalars())
    return known


async def _standing(connection: AsyncConnection, known: Known, addresses: Collection[str], today: date) -> None:
    wishes, sent, spent = tables.restrictions, tables.outgoing, tables.budgets
    for sender, method in await connection.execute(
        select(wishes.c.sender, wishes.c.method).where(among(wishes.c.sender, addresses))
    ):
        known.forbidden.setdefault(sender, set()).add(method)
    urgent = (
        among(sent.c.recipient, addresses)
        & (sent.c.state == OutgoingState.HELD.value)
        & sent.c.reason.in_(("urgent", "urgent-earlier"))
    )
    known.urgent_waits.update((await connection.execute(select(sent.c.recipient).where(urgent))).scalars())
    today_spent = select(spent.c.recipient, spent.c.spent).where(among(spent.c.recipient, addresses), spent.c.day == today)
    known.spent.update((recipient, number) for recipient, number in await connection.execute(today_spent))


async def _told(connection: AsyncConnection, known: Known, contacts: Sequence[Contact]) -> None:
    """Acknowledgements that their writers have had, or have on their way, of what came near these in time."""
    if not contacts:
        return
    sent, earlier, current, links = tables.outgoing, tables.contacts, tables.dispositions, tables.links
    since = min(each.received_at for each in contacts) - COVERS
    message = sent.c.id, sent.c.contact_id, sent.c.kind, sent.c.state, sent.c.body
    addresses = {each for contact in contacts for each in addresses_of(contact)}
    theirs = select(sent.c.recipient.label("whose"), *message).where(among(sent.c.recipient, addresses))
    counts_as = _counts_as(known)
    by_person = select(links.c.individual_id, *message).join(sent, sent.c.contact_id == links.c.contact_id)
    by_person = by_person.where(among(links.c.individual_id, counts_as), links.c.undone_at.is_(None))
    # First whose they are, by that alone: begun with what is recent or on its way, it would look through all that is so.
    found = union_all(theirs, by_person).cte("found").prefix_with("MATERIALIZED")
    going = (OutgoingState.DUE.value, OutgoingState.ACCEPTED.value, OutgoingState.DELIVERED.value)
    matter = func.coalesce(current.c.case_reference, current.c.kind).label("matter")
    query = (
        select(found, earlier.c.received_at, earlier.c.channel, matter)
        .join(earlier, earlier.c.id == found.c.contact_id)
        .join(current, (current.c.contact_id == earlier.c.id) & current.c.current.is_(True))
        .where(found.c.kind == OutgoingKind.ACKNOWLEDGEMENT.value, found.c.state.in_(going), earlier.c.received_at > since)
    )
    for row in await connection.execute(query):
        method = Outgoing.model_validate_json(row.body).channel
        told = Told(row.id, row.contact_id, row.received_at, row.channel, method, row.matter)
        whose: str = row.whose
        known.told.setdefault(counts_as.get(whose, whose), []).append(told)


async def _follows(connection: AsyncConnection, known: Known, answers: Mapping[UUID, Sequence[UUID]]) -> None:
    wanted = {each for ids in answers.values() for each in ids}
    if not wanted:
        return
    sent = tables.outgoing
    to_them = (sent.c.audience == Audience.PERSON.value) & sent.c.contact_id.is_not(None)
    found = await connection.execute(select(sent.c.id, sent.c.contact_id).where(among(sent.c.id, wanted), to_them))
    about = {row.id: row.contact_id for row in found}
    for contact_id, ids in answers.items():
        if earlier := next((about[each] for each in ids if each in about), None):
            known.follows[contact_id] = earlier


def _counts_as(known: Known) -> dict[str, str]:
    """Everybody whose links and records are one of these people's, with whose: those merged into them too."""
    return {each: person.individual_id for person in known.people.values() for each in (person.individual_id, *person.also)}


async def _unsettled(connection: AsyncConnection, known: Known) -> None:
    """What of theirs is unsettled, where the link stands by which it is theirs."""
    if not known.people:
        return
    records, handoffs, links = tables.feedback_records, tables.handoffs, tables.links
    counts_as = _counts_as(known)
    theirs = among(links.c.individual_id, counts_as), links.c.undone_at.is_(None)
    open_records = select(links.c.individual_id, records.c.id, records.c.case_reference).join(
        records, (records.c.contact_id == links.c.contact_id) & records.c.individual_id.is_not(None)
    )
    for individual, id_, case in await connection.execute(open_records.where(*theirs, records.c.settled.is_(False))):
        known.unsettled.setdefault(counts_as[individual], []).append(Unsettled(id_, None, case))
    open_handoffs = select(links.c.individual_id, handoffs.c.id, handoffs.c.case_reference, handoffs.c.team).join(
        handoffs, (handoffs.c.contact_id == links.c.contact_id) & handoffs.c.individual_id.is_not(None)
    )
    unsettled = handoffs.c.state.in_(("sent", "taken", "overdue"))
    for individual, id_, case, team in await connection.execute(open_handoffs.where(*theirs, unsettled)):
        known.unsettled.setdefault(counts_as[individual], []).append(Unsettled(id_, Team(team), case))


async def seen(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The fingerprints of those contacts that the register already has."""
    contacts = tables.contacts
    rows = await connection.execute(select(contacts.c.id, contacts.c.fingerprint).where(among(contacts.c.id, ids)))
    return {row.id: row.fingerprint for row in rows}
