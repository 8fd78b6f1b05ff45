"""Mail becomes contacts: each ``samples/*.eml`` lies beside the contact it must become, and no bytes at all are too bad."""

import base64
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels.email.translate import translate
from channels.email.words import new_words
from ingest.contract import FULL_TEXT_LIMIT, Automatic, Contact
from ingest.ids import digest
from tests.channels.email.sound import sound

SAMPLES = Path(__file__).parent / "samples"
RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HEAD = b"From: Gwen Pryce <gwen.pryce@example.org>\nSubject: My complaint\nMessage-ID: <a1@example.org>\n"


def contact_of(raw: bytes, *, account: str = "care", whole_size: int | None = None) -> Contact:
    return translate(
        raw, account=account, received_at=RECEIVED, backfill=False, authserv_id="mx.example.net", whole_size=whole_size, own=("care@example.net",)
    )[0]  # fmt: skip


def letter(body: bytes, content_type: str = "text/plain; charset=utf-8", more: bytes = b"") -> bytes:
    return HEAD + more + b"Content-Type: " + content_type.encode() + b"\n\n" + body


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_a_mail_becomes_the_contact_beside_it(sample: Path):
    contact = contact_of(sample.read_bytes())
    expected = json.loads(sample.with_suffix(".contact.json").read_text(encoding="utf-8"))
    assert json.loads(contact.model_dump_json(exclude_defaults=True)) == expected


def test_attachments_come_by_their_digest_with_the_bytes_that_were_sent():
    sent = EmailMessage()
    sent["From"] = "gwen.pryce@example.org"
    sent.set_content("Two files, one of them twice.")
    for content in (b"\x00\xff" * 400, b"plain\r\nlines\r\n", b"\x00\xff" * 400):
        sent.add_attachment(content, maintype="application", subtype="octet-stream", filename="file.bin")
    contact, contents = translate(bytes(sent), account="care", received_at=RECEIVED, backfill=True, authserv_id=None)
    assert [contents[each.digest] for each in contact.attachments] == [
        b"\x00\xff" * 400,
        b"plain\r\nlines\r\n",
        b"\x00\xff" * 400,
    ]
    assert set(contents) == {digest(each) for each in contents.values()}
    assert contact.backfill


def test_the_same_bytes_are_the_same_contact_in_one_mailbox_and_another_in_a_second():
    raw = letter(b"Nobody rang.")
    assert contact_of(raw).id == contact_of(raw).id
    assert contact_of(raw).id != contact_of(raw, account="complaints").id


def test_the_same_message_id_with_another_body_is_another_contact():
    assert contact_of(letter(b"Nobody rang.")).id != contact_of(letter(b"Somebody rang.")).id


def test_a_mail_cut_when_it_was_fetched_says_so():
    raw = letter(b"Nobody ra")
    assert contact_of(raw, whole_size=len(raw)).warnings == ()
    assert [each.partition(":")[0] for each in contact_of(raw, whole_size=len(raw) + 1).warnings] == ["cut"]


@pytest.mark.parametrize(
    ("results", "verified", "warned"),
    [
        ("mx.example.net; dmarc=pass header.from=example.org", True, False),
        ("MX.Example.Net 1; spf=pass smtp.mailfrom=x; dmarc=pass (p=NONE; pct=50) header.from=EXAMPLE.org", True, False),
        ("mx.example.net; dmarc=pass header.from=example.com", False, False),
        ("mx.example.net; dmarc=pass", False, False),
        ("mx.example.net; x=y (dmarc=pass header.from=example.org)", False, False),
        ('mx.example.net; x="; dmarc=pass header.from=example.org"', False, False),
        ("mx.elsewhere.example; dmarc=pass header.from=example.org", False, False),
        ("mx.example.net.elsewhere.example; dmarc=pass header.from=example.org", False, False),
        ("mx.example.net; dmarc=none header.from=example.org", False, False),
        ("mx.example.net; dmarc=fail header.from=example.org", False, True),
        ("mx.example.net; dmarc=pass header.from=example.org; dmarc=fail header.from=example.org", False, True),
        (";;;", False, False),
    ],
)
def test_only_our_own_mail_server_proves_a_sender(results: str, verified: bool, warned: bool):
    contact = contact_of(letter(b"Hello.", more=f"Authentication-Results: {results}\n".encode()))
    assert (contact.sender.identifiers[0].verified_by == "dmarc") is verified
    assert any(each.startswith("sender-not-authenticated: ") for each in contact.warnings) is warned


def test_without_a_name_for_our_mail_server_nobody_is_believed():
    raw = letter(b"Hello.", more=b"Authentication-Results: ; dmarc=pass header.from=example.org\n")
    contact, _ = translate(raw, account="care", received_at=RECEIVED, backfill=False, authserv_id=None)
    assert contact.sender.identifiers[0].verified_by is None


def test_dmarc_proves_nothing_where_from_names_two_people():
    raw = (
        b"From: a@example.org, b@example.org\nAuthentication-Results: mx.example.net; dmarc=pass header.from=example.org\n\nHi"
    )
    assert contact_of(raw).sender.identifiers == ()


@pytest.mark.parametrize(
    ("given", "name", "address"),
    [
        ("Pryce, Gwen <gwen@example.org>", "Pryce, Gwen", "gwen@example.org"),
        ('"Pryce, Gwen" <gwen@example.org>', "Pryce, Gwen", "gwen@example.org"),
        ('"paypal@example.com" <gwen@example.org>', "paypal@example.com", "gwen@example.org"),
        ("gwen@example.org (Gwen (of Ludford) Pryce)", "Gwen (of Ludford) Pryce", "gwen@example.org"),
        ("Gwen <<gwen@example.org>>", "Gwen", "gwen@example.org"),
        (
            "=?utf-8?Q?Gwen=2C_Pryce_=3Cx=40example.com=3E?= <gwen@example.org>",
            "Gwen, Pryce <x@example.com>",
            "gwen@example.org",
        ),
        ("gwen@example.org", None, "gwen@example.org"),
        ("Gwen Pryce", "Gwen Pryce", None),
        ("undisclosed-recipients:;", "undisclosed-recipients:;", None),
    ],
)
def test_a_sender_is_read_as_written(given: str, name: str | None, address: str | None):
    sender = contact_of(f"From: {given}\n\nHello".encode()).sender
    assert sender.name == name
    assert [each.given for each in sender.identifiers] == ([address] if address else [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.pdf", "x.pdf"),
        ("C:\\Users\\gwen\\x.pdf", "x.pdf"),
        ("\u202efdp.exe\u200b", "fdp.exe"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("x" * 5000 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_file_has_a_name_that_is_safe_to_show(name: str, shown: str):
    sent = EmailMessage()
    sent["From"] = "gwen.pryce@example.org"
    sent.set_content("A file.")
    sent.add_attachment(b"x", maintype="application", subtype="pdf", filename=name)
    assert [each.name for each in contact_of(bytes(sent)).attachments] == [shown]


@pytest.mark.parametrize(
    ("headers", "subject", "body", "expected"),
    [
        ("Auto-Submitted: auto-generated", "Your request", "We have it.", Automatic.REPLY),
        ("X-Autoreply: yes", "Re: hello", "I am away.", Automatic.REPLY),
        ("Precedence: auto_reply", "Re: hello", "I am away.", Automatic.REPLY),
        ("X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", "Re: hello", "Thanks.", Automatic.REPLY),
        ("In-Reply-To: <a@example.net>", "Ateb awtomatig: Eich cwyn", "Diolch.", Automatic.REPLY),
        ("X-Auto-Response-Suppress: All", "Automatic reply: Your complaint", "I am out.", Automatic.REPLY),
        ("X-Mailer: x", "Réponse automatique : Bonjour", "Je suis absent du bureau.", Automatic.REPLY),
        ("X-Auto-Response-Suppress: All", "My complaint", "Nobody rang.", Automatic.NONE),
        ("Auto-Submitted: no", "My complaint", "Nobody rang.", Automatic.NONE),
        ("Precedence: list", "My complaint", "Nobody rang.", Automatic.NONE),
        ("List-Unsubscribe: <mailto:u@example.org>", "My complaint", "Nobody rang.", Automatic.NONE),
        ("In-Reply-To: <a@example.net>", "Re: Automatic reply: Your complaint", "Stop sending me these.", Automatic.NONE),
        ("X-Mailer: x", "Absence of any reply", "You were away from the office.", Automatic.NONE),
        ("List-Unsubscribe: <mailto:u@example.org>\nList-Id: <n.example.org>", "March", "News.", Automatic.LIST),
        ("Precedence: bulk\nList-Unsubscribe: <mailto:u@example.org>", "March", "News.", Automatic.LIST),
        ("Return-Path: <>", "Undeliverable: Your complaint", "The mailbox is full.", Automatic.BOUNCE),
        ("X-Failed-Recipients: gwen@example.org", "Mail delivery failed", "550 no such user", Automatic.BOUNCE),
        ("In-Reply-To: <a@example.net>", "Undeliverable letters", "The postman could not deliver yours.", Automatic.NONE),
    ],
)
def test_people_robots_lists_and_bounces_are_told_apart(headers: str, subject: str, body: str, expected: Automatic):
    raw = f"{headers}\nFrom: gwen@example.org\nSubject: {subject}\n\n{body}\n".encode()
    assert contact_of(raw).automatic is expected


@pytest.mark.parametrize(
    ("written", "subject", "words"),
    [
        ("Yes.\n\nAm 27.02.2026 um 16:02 schrieb Amt <a@example.net>:\n> Ja?\n", "", "Yes."),
        ("Yes.\n\nLe ven. 27 févr. 2026 à 16:02, Amt <a@example.net> a écrit :\n\n> Oui ?\n", "", "Yes."),
        ("Yes.\n\nEl vie, 27 feb 2026 a las 16:02, Amt (<a@example.net>) escribió:\n\n> ¿Sí?\n", "", "Yes."),
        ("Yes.\n\nW dniu 27.02.2026 o 16:02, Amt pisze:\n> Tak?\n", "", "Yes."),
        ("Yes.\n\nIl giorno ven 27 feb 2026 alle ore 16:02 Amt <a@example.net> ha scritto:\n\n> Sì?\n", "", "Yes."),
        ("Yes.\n\nOp vr 27 feb. 2026 om 16:02 schreef Amt <a@example.net>:\n\n> Ja?\n", "", "Yes."),
        ("Yes.\n\nEm sex., 27 de fev. de 2026 às 16:02, Amt <a@example.net> escreveu:\n\n> Sim?\n", "", "Yes."),
        (
            "Yes.\n\nVon: Amt <a@example.net>\nGesendet: Freitag, 27. Februar 2026 16:02\nAn: Gwen\nBetreff: Frage\n\nJa?\n",
            "",
            "Yes.",
        ),
        (
            "Yes.\n\nOddi wrth: Swyddfa <a@example.net>\nAnfonwyd: 27 Chwefror 2026 16:02\nAt: Gwen\nPwnc: Cwyn\n\nIe?\n",
            "",
            "Yes.",
        ),
        ("Yes.\n\n-----Original Message-----\nFrom: Office\nSent: 27 February 2026\n\nWill you?\n", "", "Yes."),
        ("> Will you?\n\nYes, below the quotation.\n", "", "Yes, below the quotation."),
        ("Above.\n\n> Will you?\n\nBelow.\n", "", "Above.\n\nBelow."),
        ("-----Original Message-----\nFrom: Office\nSent: 27 February 2026\n\nWill you?\n", "RE: Will you", ""),
        (
            "On Tuesday at 3 pm they wrote to me:\ncome at once. I came.",
            "",
            "On Tuesday at 3 pm they wrote to me:\ncome at once. I came.",
        ),
        ("From: me\nI waited.", "", "From: me\nI waited."),
        (
            "On 3 May I wrote to j@example.org and she said:\nno. I gave up.",
            "",
            "On 3 May I wrote to j@example.org and she said:\nno. I gave up.",
        ),
        ("At 10:30 on 5 May 2026 the nurse said:\ngo home.", "", "At 10:30 on 5 May 2026 the nurse said:\ngo home."),
        ("10. Dr Jones <j@example.org>\n11. Dr Lee", "", "10. Dr Jones <j@example.org>\n11. Dr Lee"),
        ("I rang j@example.org and they said:\nno.", "", "I rang j@example.org and they said:\nno."),
        ("Sent from my desk, which is easier.", "", "Sent from my desk, which is easier."),
        (">> VERIFY NOW <<", "", ">> VERIFY NOW <<"),
    ],
)
def test_new_words_are_told_from_the_history(written: str, subject: str, words: str):
    assert new_words(written, subject) == words


def test_full_text_is_cut_at_its_limit_between_characters_and_says_so():
    contact = contact_of(letter("ŵ".encode() * FULL_TEXT_LIMIT))
    assert contact.full_text_cut
    assert contact.full_text == "ŵ" * (FULL_TEXT_LIMIT // 2)


def _nested(levels: int) -> bytes:
    inner = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(levels))
    return HEAD + inner + b"Content-Type: text/plain\n\nhello\n"


MANY_PARTS = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\nhi\n" * 20_000
MANY_RECIPIENTS = HEAD + b"To: " + b"somebody@example.org,\n " * 100_000 + b"\n\nhi"


@pytest.mark.parametrize(
    "raw",
    [_nested(1_000), MANY_PARTS, MANY_RECIPIENTS, HEAD + b"X-Y: z\n" * 200_000 + b"\nhi", letter(b"\n" * 1_500_000)],
    ids=["nested", "parts", "recipients", "headers", "lines"],
)
def test_past_a_limit_what_could_be_read_is_kept_and_a_person_is_told(raw: bytes):
    contact = contact_of(raw)
    assert contact.sender.identifiers[0].canonical == "gwen.pryce@example.org"
    assert contact.subject == "My complaint"
    assert any(each.startswith("not-read: ") for each in contact.warnings)


MILLION = 1_000_000
HOSTILE = {
    "on": letter(b"On On " * (MILLION // 6)),
    "on-lines": letter(b"On\n" * (MILLION // 3)),
    "attributions": letter(b"On 5 May 2020 10:10 a@b.cc\n" * (MILLION // 27)),
    "quotes": letter(b">" * MILLION),
    "quote-lines": letter(b">\n" * (MILLION // 2)),
    "labels": letter(b"From: a@b.cc\nx\nx\nx\n" * (MILLION // 19)),
    "markers": letter(b"-- original message\n" * (MILLION // 20)),
    "rules": letter(b"-" * MILLION),
    "files": letter(b"begin 644 a\n" * (MILLION // 12)),
    "tables": letter(b"<table>" + b"<tr><td>a<td>b" * (MILLION // 14), "text/html"),
    "divisions": letter(b"<div>" * 14_000 + b"hello", "text/html"),
    "angles": letter(b"<" * MILLION, "text/html"),
    "quotation-marks": b"From: " + b'"\\' * 30_000 + b"\n\nhi",
    "comments": b"From: " + b"(" * 60_000 + b"\n\nhi",
    "encoded-words": b"Subject: " + b"=?a?q?" * 10_000 + b"\n\nhi",
    "parameters": HEAD + b"Content-Type: text/plain; " + b'a="' * 20_000 + b"\\\n\nhi",
    "levels-and-lines": _nested(49) + b"\n" * MILLION,
    "delimiters": letter(b"--b\nx\n--b--\n" * (MILLION // 12), "multipart/mixed; boundary=b"),
    "delimiters-of-dashes": HEAD
    + b"".join(
        b'Content-Type: multipart/mixed; boundary="%b"\n\n--%b\n' % (b"-" * each, b"-" * each) for each in range(60, 15, -1)
    )
    + (b"-" * 70 + b"\n") * (MILLION // 71),
    "boundaries-not-given": letter(
        b"".join(b"--%d\nContent-Type: multipart/mixed; boundary=x%d\n\n" % (each, each) for each in range(40))
        + b"--y \n" * (MILLION // 6),
        "multipart/mixed; boundary=x",
    ),
    "commas": b"From: " + b"a," * (MILLION // 3) + b"\n\nhi",
    "pieces": HEAD + b"Content-Type: text/plain" + b";a*0=b" * 9_000 + b"\n\nhi",
    "padding": letter(b"A=A=" * (MILLION // 4), more=b"Content-Transfer-Encoding: base64\n"),
    "flowed": letter(b"a \n" * (MILLION // 3), "text/plain; format=flowed; delsp=yes"),
    "flowed-levels": letter(b"".join(b">" * (each % 200) + b" a \n" for each in range(9_000)), "text/plain; format=flowed"),
    "blockquotes": letter(b"<blockquote class=quote>a</blockquote>" * (MILLION // 38), "text/html"),
    "blockquote-tags": letter(b"<blockquote " * (MILLION // 12), "text/html"),
    "nested-html": letter(b"<b><i>" * 7_000 + b"hello", "text/html"),
    "quotes-and-attributions": letter(b"own\n" + b"> a\nOn 5 May 2020 10:10\n" * (MILLION // 25)),
    "colons": letter(b"On Monday 5:\n" * (MILLION // 14)),
    "returned": b"From: mailer-daemon@example.org\nSubject: undeliverable\n\n" + b"your message to " * (MILLION // 16),
    "groups": b"From: " + b"a:;" * (MILLION // 3) + b"\n\nhi",
    "colons-in-from": b"From: " + b"a:" * 30_000 + b";\n\nhi",
    "fields": b"From: noreply@example.org\n\n" + b"your email \nname    \n" * (MILLION // 20),
    "wide-fields": b"From: noreply@example.org\n\n" + b"name" + b" " * MILLION,
    "behalf": b"From: " + b"a " * 400 + b"( " * 300 + b"<a@example.org>\n\nhi",
    "tagged": HEAD + b"To: " + b"+a" * 30_000 + b"\n\nhi",
    "answers-asked": HEAD + b"Reply-To: " + b"a@b.cc," * 9_000 + b"\n\nhi",
    "calendar": letter(b"BEGIN:VCALENDAR\n" + b"ATTENDEE" + b";a=b" * (MILLION // 8) + b"\n;" * 9_000, "text/calendar"),
    "signed": letter(b"MIAkgDCA" * (MILLION // 8), "application/pkcs7-mime", b"Content-Transfer-Encoding: base64\n"),
    "signed-headers": letter(
        base64.encodebytes(
            bytes.fromhex("308006092a864886f70d010702a08030800201013100308006092a864886f70d010701a0802480048400080000")
            + (b"a:b\n c\n" * 80_000)[: 1 << 19]
        ),
        "application/pkcs7-mime",
        b"Content-Transfer-Encoding: base64\n",
    ),
    "forwards": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Type: message/rfc822\n\nSubject: x\n\nhi\n" * 20_000,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_million_bytes_do_not_hold_the_mailbox(raw: bytes):
    started = monotonic()
    contact_of(raw)
    assert monotonic() - started < 10  # against a hang; minutes where something is quadratic


@given(st.binary(max_size=2_000))
@example(b"")
@example(b"\x00")
@example(b"From: \n\n")
@example(b"From\n")
@example(b"Content-Type: text/plain; charset=undefined\n\n\xff")
@example(b"Content-Type: multipart/mixed; boundary=s\n\n--s\nContent-Type: text/plain; charset=u\x00\nNo header\xff\n")
@example(b"Content-Type: text/plain; charset=utf-7\n\n+2AA-")
def test_any_bytes_become_a_contact(raw: bytes):
    sound(raw)


_PIECES = st.sampled_from([
    b"From: ", b"Subject: ", b"Date: ", b"Content-Type: ", b"Content-Disposition: ", b"Content-Transfer-Encoding: ", b"To: ", b"References: ",
    b"Message-ID: ", b"Authentication-Results: mx.example.net; ", b"dmarc=pass ", b"header.from=", b"text/plain", b"text/html", b"multipart/mixed",
    b"multipart/alternative", b"message/rfc822", b"; charset=", b"; boundary=b", b"; filename*0*=", b"; name=", b"utf-8", b"iso-2022-jp", b"big5",
    b"base64", b"quoted-printable", b"uuencode", b"attachment", b"--b\n", b"--b--\n", b"\n", b"\n", b"\n\n", b"\r\n", b"\r", b" ", b"\t", b'"', b"<", b">",
    b"(", b"\\", b"@", b"a@b.cc", b"=?utf-8?q?=E4?=", b"=?x?b?", b"?=", b"%00", b"\x00", b"\xe9", b"\xf0\x9f\x92\xa9", b"\x1b$B", b"> ", b"On 5 May 2026 10:10 a@b.cc wrote:",
    b"-----Original Message-----", b"begin 644 a\n", b"end\n", b"<blockquote type=cite>", b"</blockquote>", b"<p>", b"99999999999999999999",
])  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_PIECES, max_size=60))
def test_any_pieces_of_mail_become_a_contact(pieces: list[bytes]):
    sound(b"".join(pieces))


@pytest.mark.parametrize(
    ("action", "answers"),
    [("failed", "<03e32d06-ae01-51c1-baae-ed30f7e68acd@example.net>"), ("delayed", None)],
)
def test_a_bounce_tells_which_mail_it_returns_unless_that_is_only_late(action, answers):
    raw = (SAMPLES / "bounce.eml").read_bytes().replace(b"Action: failed", f"Action: {action}".encode())
    assert contact_of(raw).thread.in_reply_to == answers
