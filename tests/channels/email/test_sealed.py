"""Calendars and signatures are opened without keys, and no bytes in them are too bad."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.calendar import calendar, is_bare
from channels.email.opaque import enclosed, kind_of
from channels.email.translate import read
from ingest.contract import Automatic

SAMPLES = Path(__file__).parent / "samples"
HEAD = b"From: gwen@example.org\nMIME-Version: 1.0\n"


def file_in(sample: str) -> bytes:
    return base64.b64decode((SAMPLES / sample).read_bytes().replace(b"\r\n", b"\n").split(b"\n\n", 1)[1])


SIGNED, SEALED = file_in("signed-as-one-file.eml"), file_in("encrypted-as-one-file.eml")


def tlv(tag: int, *content: bytes, open_ended: bool = False) -> bytes:
    inside = b"".join(content)
    if open_ended:
        return bytes([tag, 0x80]) + inside + b"\0\0"
    size = len(inside)
    length = bytes([size]) if size < 0x80 else b"\x84" + size.to_bytes(4)
    return bytes([tag]) + length + inside


def signed(content: bytes, *, open_ended: bool = False, kind: str = "2a864886f70d010702") -> bytes:
    octets = tlv(0x24, *(tlv(0x04, content[at : at + 7]) for at in range(0, len(content), 7)), open_ended=open_ended)
    within = tlv(0x30, tlv(0x06, bytes.fromhex("2a864886f70d010701")), tlv(0xA0, octets, open_ended=open_ended))
    data = tlv(0x30, tlv(0x02, b"\1"), tlv(0x31, tlv(0x30, open_ended=open_ended), open_ended=open_ended), within)
    return tlv(0x30, tlv(0x06, bytes.fromhex(kind)), tlv(0xA0, data, open_ended=open_ended), open_ended=open_ended)


ENTITY = b"Content-Type: text/plain; charset=utf-8\n\nNobody rang.\n"


@pytest.mark.parametrize("open_ended", [True, False])
def test_what_a_signature_encloses_is_had_without_a_key(open_ended: bool):
    assert (kind_of(SIGNED), kind_of(SEALED), kind_of(b""), kind_of(b"%PDF")) == ("signed", "encrypted", None, None)
    assert enclosed(signed(ENTITY, open_ended=open_ended)) == ENTITY
    assert enclosed(SEALED) is None


def mail(file: bytes, content_type: str = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    return HEAD + f"Content-Type: {content_type}\nContent-Transfer-Encoding: base64\n\n".encode() + base64.encodebytes(file)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        "application/x-pkcs7-mime; name=smime.p7m",
        "application/octet-stream; name=smime.p7m",
    ],
)
def test_a_signed_mail_is_read_however_it_is_called(content_type: str):
    got = read(mail(signed(ENTITY), content_type))
    assert (got.text, got.files, got.warnings) == ("Nobody rang.", (), ())


def test_a_signature_around_a_signature_is_opened_and_one_around_a_sealed_mail_is_not_read():
    twice = signed(mail(signed(ENTITY))[len(HEAD) :])
    assert read(mail(twice)).text == "Nobody rang."
    sealed = signed(mail(SEALED, "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m")[len(HEAD) :])
    assert read(mail(sealed)).warnings == ("not-read: encrypted",)


def test_a_signed_document_is_a_file_and_no_mail():
    got = read(
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee this.\n--b\nContent-Type: application/pkcs7-mime; name=a.pdf.p7m\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(signed(b"%PDF-1.7 x")) + b"--b--\n"
    )  # fmt: skip
    assert (got.text, [each.name for each in got.files], got.warnings) == ("See this.", ["a.pdf.p7m"], ())


def test_a_signature_that_encloses_nothing_leaves_a_mail_that_a_person_must_read():
    assert read(mail(signed(b""))).warnings == ("not-read: attachment-only",)


@given(st.one_of(st.binary(max_size=300), st.integers(0, len(SIGNED)).map(lambda at: SIGNED[:at])))
def test_any_bytes_may_call_themselves_signed(content: bytes):
    kind_of(content)
    enclosed(content)


@pytest.mark.parametrize("levels", [b"\x30\x80" * 100_000, b"\x24\x80" * 100_000, signed(ENTITY)[:-60] + b"\x24\x80" * 100_000])
def test_what_never_closes_is_left(levels: bytes):
    assert enclosed(levels) is None
    assert enclosed(signed(ENTITY).replace(b"\x31", b"\x31\x80" + levels[:1000], 1)) is None


ENTRY = "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nATTENDEE;PARTSTAT={}{}:mailto:a@b.example\nSUMMARY:Talk\\, at last\n{}END:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("status", "parameter", "more", "words", "comment", "accepts"),
    [
        ("ACCEPTED", "", "", "Accepted: Talk, at last", "", True),
        ("DECLINED", "", "COMMENT:No,\\nill\n", "Declined: Talk, at last", "No,\nill", False),
        ("TENTATIVE", ';X-RESPONSE-COMMENT="I am: ill"', "", "Perhaps: Talk, at last", "I am: ill", False),
        ("ACCEPTED", "", "COMMENT:  \n", "Accepted: Talk, at last", "", True),
        ("X-OTHER", "", "", "Answered: Talk, at last", "", False),
    ],
)
def test_an_answer_of_a_calendar_is_told_in_words(status, parameter, more, words, comment, accepts):
    got = calendar(ENTRY.format(status, parameter, more).encode())
    assert got is not None
    assert (got.words, got.comment, got.accepts) == (words, comment, accepts)


@pytest.mark.parametrize(
    ("words", "bare"),
    [
        ("", True),
        (" \n\xa0\n", True),
        ("Gwen Pryce has accepted your invitation to Talk.\n", True),
        ("Gwen has accepted this invitation.\n\nTalk\n\nhttps://calendar.google.com/calendar/", True),
        ('Gwen has accepted this invitation with this note:\n\n"I need a lift"\n\nhttps://calendar.google.com/', False),
        ("Gwen has accepted this invitation.\n\nI need a lift.", False),
        ("I need a lift.", False),
    ],
)
def test_only_what_calendars_write_is_nobodys_words(words: str, bare: bool):
    assert is_bare(words) is bare


@pytest.mark.parametrize(
    ("status", "automatic"), [("ACCEPTED", Automatic.REPLY), ("DECLINED", Automatic.NONE), ("TENTATIVE", Automatic.NONE)]
)
def test_only_a_bare_yes_is_a_programs(status: str, automatic: Automatic):
    raw = HEAD + b"Content-Type: text/calendar; method=REPLY\n\n" + ENTRY.format(status, "", "").encode()
    assert read(raw).automatic is automatic


@given(st.text(max_size=300), st.binary(max_size=300))
def test_any_bytes_may_call_themselves_a_calendar(text: str, content: bytes):
    for each in (text.encode("utf-8", "replace"), content):
        calendar(each)
        calendar(b"BEGIN:VCALENDAR\n" + each)
