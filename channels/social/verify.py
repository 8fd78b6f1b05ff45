"""Whether a request is the portal's, by its signature over the bytes as they came; and ours to it, by the same scheme.

Pure: the bytes, the headers, the settings and the time are values. By Standard Webhooks 1.0.0
(github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme" and "Webhook headers"): HMAC-SHA256 ``v1`` and
ed25519 ``v1a``, one or several in a header, over id, time and body; else by the HMAC that the settings describe. What is compared is
what a signature should read, and in constant time, so that nothing of a header is decoded but what ed25519 must.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from channels.social.settings import SHARED, THEIRS, Hmac, SocialAccount, keys_of
from ingest.errors import Refused
from ingest.ids import digest

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

_ID: Final = re.compile(r"[!-~]{1,256}")
_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_SECONDS_OR_MILLISECONDS: Final = re.compile(r"[0-9]{1,14}")
_MOST_SIGNATURES: Final = 10  # two keys, two schemes, and room
_MILLISECONDS: Final = 100_000_000_000  # seconds past the year 5000


def verify(body: bytes, headers: Iterable[tuple[str, str]], account: SocialAccount, now: datetime) -> str:
    """What the event is known by, the same on each retry: the portal's id of it, else the digest of its body.

    Raises Refused(``signature-missing`` | ``signature-stale`` | ``signature-wrong``).
    """
    told = [(name.lower(), value) for name, value in headers]
    if account.hmac is None:
        return _standard(body, told, account, now)
    return _by_hmac(body, told, account.hmac, account, now)


def sign(body: bytes, event: str, account: SocialAccount, now: datetime) -> Mapping[str, str]:
    """The headers that show a body to be ours; ``event`` is its id, the same on each retry."""
    seconds = str(int(now.timestamp()))
    if (scheme := account.hmac) is not None:
        expected = _expected(scheme, account.secret.get_secret_value(), seconds, body)
        at = {scheme.timestamp_header: seconds} if scheme.timestamp_header else {}
        return {ID: event, **at, scheme.header: expected.decode()}
    key = next(key for kind, key in keys_of(account.secret.get_secret_value()) if kind == SHARED)
    return {ID: event, TIMESTAMP: seconds, SIGNATURE: _v1(key, _content(event, seconds, body)).decode()}


def _standard(body: bytes, headers: list[tuple[str, str]], account: SocialAccount, now: datetime) -> str:
    event, seconds, given = (_one(headers, each) for each in (ID, TIMESTAMP, SIGNATURE))
    if not _ID.fullmatch(event) or not _SECONDS.fullmatch(seconds):
        raise Refused("signature-missing", f"{ID} is 1 to 256 visible characters, and {TIMESTAMP} whole seconds since 1970.")
    content = _content(event, seconds, body)
    keys = keys_of(account.secret.get_secret_value())
    signatures = [each.encode("latin-1", "replace") for each in given.split(" ")[:_MOST_SIGNATURES]]
    if not any(_is_by(key, kind, content, each) for kind, key in keys for each in signatures):
        raise _wrong()
    _fresh(int(seconds), now, account.tolerance)
    return event


def _by_hmac(body: bytes, headers: list[tuple[str, str]], scheme: Hmac, account: SocialAccount, now: datetime) -> str:
    given = _one(headers, scheme.header.lower())
    told = _one(headers, scheme.timestamp_header.lower()) if scheme.timestamp_header else "0"
    if not _SECONDS_OR_MILLISECONDS.fullmatch(told):
        raise Refused("signature-missing", f"{scheme.timestamp_header} is seconds or milliseconds since 1970.")
    if scheme.encoding == "hex":  # of which some write the letters large
        given = given.removeprefix(scheme.prefix).lower() if given.startswith(scheme.prefix) else ""
        given = scheme.prefix + given
    expected = _expected(scheme, account.secret.get_secret_value(), told, body)
    if not hmac.compare_digest(expected, given.encode("latin-1", "replace")):
        raise _wrong()
    if scheme.timestamp_header:
        number = int(told)
        _fresh(number // 1000 if number > _MILLISECONDS else number, now, account.tolerance)
    return digest(body)


def _one(headers: list[tuple[str, str]], name: str) -> str:
    """The header's one value: of two, somebody on the way may have believed the other."""
    found = [value.strip() for each, value in headers if each == name]
    if len(found) != 1 or not found[0]:
        raise Refused("signature-missing", f"The request must have the header {name}, once.")
    return found[0]


def _fresh(seconds: int, now: datetime, tolerance: timedelta) -> None:
    age = int(now.timestamp()) - seconds
    if abs(age) > tolerance.total_seconds():
        how = f"{age} s old" if age > 0 else f"{-age} s ahead of us"
        raise Refused(
            "signature-stale",
            f"The signature is {how}; {tolerance.total_seconds():.0f} s is the limit. Check the portal's clock.",
        )


def _wrong() -> Refused:
    return Refused("signature-wrong", "No signature of the request is by a key of ours over its bytes as they came.")


def _content(event: str, seconds: str, body: bytes) -> bytes:
    return f"{event}.{seconds}.".encode() + body


def _is_by(key: bytes, kind: str, content: bytes, given: bytes) -> bool:
    if kind == THEIRS:
        return _is_v1a(key, content, given)
    return hmac.compare_digest(_v1(key, content), given)


def _v1(key: bytes, content: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, content, "sha256"))


def _is_v1a(key: bytes, content: bytes, given: bytes) -> bool:
    version, _, encoded = given.partition(b",")
    if version != b"v1a":
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(encoded, validate=True), content)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _expected(scheme: Hmac, secret: str, told: str, body: bytes) -> bytes:
    """The header's value as it should read."""
    before, _, after = scheme.signed.replace("{timestamp}", told).partition("{body}")
    made = hmac.digest(secret.encode(), before.encode() + body + after.encode(), scheme.algorithm)
    written = made.hex().encode() if scheme.encoding == "hex" else base64.b64encode(made)
    return scheme.prefix.encode() + written
