"""A file is what its bytes say, whatever it is called; a name shows what it is and leads nowhere."""

import io
import time
import unicodedata
import wave
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.files import KINDS, label, label_of, tell

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ODT = "application/vnd.oasis.opendocument.text"
LOCKED_MANIFEST = b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'


def zipped(members: dict[str, bytes | str], *, flag: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for name, content in members.items():
            opened.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    content = bytearray(made.getvalue())
    content[content.rindex(b"PK\x01\x02") + 8] |= flag
    return bytes(content)


def ooxml(main: str, **more: bytes) -> dict[str, bytes | str]:
    return {"[Content_Types].xml": "<Types/>", main: "<document/>", **more}


def compound(stream: str, fib: bytes = b"") -> bytes:
    return OLE.ljust(512, b"\0") + fib.ljust(512, b"\0") + stream.encode("utf-16-le")


def spoken() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8_000)
        opened.writeframes(bytes(800))
    return made.getvalue()


SOUND = {
    "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF",
    "jpeg": b"\xff\xd8\xff\xe1\x00\x18Exif\0\0",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "tiff": b"II*\0\x08\0\0\0",
    "gif": b"GIF89a\x01\0\x01\0",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "docx": zipped(ooxml("word/document.xml")),
    "xlsx": zipped(ooxml("xl/workbook.xml")),
    "odt": zipped({"mimetype": ODT, "content.xml": "<office/>", "META-INF/manifest.xml": "<manifest/>"}),
    "ods": zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<office/>"}),
    "doc": compound("WordDocument", b"\xec\xa5\xc1\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    "xls": compound("Workbook"),
    "msg": compound("__properties_version1.0"),
    "rtf": b"{\\rtf1\\ansi A letter.}",
    "eml": b"Received: from mx\r\nFrom: Ann <ann@example.org>\r\nSubject: A letter\r\n\r\nDear Sir\r\n",
    "txt": "Annwyl Syr, fe’m hysbyswyd.\n".encode(),
    "mp3": b"ID3\x04\0\0\0\0\0\0",
    "mp4": b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42",
    "wav": spoken(),
}


def test_every_kind_that_may_be_sent_is_tried_here():
    assert SOUND.keys() == KINDS.keys()


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_what_it_is_and_not_locked(name: str):
    kind, locked = tell(SOUND[name])
    assert (kind and kind.name, locked) == (name, False)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param("A letter, £5".encode("latin-1"), "txt", id="latin-1"),
        pytest.param("Un hysbysiad".encode("utf-16"), "txt", id="utf-16"),
        pytest.param(b"\xef\xbb\xbfA letter", "txt", id="byte order mark"),
        pytest.param(b"From: the desk of Ann\n\nA letter.", "txt", id="a letter that begins with From"),
        pytest.param(b"I am < 5 feet tall", "txt", id="less than"),
        pytest.param(b"\xff\xfb\x90\x64\0\0\0\0", "mp3", id="mp3 without tags"),
        pytest.param(b"garbage before\n%PDF-1.4\n", "pdf", id="pdf after some bytes"),
        pytest.param(b"\0\0\0\x18ftypmp42\0\0\0\0", "mp4", id="a phone's recording"),
    ],
)
def test_what_is_written_in_another_way_is_told_too(content: bytes, name: str):
    kind, _ = tell(content)
    assert kind is not None
    assert kind.name == name


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"MZ\x90\0\x03\0\0\0", id="Windows program"),
        pytest.param(b"\x7fELF\x02\x01\x01\0", id="Linux program"),
        pytest.param(b"<!DOCTYPE html><script>alert(1)</script>", id="html"),
        pytest.param(b" \n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>", id="svg"),
        pytest.param(b"<?xml version='1.0'?><svg/>", id="xml"),
        pytest.param("<script>alert(1)</script>".encode("utf-16"), id="script in utf-16"),
        pytest.param(b"text\0with a NUL", id="NUL"),
        pytest.param(b"\xff\xfe\x00\xd8", id="broken utf-16"),
        pytest.param(zipped({"invoice.exe": b"MZ"}), id="plain zip"),
        pytest.param(zipped({"invoice.exe": b"MZ"}, flag=1), id="locked plain zip"),
        pytest.param(zipped(ooxml("word/document.xml", **{"word/vbaProject.bin": b"x"})), id="docx with macros"),
        pytest.param(zipped({"content.xml": "x", "mimetype": ODT}), id="odt whose type is not first"),
        pytest.param(
            zipped({f"word/{each}": b"" for each in range(5_000)} | ooxml("word/document.xml")), id="too many members"
        ),
        pytest.param(b"PK\x03\x04" + b"\0" * 200, id="zip without a list"),
        pytest.param(OLE + b"\0" * 2_000, id="another compound file"),
        pytest.param(b"RIFF\x24\0\0\0AVI LIST", id="avi"),
        pytest.param(b"7z\xbc\xaf\x27\x1c\0\x04", id="7z"),
    ],
)
def test_what_nobody_should_open_is_no_kind_at_all(content: bytes):
    assert tell(content) == (None, False)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"%PDF-1.6\ntrailer\n<</Root 1 0 R/Encrypt 9 0 R/ID[<00><00>]>>", "pdf", id="pdf"),
        pytest.param(b"%PDF-1.6\ntrailer\n<</Encrypt <</Filter/Standard>>>>", "pdf", id="pdf, in the trailer itself"),
        pytest.param(compound("EncryptedPackage"), "docx", id="docx of today"),
        pytest.param(compound("WordDocument", b"\xec\xa5\xc1\0\0\0\0\0\0\0\0\x01"), "doc", id="doc"),
        pytest.param(zipped(ooxml("word/document.xml"), flag=1), "docx", id="docx as a locked zip"),
        pytest.param(zipped({"mimetype": ODT, "content.xml": "x", "META-INF/manifest.xml": LOCKED_MANIFEST}), "odt", id="odt"),
    ],
)
def test_a_locked_file_is_told_apart(content: bytes, name: str):
    kind, locked = tell(content)
    assert (kind and kind.name, locked) == (name, True)


def test_words_about_encryption_do_not_lock_a_pdf():
    assert not tell(SOUND["pdf"] + b"\n(How we /Encrypt your letters)").locked


@given(st.binary(max_size=2_000) | st.sampled_from(list(SOUND.values())).flatmap(lambda each: st.builds(lambda at, by: each[:at] + by + each[at + 1 :], st.integers(0, len(each)), st.binary(max_size=3))))  # fmt: skip
def test_anything_at_all_is_told_or_not_and_nothing_breaks(content: bytes):
    kind, _ = tell(content)
    assert kind is None or KINDS[kind.name] is kind


@pytest.mark.parametrize(
    "piece",
    [
        b" ",
        b"\n",
        b"<",
        b"From: a\n",
        b"x-a",
        b"PK\x03\x04",
        b"PK\x05\x06",
        OLE,
        b"\xec\xa5",
        "ﬀ".encode(),
        b"\xff\xfe",
        b"%PDF-",
    ],
)
def test_ten_megabytes_made_to_keep_it_busy_do_not(piece: bytes):
    content = piece * (10_000_000 // len(piece))
    began = time.monotonic()
    tell(content)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("name", "claimed", "said"),
    [
        ("pdf", "text/html", "application/pdf"),
        ("txt", "text/csv; charset=utf-8", "text/csv"),
        ("txt", "text/html", "text/plain"),
        ("mp4", "AUDIO/MP4", "audio/mp4"),
        ("mp4", "", "video/mp4"),
    ],
)
def test_the_senders_word_counts_only_where_the_bytes_leave_it_open(name: str, claimed: str, said: str):
    assert KINDS[name].media_type(claimed) == said  # type: ignore[index]


# Names.


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("decision letter.pdf", "decision letter.pdf"),
        ("penderfyniad – Siân.pdf", "penderfyniad – Siân.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\letter.doc", "letter.doc"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("\u200b\u202e\u3164", "unnamed"),
        (".htaccess", "htaccess"),
        ("letter\u202egpj.exe", "lettergpj.exe"),
        ("let\u200bter\x00\r\n.pdf", "letter .pdf".replace(" ", "")),
        ("letter.pdf                                  .exe", "letter.pdf .exe"),
        ("a" * 5_000 + ".pdf", "a" * 251 + ".pdf"),
        ("a" * 5_000, "a" * 255),
    ],
)
def test_a_name_becomes_a_label(given_name: str, shown: str):
    assert label(given_name) == shown


@given(st.text(max_size=400) | st.text(st.sampled_from("./\\ \u202e\u200b\x00\r\nab:"), max_size=600))
@example("a" * 254 + " .pdf")
@example("/" * 5_000)
@example("." * 5_000 + "a" * 300 + ".pdf")
def test_no_label_holds_a_path_or_what_cannot_be_seen(name: str):
    shown = label(name)
    assert 1 <= len(shown) <= 255
    assert not {"/", "\\"} & set(shown)
    assert not shown.startswith(".")
    assert shown == shown.strip()
    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"} for each in shown)
    assert label(shown) == shown


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("letter.PDF", "pdf", "letter.PDF"),
        ("letter.exe", "pdf", "letter.exe.pdf"),
        ("letter", "txt", "letter.txt"),
        ("run.bat", "txt", "run.bat.txt"),
        ("IMG_1.JPG", "jpeg", "IMG_1.JPG"),
        ("x" * 300 + ".exe", "pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_name_ends_as_such_files_do(name: str, kind: str, shown: str):
    assert label_of(name, KINDS[kind]) == shown  # type: ignore[index]
