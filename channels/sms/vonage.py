"""Vonage's signed webhooks of its SMS API, which has long texts come in parts, in any order (Vonage, "Inbound SMS").

``sig`` is over ``&name=value`` of every other field in order, where ``&`` and ``=`` within a value are written ``_`` (Vonage, "Signing
messages"). It signs a time as well, and a text that could not be delivered is sent again for 24 hours: no time makes one stale.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from channels.sms.inbound import InboundText, Part, Receipt, json_object, moment, needed, word_of
from channels.sms.settings import SmsAccount
from ingest.errors import Refused, Unreadable
from ingest.ids import digest

_MOST_FIELDS: Final = 100
_MOST_PARTS: Final = 255  # the network has one byte for it (3GPP TS 23.040 section 9.2.3.24.1)


def verify(raw: bytes, headers: Mapping[str, str], url: str, account: SmsAccount) -> bool:  # noqa: ARG001 - as every provider's
    """Whether Vonage signed it for us."""
    if account.token is None:
        return False
    try:
        told = _fields(raw, headers)
    except Unreadable:
        return False
    given = word_of(told, "sig").lower()
    signed = "".join(f"&{name}={_plain(word_of(told, name))}" for name in sorted(told) if name != "sig").encode(
        "utf-8", "surrogatepass"
    )
    secret = account.token.get_secret_value().encode()
    if account.signature == "md5-hash":
        wanted = hashlib.md5(signed + secret, usedforsecurity=False).hexdigest()  # it is what Vonage offers, by default
    else:
        wanted = hmac.new(secret, signed, account.signature).hexdigest()
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))


def parse(raw: bytes, headers: Mapping[str, str]) -> InboundText | Part:
    """The text, or the part of one, that a webhook tells of. Raises Unreadable, and Refused where it tells of something else."""
    told = _fields(raw, headers)
    if "status" in told and "text" not in told:
        raise Refused("not-a-text", "It says what became of a text, and by vonage we send none.")
    flaws = () if word_of(told, "type") in ("text", "unicode") else ("not-read: it is no text but data",)
    text = InboundText(
        reference=needed(told, "messageId"),
        sender=word_of(told, "msisdn")[:255],
        to=word_of(told, "to")[:255],
        text=word_of(told, "text"),
        sent_at=moment(word_of(told, "message-timestamp")),
        flaws=flaws,
    )
    if word_of(told, "concat").lower() != "true":
        return text
    number, total = _number(told, "concat-part"), _number(told, "concat-total")
    if not 1 <= number <= total <= _MOST_PARTS:
        return InboundText(
            text.reference, text.sender, text.to, text.text, text.sent_at,
            flaws=(*flaws, "not-read: it is one part of a longer text, and it cannot be told which"),
        )  # fmt: skip
    whole = digest(f"{text.sender}\x1f{text.to}\x1f{word_of(told, 'concat-ref')}\x1f{total}".encode("utf-8", "replace"))
    return Part(text, whole, number, total) if total > 1 else text


def receipt(raw: bytes, headers: Mapping[str, str], url: str) -> Receipt:  # noqa: ARG001 - as every provider's
    """Raises Unreadable: by Vonage we send nothing that anything could become of."""
    raise Unreadable("unknown-outgoing", "By vonage we send no texts.")


def _plain(value: str) -> str:
    return value.replace("&", "_").replace("=", "_")


def _number(told: Mapping[str, Any], name: str) -> int:
    found = str(told.get(name, ""))
    return int(found) if found.isascii() and found.isdigit() and len(found) < 5 else 0


def _fields(raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return json_object(raw)
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable("too-many-fields", "It has more fields than any text.") from error
    return dict(pairs)
