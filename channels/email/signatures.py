"""Who signed a mail, looked up by ourselves: a check of its DKIM signatures for whom our own mail server gives no verdict.

RFC 6376, with what RFC 8301 forbids left out; aligned with From as RFC 7489 section 3.1 has it. A signature that holds says that the mail
comes through the domain in From, and nothing about whoever sat there. Where the DNS is away, or anything is in doubt, nothing is said and
the mail goes on. dkimpy checks the bytes; the keys are fetched beforehand, so that one deadline bounds all that waits for the network.
"""

import asyncio
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import dkim
from dns.asyncresolver import Resolver
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer
from publicsuffixlist import PublicSuffixList

from channels.email.mime import end_of_headers

DEADLINE_SECONDS: Final = 5.0
"""For all that is asked of the DNS about one mail."""
REST_SECONDS: Final = 30.0
MOST_BYTES: Final = 10_000_000
MOST_SIGNATURES: Final = 4
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_FROM = re.compile(rb"(?im)^from[ \t]*:((?:[^\r\n]|\r\n[ \t]){0,2000})(?=\r\n|\Z)")
_FROMS = re.compile(rb"(?im)^from[ \t]*:")
_SIGNATURE = re.compile(rb"(?im)^dkim-signature[ \t]*:((?:[^\r\n]|\r\n[ \t]){0,8000})")
_IN_ANGLES = re.compile(r"<[ \t]*([^\s<>]{1,320})[ \t]*>[ \t]*\Z")
_SLOW = re.compile(rb"[ \t]{200}")
"""Runs of white space this long cost dkimpy the square of their length."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A signature that would be aligned with From, if it holds: which of the mail's it is, whose, and where its key lies."""

    place: int
    domain: str
    name: str
    by: str  # the domain of whoever it says signed, within its own


class Signatures:
    """Looks signatures up in one DNS, and leaves it alone for a while where it has kept us waiting: no mailbox stands still for it."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._rests_until = 0.0

    async def signed_for(self, raw: bytes) -> str | None:
        """The address in From, in lower case, where a signature aligned with its domain holds; None where nothing can be said."""
        sender = _sender(raw)
        domain = (sender or "").rpartition("@")[2]
        claims = _claims(raw, domain) if sender else []
        if not claims:
            return None
        own, wider = f"_dmarc.{domain}", f"_dmarc.{organisation(domain)}"
        records = await self._records({own, wider, *(each.name for each in claims)})
        if records is None:
            return None
        strict = _is_strict(records[own] or records[wider])
        for claim in claims:
            if (claim.domain == domain or not strict) and await asyncio.to_thread(_holds, raw, claim, records[claim.name]):
                return sender
        return None

    async def _records(self, names: set[str]) -> dict[str, tuple[bytes, ...]] | None:
        """The TXT records of each name; None where those of any cannot be known."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                found = await asyncio.gather(*(_texts(self._resolver, each) for each in names))
        except (TimeoutError, Timeout):
            self._rests_until = loop.time() + REST_SECONDS
            return None
        except (DNSException, OSError):
            return None
        return dict(zip(names, found, strict=True))


def of_this_machine() -> Signatures | None:
    """By the DNS that this machine uses; None where it has none."""
    try:
        return Signatures(Resolver())
    except DNSException:
        return None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def organisation(domain: str) -> str:
    """The organisational domain (RFC 7489 section 3.2), by the list of public suffixes; the domain itself where it is one of them."""
    return _suffixes().privatesuffix(domain) or domain


def _sender(raw: bytes) -> str | None:
    """The one address in the one From; None where mail programs might disagree which that is, or the mail is too large to look at."""
    head = _head(raw)
    plain = head and len(raw) <= MOST_BYTES and not _SLOW.search(raw)
    if not plain or re.search(rb"\r(?!\n)|(?<!\r)\n|\0", head) or len(_FROMS.findall(head)) != 1:
        return None
    given = _FROM.search(head)
    written = re.sub(r"\r\n", "", given[1].decode("ascii", "replace")).strip().lower() if given else ""
    angled = _IN_ANGLES.search(written)
    address = angled[1] if angled else written
    local, _, domain = address.rpartition("@")
    one = written.count("@") == 1 and re.fullmatch(r"[^\s@\"(),:;<>\[\]\\]{1,64}", local)
    return address if one and _DOMAIN.fullmatch(domain) else None


def _head(raw: bytes) -> bytes:
    """The headers; none where they end as a mail program that sends by SMTP would not have it (RFC 5321 section 2.3.8)."""
    end, body = end_of_headers(raw) or (0, 0)
    return raw[:end] if raw[end:body] == b"\r\n\r\n" else b""


def _claims(raw: bytes, domain: str) -> list[_Claim]:
    """Those of the mail's first few signatures that would count: aligned, of all of the body, and by no algorithm that is forbidden."""
    found: list[_Claim] = []
    for place, value in enumerate(_SIGNATURE.findall(_head(raw))[:MOST_SIGNATURES]):
        tags = _tags(value.decode("ascii", "replace"))
        signer, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
        name = f"{selector}._domainkey.{signer}"
        counts = tags.get("a", "").lower() in {"rsa-sha256", "ed25519-sha256"} and "l" not in tags
        if counts and _DOMAIN.fullmatch(signer) and _DOMAIN.fullmatch(name) and organisation(signer) == organisation(domain):
            found.append(_Claim(place, signer, name, tags.get("i", signer).lower().rpartition("@")[2]))
    return found


def _tags(value: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in value.split(";"))
    return {name.strip(): re.sub(r"\s", "", given) for name, equals, given in pairs if equals}


async def _texts(resolver: Resolver, name: str) -> tuple[bytes, ...]:
    """The TXT records of a name; none where it has none. Raises DNSException where that cannot be known."""
    try:
        answer = await resolver.resolve(name, "TXT", lifetime=DEADLINE_SECONDS)
    except (NXDOMAIN, NoAnswer):
        return ()
    return tuple(b"".join(each.strings) for each in answer)


def _is_strict(records: tuple[bytes, ...]) -> bool:
    """Whether the domain wants its very own signature; two policies are none (RFC 7489 section 6.6.3)."""
    policies = [_tags(each.decode("ascii", "replace")) for each in records if each.lower().startswith(b"v=dmarc1")]
    return len(policies) == 1 and policies[0].get("adkim", "r").lower() == "s"


def _holds(raw: bytes, claim: _Claim, records: tuple[bytes, ...]) -> bool:
    """Whether a signature is of the mail by the key that its domain publishes, which is not there for testing only."""
    if len(records) != 1:
        return False
    flags = _tags(records[0].decode("ascii", "replace")).get("t", "").lower().split(":")
    if "y" in flags or ("s" in flags and claim.by != claim.domain):
        return False

    def key(_: bytes, **__: float) -> bytes:
        return records[0]

    try:
        return bool(dkim.DKIM(raw, minkey=1024).verify(claim.place, dnsfunc=key))
    except Exception:  # noqa: BLE001 - of whatever a stranger signed, and however a library stumbles over it, nothing can be said
        return False
