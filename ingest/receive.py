"""The story of an arrival: keep the original, translate, append, note the receipt; only then may the channel say yes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.contract import Contact, Event, Record, encode, topic_of
from ingest.database import Database
from ingest.ids import partition_key
from ingest.log import Log
from ingest.originals import Originals

CONTACTS = topic_of("contacts")


@dataclass(frozen=True, slots=True)
class Arrival:
    """The bytes of one approach and, beside them, the pure function that makes a contact of them.

    ``translate`` never fails: what cannot be read becomes a contact that says so in its warnings, since the bytes are kept
    and a person must look. Its second answer is the attachments' bytes by digest.
    """

    original: bytes
    translate: Callable[[bytes], tuple[Contact, dict[str, bytes]]]


def record_of(contact: Contact, key: bytes) -> Record:
    """The contact as it is published: keyed by its sender without naming them (DESIGN, "The hot path")."""
    canonical = next((each.canonical for each in contact.sender.identifiers), None)
    event = Event(
        id=str(contact.id),
        source=contact.source,
        type=CONTACTS.ce_type,
        data=contact.model_dump_json().encode(),
        time=contact.received_at,
        subject=str(contact.id),
    )
    return encode(event, partition_key(key, contact.channel, canonical, contact.id))


async def receive(
    arrivals: Sequence[Arrival],
    *,
    originals: Originals,
    log: Log,
    database: Database,
    key: bytes,
    clock: Clock,
    beside: Callable[[AsyncConnection, Sequence[Contact]], "object"] | None = None,
) -> list[Contact]:
    """Take in some approaches; when this returns each is kept, on the log and in the receipts, and would survive a crash.

    ``beside`` writes the channel's own ledger in the transaction of the receipts. Raises Unavailable (nothing was said yet:
    the same approaches again later come to the same contacts) and Refused where the log refuses a record.
    """
    raise NotImplementedError
