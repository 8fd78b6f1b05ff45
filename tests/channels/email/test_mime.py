"""What a mail's parts hold is found as the standards have it, also where whoever sent it did not follow them."""

import base64
import struct
from pathlib import Path

import pytest

from channels.email.mime import MOST_FORWARDED, MOST_HEADER_BYTES, decode_header, decode_text, end_of_headers, take_apart
from channels.email.tnef import opened
from channels.email.translate import read
from ingest.commands.parse import parse

HEAD = b"From: Gwen Pryce <gwen.pryce@example.org>\nSubject: My complaint\n"


def mixed(*parts: bytes, head: bytes = HEAD, content_type: bytes = b"multipart/mixed; boundary=b") -> bytes:
    return head + b"Content-Type: " + content_type + b"\n\n" + b"".join(b"--b\n" + each + b"\n" for each in parts) + b"--b--\n"


WORDS = b"Content-Type: text/plain; charset=utf-8\n\nNobody rang.\n"


@pytest.mark.parametrize(
    "content_type",
    [
        b'multipart/mixed; boundary="b"',
        b"multipart/mixed\n boundary=b",
        b'multipart/mixed; boundary="b "',
        b"Multipart/Mixed; BOUNDARY=b; x=y",
        b"multipart/mixed; boundary*=us-ascii''b",
    ],
)
def test_a_boundary_is_found_however_it_is_written(content_type: bytes):
    got = read(mixed(WORDS, b"Content-Type: application/pdf; name=a.pdf\n\n%PDF-", content_type=content_type))
    assert got.text == "Nobody rang."
    assert [each.name for each in got.files] == ["a.pdf"]


def test_a_boundary_may_be_folded():
    raw = (
        HEAD
        + b'Content-Type: multipart/mixed; boundary="foo\n bar"\n\n--foo bar\nContent-Type: text/plain\n\nNobody rang.\n--foo bar--\n'
    )
    assert read(raw).text == "Nobody rang."


PDF = b"Content-Type: application/pdf; name=a.pdf\n\n%PDF-"
BROKEN = {
    "closed before its parts": (b"--b--\n--b\n" + WORDS + b"--b\n" + PDF + b"\n--b--\n", "Nobody rang.", [b"%PDF-"]),
    "closed amid its parts": (b"--b\n" + WORDS + b"--b--\n\n--b\n" + PDF + b"\n--b--\n", "Nobody rang.", [b"%PDF-"]),
    "closed, with words amid its parts": (
        b"--b\n" + PDF + b"\n--b--\nNobody rang.\n--b\nContent-Type: text/plain\n\nRing me.\n--b--\n",
        "Nobody rang.\n\nRing me.",
        [b"%PDF-"],
    ),
    "closed and never opened": (b"Nobody\n--b--\nrang.\n", "Nobody\n--b--\nrang.", []),
    "closed within, and never opened there": (
        b"--b\nContent-Type: multipart/alternative; boundary=c\n\n--c--\nNobody\n--b\nContent-Type: text/plain\n\nrang.\n--b--\n",
        "--c--\nNobody\n\nrang.",
        [],
    ),
    "never closed": (b"--b\n" + PDF + b"\n--b\n" + WORDS, "Nobody rang.", [b"%PDF-"]),
    "never closed within": (
        b"--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n" + WORDS + b"--b\n" + PDF + b"\n--b--\n",
        "Nobody rang.",
        [b"%PDF-"],
    ),
    "closed on the last line": (b"--b\n" + WORDS.rstrip() + b"--b-- \n", "Nobody rang.", []),
    "by another boundary than it says": (b"--x_1\n" + WORDS + b"--x_1\n" + PDF + b"\n--x_1--\n", "Nobody rang.", [b"%PDF-"]),
    "with a remark behind its boundary": (
        b"--b; x\n" + WORDS + b"--b; x\n" + PDF + b"\n--b; x--\n",
        "Nobody rang.",
        [b"%PDF-"],
    ),
    "by one boundary within and without": (
        b"--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n"
        + WORDS
        + b"--b\nContent-Type: text/html\n\n<p>Nobody rang.\n--b--\n\n--b\n"
        + PDF
        + b"\n--b--\n",
        "Nobody rang.",
        [b"%PDF-"],
    ),
    "by a boundary that the one within goes on from": (
        b"--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n" + WORDS + b"--b1\n" + PDF + b"\n--b1--\n--b--\n",
        "Nobody rang.",
        [b"%PDF-"],
    ),
    "by nothing at all": (b"Nobody rang.\n", "Nobody rang.", []),
    "by what a letter quotes": (
        b"--b\n" + WORDS.rstrip() + b"\n--bb\n--b x\nRing me.\n--b--\n",
        "Nobody rang.\n--bb\n--b x\nRing me.",
        [],
    ),
}


@pytest.mark.parametrize(("body", "words", "contents"), BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_parts_and_words_are_found_however_they_are_delimited(body: bytes, words: str, contents: list[bytes], line_end: bytes):
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + body
    got = read(raw.replace(b"\n", line_end))
    assert got.full_text == words
    assert [each.content for each in got.files] == contents
    assert got.warnings == ()


def test_a_boundary_that_is_not_given_is_that_of_the_first_part_with_headers():
    got = read(mixed(WORDS, PDF, content_type=b"multipart/mixed"))
    assert (got.full_text, [each.content for each in got.files]) == ("Nobody rang.", [b"%PDF-"])


def test_what_is_no_base64_by_a_forgotten_line_end_alone_is_undone():
    written = base64.b64encode(b"%PDF-1.7")
    raw = mixed(WORDS, b"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n" + written)
    assert [each.content for each in read(raw.replace(b"\n--b--", b"--b--")).files] == [b"%PDF-1.7"]


def test_the_parts_of_a_digest_are_mails_where_they_do_not_say_what_they_are():
    got = read(mixed(b"\nFrom: a@example.org\nSubject: One\n\nhi", WORDS, content_type=b"multipart/digest; boundary=b"))
    assert [each.name for each in got.files] == ["One.eml"]
    assert got.full_text == "Nobody rang."


def test_a_type_is_read_also_where_the_semicolon_behind_it_was_forgotten():
    assert read(HEAD + b"Content-Type: text/html charset=utf-8\n\n<p>Nobody <b>rang</b>.").full_text == "Nobody rang."


def test_a_delimiter_with_the_line_before_it_takes_nothing_else_of_a_file():
    for line_end in (b"\n", b"\r\n"):
        for content in (b"%PDF-", b"%PDF-\n", b"%PDF-\r\n\r\n", b"%PDF- \t", b"\n%PDF-", b"--", b"--\n--"):
            part = line_end.join((b"Content-Type: application/pdf; name=a.pdf", b"", content))
            raw = HEAD.replace(b"\n", line_end) + line_end.join(
                (b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", part, b"--b--", b"")
            )
            assert [each.content for each in read(raw).files] == [content]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (base64.b64encode(b"Nobody rang."), "Nobody rang."),
        (base64.b64encode(b"Nobody rang.") + b" \r\n ", "Nobody rang."),
        (base64.b64encode(b"Nobody ra") + base64.b64encode(b"ng.!"), "Nobody rang.!"),
        (base64.b64encode(b"Nobody") + b"\n" + base64.b64encode(b" rang."), "Nobody rang."),
        (base64.b64encode(b"Nobody rang!").rstrip(b"="), "Nobody rang!"),
        (b"Nobody rang, and it is not base64 at all.", "Nobody rang, and it is not base64 at all."),
        (b"Dear Sir,\nnobody rang me.\nGwen", "Dear Sir,\nnobody rang me.\nGwen"),
    ],
)
def test_base64_is_undone_as_far_as_it_is_base64(written: bytes, meant: str):
    raw = HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + written
    assert read(raw).full_text == meant


@pytest.mark.parametrize(
    ("raw", "headers", "body"),
    [
        (b"A: b\r\nC: d\r\n\r\nwords\r\n\r\nmore", b"A: b\r\nC: d", b"words\r\n\r\nmore"),
        (b"A: b\nC: d\n\nwords\n\nmore", b"A: b\nC: d", b"words\n\nmore"),
        (b"A: b\rC: d\r\rwords\r\rmore", b"A: b\rC: d", b"words\r\rmore"),
        (b"\r\n\r\nA: b\r\n\r\nwords", b"\r\n\r\nA: b", b"words"),
        (b"\nDear Sir,\nSubject: the roof\n\nNobody rang.", b"", b"Dear Sir,\nSubject: the roof\n\nNobody rang."),
    ],
)
def test_headers_end_at_the_first_empty_line_whatever_its_line_ends_are(raw: bytes, headers: bytes, body: bytes):
    found = end_of_headers(raw)
    assert found is not None
    assert (raw[: found[0]], raw[found[1] :]) == (headers, body)


def test_headers_without_an_end_or_longer_than_is_looked_at_have_none():
    assert end_of_headers(b"A: b\r\nC: d\r\n") is None
    assert end_of_headers(b"A: b\r\n" * MOST_HEADER_BYTES + b"\r\nwords") is None


def test_a_line_of_a_mail_without_headers_is_not_taken_for_a_broken_one():
    assert read(b"\nDear Sir,\nSubject: the roof\n\nNobody rang.").full_text == "Dear Sir,\nSubject: the roof\n\nNobody rang."


def test_words_around_the_parts_of_a_broken_mail_are_kept_and_a_person_is_told():
    got = read(mixed(b"Content-Type: text/plain\n\n", head=HEAD).replace(b"\n\n--b", b"\n\nNobody rang.\n--b", 1))
    assert got.full_text == "Nobody rang."
    assert any(each.startswith("not-read: ") for each in got.warnings)


def test_a_preamble_for_old_programs_is_not_read_where_there_are_words():
    got = read(mixed(WORDS).replace(b"\n\n--b", b"\n\nThis is a message in MIME format.\n--b", 1))
    assert got.full_text == "Nobody rang."
    assert got.warnings == ()


def _forward(body: bytes) -> bytes:
    return b"Content-Type: message/rfc822\n\nFrom: office@example.net\nSubject: Our decision\n\n" + body


def test_a_mail_forwarded_as_a_file_with_no_comment_gives_its_words_and_stays_a_file():
    got = read(mixed(b"Content-Type: text/plain\n\n", _forward(b"We do not uphold it.")))
    assert got.full_text == "We do not uphold it."
    assert [each.name for each in got.files] == ["Our decision.eml"]


def test_a_comment_is_not_mixed_with_what_is_forwarded_below_it():
    got = read(mixed(WORDS, _forward(b"We do not uphold it.")))
    assert got.full_text == "Nobody rang."


def test_of_many_forwarded_mails_some_are_read_and_all_are_kept():
    got = read(mixed(*(_forward(b"Decision %d." % each) for each in range(MOST_FORWARDED + 5))))
    assert got.full_text.count("Decision") == MOST_FORWARDED
    assert len(got.files) == MOST_FORWARDED + 5


# Charsets


@pytest.mark.parametrize(
    ("content", "charset", "meant"),
    [
        ("您好！ 你今天好吗？".encode(), "big5", "您好！ 你今天好吗？"),
        ("Zażółć gęślą jaźń".encode("cp1250"), "iso-8859-2", "Zażółć gęślą jaźń"),
        ("“Quote” – 5 €".encode("cp1252"), "iso-8859-1", "“Quote” – 5 €"),
        ("Żółw".encode("iso-8859-2"), "iso-8859-2", "Żółw"),
        ("ŵy a thŷ".encode("iso-8859-14"), "iso-8859-14", "ŵy a thŷ"),
        ("ŵy a thŷ, gyda chŵn".encode(), "iso-8859-1", "ŵy a thŷ, gyda chŵn"),
        ("Größe".encode(), "us-ascii", "Größe"),
        ("Größe".encode("cp1252"), "us-ascii", "Größe"),
        ("Größe".encode("cp1252"), "utf-8", "Größe"),
        ("日本語のメール".encode("iso2022_jp"), None, "日本語のメール"),
        ("日本語のメール".encode("cp932"), "shift_jis", "日本語のメール"),
        ("Привет, как дела".encode("koi8-r"), "koi8-r", "Привет, как дела"),
        ("hello".encode("utf-16"), "utf-16", "hello"),
        (b"hello", "utf-16", "hello"),
        (b"hello", "x-nonsense", "hello"),
        (b"hello", "\x00", "hello"),
        (b"hello", "../../etc", "hello"),
    ],
)
def test_a_charset_that_lies_is_not_believed(content: bytes, charset: str | None, meant: str):
    assert decode_text(content, charset)[0] == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?utf-8?Q?Informa=C3=A7?= =?utf-8?Q?=C3=A3o?=", "Informação"),
        ("=?utf-8?B?SW5mb3JtYcOn?=\r\n =?utf-8?B?w6Nv?=", "Informação"),
        ("=?utf-8?Q?Informa=C3?= =?utf-8?Q?=A7=C3=A3o?=", "Informação"),
        ("=?utf-8?B?SW5mb3JtYc?==?utf-8?B?OnY8Ojbw==?=", "Informação"),
        ("=?iso-8859-1?Q?Gr=F6=DFe?= and more", "Größe and more"),
        ("=?us-ascii*en?Q?plain?=", "plain"),
        ("=?utf-8?Q?with space?=", "with space"),
        ("=?x-none?Q?=E4?= =?utf-8?q??=", "ä"),
        ("a =?utf-8?Q?not_closed", "a =?utf-8?Q?not_closed"),
        ("=?utf-8?Q?one=0D=0ABcc:_two?=", "one Bcc: two"),
        ("=?utf-8?Q?nul=00?=", "nul"),
    ],
)
def test_a_header_is_decoded_also_where_its_words_are_broken(written: str, meant: str):
    if "SW5mb3JtYc?==" in written:
        assert "Inform" in decode_header(written)
    else:
        assert decode_header(written) == meant


# Names


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'attachment; filename="../../../etc/passwd"', "passwd"),
        (b"attachment; filename*=utf-8''L%C5%B7thyr.pdf", "Lŷthyr.pdf"),
        (b"attachment; filename*0=let; filename*1=ter.pdf", "letter.pdf"),
        (b"attachment; filename*0*=utf-8''L%C5%B7; filename*1=thyr.pdf", "Lŷthyr.pdf"),
        (b"attachment; filename*1=ter.pdf; filename*0=let", "letter.pdf"),
        (b'attachment; filename="=?utf-8?Q?L=C5=B7thyr.pdf?="', "Lŷthyr.pdf"),
        (b"attachment; filename=my letter.pdf", "my letter.pdf"),
        (b'attachment; filename="unclosed.pdf', "unclosed.pdf"),
        (b'attachment;\n filename="fol\n ded.pdf"', "fol ded.pdf"),
        (b"attachment; filename*=x-none''a.pdf", "a.pdf"),
        (b'attachment; filename="a\x00b.pdf"', "ab.pdf"),
    ],
)
def test_a_files_name_is_read_as_it_was_meant(disposition: bytes, name: str):
    got = read(mixed(WORDS, b"Content-Type: application/pdf\nContent-Disposition: " + disposition + b"\n\n%PDF-"))
    assert [each.name.replace(" ", "") for each in got.files] == [name.replace(" ", "")]


# The sender


@pytest.mark.parametrize("given", [b"MAILER-DAEMON (Mail Delivery System)", b"MAILER-DAEMON", b"<>", b"", b"unknown"])
def test_no_address_is_made_up_for_a_sender_without_one(given: bytes):
    assert read(b"From: " + given + b"\nSubject: x\n\nhi").address is None


def test_a_line_that_begins_with_from_amid_a_paragraph_begins_no_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    box = tmp_path / "some.mbox"
    box.write_bytes(
        b"From gwen@example.org Mon Mar  2 09:30:00 2026\nFrom: gwen@example.org\n\nI waited\nFrom 9:30 until noon in 2026 nobody rang.\n"
    )
    assert parse([box], jsonl=True) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


# winmail.dat


def _attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BHHL", level, name, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def _property(number: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HHLL", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def winmail(*attributes: bytes) -> bytes:
    return struct.pack("<LH", 0x223E9F78, 1) + _attribute(1, 0x9006, struct.pack("<L", 0x10000)) + b"".join(attributes)


FILE = (
    _attribute(2, 0x9002, b"\0" * 14)
    + _attribute(2, 0x8010, b"LETTER~1.PDF\0")
    + _attribute(2, 0x800F, b"%PDF-1.7")
    + _attribute(2, 0x9005, struct.pack("<L", 2) + _property(0x3707, 0x1F, "Llythyr ŵ.pdf\0".encode("utf-16-le")) + _property(0x370E, 0x1E, b"application/pdf\0"))
)  # fmt: skip


def _with_winmail(content: bytes, words: bytes = WORDS) -> bytes:
    part = b'Content-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(
        content
    )
    return mixed(words, part)


def test_the_files_in_a_winmail_dat_are_attachments_and_it_is_none():
    got = read(_with_winmail(winmail(FILE, FILE)))
    assert [(each.name, each.content_type, each.content) for each in got.files] == [
        ("Llythyr ŵ.pdf", "application/pdf", b"%PDF-1.7")
    ] * 2
    assert got.full_text == "Nobody rang."


def test_the_words_in_a_winmail_dat_are_read_where_the_mail_has_none():
    html = struct.pack("<L", 1) + _property(0x1013, 0x102, b"<p>Nobody <b>rang</b>.</p>")
    assert (
        read(_with_winmail(winmail(_attribute(1, 0x9003, html)), words=b"Content-Type: text/plain\n\n")).full_text
        == "Nobody rang."
    )
    plain = _attribute(1, 0x9007, struct.pack("<LL", 1250, 0)) + _attribute(1, 0x800C, "Nikt nie dzwonił.\0".encode("cp1250"))
    assert read(_with_winmail(winmail(plain), words=b"Content-Type: text/plain\n\n")).full_text == "Nikt nie dzwonił."


@pytest.mark.parametrize("content", [b"no such thing", winmail()[:9], winmail(FILE)[: len(winmail(FILE)) // 2], winmail()])
def test_a_winmail_dat_that_holds_no_file_stays_one(content: bytes):
    got = read(_with_winmail(content))
    assert [each.name for each in got.files] in (["winmail.dat"], ["LETTER~1.PDF"])
    assert got.full_text == "Nobody rang."


HOSTILE = {
    "lengths": winmail() + struct.pack("<BHHL", 1, 0x9003, 6, 0xFFFFFFFF) + b"\0" * 1000,
    "counts": winmail(_attribute(1, 0x9003, struct.pack("<LHHL", 0xFFFFFFFF, 0x101E, 0x1000, 0xFFFFFFFF) + b"\0" * 100_000)),
    "names": winmail(
        _attribute(1, 0x9003, struct.pack("<LHH", 1, 0x1E, 0x8000) + b"\0" * 16 + struct.pack("<LL", 1, 0xFFFFFFFF))
    ),
    "files": winmail(_attribute(2, 0x9002, b"") * 50_000),
    "code-page": winmail(_attribute(1, 0x9007, struct.pack("<L", 4_000_000_000)), _attribute(1, 0x800C, b"x" * 1000)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_winmail_dat_is_read_as_far_as_it_can_be(content: bytes):
    assert opened(content) is not None
    assert len(take_apart(_with_winmail(content)).files) <= 1_000


@pytest.mark.parametrize("charset", [b"utf-8", b"u\x00tf"])
def test_words_begin_with_the_first_line_that_is_no_header_whatever_charset_they_claim(charset: bytes):
    part = b"--s\nContent-Type: text/plain; charset=" + charset + b"\nS\xc3\xa9amus \xc3\xa9\xc3\xa9\n\nNobody rang.\n--s--\n"
    mail = take_apart(b'Content-Type: multipart/mixed; boundary="s"\n\n' + part)
    assert mail.words == "Séamus éé\n\nNobody rang."
