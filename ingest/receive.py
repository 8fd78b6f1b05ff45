"""The story of an arrival: keep the original, translate, scan, append, note the receipt; only then may the channel say yes."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import spans, state
from ingest.bounded import Bounded, Piece
from ingest.clock import now
from ingest.contract import Contact, Event, Person, Record, Thread, Trace, Verdict, encode, in_trace, topic_of
from ingest.database import Database, insert
from ingest.errors import Refused, Unavailable, Unreadable
from ingest.ids import MARK, mark, partition_key
from ingest.log import Log
from ingest.originals import Originals
from ingest.scan import Scan
from ingest.telemetry import PASSED_OVER, RECEIVED

CONTACTS = topic_of("contacts")
_SOME_CHARACTERS: Final = 2_000
_SCANNING_SECONDS: Final = 20.0  # for all attachments of one call; a stop waits for 25
_SCANS_AT_ONCE: Final = 4

Translated = tuple[Contact, dict[str, bytes]]
"""A contact, and its attachments' bytes by digest."""

Beside = Callable[[AsyncConnection, Sequence[Contact]], Awaitable[None]]
"""Writes the channel's own ledger, in the transaction of the receipts."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The bytes of one approach and, beside them, the pure function that makes a contact of them.

    ``translate`` never fails: what cannot be read becomes a contact that says so in its warnings, since the bytes are kept
    and a person must look. Its second answer is the attachments' bytes by digest. The contact's ``source`` is
    ``urn:contact-ingest:<channel>:<account>``, or a publisher's URN where ``published_as`` is the id of that publisher's event.

    ``otherwise`` are ways of reading less, for what may break whoever reads it: each is told why the one before it did not come to an
    end, and the last reads nothing (``ingest.bounded.Piece``).

    ``trace`` is the one that it came with.
    """

    original: bytes
    translate: Callable[[bytes], Translated]
    published_as: str | None = None
    otherwise: Sequence[Callable[[bytes, str], Translated]] = ()
    trace: Trace | None = None


def record_of(contact: Contact, key: bytes, published_as: str | None = None, trace: Trace | None = None) -> Record:
    """The contact as it is published: keyed by its sender without naming them (DESIGN, "The hot path"), and marked as ours.

    A publisher's has that publisher's own id and no mark: the router holds it to what its publisher may say. Its trace is in the headers
    alone, so that the same contact in another trace is no other contact.
    """
    canonical = next((each.canonical for each in contact.sender.identifiers), None)
    ce_id, body = published_as or str(contact.id), contact.model_dump_json().encode()
    ours = {} if published_as else {MARK: mark(key, ce_id, contact.source, CONTACTS.ce_type, body)}
    event = Event(
        id=ce_id,
        source=contact.source,
        type=CONTACTS.ce_type,
        data=body,
        time=contact.received_at,
        subject=str(contact.id),
        extensions=ours,
    )
    return in_trace(encode(event, partition_key(key, contact.channel, canonical, contact.id)), trace)


class _Wanted(NamedTuple):
    """What is to be on the log."""

    contact: Contact
    published_as: str | None
    trace: Trace | None

    def record(self, key: bytes) -> Record:
        """As it is there."""
        return record_of(self.contact, key, self.published_as, self.trace)


async def receive(
    arrivals: Sequence[Arrival],
    *,
    originals: Originals,
    log: Log,
    database: Database,
    key: bytes,
    scan: Scan | None = None,
    bounded: Bounded | None = None,
    beside: Beside | None = None,
) -> list[Contact]:
    """Take in some approaches; when this returns each is kept, on the log and in the receipts, and would survive a crash.

    ``scan`` looks at attachments that nobody has looked at; none is kept from the log for what it says, nor for its silence.
    ``bounded`` translates what has other ways of being read; without it all is translated in a thread.

    One that was erased and comes again, as when a mailbox is read anew, is not taken in again; what of it was kept now goes.

    Answers with the contacts in the order of their arrivals, as they stand on the log. Raises Unavailable (nothing was said
    yet: the same approaches again later come to the same contacts), and Refused where the log would not have a contact
    however much was cut from it.
    """
    if not arrivals:
        return []
    began = now()
    await originals.put([each.original for each in arrivals])
    translated = await _translated(arrivals, bounded)
    if attachments := {digest: content for _, files in translated for digest, content in files.items()}:
        await originals.put(list(attachments.values()))
    contacts = [contact for contact, _ in translated]
    with _spans(contacts, arrivals, began) as traces:
        if scan is not None:
            contacts = await _looked_at(contacts, attachments, scan, originals)
        async with database.read() as connection:
            gone = await state.erased_among(connection, key, {each.id for each in contacts})
        wanted = [
            _Wanted(contact, each.published_as, trace)
            for contact, each, trace in zip(contacts, arrivals, traces, strict=True)
            if contact.id not in gone
        ]
        appended = {each.id: each for each in await _append(wanted, log, key)}
        contacts = [appended.get(each.id, each) for each in contacts]
        async with database.write() as connection:
            fresh = await _note([each for each in contacts if each.id not in gone], connection)
            await _let_go([each for each in contacts if each.id in gone], connection)
            if beside is not None:
                await beside(connection, contacts)
    for contact in fresh:
        RECEIVED.labels(contact.channel).inc()
    return contacts


@contextmanager
def _spans(contacts: Sequence[Contact], arrivals: Sequence[Arrival], began: datetime) -> Generator[list[Trace | None]]:
    """A span for each contact that is accepted, in the trace that it came with or in its own."""
    if not spans.wanted():
        yield [each.trace for each in arrivals]
        return
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                spans.span(
                    "accept",
                    arrival.trace,
                    begins=contact.id,
                    kind="server",
                    began=began,
                    contact=str(contact.id),
                    channel=contact.channel,
                )
            ).trace
            for contact, arrival in zip(contacts, arrivals, strict=True)
        ]


async def _translated(arrivals: Sequence[Arrival], bounded: Bounded | None) -> list[Translated]:
    if bounded is None or not all(each.otherwise for each in arrivals):
        return await asyncio.to_thread(lambda: [each.translate(each.original) for each in arrivals])
    return await bounded.each([Piece(each.original, each.translate, each.otherwise) for each in arrivals])


async def _looked_at(contacts: list[Contact], at_hand: dict[str, bytes], scan: Scan, originals: Originals) -> list[Contact]:
    """The contacts with a verdict on each attachment that had none, as far as there was time for it."""
    verdicts: dict[str, Verdict] = {}

    async def look_at(digest: str) -> None:
        with suppress(KeyError, Unreadable, Unavailable):  # what cannot be had cannot be looked at
            content = at_hand[digest] if digest in at_hand else await originals.get(digest)
            verdicts[digest] = await scan(content)

    every = (each for contact in contacts for each in contact.attachments)
    unseen = list(dict.fromkeys(each.digest for each in every if each.verdict is Verdict.UNSCANNED))
    with suppress(TimeoutError):
        async with asyncio.timeout(_SCANNING_SECONDS):
            for at in range(0, len(unseen), _SCANS_AT_ONCE):
                await asyncio.gather(*map(look_at, unseen[at : at + _SCANS_AT_ONCE]))
    return [_with_verdicts(each, verdicts) for each in contacts]


def _with_verdicts(contact: Contact, verdicts: Mapping[str, Verdict]) -> Contact:
    seen = tuple(
        each.model_copy(update={"verdict": verdicts[each.digest]})
        if each.verdict is Verdict.UNSCANNED and each.digest in verdicts
        else each
        for each in contact.attachments
    )
    return contact if seen == contact.attachments else contact.model_copy(update={"attachments": seen})


async def _append(wanted: Sequence[_Wanted], log: Log, key: bytes) -> list[Contact]:
    try:
        await log.append(CONTACTS.name, [each.record(key) for each in wanted])
    except Refused:
        # One is too large. It must not keep its neighbours waiting, nor be lost.
        return [await _append_what_fits(each, log, key) for each in wanted]
    return [each.contact for each in wanted]


async def _append_what_fits(wanted: _Wanted, log: Log, key: bytes) -> Contact:
    *shorter, last = _shorter(wanted.contact)
    for each in shorter:
        try:
            await log.append(CONTACTS.name, [wanted._replace(contact=each).record(key)])
        except Refused:
            continue
        return each
    await log.append(CONTACTS.name, [wanted._replace(contact=last).record(key)])
    return last


def _shorter(contact: Contact) -> Iterator[Contact]:
    """The contact, then less and less of it: what can be had from the original goes first, who it is from last."""
    yield contact
    without = _cut(contact, "The quoted history was left out", full_text="", full_text_cut=True)
    yield without
    some = contact.text[:_SOME_CHARACTERS]
    yield _cut(contact, "All but the beginning was left out", text=some, full_text="", full_text_cut=True)
    yield _cut(
        contact,
        "All but the beginning, and every attachment's name, was left out",
        text=some,
        full_text="",
        full_text_cut=True,
        subject=contact.subject and contact.subject[:_SOME_CHARACTERS],
        sender=_known_by_one(contact.sender),
        on_behalf_of=contact.on_behalf_of and _known_by_one(contact.on_behalf_of),
        attachments=(),
        thread=Thread(),
        declared=None,
        warnings=(),
    )


def _known_by_one(person: Person) -> Person:
    return person.model_copy(update={"identifiers": person.identifiers[:1]})


def _cut(contact: Contact, what: str, **less: Any) -> Contact:
    warnings = less.pop("warnings", contact.warnings)
    warning = f"cut: {what}, since it is larger than the log takes. All of it is in the original."
    return contact.model_copy(update={**less, "warnings": (*warnings, warning)})


async def _let_go(contacts: Sequence[Contact], connection: AsyncConnection) -> None:
    """Have their originals removed, once it is seen that nothing else refers to those."""
    for each in contacts:
        PASSED_OVER.labels(each.channel, "erased").inc()
        await state.let_go_of(connection, {each.original, *(one.digest for one in each.attachments)}, each.received_at)


async def _note(contacts: Sequence[Contact], connection: AsyncConnection) -> list[Contact]:
    """Insert the receipts, and answer with the contacts that had none: a repeat is no new arrival."""
    by_id = {each.id: each for each in contacts}
    if not by_id:
        return []
    rows = [
        {
            "contact_id": each.id,
            "channel": each.channel,
            "account": each.account,
            "received_at": each.received_at,
            "original": each.original,
        }
        for each in by_id.values()
    ]
    new = insert(state.receipts).on_conflict_do_nothing().returning(state.receipts.c.contact_id)
    inserted = await connection.scalars(new, rows)
    return [by_id[contact_id] for contact_id in inserted]
