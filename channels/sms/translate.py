"""A text to a contact. Pure and total: what could not be read stands in its warnings, since the bytes are kept and a person must look.

A sender that is no telephone number has no answer to come to: a person sees it, and nothing is sent. One word that providers take for
"stop" is obeyed as a wish not to be sent texts, by the router and at once; "help" and "start" are left to a person, as help may be
meant.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from channels.sms.inbound import InboundText, Picture, canonical
from ingest.contract import Attachment, Contact, DeclaredFacts, Identifier, Person, Thread, UnsafeWay, within_limit
from ingest.files import label, label_of, tell
from ingest.ids import contact_id, digest

STOP_WORDS: Final = frozenset(
    {"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "OPT-OUT", "CANCEL", "REMOVE", "TD",
     "ARRET", "ARRÊT", "ARRETE", "ARRETT"}
)  # fmt: skip
"""What Twilio and AWS take for it (Twilio, "Advanced Opt-Out" and "Opt-out keywords"; AWS End User Messaging)."""

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


def translate(
    raw: bytes,
    text: InboundText | None,
    *,
    account: str,
    received_at: datetime,
    pictures: Sequence[Picture] = (),
    warnings: Sequence[str] = (),
) -> tuple[Contact, dict[str, bytes]]:
    """The contact a text is, and its pictures' bytes by their SHA-256; ``text`` is None for what its provider sent and we cannot read.

    ``warnings`` are added to the text's own.
    """
    try:
        if text is not None:
            return _translate(raw, text, account, received_at, pictures, (*text.flaws, *warnings))
    except Exception as error:  # noqa: BLE001 - total by promise: a person looks at the bytes
        return _unread(raw, account, received_at, type(error).__name__), {}
    return _unread(raw, account, received_at, "it is no text that we know"), {}


def stops(text: InboundText) -> bool:
    """Whether it is nothing but a word for "send me no more"."""
    return text.word == "stop" or _AROUND.sub("", text.text).upper() in STOP_WORDS


def _unread(raw: bytes, account: str, received_at: datetime, why: str) -> Contact:
    return Contact(
        id=contact_id("sms", account, digest(raw)),
        source=f"urn:contact-ingest:sms:{account}",
        channel="sms",
        account=account,
        received_at=received_at,
        text="",
        full_text="",
        original=digest(raw),
        warnings=(f"not-read: {why}",),
    )


def _translate(
    raw: bytes, text: InboundText, account: str, received_at: datetime, pictures: Sequence[Picture], warnings: Sequence[str]
) -> tuple[Contact, dict[str, bytes]]:
    identifier, suspicion = _sender(text.sender)
    full_text, cut = within_limit(text.text)
    stop = stops(text)
    unread = ("not-read: attachment-only",) if pictures and not full_text.strip() else ()
    contact = Contact(
        id=contact_id("sms", account, text.reference),
        source=f"urn:contact-ingest:sms:{account}",
        channel="sms",
        account=account,
        received_at=received_at,
        sent_at=text.sent_at,
        sender=Person(identifiers=(identifier,) if identifier else ()),
        text=full_text,
        full_text=full_text,
        full_text_cut=cut,
        original=digest(raw),
        attachments=tuple(_attachment(each, n) for n, each in enumerate(pictures, 1)),
        thread=Thread(message_id=text.reference),
        declared=DeclaredFacts(unsafe_ways=(UnsafeWay(method="sms", words=full_text.strip()),)) if stop else None,
        acknowledged=stop or text.word == "help",
        warnings=(*suspicion, *warnings, *unread),
    )
    return contact, {digest(each.content): each.content for each in pictures}


def _sender(given: str) -> tuple[Identifier | None, tuple[str, ...]]:
    if number := canonical(given):
        return Identifier(kind="phone", given=given, canonical=number), ()
    if name := given.strip():
        said = "suspected-robot: its sender is a name or a short code, and no telephone number"
        return Identifier(kind="handle", given=given, canonical=name.casefold()), (said,)
    return None, ("suspected-robot: it does not say who sent it",)


def _attachment(picture: Picture, number: int) -> Attachment:
    kind, _ = tell(picture.content)
    claimed = label(picture.content_type) if picture.content_type else "application/octet-stream"
    name = f"picture-{number}"
    return Attachment(
        digest=digest(picture.content),
        name=label_of(name, kind) if kind else name,
        content_type=kind.media_type(picture.content_type) if kind else claimed,
        size=len(picture.content),
    )
