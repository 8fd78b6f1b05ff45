"""A mail's bytes taken apart: its headers, the words a person reads first, and the files beside them.

Pure, and bounded in time and memory whatever it is given. The standard library reads the headers by its compat32 policy, which is
four times faster than its newer one and leaves them as they came; they are decoded here. Parts are cut here too, so that broken mail
loses none. Which of them is body and which attachment follows RFC 8621 section 4.1.4, save that every picture is an attachment.
"""

import binascii
import codecs
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from itertools import chain
from typing import Any, Final, cast

import charset_normalizer
from inscriptis import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import html as lxml_html

from channels.email.tnef import Opened, opened
from ingest.files import label

MOST_PARTS: Final = 1_000
MOST_LEVELS: Final = 50
MOST_HEADER_LINES: Final = 10_000
MOST_HEADER_BYTES: Final = 1024 * 1024
MOST_FIELD_BYTES: Final = 64 * 1024
MOST_LINES: Final = 1_000_000
MOST_WORDS: Final = 2 * 1024 * 1024
"""Characters of a body that are read; eight times what a contact carries."""
MOST_FILE_BYTES: Final = 128 * 1024 * 1024
"""Bytes of all attachments of one mail together."""
MOST_GUESSED_AS_LATIN: Final = 64
"""Bytes of which too few tell an alphabet apart; up to here what has some ASCII in it is taken for Western European."""
MOST_FORWARDED: Final = 10
"""Mails forwarded without a comment whose words are read."""
MOST_TAGS: Final = 15_000
"""Tags of an HTML body that are laid out; of a larger one only the tags are taken away."""

QUOTE_OPENS, QUOTE_CLOSES = "\ue0f0", "\ue0f1"
"""Stand in the text of an HTML body where a quotation began and ended; private use, and taken out of what a sender writes."""


@dataclass(frozen=True, slots=True)
class File:
    """A part that is kept as a file."""

    name: str
    content_type: str
    content: bytes
    inline: bool


@dataclass(slots=True)
class Mail:
    """What one mail holds. ``headers`` are (lower-case name, raw value) in their order, bytes over 127 as surrogates."""

    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    types: list[str] = field(default_factory=list[str])
    charset: str | None = None
    words: str = ""
    files: list[File] = field(default_factory=list[File])
    warnings: list[str] = field(default_factory=list[str])

    def all(self, name: str) -> list[str]:
        """Every value of a header, raw, from the top."""
        return [value for each, value in self.headers if each == name]

    def first(self, name: str) -> str | None:
        """The topmost value of a header, raw."""
        return next((value for each, value in self.headers if each == name), None)

    def decoded(self, name: str) -> str:
        """The topmost value of a header as text on one line; empty where there is none."""
        return decode_header(self.first(name) or "", self.charset)

    def warn(self, warning: str) -> None:
        """Note a warning once."""
        if warning not in self.warnings:
            self.warnings.append(warning)


class _TooMuch(Exception):
    """Past a limit; what was parsed until then stands."""


class _Part(Message):
    """A part's headers, the parts ``below`` it, and its bytes as they came; of a multipart, what stands around its parts.

    A forwarded message is a file and not a branch, so its depth costs nothing.
    """

    def __init__(self, policy: Any = compat32) -> None:
        super().__init__(policy)
        self.below: list[_Part] = []
        self.content = b""

    @property
    def beyond(self) -> int:
        """How many bytes it was given below its headers; ``get_payload`` would decode them by the charset that it claims."""
        return len(vars(self)["_payload"])


def take_apart(raw: bytes) -> Mail:
    """A mail's headers, words and files; what went past a limit or could not be read is told in ``warnings``."""
    mail = Mail()
    root = _parse(_bounded(raw, mail), mail)
    mail.headers = [(name.lower(), value) for name, value in root.raw_items()]
    mail.content_type = _type_of(root)
    mail.parameters = _parameters(root, "content-type")
    bodies: list[_Part] = []
    files: list[tuple[_Part, bool]] = []
    _sort(root, bodies, files, mail)
    beside = _opened(files)
    hint = _hint(mail.first("subject") or "")
    mail.charset = next((found for each in bodies if (found := _charset_of(each))), None) or hint
    _read_words(bodies, hint, mail)
    _read_files(files, beside, mail)
    if not mail.words.strip():
        mail.words = _words_elsewhere(root, beside, files, mail)
    return mail


def end_of_headers(raw: bytes, most: int = MOST_HEADER_BYTES) -> tuple[int, int] | None:
    """Where a mail's headers end and where its body begins; None where that is not within ``most`` bytes.

    Empty lines above the headers are passed over; a mail that begins with one and has no headers below is all body.
    """
    above = _HEADERS_BEGIN.match(raw)
    if above is None and (none := _LINE_END.match(raw)):
        return 0, none.end()
    found = _HEADERS_END.search(raw, above.end() if above else 0, most)
    return found.span() if found else None


def _bounded(raw: bytes, mail: Mail) -> bytes:
    """The same mail with an absurd header block made bearable, and cut after a million lines."""
    raw = _HEADERS_BEGIN.sub(b"", raw, count=1)
    end, _ = end_of_headers(raw, len(raw)) or (len(raw), len(raw))
    if end > MOST_HEADER_BYTES or raw.count(b"\n", 0, end) + raw.count(b"\r", 0, end) > MOST_HEADER_LINES:
        kept: list[bytes] = []
        used = 0
        lines = re.split(rb"\r\n|\n|\r", raw[: 16 * MOST_HEADER_BYTES][:end])
        for line in lines:
            used = used + len(line) if line[:1] in {b" ", b"\t"} else len(line)
            if used <= MOST_FIELD_BYTES:
                kept.append(line)
            elif used == len(line):
                kept.append(line[:MOST_FIELD_BYTES])
            if len(kept) >= MOST_HEADER_LINES:
                break
        mail.warn("not-read: the headers are longer than is read; the rest of them was left out")
        raw = b"\r\n".join(kept) + raw[end:]
    elif _NO_HEADER.search(raw, 0, end):
        raw = _mended(raw[:end]) + raw[end:]
    if raw.count(b"\n") > MOST_LINES or raw.count(b"\r") > MOST_LINES:
        end = 0
        for count, line_end in enumerate(re.finditer(rb"\r\n|\n|\r", raw)):
            if count == MOST_LINES:
                end = line_end.start()
                break
        if end:
            mail.warn("not-read: there are more lines than are read; the rest was left out")
            raw = raw[:end]
    return raw


_HEADERS_BEGIN: Final = re.compile(rb"\A[\r\n]{1,1000}(?=[A-Za-z-]{1,40}:)")
_HEADERS_END: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|[\r\n])")
_NO_HEADER: Final = re.compile(rb"(?m)^(?![!-9;-~]*:|[ \t\r]|From )[^\r\n]")
_SURELY_HEADER: Final = re.compile(
    rb"(?i)(?:from|to|cc|subject|date|message-id|in-reply-to|references|received|return-path|delivered-to|reply-to|sender"
    rb"|mime-version|content-[a-z-]+|list-[a-z-]+|auto-submitted|precedence|x-[a-z-]+)[ \t]*:"
)


def _mended(head: bytes) -> bytes:
    """A header block without the lines in it that are no header, where headers follow; the parser would end it there."""
    lines = re.split(rb"\r\n|\n|\r", head)
    last = max((place for place, line in enumerate(lines) if _SURELY_HEADER.match(line)), default=0)
    kept: list[bytes] = []
    for place, line in enumerate(lines):
        closed = re.sub(rb"\A([!-9;-~]{1,70})[ \t]{1,20}:", rb"\1:", line)
        if place >= last or not _NO_HEADER.match(closed):
            kept.append(closed)
    return b"\r\n".join(kept)


def _parse(raw: bytes, mail: Mail) -> _Part:
    """The tree of parts as far as the limits let it grow."""
    tree = _Tree(raw)
    try:
        tree.grow()
    except _TooMuch as limit:
        mail.warn(f"not-read: {limit}")
    return tree.root


class _Tree:
    """Cuts a multipart at its own delimiters and then within, since an outer one ends whatever is open (RFC 2046 section 5.1.2).

    The standard library reads each part's headers. It does not cut, since it drops what stands behind a closing delimiter.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._made = 1
        # each level looks at each line once more
        self._most_levels = max(5, min(MOST_LEVELS, 5 * MOST_LINES // (raw.count(b"\n") + raw.count(b"\r") + 1)))
        self.root, self._body = _headed(raw, 0, len(raw))

    def grow(self) -> None:
        """Find all parts. Raises _TooMuch past a limit; what was found until then stands."""
        self._fill(self.root, self._body, len(self._raw), b"", 0)

    def _fill(self, part: _Part, start: int, end: int, cut_by: bytes, level: int) -> bool:
        """Find what stands in a part; True where it has the very boundary it was cut by, and so its parts follow it."""
        boundary = self._boundary(part, start, end, cut_by)
        taken = boundary != b"" and boundary == cut_by
        if boundary and not taken:
            self._cut(part, start, end, boundary, level)
        else:
            part.content = self._raw[start:end]
        return taken

    def _boundary(self, part: _Part, start: int, end: int, cut_by: bytes) -> bytes:
        """What cuts a part; empty where nothing does."""
        if not _type_of(part).startswith("multipart/"):
            return b""
        given = _boundary_of(part)
        if given and (given == cut_by or any(not closes for *_, closes in _delimiters(self._raw, start, end, given))):
            return given
        return _likely_boundary(self._raw, start, end)

    def _cut(self, part: _Part, start: int, end: int, boundary: bytes, level: int) -> None:
        """Find a multipart's parts, and those of multiparts in it by the same boundary. What is delimited behind its end is a part too."""
        opened, around = [part], list[bytes]()
        at, inside, begun = start, False, False
        last = (_before_closing(self._raw, start, end, boundary), end, None)
        for stop, after, closes in chain(_delimiters(self._raw, start, end, boundary), (last,)):
            if not inside and not (begun and closes is not None and self._raw[at:stop].strip()):
                around.append(self._raw[at:stop])
            elif stop > at:
                if self._made >= MOST_PARTS:
                    raise _TooMuch(f"there are more than {MOST_PARTS} parts; the rest was left out")
                below = level + len(opened)
                if below > self._most_levels:
                    raise _TooMuch(f"parts are nested deeper than {self._most_levels}; the rest was left out")
                child, body = _headed(self._raw, at, stop)
                self._made += 1
                if _type_of(opened[-1]) == "multipart/digest":
                    child.set_default_type("message/rfc822")
                opened[-1].below.append(child)
                if self._fill(child, body, stop, boundary, below):
                    opened.append(child)
            at, inside, begun = after, not closes, True
            if closes and len(opened) > 1:
                opened.pop()
        part.content = b"\n\n".join(around)


def _headed(raw: bytes, start: int, end: int) -> tuple[_Part, int]:
    """A part with its headers, and where its body begins: below an empty line, or with the first line that is no header."""
    if none := _LINE_END.match(raw, start, end):
        return _Part(), none.end()
    found = _HEADERS_END.search(raw, start, end)
    body = found.end() if found else end
    part = cast("_Part", _HEADERS.parsestr(raw[start:body].decode("ascii", "surrogateescape")))
    return part, body - part.beyond


def _delimiters(raw: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """Of each delimiter where what is above it stops, where what is below it begins, and whether it closes; its line ends are its own."""
    last = raw.rfind(b"--" + boundary, start, end)
    if last < 0:
        return
    line_end = _LINE_END.search(raw, last, end)
    closing = boundary + b"--"
    for line in _DASHED.finditer(raw, max(0, start - 1), line_end.start() if line_end else end):
        given = line[1]
        if given.startswith(boundary) and (given := given.rstrip(b" \t")) in (boundary, closing):
            at, after = line.span()
            below = _LINE_END.match(raw, after, end)
            above = at - 1 if raw[at - 1 : at + 1] == b"\r\n" else at
            yield max(above, start), below.end() if below else end, given == closing


def _before_closing(raw: bytes, start: int, end: int, boundary: bytes) -> int:
    """Where a last part ends: also before a closing delimiter whose line end was forgotten, and which is neither base64 nor anybody's words."""
    closing = b"--" + boundary + b"--"
    last = raw[max(start, end - len(closing) - 100) : end]
    blank = len(last) - len(last.rstrip())
    return end - blank - len(closing) if last.rstrip().endswith(closing) else end


def _likely_boundary(raw: bytes, start: int, end: int) -> bytes:
    """What delimits the parts of a multipart that has no delimiter of its own: the first line like one that a part's headers follow."""
    found = _LIKE_DELIMITER.search(raw, start - 1, end)
    return found[1].rstrip(b" \t") if found else b""


_DASHED: Final = re.compile(rb"[\r\n]--([^\r\n]*)")
_LIKE_DELIMITER: Final = re.compile(rb"(?i)[\r\n]--([^\r\n]{1,200})(?:\r\n|[\r\n])content-[a-z-]{1,40}[ \t]{0,9}:")
_HEADERS: Final = HeaderParser(_Part, policy=compat32)
_LINE_END: Final = re.compile(rb"\r\n|[\r\n]")


def _sort(root: _Part, bodies: list[_Part], files: list[tuple[_Part, bool]], mail: Mail) -> None:
    """Tell bodies and files apart, in the order they are read."""

    def visit(parts: list[_Part], kind: str, *, choice: bool) -> tuple[list[_Part], list[_Part]]:
        """The plain and the HTML bodies of some sister parts; ``choice`` where they say the same twice."""
        plain: list[_Part] = []
        rich: list[_Part] = []
        for place, part in enumerate(parts):
            content_type = _type_of(part)
            mail.types.append(content_type)
            if part.below:
                below_kind = content_type.partition("/")[2]
                below = visit(part.below, below_kind, choice=choice or below_kind == "alternative")
                plain += below[0]
                rich += below[1]
                continue
            disposition = _disposition(part)
            named = bool(_name_of(part))
            broken = content_type.startswith("multipart/")
            text = content_type in {"text/plain", "text/html"} or (content_type.startswith("text/") and part is root) or broken
            beside = place > 0 and (kind == "related" or named)
            alone = part is root and not named and text
            if alone or (text and disposition != "attachment" and not beside):
                is_rich = content_type == "text/html"
                if is_rich or not choice:
                    rich.append(part)
                if not is_rich or not choice:
                    plain.append(part)
            else:
                files.append((part, disposition == "inline" or (disposition == "" and bool(part.get("Content-ID")))))
        if kind == "alternative" and not any(each.content.strip() for each in plain):
            plain = rich
        return plain, rich

    bodies += visit([root], "mixed", choice=False)[0]


def _opened(files: list[tuple[_Part, bool]]) -> dict[int, Opened]:
    """What stands in each ``winmail.dat``, by the place it has among the files."""
    found: dict[int, Opened] = {}
    for place, (part, _) in enumerate(files):
        if _type_of(part) in {"application/ms-tnef", "application/vnd.ms-tnef"} or _name_of(part).lower() == "winmail.dat":
            inside = opened(_content(part))
            if inside is not None:
                found[place] = inside
    return found


def _words_elsewhere(root: _Part, beside: dict[int, Opened], files: list[tuple[_Part, bool]], mail: Mail) -> str:
    """What a person may have written in a mail whose bodies are empty.

    In turn: in a ``winmail.dat``, in mails that are forwarded as files with no comment, and around the parts of a broken mail.
    """
    for inside in beside.values():
        if inside.html.strip():
            return text_of_html(decode_text(inside.html[: 4 * MOST_WORDS], _charset_in_html(inside.html))[0][:MOST_WORDS])
        if inside.plain.strip():
            return tidy(inside.plain[:MOST_WORDS])
    report = mail.content_type == "multipart/report" or "message/delivery-status" in mail.types
    if not report:
        forwarded = [each for each, _ in files if _type_of(each) == "message/rfc822"][:MOST_FORWARDED]
        words = [take_words(_content(each)) for each in forwarded]
        if any(words):
            return "\n\n".join(each for each in words if each)
    if root.below and not mail.files and (around := root.content.strip()):
        text, _ = decode_text(around[: 4 * MOST_WORDS], None, mail.charset)
        mail.warn("not-read: the parts of this mail are broken; the text was taken from around them")
        return _without(tidy(text[:MOST_WORDS]), QUOTE_OPENS, QUOTE_CLOSES)
    return ""


def take_words(raw: bytes) -> str:
    """The words of a forwarded mail, and of none that is forwarded within it."""
    inner = Mail()
    root = _parse(_bounded(raw[: 4 * MOST_WORDS], inner), inner)
    bodies: list[_Part] = []
    _sort(root, bodies, [], inner)
    _read_words(bodies, None, inner)
    return inner.words[:MOST_WORDS]


def _read_words(bodies: list[_Part], hint: str | None, mail: Mail) -> None:
    pieces: list[str] = []
    for part in bodies:
        content, charset = _content(part), _charset_of(part)
        if content_type := (_type_of(part) == "text/html"):
            charset = charset or _charset_in_html(content)
        text, trouble = decode_text(content[: 4 * MOST_WORDS], charset, hint)
        if trouble:
            mail.warn(f"charset: {trouble}")
        if len(text) > MOST_WORDS:
            text = text[:MOST_WORDS]
            mail.warn("not-read: the text is longer than is read; the rest was left out")
        text = _without(text, QUOTE_OPENS, QUOTE_CLOSES)
        if content_type:
            text = text_of_html(text)
        else:
            text, files = _uuencoded(tidy(text))
            mail.files += files
            parameters = _parameters(part, "content-type")
            if parameters.get("format", "").lower() == "flowed":
                text = unflowed(text, delsp=parameters.get("delsp", "").lower() == "yes")
        if text.strip():
            pieces.append(text.strip("\n"))
    mail.words = "\n\n".join(pieces)


def unflowed(text: str, *, delsp: bool = False) -> str:
    """Paragraphs on one line each again (RFC 3676 section 4.2); quotation marks stay, and a signature's ``-- `` is none's line."""
    if " \n" not in text and "\n " not in text:
        return text
    out: list[str] = []
    paragraph: list[str] = []
    flows, before = False, 0
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words.removeprefix(" ")
        signature = words == "-- "
        if not (flows and depth == before and not signature):
            if paragraph:
                out.append("".join(paragraph))
            paragraph = [">" * depth + " "] if depth and words else [">" * depth]
        flows, before = words.endswith(" ") and not signature, depth
        paragraph.append(words[:-1] if flows and delsp else words)
    out.append("".join(paragraph))
    return "\n".join(out)


def _read_files(files: list[tuple[_Part, bool]], beside: dict[int, Opened], mail: Mail) -> None:
    used = sum(len(each.content) for each in mail.files)
    for place, (part, inline) in enumerate(files):
        if place in beside and beside[place].files:
            packed = beside[place].files
            used += sum(len(each.content) for each in packed)
            if used <= MOST_FILE_BYTES:
                mail.files += [
                    File(label(each.name), _media_type(each.content_type), each.content, inline=False) for each in packed
                ]
                continue
        content = _content(part)
        used += len(content)
        if used > MOST_FILE_BYTES:
            mail.warn("not-read: the attachments together are larger than is read; the rest was left out")
            return
        mail.files.append(File(label(_name_of(part, mail.charset)), _type_of(part)[:255], content, inline))


# Parts


def _type_of(part: _Part) -> str:
    """``main/sub`` in lower case, also where the semicolon behind it was forgotten. Of several headers the first that is a type counts,
    as mail programs have it.
    """
    known: str | None = vars(part).get("_type")
    if known is None:
        known = vars(part)["_type"] = _media_type(Message.get_content_type(part).split(maxsplit=1)[0])
    return known


def _media_type(given: str) -> str:
    return given if given.isascii() and given.isprintable() and len(given) <= 255 else "application/octet-stream"


def _header(part: _Part, name: str) -> str:
    return next((value for each, value in part.raw_items() if each.lower() == name), "")


def _disposition(part: _Part) -> str:
    return _header(part, "content-disposition").partition(";")[0].strip().lower()


def _boundary_of(part: _Part) -> bytes:
    """Also one that was folded, or stands where a semicolon was forgotten."""
    return _parameters(part, "content-type").get("boundary", "").rstrip().encode("utf-8", "surrogateescape")


def _charset_of(part: _Part) -> str | None:
    given = _parameters(part, "content-type").get("charset", "").strip().strip("'\"").lower()
    return given or None


def _name_of(part: _Part, hint: str | None = None) -> str:
    for header, key in (("content-disposition", "filename"), ("content-type", "name")):
        if name := _parameters(part, header, hint).get(key, "").strip():
            return name
    if _type_of(part) == "message/rfc822":
        end, _ = end_of_headers(part.content) or (MOST_HEADER_BYTES, 0)
        subject = re.search(rb"(?im)^subject:[ \t]*([^\r\n]{1,200})", part.content[:end])
        return f"{decode_header(subject[1].decode('ascii', 'surrogateescape'))}.eml" if subject else ""
    return ""


def _parameters(part: _Part, name: str, hint: str | None = None) -> dict[str, str]:
    """A header's parameters decoded: quoted, RFC 2231 in pieces and charsets, or encoded words where they do not belong."""
    known: dict[tuple[str, str | None], dict[str, str]] = vars(part).setdefault("_parameters", {})
    if (name, hint) not in known:
        known[name, hint] = _read_parameters(_header(part, name)[:MOST_FIELD_BYTES], hint)
    return known[name, hint]


def _read_parameters(value: str, hint: str | None) -> dict[str, str]:
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for key, given in _split_parameters(value):
        stem, star, rest = key.partition("*")
        number, encoded = rest.rstrip("*"), rest.endswith("*") or (star and not rest)
        if star and number and not number.isdigit():
            continue
        place = int(number[:6]) if star and number else 0
        pieces.setdefault(stem, {}).setdefault(place, (given, bool(encoded)))
    found: dict[str, str] = {}
    for stem, numbered in pieces.items():
        raw, charset = b"", None
        any_encoded = any(encoded for _, encoded in numbered.values())
        for place, (given, encoded) in sorted(numbered.items()):
            text = given
            if encoded and place == min(numbered) and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            piece = text.encode("utf-8", "surrogateescape")
            raw += re.sub(rb"%([0-9A-Fa-f]{2})", lambda each: bytes([int(each[1], 16)]), piece) if encoded else piece
        if any_encoded:
            found[stem] = one_line(decode_text(raw, charset)[0])
        else:
            found[stem] = decode_header(raw.decode("utf-8", "surrogateescape"), hint)
    return found


def _split_parameters(value: str) -> Iterator[tuple[str, str]]:
    """``; key=value`` pairs, the values unquoted; one pass, whatever stands there."""
    _, semicolon, after = value.partition(";")
    for each in _PARAMETER.finditer(after if semicolon else _NO_SEMICOLON.sub("", value)):
        key, quoted, bare = each[1], each[2], each[3]
        yield key.lower(), re.sub(r"\\([\\\"])", r"\1", quoted) if quoted is not None else bare.strip()


_NO_SEMICOLON: Final = re.compile(r"\A\s*[^\s;]*")
_PARAMETER: Final = re.compile(r"""[;\s]*([^\s=;"]{1,80})\s{0,80}=\s{0,80}(?:"((?:[^"\\]|\\[\s\S])*)(?:"|\Z)|([^;]*))[^;]*""")


def _content(part: _Part) -> bytes:
    """A part's bytes, its transfer encoding undone as far as it can be."""
    content = part.content
    encoding = re.sub(r"[^a-z0-9-]", "", _header(part, "content-transfer-encoding").partition(";")[0].lower())
    if encoding == "base64":
        return _from_base64(content)
    if encoding in {"quoted-printable", "quotedprintable", "quoted-printible"}:
        return quopri.decodestring(content)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        files = _uuencoded(content.decode("latin-1").replace("\r\n", "\n"))[1]
        return files[0].content if files else content
    return content


def _from_base64(content: bytes) -> bytes:
    """What base64 there is, in as many padded stretches as there are; a few of them were sometimes joined without being decoded.

    What holds much that base64 never has is no base64, whatever a header says, and stays as it is (RFC 2045 section 6.8 lets a
    reader suspect so).
    """
    if len(_NEVER_BASE64.findall(content[:MOST_FIELD_BYTES])) * 50 > len(content[:MOST_FIELD_BYTES]):
        return content
    letters = re.sub(rb"[^A-Za-z0-9+/=]", b"", content)
    return b"".join(binascii.a2b_base64(_padded(each)) for each in letters.split(b"=") if each)


_NEVER_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=\s]|(?<=[A-Za-z]) (?=[a-z])")


def _padded(letters: bytes) -> bytes:
    over = len(letters) % 4
    return letters[:-1] if over == 1 else letters + b"=" * (-len(letters) % 4)


def _uuencoded(text: str) -> tuple[str, list[File]]:
    """Take the files out of a text that were written into it as mail was before MIME."""
    if "begin " not in text:
        return text, []
    lines = text.split("\n")
    kept: list[str] = []
    files: list[File] = []
    at = 0
    while at < len(lines):
        opening = re.fullmatch(r"begin [0-7]{3,4} (\S[^\n]{0,254})", lines[at].rstrip())
        end = at + 1
        pieces: list[bytes] = []
        while opening and end < len(lines) and (piece := _uu_line(lines[end])) is not None:
            pieces.append(piece)
            end += 1
        if opening and pieces and end < len(lines) and lines[end].strip() == "end":
            files.append(File(label(opening[1]), "application/octet-stream", b"".join(pieces), inline=False))
            at = end + 1
        else:
            kept += lines[at:end]
            at = end
    return "\n".join(kept), files


_UU_LINE: Final = re.compile(r"[ -`]{1,100}")


def _uu_line(line: str) -> bytes | None:
    line = line.rstrip("\r")
    if not _UU_LINE.fullmatch(line):
        return None
    size = (ord(line[0]) - 32) & 63
    wanted = ((size + 2) // 3) * 4
    if len(line) - 1 > wanted + 2:
        return None
    try:
        return binascii.a2b_uu((line[0] + line[1 : 1 + wanted].ljust(wanted)).encode())
    except binascii.Error:
        return None


# Characters

_ALIASES: Final = {
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "big5": "big5hkscs",
    "cp-850": "cp850",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "iso-2022-jp": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
}
_SAYS_NOTHING: Final = {
    "unknown-8bit",
    "x-unknown",
    "unknown",
    "default",
    "binary",
    "8bit",
    "default_charset",
    "x-user-defined",
}
_WITHOUT_HIGH_BYTES: Final = ("utf-7", "utf-16", "utf-32", "iso2022", "hz")
_NOT_CHARSETS: Final = {
    "idna",
    "punycode",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
    "undefined",
}
_WINDOWS: Final[dict[str | None, str]] = {
    "iso8859-2": "cp1250",
    "iso8859-4": "cp1257",
    "iso8859-7": "cp1253",
    "iso8859-13": "cp1257",
    "iso8859-15": "cp1252",
}
"""What a text is in where it says the first and holds bytes that are control characters in it."""
_C1: Final = re.compile(rb"[\x80-\x9f]")
_ASCII: Final = bytes(range(128))
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")


def _codec(charset: str) -> str | None:
    """Python's name of a charset's codec for text; None where there is none."""
    name = _ALIASES.get(charset.lower(), charset.lower())
    if not re.fullmatch(r"[a-z0-9][a-z0-9._:+-]{0,40}", name):
        return None
    for each in (name, re.sub(r"^(?:x-|cs)", "", name), re.sub(r"^(cp|windows|iso)[-_ ]?", r"\1", name)):
        try:
            found = codecs.lookup(_ALIASES.get(each, each))
        except LookupError:
            continue
        if getattr(found, "_is_text_encoding", True) and found.name not in _NOT_CHARSETS:
            return found.name
    return None


def decode_text(content: bytes, charset: str | None, hint: str | None = None) -> tuple[str, str | None]:
    """Bytes to text, and a sentence on what was wrong with it or None; what can be shown is never thrown away.

    A charset that is declared is believed unless the bytes speak against it: UTF-8 is hardly ever valid by accident, and
    ISO-8859-1 means cp1252 to every mail program. ``hint`` is another charset the mail used, tried where none holds.
    """
    codec = _codec(charset) if charset else None
    trouble = None
    if charset and codec is None and charset.lower() not in _SAYS_NOTHING:
        trouble = f"{one_line(charset)[:40]!r} is not known; the text was read as what it looks like"
    if codec is not None and codec.startswith(("utf-16", "utf-32")) and content.isascii() and b"\0" not in content:
        codec = None
    if codec is not None and codec.startswith(_WITHOUT_HIGH_BYTES):
        return _strictly(content, codec) or _scrub(content.decode(codec, "replace")), _lossy(content, codec)
    if content.isascii():
        if b"\x1b$" in content and (japanese := _strictly(content, "iso2022_jp_ext")) is not None:
            return japanese, trouble
        return _scrub(content.decode("ascii")), trouble
    unicode = _strictly(content, "utf-8")
    if unicode is not None and (codec is None or codec in {"utf-8", "cp1252"} or len(content.translate(None, _ASCII)) >= 6):
        return unicode.removeprefix("\ufeff"), trouble
    if codec in _WINDOWS and _C1.search(content):
        codec = _WINDOWS[codec]
    if codec is not None and codec != "utf-8" and (declared := _strictly(content, codec)) is not None:
        return declared, trouble
    if unicode is not None:
        return unicode.removeprefix("\ufeff"), trouble
    return _guess(content, codec, hint, trouble)


def _guess(content: bytes, codec: str | None, hint: str | None, trouble: str | None) -> tuple[str, str | None]:
    """What is neither valid as it was declared nor UTF-8."""
    if codec in {"utf-8", None}:
        lost = content.decode("utf-8", "replace")
        if codec and lost.count("\ufffd") * 10 <= len(content.translate(None, _ASCII)):
            return _scrub(lost), "some characters could not be read"
        hinted = _codec(hint) if hint else None
        if hinted not in {None, "utf-8"} and (text := _strictly(content, str(hinted))) is not None:
            return text, trouble
        high = len(content.translate(None, _ASCII))
        if high * 7 < len(content) and (text := _strictly(content, "cp1252")) is not None:
            return text, trouble
        if (east := _east_asian(content)) is not None and (text := _strictly(content, east)) is not None:
            return text, trouble or f"none was declared that holds; read as {east}"
        enough = len(content) > MOST_GUESSED_AS_LATIN or high * 10 > len(content) * 6
        best = charset_normalizer.from_bytes(content[:4096]).best() if len(content) > 3 and enough else None
        if best is not None and best.encoding not in {"ascii", "utf_8"}:
            likely = "gb18030" if best.encoding in {"gb2312", "gbk"} else best.encoding
            if (text := _strictly(content, likely)) is not None:
                return text, trouble or f"none was declared that holds; read as {likely}"
        codec = "cp1252"
    if codec == "cp1252":
        return _scrub(content.decode("cp1252", "replace")), trouble or _lossy(content, "cp1252")
    return _scrub(content.decode(codec or "cp1252", "replace")), "some characters could not be read"


def _east_asian(content: bytes) -> str | None:
    """The East Asian charset a text without one is most likely in, by where its commonest characters stand; None if none is likely."""
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", content[:4096])
    if len(pairs) < 3:
        return None

    def share(first: int, last: int) -> float:
        return sum(first <= each[0] <= last for each in pairs) / len(pairs)

    written_high = all(each[1] >= 0xA1 for each in pairs)
    if share(0x82, 0x83) > 0.3:
        return "cp932"
    if written_high and share(0xA4, 0xA5) > 0.3:
        return "euc_jp"
    if written_high and share(0xB0, 0xC8) + share(0xA1, 0xA3) > 0.98:
        return "cp949"
    if written_high and share(0xB0, 0xD7) + share(0xA1, 0xA3) > 0.85:
        return "gb18030"
    return "big5hkscs" if not written_high and share(0xA1, 0xC6) > 0.85 else None


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return _scrub(content.decode(codec))
    except (UnicodeError, LookupError, ValueError):
        return None


def _lossy(content: bytes, codec: str) -> str | None:
    return None if _strictly(content, codec) is not None else "some characters could not be read"


def _scrub(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)


def _without(text: str, *unwanted: str) -> str:
    for each in unwanted:
        text = text.replace(each, "")
    return text


def tidy(text: str) -> str:
    """Text with line feeds only, and no control character but them and tabs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n").replace("\x85", "\n").replace("\ufeff", "")
    return _CONTROLS.sub("", text)


_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


def one_line(text: str) -> str:
    """Text on one line: folds and control characters become single spaces."""
    return _NO_LINE.sub(" ", _scrub(text)).strip()


_NO_LINE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


# Headers


def decode_header(value: str, charset: str | None = None) -> str:
    """A header's raw value as text on one line: encoded words, also adjacent and broken ones, and raw 8-bit characters."""
    if value.isascii() and "=?" not in value:
        return one_line(_FOLD.sub(" ", value))
    value = _FOLD.sub(" ", eight_bit(value, charset))
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    at = 0

    def flush() -> None:
        for each, content in pending:
            out.append(decode_text(content, each)[0])
        pending.clear()

    while (opening := _ENCODED_WORD.search(value, at)) is not None and (end := value.find("?=", opening.end())) >= 0:
        between = value[at : opening.start()]
        if between.strip() or not pending:
            flush()
            out.append(between)
        words, name = value[opening.end() : end], opening[1].partition("*")[0].lower()
        if opening[2] in "bB":
            content = _from_base64(words.encode("ascii", "ignore"))
        else:
            content = binascii.a2b_qp(words.replace("_", " ").encode("utf-8", "replace"), header=False)
        if pending and pending[-1][0] == name:
            pending[-1] = (name, pending[-1][1] + content)
        else:
            pending.append((name, content))
        at = end + 2
    flush()
    out.append(value[at:])
    return one_line("".join(out))


_FOLD: Final = re.compile(r"\r?\n[ \t]*|\r[ \t]*")
_ENCODED_WORD: Final = re.compile(r"=\?([\w.:+*-]{1,64})\?([bBqQ])\?")


def eight_bit(value: str, charset: str | None) -> str:
    """Raw bytes over 127 in a header: UTF-8, or what the mail itself is written in."""
    if value.isascii():
        return value
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _scrub(value)
    if (unicode := _strictly(raw, "utf-8")) is not None:
        return unicode
    codec = _codec(charset) if charset else None
    return (_strictly(raw, codec) if codec else None) or raw.decode("cp1252", "replace")


def _hint(subject: str) -> str | None:
    found = _ENCODED_WORD.search(subject)
    return found[1].partition("*")[0].lower() if found else None


# HTML


def _charset_in_html(content: bytes) -> str | None:
    found = re.search(rb"""(?i)<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}["']?([\w.:-]{1,40})""", content[:4096])
    return found[1].decode("ascii").lower() if found else None


def text_of_html(page: str) -> str:
    """The words a reader sees, laid out in lines, with marks where a quotation opens and closes."""
    page = page.replace("\x00", "")
    page = _with_marks(page)
    page = re.sub(r"(?i)(?:visibility\s{0,9}:\s{0,9}hidden|mso-hide\s{0,9}:\s{0,9}all)", "display:none", page)
    text = ""
    if page.count("<") <= MOST_TAGS:
        try:
            # its own way in would leave out what is nested deeper than 255 levels
            tree = _HTML.document_fromstring(_XML_DECLARATION.sub("", page), parser=_HTML.HTMLParser(huge_tree=True))
            text = Inscriptis(tree, _LAYOUT).get_text()
        except (
            _HTML.etree.LxmlError,
            ValueError,
            RecursionError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            AssertionError,
        ):
            text = ""
    if not _without(text, QUOTE_OPENS, QUOTE_CLOSES).strip():
        text = _stripped(page)
    return tidy("\n".join(re.sub(r"[ \t\xa0]{2,}", " ", line).strip() for line in text.split("\n")))


_HTML: Final = cast("Any", lxml_html)  # it has no types
_XML_DECLARATION: Final = re.compile(r"\A\s*<\?xml\s[^<>]{0,200}>")


def _with_marks(page: str) -> str:
    """A page with a mark where each quotation opens and closes; a ``blockquote`` that only moves words to the right is none."""
    quotes: list[bool] = []

    def mark(tag: re.Match[str]) -> str:
        if tag[0].startswith("</"):
            return f"<p>{QUOTE_CLOSES}</p>{tag[0]}" if quotes and quotes.pop() else tag[0]
        quotes.append(_CITES.search(tag[0]) is not None or _INDENTS.search(tag[0]) is None)
        return f"{tag[0]}<p>{QUOTE_OPENS}</p>" if quotes[-1] else tag[0]

    marked = _BLOCKQUOTE.sub(mark, page)
    return marked if not any(quotes) else f"{marked}<p>{QUOTE_CLOSES}</p>"


_BLOCKQUOTE: Final = re.compile(r"(?i)<blockquote(?=[\s>])[^<>]{0,2000}>|</blockquote\s{0,9}>")
_CITES: Final = re.compile(r"(?i)\bcite\b|class\s{0,9}=[^<>]{0,200}(?<!block)quote|border-left\s{0,9}:(?!\s{0,9}(?:none|0))")
_INDENTS: Final = re.compile(r"(?i)indent|border\s{0,9}:\s{0,9}(?:none|0)\b|margin[\w-]*\s{0,9}:\s{0,9}[^;\"']{0,40}\b40px")
"""What Apple's, Google's and Microsoft's programs write where a person asks for more indentation."""
_LAYOUT: Final = ParserConfig(display_images=False, display_links=False, display_anchors=False)


def _stripped(page: str) -> str:
    """Only the tags taken away: for pages too large or too odd to lay out."""
    for hidden in ("script", "style", "head", "title"):
        page = _without_element(page, hidden)
    page = re.sub(r"(?i)<(?:br|p|div|tr|li|h[1-6]|/p|/div|/tr)(?=[\s/>])[^<>]*>", "\n", page)
    return re.sub(r"\n{3,}", "\n\n", html.unescape(re.sub(r"<[^<>]*>", "", page)))


def _without_element(page: str, name: str) -> str:
    kept: list[str] = []
    lower, at = page.lower(), 0
    if len(lower) != len(page):
        return page
    while (opening := re.compile(rf"<{name}(?=[\s>])").search(lower, at)) is not None:
        close = lower.find(f"</{name}", opening.end())
        if close < 0:
            break
        kept.append(page[at : opening.start()])
        at = close + len(name) + 2
    return "".join((*kept, page[at:]))
