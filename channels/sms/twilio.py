"""Twilio's webhooks: who signed them, and what they say.

X-Twilio-Signature is base64 of an HMAC over the URL that Twilio called and, of a form, each of its fields in order; of any other body
the URL has a SHA-256 (Twilio, "Webhooks security"). Where X-Twilio-Webhooks-Signature-Settings stands beside it, the secret is a shared
key's, and the algorithm is the one it names.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit
from uuid import UUID

from channels.sms.inbound import MOST_PICTURES, InboundText, Media, Receipt, Word, json_object, needed, word_of
from channels.sms.settings import SmsAccount
from ingest.contract import OutgoingState
from ingest.errors import Refused, Unreadable

CONTENT_HOSTS: Final = {
    "mms.twiliocdn.com": "/",
    "media.twiliocdn.com": "/",
    "s3-external-1.amazonaws.com": "/media.twiliocdn.com/",
}
"""Where Twilio's API sends on whoever fetches a picture, and below what path (Twilio, "Protect media access")."""

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 200
_ALGORITHMS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_WORDS: Final[Mapping[str, Word]] = {"STOP": "stop", "HELP": "help", "START": "start"}
_ENDS: Final = {
    "delivered": OutgoingState.DELIVERED,
    "undelivered": OutgoingState.FAILED,
    "failed": OutgoingState.FAILED,
    "canceled": OutgoingState.FAILED,
}
_MEDIA = re.compile(r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/Messages/[A-Z]{2}[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32}")
_CODE = re.compile(r"[0-9]{1,6}")


def verify(raw: bytes, headers: Mapping[str, str], url: str, account: SmsAccount) -> bool:
    """Whether Twilio signed it for us. ``url`` is the public one with its query."""
    chosen = headers.get("x-twilio-webhooks-signature-settings", "")
    secret = account.secret if chosen else account.token
    algorithm = _algorithm(chosen)
    if secret is None or algorithm is None:
        return False
    if _content_type(headers) == _FORM:
        try:
            signed = _signed_fields(raw)
        except ValueError:
            return False
    elif _has_hash(raw, url):
        signed = b""
    else:
        return False
    key, given = secret.get_secret_value().encode(), headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    return any(
        hmac.compare_digest(b64encode(hmac.new(key, _bytes(each) + signed, algorithm).digest()), given)
        for each in _spellings(url)
    )


def parse(raw: bytes, headers: Mapping[str, str]) -> InboundText:
    """The text that a webhook tells of. Raises Unreadable, and Refused where it tells of something else."""
    told = _fields(raw, headers)
    if "MessageStatus" in told and "Body" not in told:
        raise Refused("not-a-text", "It says what became of a text. Send such to /receipts.")
    some = min(_count(told, "NumMedia"), MOST_PICTURES)
    return InboundText(
        reference=needed(told, "MessageSid" if "MessageSid" in told else "SmsMessageSid"),
        sender=word_of(told, "From")[:255],
        to=word_of(told, "To")[:255],
        text=word_of(told, "Body"),
        media=tuple(_media(word_of(told, f"MediaUrl{n}"), word_of(told, f"MediaContentType{n}")) for n in range(some)),
        word=_WORDS.get(word_of(told, "OptOutType").upper()),
    )


def receipt(raw: bytes, headers: Mapping[str, str], url: str) -> Receipt:
    """What became of a text of ours, whose id is ``of`` in the query. Raises Unreadable."""
    told = _fields(raw, headers)
    status = needed(told, "MessageStatus")
    try:
        ours = UUID(parse_qs(urlsplit(url).query)["of"][0])
    except (ValueError, KeyError, IndexError) as error:
        raise Unreadable("unknown-outgoing", "Its address does not say which text of ours it is about.") from error
    state = _ENDS.get(status)
    code = word_of(told, "ErrorCode")
    reason = f"{status}: {code}" if _CODE.fullmatch(code) else status
    return Receipt(ours, state, reason if state is OutgoingState.FAILED else None)


def listed(item: Mapping[str, Any], media: tuple[Media, ...]) -> InboundText:
    """A text as GET Messages.json has it. Raises Unreadable."""
    told = dict(item)
    try:
        sent_at = parsedate_to_datetime(word_of(told, "date_sent"))
    except (ValueError, TypeError, IndexError, OverflowError):
        sent_at = None
    return InboundText(
        reference=needed(told, "sid"),
        sender=word_of(told, "from")[:255],
        to=word_of(told, "to")[:255],
        text=word_of(told, "body"),
        sent_at=sent_at,
        media=media,
    )


def fetchable(url: str, account: SmsAccount) -> bool:
    """Whether it is a picture of Twilio's, at the API that we ask: nothing else is ever fetched."""
    base = urlsplit(account.base)
    try:
        found = urlsplit(url)
    except ValueError:
        return False
    return (found.scheme, found.netloc) == (base.scheme, base.netloc) and bool(_MEDIA.fullmatch(found.path)) and not found.query


def sent_on(url: str, account: SmsAccount) -> bool:
    """Whether Twilio may send on to it whoever fetches a picture: to its own hosts of content, or within the API."""
    base = urlsplit(account.base)
    try:
        found = urlsplit(url)
    except ValueError:
        return False
    if (found.scheme, found.netloc) == (base.scheme, base.netloc):
        return True
    below = CONTENT_HOSTS.get(found.netloc)
    return found.scheme == "https" and below is not None and found.path.startswith(below) and ".." not in found.path


def _media(url: str, content_type: str) -> Media:
    return Media(url[:2048], content_type[:255], media_name(url))


def media_name(url: str) -> str:
    """What a picture is called, whether a webhook or the API names it: the id at the end of its address."""
    return url.partition("?")[0].rpartition("/")[2].removesuffix(".json")[:255]


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _algorithm(chosen: str) -> str | None:
    """The hash that the header names; None for one we do not know."""
    named = dict(part.strip().split("=", 1) for part in chosen.split(",") if "=" in part)
    return _ALGORITHMS.get(named.get("algorithm", "HMAC_SHA1").strip().upper())


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    """A form's fields, each byte as it came. Raises ValueError where there are too many."""
    text = raw.decode("ascii", "surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MOST_FIELDS)


def _signed_fields(raw: bytes) -> bytes:
    return b"".join(_bytes(name) + _bytes(value) for name, value in sorted(set(_pairs(raw))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _has_hash(raw: bytes, url: str) -> bool:
    given = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(hashlib.sha256(raw).hexdigest().encode(), _bytes(given.lower()))


def _spellings(url: str) -> tuple[str, str]:
    """With the port and without: Twilio signs either (twilio-python, ``RequestValidator.validate``)."""
    found = urlsplit(url)
    host, mark, _ = found.netloc.rpartition(":")
    port = "443" if found.scheme == "https" else "80"
    other = host if mark else f"{found.netloc}:{port}"
    return url, urlunsplit(found._replace(netloc=other))


def _fields(raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    if _content_type(headers) != _FORM:
        return json_object(raw)
    try:
        return {name: _bytes(value).decode("utf-8", "replace") for name, value in reversed(_pairs(raw))}
    except ValueError as error:
        raise Unreadable("too-many-fields", "It has more fields than any text.") from error


def _count(told: Mapping[str, Any], name: str) -> int:
    found = str(told.get(name, "0"))
    return int(found) if found.isascii() and found.isdigit() and len(found) < 4 else 0
