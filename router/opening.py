"""A record off the log opened: decoded, held to what its publisher may say, and read. It runs in processes of its own (``readers``)."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from ingest.contract import Allocation, Contact, Event, HandoffReceipt, Record, Topic, decode, major_version, topic_of, trace_of
from ingest.errors import Unreadable
from ingest.ids import MARK, digest, mark, published_contact_id
from ingest.key import known
from ingest.settings import Publisher
from router import wording
from router.consequences import House
from router.read import Reading, read, signs_in

OWN_SOURCE: Final = "urn:contact-ingest:"
NOT_OURS: Final = "not-ours"
_CONTACTS: Final = topic_of("contacts")
_ALLOCATIONS: Final = topic_of("allocations")
_RECEIPTS: Final = topic_of("handoffs.receipts")
_STEM, _MAJOR = major_version(_CONTACTS.ce_type) or ("", 0)


class Readable(NamedTuple):
    """A contact, the fingerprint by which a repeat is told from another, and what it says."""

    contact: Contact
    fingerprint: str
    reading: Reading


class Unknown(NamedTuple):
    """Of a major version that this release does not know."""

    ce_type: str
    contact_id: UUID | None


class Unopened(NamedTuple):
    """What no release could read, with the reason and a sentence that holds nothing of it."""

    reason: str
    sentence: str


Opened = Readable | Unknown | Unopened


@dataclass(frozen=True, slots=True)
class Terms:
    """What opening must know: who may publish, the key of our own mark, and our own words, which are not read as theirs."""

    publishers: Mapping[str, Publisher]
    key: bytes
    house: House


class UnknownVersion(Exception):
    """The record is of a major version that this release does not know."""

    def __init__(self, ce_type: str, contact_id: UUID | None) -> None:
        super().__init__(ce_type)
        self.ce_type = ce_type
        self.contact_id = contact_id


def prepare() -> None:
    """Load what reading loads at its first use, such as models: half a second, which copies of this process then need not spend."""
    read("email", None, "Nobody rang.")


def opened(records: Sequence[Record], terms: Terms) -> list[Opened]:
    """Each record, opened by itself: one poison does not stop its neighbours."""
    return [_opened(each, terms) for each in records]


def _opened(record: Record, terms: Terms) -> Opened:
    try:
        contact, fingerprint = contact_of(record, terms.publishers, terms.key)
        return Readable(contact, fingerprint, reading_of(contact, terms.house))
    except UnknownVersion as error:
        return Unknown(error.ce_type, error.contact_id)
    except Unreadable as error:
        return Unopened(error.reason, error.sentence)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
        return poison(error)


def poison(error: BaseException) -> Unopened:
    """What broke whatever read it."""
    return Unopened("poison", type(error).__name__)


def identity_of(record: Record) -> UUID | None:
    """The id of the contact in a record, by its envelope alone; None where the envelope does not tell it."""
    try:
        event = decode(record)
    except Unreadable:
        source, ce_id = record.header("ce_source") or "", record.header("ce_id") or ""
    else:
        source, ce_id = event.source, event.id
    if not source.startswith(OWN_SOURCE):
        return published_contact_id(source, ce_id) if source and ce_id else None
    try:
        return UUID(ce_id)
    except ValueError:
        return None


def contact_of(record: Record, publishers: Mapping[str, Publisher], key: bytes) -> tuple[Contact, str]:
    """The contact in a record, with its publisher held to what it may say, and the fingerprint by which a repeat is told from another.

    Raises UnknownVersion, and Unreadable: those of ``decode``, ``unknown-type``, ``unknown-publisher``, ``not-ours``,
    ``breaks-the-contract`` (naming the field), ``claims-another-source``.
    """
    event = decode(record)
    publisher = publishers.get(event.source)
    if publisher is None and not event.source.startswith(OWN_SOURCE):
        raise Unreadable("unknown-publisher", "The settings name no publisher by its ce_source.")
    if publisher is None and not is_ours(event, key):
        raise Unreadable(NOT_OURS, "It says that it is from us, and has not the mark that only we can make.")
    version = major_version(event.type)
    if version is None or version[0] != _STEM:
        raise Unreadable("unknown-type", f"Its ce_type is another than {_CONTACTS.ce_type}, which this topic carries.")
    if version[1] != _MAJOR:
        raise UnknownVersion(event.type, identity_of(record))
    try:
        contact = Contact.model_validate_json(event.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise Unreadable("breaks-the-contract", f"{where}: {first['msg']}") from error
    if contact.source != event.source:
        raise Unreadable("claims-another-source", "The contact's source is not the event's.")
    if (trace := trace_of(record, event)) != contact.trace:
        contact = contact.model_copy(update={"trace": trace})
    if publisher is None:
        # Our ids follow from the original: the same letter translated again, by another release or as back-fill, is no other letter.
        return contact, contact.original
    return _held_to(contact, event.id, publisher), digest(event.data)


def allocation_of(record: Record, publishers: Mapping[str, Publisher], key: bytes) -> Allocation:
    """What was decided about a post, by our own mark or by a publisher that may decide it: it lets something be sent to a person.

    Raises Unreadable: those of ``decode``, ``may-not-allocate``, ``not-ours``, ``unknown-type``, ``breaks-the-contract``.
    """
    event, publisher = _told_by(record, _ALLOCATIONS, publishers, key)
    if publisher is not None and not publisher.may_allocate:
        raise Unreadable("may-not-allocate", f"The settings do not let {event.source} allocate ([publishers] may_allocate).")
    try:
        told = Allocation.model_validate_json(event.data)
    except ValidationError as error:
        raise Unreadable("breaks-the-contract", "It is no allocation.") from error
    if publisher is None:
        return told
    return told.model_copy(update={"id": published_contact_id(event.source, event.id), "by": f"{told.by} ({event.source})"})


class Receipt(NamedTuple):
    """What a team says of a handoff, and for which teams its publisher may speak; for any, where we say it ourselves."""

    told: HandoffReceipt
    teams: tuple[str, ...] | None


def receipt_of(record: Record, publishers: Mapping[str, Publisher], key: bytes) -> Receipt:
    """What became of a handoff, by our own mark or by a publisher that may speak for a team.

    Raises Unreadable: those of ``decode``, ``may-not-take``, ``not-ours``, ``unknown-type``, ``breaks-the-contract``.
    """
    event, publisher = _told_by(record, _RECEIPTS, publishers, key)
    if publisher is not None and not publisher.may_take:
        raise Unreadable("may-not-take", f"The settings let {event.source} speak for no team ([publishers] may_take).")
    try:
        told = HandoffReceipt.model_validate_json(event.data)
    except ValidationError as error:
        raise Unreadable("breaks-the-contract", "It is no receipt of a handoff.") from error
    if publisher is None:
        return Receipt(told, None)
    return Receipt(told.model_copy(update={"by": f"{told.by} ({event.source})"}), publisher.may_take)


def _told_by(record: Record, topic: Topic, publishers: Mapping[str, Publisher], key: bytes) -> tuple[Event, Publisher | None]:
    """The event in a record of a topic, and which publisher says so; None where we do, by our own mark. Raises Unreadable."""
    event = decode(record)
    publisher = publishers.get(event.source)
    if publisher is None and not (event.source.startswith(OWN_SOURCE) and is_ours(event, key)):
        raise Unreadable(
            NOT_OURS, "No publisher that the settings name says so, and it has not the mark that only we can make."
        )
    if event.type != topic.ce_type:
        raise Unreadable("unknown-type", f"Its ce_type is another than {topic.ce_type}, which this topic carries.")
    return event, publisher


def record_in(row: Any) -> Record:
    """The record that a row keeps: of the outbox, one that was parked, or a dead letter."""
    return Record(row.key, row.value, tuple((name, raw.encode("latin-1")) for name, raw in row.headers))


def is_ours(event: Event, key: bytes) -> bool:
    """Whether an event has the mark that only our key makes."""
    given = event.extensions.get(MARK, "").encode()
    wanted = [mark(each, event.id, event.source, event.type, event.data) for each in known(key)]
    return any(hmac.compare_digest(given, each.encode()) for each in wanted)


def _held_to(contact: Contact, ce_id: str, publisher: Publisher) -> Contact:
    """A publisher's contact, less what the settings do not let it say; its id is derived, so that it can take nobody else's."""
    sender = contact.sender
    if not publisher.may_vouch:
        sender = sender.model_copy(
            update={"identifiers": tuple(each.model_copy(update={"verified_by": None}) for each in sender.identifiers)}
        )
    return contact.model_copy(
        update={
            "id": published_contact_id(contact.source, ce_id),
            "sender": sender,
            "acknowledged": contact.acknowledged and publisher.may_acknowledge,
            "backfill": contact.backfill and publisher.may_backfill,
            "post": None,  # where we answer is for our own channel to say
            "needs_allocation": contact.needs_allocation or (contact.to_be_allocated and not publisher.may_allocate),
        }
    )


def reading_of(contact: Contact, house: House) -> Reading:
    """What a contact says and declares, less what it quotes of our own acknowledgements.

    What it asks is read in its new words; signs of harm are looked for in all of its words, since trimming may cut too much.
    """
    ours = wording.own_words(house.acknowledgement)  # pyright: ignore[reportArgumentType] - a frozen model is hashable
    whole = ours.sub(" ", contact.full_text)
    new = ours.sub(" ", contact.text) or whole
    reading = read(
        contact.channel,
        contact.subject,
        new,
        contact.declared,
        for_another=contact.on_behalf_of is not None,
        automatic_at=house.reading.automatic_at,
    )
    if new == whole:
        return reading
    quoted = signs_in(contact.channel, whole)
    return replace(reading, signs=(*reading.signs, *(each for each in quoted if each not in reading.signs)))
