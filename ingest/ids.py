"""Identities: derived where a repeat must be recognised, time-ordered where it must not.

A contact's id follows from where it came from (DESIGN promise 2), so the same letter taken in twice is one contact. Ids
of rows are UUIDv7, whose order in an index is the order of their making.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import uuid_utils.compat

from ingest.key import known

_CONTACTS = uuid5(NAMESPACE_URL, "urn:contact-ingest:contact")
_DERIVED = uuid5(NAMESPACE_URL, "urn:contact-ingest:derived")
_OF_DERIVED = hashlib.sha1(_DERIVED.bytes, usedforsecurity=False)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562 section 5.7)."""
    return uuid_utils.compat.uuid7()


def contact_id(channel: str, account: str, provider_reference: str) -> UUID:
    """The id of what a channel took in; for mail and scans the reference is the SHA-256 of the raw bytes."""
    return uuid5(_CONTACTS, f"{channel}\x1f{account}\x1f{provider_reference}")


def published_contact_id(ce_source: str, ce_id: str) -> UUID:
    """The id of a contact another system published: its own (``ce_source``, ``ce_id``), which CloudEvents makes unique."""
    return uuid5(_CONTACTS, f"published\x1f{ce_source}\x1f{ce_id}")


def derived_id(of: UUID, purpose: str) -> UUID:
    """An id that a re-run of the same decision gives again, for what a contact gives rise to."""
    digest = _OF_DERIVED.copy()  # uuid5 over _DERIVED, which begins anew each time, is half as fast
    digest.update(f"{of}\x1f{purpose}".encode())
    return UUID(bytes=digest.digest()[:16], version=5)


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def partition_key(secret: bytes, channel: str, canonical_sender: str | None, contact: UUID) -> str:
    """What keeps one sender's contacts in order without naming the sender on the topic; the contact's id if none is known."""
    if canonical_sender is None:
        return str(contact)
    return hmac.new(secret, f"{channel}\x1f{canonical_sender}".encode(), hashlib.sha256).hexdigest()[:32]


def erasure_mark(secret: bytes, kind: str, id_: str) -> str:
    """What is kept of a contact or an individual who was erased: it says of an id whether it is theirs, and nothing without the key."""
    return hmac.new(secret, f"erased\x1f{kind}\x1f{id_}".encode(), hashlib.sha256).hexdigest()


def erasure_marks(secret: bytes, kind: str, id_: str) -> list[str]:
    """The marks by which it is known that it was erased, whichever of our secrets was the one of the day: today's first."""
    return [erasure_mark(each, kind, id_) for each in known(secret)]


MARK = "ingestmark"
"""The CloudEvents extension that carries ``mark``."""


def mark(secret: bytes, ce_id: str, source: str, ce_type: str, body: bytes) -> str:
    """What shows that an event was written by somebody who has our key: whoever may write on a topic can name us as its source."""
    told = f"event\x1f{ce_id}\x1f{source}\x1f{ce_type}\x1f".encode()
    return hmac.new(secret, told + body, hashlib.sha256).hexdigest()


_TOKEN_MARK = 16


def reply_token(secret: bytes, contact: UUID, expires: datetime) -> str:
    """What ties whatever comes back with it to a contact of ours: 50 characters fit for a link. It tells nobody who reads it a thing but
    that id and when it ends, and is no proof of who sends it.
    """
    told = contact.bytes + int(expires.timestamp()).to_bytes(5)
    return base64.urlsafe_b64encode(told + _token_mark(secret, told)).decode().rstrip("=")


def replies_to(secret: bytes, token: str | None, now: datetime) -> UUID | None:
    """The contact that a token of ours ties to; None where there is none, it is not ours, or its time is over."""
    if not token or len(token) != 50 or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        return None  # the last character has bits to spare
    told, given = raw[:-_TOKEN_MARK], raw[-_TOKEN_MARK:]
    if not any(hmac.compare_digest(given, _token_mark(each, told)) for each in known(secret)):
        return None
    return UUID(bytes=told[:16]) if now.astimezone(UTC).timestamp() < int.from_bytes(told[16:]) else None


def _token_mark(secret: bytes, told: bytes) -> bytes:
    return hmac.new(secret, b"reply\x1f" + told, hashlib.sha256).digest()[:_TOKEN_MARK]


_BOUNCE_MARK = 10


def bounce_token(secret: bytes, outgoing: UUID) -> str:
    """What ties whatever comes back to the envelope's sender to a message of ours: 42 characters that any mail server leaves as they are,
    in upper case or in lower, and that leave room for a mailbox's own name (RFC 5321 section 4.5.3.1.1: 64 octets).
    """
    told = outgoing.bytes + _bounce_mark(secret, outgoing.bytes)
    return base64.b32encode(told).decode().rstrip("=").lower()


def bounced_by(secret: bytes, token: str | None) -> UUID | None:
    """The message that a token of ours ties to; None where there is none, or it is not ours."""
    if not token or len(token) != 42 or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper() + "======")
    except binascii.Error:
        return None
    outgoing = UUID(bytes=raw[:-_BOUNCE_MARK])
    ours = any(hmac.compare_digest(bounce_token(each, outgoing), token.lower()) for each in known(secret))
    return outgoing if ours else None


def _bounce_mark(secret: bytes, told: bytes) -> bytes:
    return hmac.new(secret, b"bounce\x1f" + told, hashlib.sha256).digest()[:_BOUNCE_MARK]


def reference(of: UUID, prefix: str = "CC") -> str:
    """What a person can read out on the telephone: ``CC-7F3KQ-92QXA``, from 50 bits of the id, without I, L, O or U."""
    number = int.from_bytes(hashlib.sha256(of.bytes).digest()[:8]) >> 14
    letters = "".join([_PAIRS[number >> shift & 1023] for shift in (40, 30, 20, 10, 0)])
    return f"{prefix}-{letters[:5]}-{letters[5:]}"
