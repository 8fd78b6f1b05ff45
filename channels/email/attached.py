"""The words in the files beside a mail: PDF, Word, Excel, OpenDocument, plain text, HTML, and mails that are forwarded as files.

Pure, and bounded by size, pages, operators and characters. pypdf is not bounded in time by that, whatever it is given (of its advisories of
2026 a dozen are of hangs and bombs): this runs in a process that can be lost (``ingest.bounded``), and the mail is then read without. Of
Office's files only the words are looked for, in members whose unpacked size is bounded, without entities and without a network. RTF and
what Office wrote until 2007 are not read: of RTF there is no reader that is bounded in time.
"""

import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, cast

from lxml import etree as lxml_etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from channels.email.mime import QUOTE_CLOSES, QUOTE_OPENS, File, decode_text, take_words, text_of_html, tidy
from ingest.files import Told, members_of

MOST_BYTES: Final = 5 * 1024 * 1024
"""Of a file whose words are looked for."""
MOST_PAGES: Final = 50
MOST_OPERATORS: Final = 100_000
"""Of a PDF's pages; a dense page has some thousands."""
MOST_DRAWN_BYTES: Final = 1024 * 1024
"""Of one page's content stream, unpacked; a dense page has 50,000."""
MOST_WORDS: Final = 200_000
"""Characters of one file."""
MOST_FILES: Final = 20
_MOST_MEMBER_BYTES: Final = 10 * 1024 * 1024
_MOST_HTML_BYTES: Final = 1024 * 1024
_SMALL_PICTURE_BYTES: Final = 50_000
"""Up to here a picture is a logo or a banner, and no letter that somebody has photographed."""
_NO_LETTERS: Final = (
    "text/calendar",
    "text/vcard",
    "text/x-vcard",
    "application/pgp-",
    "application/pkcs7-",
    "application/x-pkcs7-",
)

_etree: Final = cast("Any", lxml_etree)  # it has no types
_of_pypdf: Final = logging.getLogger("pypdf")
_of_pypdf.addHandler(logging.NullHandler())
_of_pypdf.propagate = False  # what it says of a file may have the file's own words in it


@dataclass(frozen=True, slots=True)
class Words:
    """What a file says, and whether that is all of it."""

    text: str
    whole: bool


def words_of(file: File, told: Told) -> Words | None:
    """None where no words are looked for in such a file, or none can be had."""
    if not file.content or len(file.content) > MOST_BYTES or told.locked:
        return None
    try:
        found = _words_of(file, told)
    except Exception:  # noqa: BLE001 - what a library does not understand, or has no memory for, it raises as it likes
        return None
    if found is None or not (text := _clean(found.text)):
        return None
    return Words(text[:MOST_WORDS], found.whole and len(text) <= MOST_WORDS)


def _clean(text: str) -> str:
    for mark in (QUOTE_OPENS, QUOTE_CLOSES):
        text = text.replace(mark, "")
    return tidy(text.encode("utf-8", "replace").decode()).strip()


def leans_on(file: File, told: Told) -> bool:
    """Whether a file may be the letter itself, which a mail of few words only covers."""
    if file.inline or not file.content or file.content_type.startswith(_NO_LETTERS):
        return False
    is_picture = told.kind is not None and told.kind.types[0].startswith("image/")
    return not (is_picture and len(file.content) <= _SMALL_PICTURE_BYTES)


def _words_of(file: File, told: Told) -> Words | None:
    kind = told.kind.name if told.kind else None
    if kind == "pdf":
        return _of_pdf(file.content)
    if kind == "docx":
        return _of_word(file.content)
    if kind == "xlsx":
        return _of_excel(file.content)
    if kind in {"odt", "ods"}:
        return _of_opendocument(file.content)
    if file.content_type == "message/rfc822":
        return Words(take_words(file.content), whole=True)
    if file.content_type == "text/html" or file.name.lower().endswith((".html", ".htm")):
        page = decode_text(file.content[:_MOST_HTML_BYTES], None)[0]
        return Words(text_of_html(page), whole=len(file.content) <= _MOST_HTML_BYTES)
    if kind == "txt" and (file.content_type in {"text/plain", "text/csv"} or file.name.lower().endswith((".txt", ".csv"))):
        return Words(decode_text(file.content, None)[0], whole=True)
    return None


def _of_pdf(content: bytes) -> Words:
    """Page by page; a page without words may be a picture of some, so that it is then not read in whole."""
    from pypdf import PdfReader  # late: it takes a quarter of a second, which no command that opens none should wait for

    pages: list[str] = []
    left, whole = MOST_OPERATORS, True

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMuch

    try:
        for page in PdfReader(BytesIO(content), strict=False).pages:
            drawn = page.get_contents()
            much = drawn is not None and len(drawn.get_data()) > MOST_DRAWN_BYTES
            if much or len(pages) == MOST_PAGES or sum(map(len, pages)) > MOST_WORDS:
                raise _TooMuch  # noqa: TRY301 - as where it is counted
            pages.append(page.extract_text(visitor_operand_before=count).strip())
            whole = whole and bool(pages[-1])
    except _TooMuch:
        whole = False
    return Words("\n\n".join(each for each in pages if each), whole)


class _TooMuch(Exception):
    """There is more of it than is read; what was read until then stands."""


# Office


class _Package:
    """The members of a zip, each read as far as it may be large."""

    def __init__(self, content: bytes) -> None:
        self._sizes = {each.filename: each.file_size for each in members_of(content) or ()}
        self._opened = zipfile.ZipFile(BytesIO(content))
        self.whole = True

    def named(self, beginning: str) -> list[str]:
        """The XML members whose names begin so, in the order of the numbers in them."""
        found = [each for each in self._sizes if each.startswith(beginning) and each.endswith(".xml")]
        return sorted(found, key=lambda each: (len(each), each))

    def elements(self, name: str) -> "Iterator[tuple[str, Any]]":
        """``start`` and ``end`` of each element; nothing where there is no such member."""
        if name not in self._sizes:
            return
        if self._sizes[name] > _MOST_MEMBER_BYTES:
            self.whole = False
            return
        with self._opened.open(name) as member:
            content = member.read(_MOST_MEMBER_BYTES + 1)
        if len(content) > _MOST_MEMBER_BYTES:  # its list lied
            self.whole = False
            return
        limits = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
        yield from _etree.iterparse(BytesIO(content), events=("start", "end"), **limits)


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


_WORD_PARTS: Final = ("word/header", "word/document", "word/footnotes", "word/endnotes", "word/comments", "word/footer")


def _of_word(content: bytes) -> Words:
    package = _Package(content)
    out: list[str] = []
    size = 0
    for name in (each for part in _WORD_PARTS for each in package.named(part)):
        passed_over = 0  # what stands there again for programs that know less
        for event, element in package.elements(name):
            local = _local(element)
            if local == "Fallback":
                passed_over += 1 if event == "start" else -1
            elif passed_over:
                continue
            elif event == "start":
                out.append({"tab": "\t", "br": "\n", "cr": "\n"}.get(local, ""))
            elif local == "t":
                out.append(element.text or "")
                size += len(out[-1])
            elif local in {"p", "tc"}:
                out.append("\n" if local == "p" else "\t")
                element.clear()
            if size > MOST_WORDS:
                package.whole = False
                break
    return Words("".join(out), package.whole)


def _of_excel(content: bytes) -> Words:
    package = _Package(content)
    shared: list[str] = []
    pieces: list[str] = []
    for event, element in package.elements("xl/sharedStrings.xml"):
        if event == "end" and (local := _local(element)) in {"t", "si"}:
            if local == "t":
                pieces.append(element.text or "")
            else:
                shared.append("".join(pieces))
                pieces = []
            element.clear()
    lines: list[str] = []
    size = 0
    for name in package.named("xl/worksheets/sheet"):
        cells: list[str] = []
        for event, element in package.elements(name):
            local = _local(element)
            if event != "end" or local not in {"c", "row"}:
                continue
            if local == "row":
                lines.append("\t".join(each for each in cells if each))
                size += len(lines[-1])
                cells = []
                element.clear()
            else:
                cells.append(_cell(element, shared)[:MOST_WORDS])
            if size + sum(map(len, cells)) > MOST_WORDS:
                package.whole = False
                break
    return Words("\n".join(each for each in lines if each), package.whole)


def _cell(cell: Any, shared: list[str]) -> str:
    given = "".join(each.text or "" for each in cell.iter() if _local(each) in {"v", "t"})
    if cell.get("t") != "s":
        return given
    return shared[int(given)] if given.isdecimal() and int(given) < len(shared) else ""


def _of_opendocument(content: bytes) -> Words:
    package = _Package(content)
    out: list[str] = []
    size = depth = passed_over = 0  # within how many paragraphs, and how many lists of what was deleted
    for event, element in package.elements("content.xml"):
        local = _local(element)
        if local == "tracked-changes":
            passed_over += 1 if event == "start" else -1
            continue
        if passed_over:
            continue
        if event == "start":
            depth += local in {"p", "h"}
            continue
        if local in {"p", "h"}:
            depth -= 1
            if depth == 0:
                out.append(_paragraph(element))
                size += len(out[-1])
                element.clear()
        if size > MOST_WORDS:
            package.whole = False
            break
    return Words("\n".join(out), package.whole)


def _paragraph(element: Any) -> str:
    out: list[str] = []
    for event, each in _etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            out += [_SPACES.get(_local(each), ""), each.text or ""]
        elif each is not element:
            out.append(each.tail or "")
    return "".join(out).strip("\n")


_SPACES: Final = {"s": " ", "tab": "\t", "line-break": "\n", "p": "\n", "h": "\n"}
