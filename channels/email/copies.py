"""The same mail twice: sent to two mailboxes of ours at once, or delivered twice on the way. Both are kept, and one is answered.

What is the same is what the sender wrote: who to, when, its Message-ID, subject and body, byte for byte. What servers on the way write
above it differs and counts for nothing.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from channels.email.mime import end_of_headers
from ingest.contract import Contact
from ingest.database import Database, among, insert
from ingest.state import mails

_TOLD: Final = re.compile(rb"(?im)^(?:from|to|cc|date|subject|message-id|in-reply-to|content-type)[ \t]*:.*(?:\r?\n[ \t].*)*")
_MESSAGE_ID: Final = re.compile(rb"(?im)^message-id[ \t]*:[ \t]*(?:\r?\n[ \t]+)?<[^<>\s]{3,990}>")


def fingerprint(raw: bytes) -> str | None:
    """The same for each copy of a mail; None where the mail has no Message-ID, since what robots send alike would be one mail."""
    found = end_of_headers(raw)
    if found is None or not _MESSAGE_ID.search(raw, 0, found[0]):
        return None
    end, body = found
    told = hashlib.sha256()
    for field in sorted(_TOLD.findall(raw, 0, end)):
        told.update(b" ".join(field.split()) + b"\0")
    told.update(memoryview(raw)[body:])
    return told.hexdigest()


async def first_of_each(database: Database, found: Sequence[tuple[str, UUID]]) -> Mapping[str, UUID]:
    """By fingerprint, the contact that the first copy is; of a mail that nobody had, the one given. Raises Unavailable.

    It stands before anything of the mail is on the log: two mailboxes that are read at once agree on which is first, and so does
    whoever reads either again.
    """
    wanted = dict(reversed(found))
    if not wanted:
        return {}
    rows = [{"fingerprint": each, "contact_id": wanted[each]} for each in sorted(wanted)]
    async with database.write() as connection:
        await connection.execute(insert(mails).on_conflict_do_nothing(), rows)
        standing = await connection.execute(select(mails).where(among(mails.c.fingerprint, list(wanted))))
        return {row.fingerprint: row.contact_id for row in standing}


def marked(contact: Contact, first: UUID) -> Contact:
    """The contact of a copy, about which nothing is sent by itself."""
    warning = f"same-mail: it came before, as contact {first}, which is answered; nothing is sent about this one by itself"
    return contact.model_copy(update={"acknowledged": True, "warnings": (*contact.warnings, warning)})
