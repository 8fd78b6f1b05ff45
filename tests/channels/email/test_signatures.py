"""A signature that we check ourselves tells that mail came through the domain in From, and whatever is in doubt tells nothing."""

import base64
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from time import process_time
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channels.email import signatures
from channels.email.signatures import Signatures, organisation
from channels.email.translate import translate
from tests.servers.dns import DnsServer, dns_server

LETTER = b"From: Joan Pettifer <Joan@mail.example.co.uk>\r\nTo: care@ombudsman.example\r\nSubject: My complaint\r\n\r\nNobody rang me.\r\n"
SENDER = "joan@mail.example.co.uk"


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def published(key: RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


@pytest.fixture
async def server(key: RSAPrivateKey) -> AsyncGenerator[DnsServer]:
    async with dns_server() as made:
        for domain in ("mail.example.co.uk", "example.co.uk", "other.co.uk"):
            made.texts[f"s1._domainkey.{domain}"] = [published(key)]
        yield made


@pytest.fixture
def signed(key: RSAPrivateKey) -> Callable[..., bytes]:
    def sign(domain: str = "mail.example.co.uk", raw: bytes = LETTER, *, by: RSAPrivateKey | None = None, **how: Any) -> bytes:
        pem = (by or key).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        how = {"canonicalize": (b"relaxed", b"relaxed"), **how}
        return dkim.sign(raw, b"s1", domain.encode(), pem, **how) + raw

    return sign


async def said(raw: bytes, server: DnsServer) -> str | None:
    return await Signatures(server.resolver()).signed_for(raw)


def verified(raw: bytes, signed_for: str | None, authserv_id: str | None = None) -> str | None:
    contact, _ = translate(
        raw,
        account="care",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        backfill=False,
        authserv_id=authserv_id,
        signed_for=signed_for,
    )
    return contact.sender.identifiers[0].verified_by


@pytest.mark.parametrize("domain", ["mail.example.co.uk", "example.co.uk"])
async def test_a_signature_of_the_senders_domain_or_of_its_organisation_verifies_the_sender(domain, signed, server):
    raw = signed(domain)
    assert await said(raw, server) == SENDER
    assert verified(raw, SENDER) == "dkim"


async def test_another_signature_beside_it_does_no_harm(signed, server):
    assert await said(signed("mail.example.co.uk", signed("other.co.uk")), server) == SENDER
    assert await said(signed("other.co.uk", signed("mail.example.co.uk")), server) == SENDER
    assert not [each for each in server.asked if "other" in each], "whoever else signed is not asked for"


TAMPERED = {
    "nobody signed it": lambda _: LETTER,
    "another domain signed it": lambda signed: signed("other.co.uk"),
    "the words are others": lambda signed: signed().replace(b"Nobody", b"Somebody"),
    "the sender is another": lambda signed: signed().replace(b"Joan@", b"Mallory@"),
    "there are two senders": lambda signed: b"From: mallory@mail.example.co.uk\r\n" + signed(),
    "a lone CR hides a sender": lambda signed: signed().replace(b"Subject: My", b"Subject: \rFrom: mallory@mail.example.co.uk\rX: My"),
    "more was written below what is signed": lambda signed: signed(length=True) + b"And send me money.\r\n",
    "From holds two addresses": lambda signed: signed(raw=LETTER.replace(b"Joan Pettifer", b'"x@y.org"')),
    "it would cost too much to look": lambda signed: signed(raw=LETTER + b" " * 300),
    "the head has no end": lambda _: b"DKIM-Signature: v=1\r\nFrom: joan@mail.example.co.uk",
}  # fmt: skip


@pytest.mark.parametrize("make", TAMPERED.values(), ids=TAMPERED.keys())
async def test_what_is_not_the_mail_that_its_sender_signed_is_verified_by_nothing(make, signed, server):
    assert await said(make(signed), server) is None


KEYS = {
    "there is none": lambda _: [],
    "it is another": lambda _: [published(generate_private_key(65537, 2048))],
    "there are two": lambda key: [published(key), f"{published(key)}; n=newer"],
    "it was revoked": lambda _: ["v=DKIM1; p="],
    "it is only for testing": lambda key: [f"{published(key)}; t=y"],
    "it is rubbish": lambda _: ["v=DKIM1; k=rsa; p=!!!"],
}  # fmt: skip


@pytest.mark.parametrize("records", KEYS.values(), ids=KEYS.keys())
async def test_a_key_that_is_in_doubt_verifies_nothing(records, signed, server, key):
    server.texts["s1._domainkey.mail.example.co.uk"] = records(key)
    assert await said(signed(), server) is None


async def test_a_key_too_short_to_be_believed_verifies_nothing(signed, server):
    short = generate_private_key(65537, 1024)
    server.texts["s1._domainkey.mail.example.co.uk"] = [published(short)]
    assert await said(signed(by=short), server) == SENDER, "the shortest that RFC 8301 lets pass"
    assert await said(signed().replace(b"a=rsa-sha256", b"a=rsa-sha1"), server) is None


@pytest.mark.parametrize("where", ["_dmarc.mail.example.co.uk", "_dmarc.example.co.uk"])
async def test_a_domain_that_wants_its_very_own_signature_is_obeyed(where, signed, server):
    server.texts[where] = ["v=DMARC1; p=reject; adkim=s"]
    assert await said(signed("example.co.uk"), server) is None
    assert await said(signed("mail.example.co.uk"), server) == SENDER


@pytest.mark.parametrize("away", ["refuses", "silent"])
async def test_where_the_dns_is_away_nothing_is_said_and_it_is_not_waited_for_again_and_again(
    away, signed, server, monkeypatch
):
    monkeypatch.setattr(signatures, "DEADLINE_SECONDS", 0.3)
    setattr(server, away, True)
    looking = Signatures(server.resolver())
    assert await looking.signed_for(signed()) is None
    asked = len(server.asked)
    assert await looking.signed_for(signed()) is None
    assert (len(server.asked) == asked) is (away == "silent")


def test_our_own_mail_servers_word_goes_before_our_own_check():
    told = b"Authentication-Results: mx.example.net; dmarc=%s header.from=mail.example.co.uk\r\n" + LETTER
    assert verified(told % b"fail", SENDER, "mx.example.net") is None
    assert verified(told % b"pass", None, "mx.example.net") == "dmarc"
    assert verified(told % b"none", SENDER, "mx.example.net") == "dkim"


@pytest.mark.parametrize("signed_for", [None, "mallory@mail.example.co.uk", "joan@example.co.uk"])
def test_a_signature_for_anybody_else_verifies_nobody(signed_for):
    assert verified(LETTER, signed_for) is None


@pytest.mark.parametrize(
    "results",
    [
        b"spf=pass smtp.mailfrom=mail.example.co.uk",
        b"spf=pass smtp.mailfrom=mail.example.co.uk; dkim=pass header.d=mail.example.co.uk",
        b"dmarc=pass header.from=example.org",
        b"dmarc=pass",
        b"x=1 (dmarc=pass header.from=mail.example.co.uk)",
    ],
)
def test_what_is_not_a_pass_of_dmarc_for_the_very_domain_verifies_nobody(results: bytes):
    assert verified(b"Authentication-Results: mx.example.net; " + results + b"\r\n" + LETTER, None, "mx.example.net") is None


def test_only_the_topmost_results_of_our_own_server_count():
    forged = b"Authentication-Results: mx.example.net; dmarc=pass header.from=mail.example.co.uk\r\n"
    theirs = b"Authentication-Results: mx.elsewhere.example; dmarc=pass header.from=mail.example.co.uk\r\n"
    ours = b"Authentication-Results: mx.example.net; spf=pass; dmarc=fail header.from=mail.example.co.uk\r\n"
    assert verified(ours + forged + LETTER, None, "mx.example.net") is None
    assert verified(theirs + LETTER, None, "mx.example.net") is None
    assert verified(forged + LETTER, None, None) is None


@pytest.mark.parametrize(
    ("domain", "whose"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("co.uk", "co.uk"),
        ("jo.github.io", "jo.github.io"),
    ],
)
def test_the_organisation_is_told_by_the_list_of_public_suffixes(domain: str, whose: str):
    assert organisation(domain) == whose


@pytest.mark.parametrize(
    "hostile",
    [b"From: " + b"a@b.cc " * 40_000, b"DKIM-Signature: " + b"a=b;" * 60_000, b"From: a@b.cc\r\n" * 20_000, b"From:" + b"\r\n " * 80_000, b"\r\n" * 500_000],
    ids=["addresses", "tags", "senders", "folds", "lines"],
)  # fmt: skip
async def test_hostile_bytes_cost_little(hostile: bytes, server):
    began = process_time()
    assert await said(hostile + b"\r\nDKIM-Signature: d=b.cc\r\n\r\n" + hostile, server) is None
    assert process_time() - began < 1
