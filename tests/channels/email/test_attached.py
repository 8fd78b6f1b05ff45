"""The words in the files beside a mail are read where they can be, and a file that cannot be read is never taken for nothing."""

import io
import time
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from channels.email.attached import MOST_PAGES, words_of
from channels.email.mime import File
from channels.email.translate import Depth, translate_less
from ingest.contract import FULL_TEXT_LIMIT, Contact
from ingest.files import tell
from tests.channels.email.test_translate import RECEIVED, contact_of

MIB = 1024 * 1024
LONG = "The council cut down our tree in May, and nobody has answered my three letters about it since then. " * 3
UNREAD = "not-read: it has few words, and a file beside them that could not be read in full"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
O = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'  # noqa: E741


def pdf(*pages: bytes) -> bytes:
    """One page for each content stream, which has a font F1; an empty one shows nothing, as a picture of a page does."""
    made = PdfWriter()
    font = DictionaryObject()
    font.update(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for each in pages:
        page = made.add_blank_page(595, 842)
        stream = DecodedStreamObject()
        stream.set_data(each)
        page[NameObject("/Contents")] = made._add_object(stream.flate_encode())
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})
    out = io.BytesIO()
    made.write(out)
    return out.getvalue()


def saying(words: str) -> bytes:
    return f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode()


def zipped(members: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return made.getvalue()


def docx(body: str | bytes, **more: str) -> bytes:
    document = body if isinstance(body, bytes) else f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document, **more})


def p(*runs: str) -> str:
    return f"<w:p>{''.join(f'<w:r><w:t>{each}</w:t></w:r>' for each in runs)}</w:p>"


def xlsx(sheet: str, shared: str = "") -> bytes:
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": "<workbook/>",
            "xl/sharedStrings.xml": f"<sst {S}>{shared}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {S}><sheetData>{sheet}</sheetData></worksheet>",
        }
    )


def opendocument(body: str) -> bytes:
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {O}><office:body>{body}</office:body></office:document-content>",
        }
    )


LAUGHS = (
    '<!DOCTYPE d [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + each)} "{f"&{chr(97 + each)};" * 10}">' for each in range(9))
    + f"]><w:document {W}><w:body>{p('Dear Sir', '&j;')}</w:body></w:document>"
)


def words(content: bytes, name: str = "letter", content_type: str = "application/octet-stream") -> tuple[str, bool] | None:
    found = words_of(File(name, content_type, content, inline=False), tell(content))
    return found and (found.text, found.whole)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pdf(saying("I will harm myself.")), "I will harm myself."),
        (pdf(saying("One."), saying("Two.")), "One.\n\nTwo."),
        (docx(p("Dear ", "Sir,") + p("I complain.")), "Dear Sir,\nI complain."),
        (docx(p("Dear Sir,"), **{"word/footnotes.xml": f"<w:footnotes {W}>{p('Below.')}</w:footnotes>"}), "Dear Sir,\nBelow."),
        (docx(p("Above.").replace("</w:r>", "<w:tab/><w:t>Right.</w:t><w:br/></w:r>")), "Above.\tRight."),
        (docx(f"<w:p><w:r><w:delText>Taken out.</w:delText></w:r></w:p>{p('Left.')}"), "Left."),
        (
            docx(f"<mc:AlternateContent><mc:Choice>{p('Once.')}</mc:Choice><mc:Fallback>{p('Once.')}</mc:Fallback></mc:AlternateContent>"),
            "Once.",
        ),
        (
            xlsx('<row><c t="s"><v>0</v></c><c><v>120.50</v></c></row>', "<si><r><t>Rent </t></r><r><t>owed</t></r></si>"),
            "Rent owed\t120.50",
        ),
        (xlsx('<row><c t="inlineStr"><is><t>Rent</t></is></c></row><row><c t="s"><v>9</v></c></row>'), "Rent"),
        (
            opendocument("<text:h>Dear Sir,</text:h><text:p>I <text:span>com<text:span>pl</text:span>ain</text:span>.<text:s/>Gwen</text:p>"),
            "Dear Sir,\nI complain. Gwen",
        ),
        (opendocument("<text:tracked-changes><text:p>Taken out.</text:p></text:tracked-changes><text:p>Left.</text:p>"), "Left."),
    ],
    ids=[
        "pdf", "pages", "word", "a footnote", "a tab", "words taken out", "a shape for two programs", "excel", "a cell of its own",
        "opendocument", "changes that are tracked",
    ],
)  # fmt: skip
def test_a_document_s_words_are_read_in_their_order(content: bytes, said: str):
    assert words(content) == (said, True)


@pytest.mark.parametrize(
    ("name", "content_type", "content", "said"),
    [
        ("letter.txt", "text/plain", "Annwyl Syr, rwy’n cwyno.".encode(), "Annwyl Syr, rwy’n cwyno."),
        ("rent.csv", "application/octet-stream", b"May,120\nJune,0", "May,120\nJune,0"),
        ("letter.html", "text/html", b"<html><p>I complain.</p><p style='display:none'>no</p>", "I complain."),
        ("x.eml", "message/rfc822", b"From: a@b.cc\nSubject: x\n\nThey wrote this.\n", "They wrote this."),
        ("invite.ics", "text/calendar", b"BEGIN:VCALENDAR\nEND:VCALENDAR", None),
        ("key.asc", "application/pgp-keys", b"-----BEGIN PGP PUBLIC KEY BLOCK-----", None),
        ("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe1\x00\x18Exif\0\0", None),
        ("empty.txt", "text/plain", b"", None),
    ],
)
def test_plain_words_are_read_and_what_programs_write_to_each_other_is_not(name, content_type, content, said):
    assert words(content, name, content_type) == (said and (said, True))


def test_a_page_that_may_be_a_picture_of_words_leaves_a_document_unread_in_part():
    assert words(pdf(saying("Page one."), b"")) == ("Page one.", False)
    assert words(pdf(b"")) is None


HOSTILE: dict[str, Callable[[], bytes]] = {
    "operators": lambda: pdf(b"BT /F1 12 Tf 72 720 Td " + b"(a) Tj 0 -1 Td " * 600_000 + b"ET"),
    "pages": lambda: pdf(*[saying("a")] * (MOST_PAGES + 5)),
    "a stream of zeros": lambda: pdf(bytes(70 * MIB)),
    "zeros": lambda: docx(bytes(200 * MIB)),
    "a list that lies": lambda: docx(bytes(200 * MIB)).replace(
        (200 * MIB).to_bytes(4, "little"), (1_000).to_bytes(4, "little")
    ),
    "billion laughs": lambda: docx(LAUGHS.encode()),
    "paragraphs": lambda: docx(p("word") * 200_000),
    "nested": lambda: docx("<w:p>" * 100_000),
    "shared": lambda: xlsx('<row><c t="s"><v>0</v></c></row>' * 100_000, f"<si><t>{'a' * 30_000}</t></si>"),
    "one row": lambda: xlsx("<row>" + '<c t="s"><v>0</v></c>' * 100_000 + "</row>", f"<si><t>{'a' * 30_000}</t></si>"),
    "spans": lambda: opendocument("<text:p>" + "<text:span>" * 250 + "a" + "</text:span>" * 250 + "</text:p>"),
    "text": lambda: b"word " * MIB,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bomb_of_a_file_costs_little_and_is_never_called_wholly_read(name: str):
    content = HOSTILE[name]()
    started = time.process_time()
    found = words(content, f"{name}.txt")
    assert time.process_time() - started < 5  # against a hang; up to two seconds where nothing else runs
    assert found is None or not found[1] or name == "spans"
    assert found is None or len(found[0]) <= 200_000


def test_entities_are_not_spelt_out():
    assert "haha" not in str(words(docx(LAUGHS.encode())))


_SOUND = [
    pdf(saying("I complain.")),
    docx(p("I complain.")),
    opendocument("<text:p>I complain.</text:p>"),
    xlsx("<row><c><v>1</v></c></row>"),
]


@given(st.sampled_from(_SOUND), st.lists(st.tuples(st.integers(0, 3_000), st.binary(max_size=4)), max_size=12))
def test_a_damaged_document_is_read_or_not_and_nothing_else(content: bytes, damage: list[tuple[int, bytes]]):
    harmed = bytearray(content)
    for at, new in damage:
        harmed[at : at + len(new)] = new
    found = words(bytes(harmed))
    assert found is None or found[0].encode()


# --- in a mail


def mail(body: str, *files: tuple[str, bytes], subtype: str = "octet-stream") -> bytes:
    made = EmailMessage()
    made["From"] = "Gwen Pryce <gwen.pryce@example.org>"
    made["Subject"] = "My complaint"
    made.set_content(body)
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype=subtype, filename=name)
    return made.as_bytes()


def attached(contact: Contact) -> list[tuple[str, str]]:
    return [(each.name, each.content_type) for each in contact.attachments]


def test_a_file_s_words_stand_below_its_name_in_the_whole_and_never_among_the_person_s_own():
    contact = contact_of(
        mail("See my letter.", ("letter.pdf", pdf(saying("I will harm myself."))), ("b.docx", docx(p("Also."))))
    )
    assert contact.text == "See my letter."
    assert contact.full_text == "See my letter.\n\n[Attached: letter.pdf]\nI will harm myself.\n\n[Attached: b.docx]\nAlso."
    assert contact.warnings == ()


def test_a_mail_that_is_only_a_letter_as_a_file_is_read():
    contact = contact_of(mail("", ("letter.pdf", pdf(saying("I complain about my council.")))))
    assert (contact.text, contact.full_text) == ("", "[Attached: letter.pdf]\nI complain about my council.")
    assert (contact.language, contact.warnings) == ("en", ())


@pytest.mark.parametrize(
    ("body", "content", "warnings"),
    [
        ("", pdf(b""), ("not-read: attachment-only",)),
        ("", b"\xff\xd8\xff\xe1" + bytes(60_000), ("not-read: attachment-only",)),
        ("My letter.", pdf(b""), (UNREAD,)),
        ("My letter.", pdf(saying("One."), b""), (UNREAD,)),
        ("My letter.", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), (UNREAD,)),
        ("My letter.", b"\xff\xd8\xff\xe1" + bytes(60_000), (UNREAD,)),
        ("My letter.", b"\xff\xd8\xff\xe1" + bytes(6_000), ()),
        (LONG, pdf(b""), ()),
    ],
    ids=[
        "only a scan",
        "only a photo",
        "a scan",
        "in part a scan",
        "an old format",
        "a photo",
        "a logo",
        "a scan beside a letter",
    ],
)
def test_where_the_letter_may_be_in_a_file_that_cannot_be_read_a_person_looks(
    body: str, content: bytes, warnings: tuple[str, ...]
):
    assert contact_of(mail(body, ("scan", content))).warnings == warnings


def test_what_a_robot_attaches_is_not_read():
    raw = mail("Out of office.", ("letter.pdf", pdf(saying("Help."))))
    assert "Help" not in contact_of(b"Auto-Submitted: auto-replied\n" + raw).full_text


def test_the_words_of_files_do_not_push_the_person_s_own_past_the_limit():
    contact = contact_of(mail("Mine.", *[(f"{each}.txt", b"word " * 100_000) for each in range(5)]))
    assert contact.full_text.startswith("Mine.\n")
    assert len(contact.full_text) == FULL_TEXT_LIMIT
    assert contact.full_text_cut


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("letter.pdf", b"\xff\xd8\xff\xe1\x00\x18Exif\0\0", ("letter.pdf.jpg", "image/jpeg")),
        ("photo.jpg", pdf(b""), ("photo.jpg.pdf", "application/pdf")),
        ("letter.pdf", b"MZ\x90\x00\x03" + bytes(100), ("letter.pdf", "application/octet-stream")),
        ("../../etc/passwd", b"root", ("passwd", "application/pdf")),
        ("..\\x.txt", b"a", ("x.txt", "application/pdf")),
        ("a\u200b.pdf", pdf(b""), ("a.pdf", "application/pdf")),
        ("invoice\u202efdp.exe", b"MZ\x90\x00\x03" + bytes(100), ("invoicefdp.exe", "application/octet-stream")),
        ("\u200b\u2060", pdf(b""), ("unnamed.pdf", "application/pdf")),
        ("x" * 5_000 + ".pdf", pdf(b""), ("x" * 251 + ".pdf", "application/pdf")),
    ],
    ids=[
        "jpeg as pdf",
        "pdf as jpeg",
        "program as pdf",
        "path",
        "windows path",
        "zero width",
        "turned",
        "nothing to see",
        "5,000 characters",
    ],
)
def test_a_file_s_label_leads_nowhere_and_its_type_is_what_its_bytes_say(name: str, content: bytes, shown: tuple[str, str]):
    found = attached(contact_of(mail(LONG, (name, content), subtype="pdf")))
    if content in {b"root", b"a"}:  # words are no PDF whatever is said of them
        shown = (shown[0], "application/octet-stream")
    assert found == [shown]


# --- read less


@pytest.mark.parametrize("depth", [Depth.NOTHING, Depth.HEADERS, Depth.MAIL])
def test_whatever_is_read_of_a_mail_it_is_the_same_contact_and_says_what_was_left_out(depth: Depth):
    raw = mail(LONG, ("letter.pdf", pdf(saying("Help."))))
    known = {"account": "care", "received_at": RECEIVED, "backfill": False, "authserv_id": None}
    contact, files = translate_less(raw, "it took longer than it may", depth=depth, **known)
    whole = contact_of(raw)
    assert (contact.id, contact.original) == (whole.id, whole.original)
    assert contact.warnings[-1].startswith("not-read: ")
    assert contact.warnings[-1].endswith("since it took longer than it may")
    assert (contact.subject is None, bool(contact.text), len(files)) == {
        Depth.NOTHING: (True, False, 0),
        Depth.HEADERS: (False, False, 0),
        Depth.MAIL: (False, True, 1),
    }[depth]
    assert "Help" not in contact.full_text
