"""A file that somebody sent: what kind it is by its bytes alone, whether a password locks it, and a name that is safe to show.

Pure, and bounded in time and memory whatever it is given: signatures at fixed places, and of a zip its list of members.
"""

import re
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final, NamedTuple

from ingest import pdf
from ingest.settings import FileType

_MOST_MEMBERS: Final = 4_096
_MOST_LIST_BYTES: Final = 1024 * 1024
_MOST_MANIFEST_BYTES: Final = 1024 * 1024
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BLANK: Final = dict.fromkeys(map(ord, "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"))  # letters and signs that show nothing


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is. ``types`` are the media types it may have, the usual one first; ``endings`` what its name may end in."""

    name: FileType
    types: tuple[str, ...]
    endings: tuple[str, ...]

    def media_type(self, claimed: str) -> str:
        """The claimed type where such bytes may have it, else the usual one."""
        given = claimed.partition(";")[0].strip().lower()
        return given if given in self.types else self.types[0]


KINDS: Final[dict[FileType, Kind]] = {
    each.name: each
    for each in (
        Kind("pdf", ("application/pdf",), ("pdf",)),
        Kind("jpeg", ("image/jpeg",), ("jpg", "jpeg", "jfif")),
        Kind("png", ("image/png",), ("png",)),
        Kind("heic", ("image/heic", "image/heif"), ("heic", "heif")),
        Kind("tiff", ("image/tiff",), ("tiff", "tif")),
        Kind("gif", ("image/gif",), ("gif",)),
        Kind("webp", ("image/webp",), ("webp",)),
        Kind("docx", ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",), ("docx",)),
        Kind("xlsx", ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",), ("xlsx",)),
        Kind("odt", ("application/vnd.oasis.opendocument.text",), ("odt",)),
        Kind("ods", ("application/vnd.oasis.opendocument.spreadsheet",), ("ods",)),
        Kind("doc", ("application/msword",), ("doc",)),
        Kind("xls", ("application/vnd.ms-excel",), ("xls",)),
        Kind("msg", ("application/vnd.ms-outlook",), ("msg",)),
        Kind("rtf", ("application/rtf", "text/rtf"), ("rtf",)),
        Kind("eml", ("message/rfc822",), ("eml",)),
        Kind("txt", ("text/plain", "text/csv"), ("txt", "csv", "text", "log")),
        Kind("mp3", ("audio/mpeg",), ("mp3",)),
        Kind(
            "mp4",
            ("video/mp4", "audio/mp4", "audio/x-m4a", "video/quicktime", "video/3gpp"),
            ("mp4", "m4a", "m4v", "mov", "3gp"),
        ),
        Kind("wav", ("audio/wav", "audio/x-wav", "audio/vnd.wave"), ("wav",)),
    )
}


class Told(NamedTuple):
    """What some bytes are, where they are anything we know, and whether they are locked by a password."""

    kind: Kind | None
    locked: bool = False


def tell(content: bytes) -> Told:
    """What kind of file some bytes are. Their name and whatever a browser says of them count for nothing."""
    if content.startswith(b"PK\x03\x04"):
        return _zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _compound(content)
    if b"%PDF-" in content[:1024]:  # ISO 32000-1 annex H, note 13
        return Told(KINDS["pdf"], pdf.is_locked(content))
    name = _by_signature(content) or _words(content)
    return Told(KINDS[name] if name else None)


def _by_signature(content: bytes) -> FileType | None:
    head = content[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12])  # type: ignore[return-value]
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12 section 4.3
        return "heic" if head[8:12] in _PICTURES else "mp4"
    if head.startswith(b"ID3") or _is_mp3_frame(head):
        return "mp3"
    return None


_PICTURES: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def _is_mp3_frame(head: bytes) -> bool:
    """Layer III with a bit rate and a sampling rate that exist (ISO/IEC 11172-3 section 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[1] >> 3 & 3 != 1 and head[2] >> 4 not in {0, 15} and head[2] >> 2 & 3 != 3


def _words(content: bytes) -> FileType | None:
    """Text, and not markup that a browser would run."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError:
            return None
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    if _CONTROLS.search(text) or _MARKUP.match(text):
        return None
    headers = [each.lower() for each in _HEADER.findall(text[:8_192].replace("\r\n", "\n").partition("\n\n")[0])]
    is_mail = bool(_HEADER.match(text)) and "from" in headers and bool({"date", "subject", "to"} & set(headers))
    return "eml" if is_mail else "txt"


_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP: Final = re.compile(r"\s{0,1000}<(?:[!?]|(?:html|head|body|svg|script|style|iframe|math|xml)\b)", re.IGNORECASE)
_HEADER: Final = re.compile(
    r"(?im)^(from|to|cc|date|subject|received|return-path|delivered-to|reply-to|message-id|mime-version|content-type|x-[a-z-]{1,60}):[ \t]"
)


# Zip: OOXML and OpenDocument.


def _zip(content: bytes) -> Told:
    members = members_of(content)
    if members is None:
        return Told(None)
    names = {each.filename for each in members}
    kind = _office(content, names)
    if kind is None:
        return Told(None)
    locked = any(each.flag_bits & 1 for each in members)
    return Told(KINDS[kind], locked or (kind in {"odt", "ods"} and _manifest_locks(content)))


def _office(content: bytes, names: set[str]) -> FileType | None:
    if any(each.rpartition("/")[2].lower() == "vbaproject.bin" for each in names):
        return None  # it has macros, and only its name may say otherwise
    if "[Content_Types].xml" in names:
        return "docx" if "word/document.xml" in names else "xlsx" if "xl/workbook.xml" in names else None
    for name in ("odt", "ods"):
        # The first member, stored: OpenDocument 1.2 part 3 section 3.3.
        if content[30:].startswith(b"mimetype" + KINDS[name].types[0].encode() + b"PK"):
            return name
    return None


def members_of(content: bytes) -> list[zipfile.ZipInfo] | None:
    """A zip's members as its list has them; None where there is no such list, or one longer than any document's."""
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if end < 0 or len(content) < end + 22:
        return None
    count, size = struct.unpack_from("<HL", content, end + 10)
    if count > _MOST_MEMBERS or size > _MOST_LIST_BYTES:
        return None
    try:
        with zipfile.ZipFile(BytesIO(content)) as opened:
            return opened.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, EOFError):
        return None


def _manifest_locks(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(content)) as opened, opened.open("META-INF/manifest.xml") as manifest:
            return b":encryption-data" in manifest.read(_MOST_MANIFEST_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, KeyError, ValueError, RuntimeError, OSError, EOFError, zlib.error):
        return False


# OLE compound files: what Office wrote until 2007, and the wrapping of what it encrypts since.


def _compound(content: bytes) -> Told:
    if "EncryptedPackage".encode("utf-16-le") in content:  # MS-OFFCRYPTO section 1.3.3
        return Told(KINDS["docx"], locked=True)
    for name, stream in _STREAMS.items():
        if stream.encode("utf-16-le") in content:
            return Told(KINDS[name], name == "doc" and _is_locked_doc(content))
    return Told(None)


_STREAMS: Final[dict[FileType, str]] = {"doc": "WordDocument", "xls": "Workbook", "msg": "__properties_version1.0"}


def _is_locked_doc(content: bytes) -> bool:
    """By fEncrypted of the FIB, which begins a sector (MS-DOC section 2.5.2)."""
    at = next((at for at in range(512, len(content) - 12, 512) if content[at : at + 2] == b"\xec\xa5"), None)
    return at is not None and bool(content[at + 11] & 1)


# Names.


def label(name: str) -> str:
    """A file's name that is safe to show: no path, nothing invisible, at most 255 characters."""
    shown = "".join(each for each in name.translate(_BLANK) if unicodedata.category(each) not in _INVISIBLE)
    shown = " ".join(re.split(r"[/\\]", shown)[-1].split()).lstrip(".").strip()
    if len(shown) > 255:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[: 254 - len(ending)]}.{ending}" if dot and len(ending) <= 16 else shown[:255]
    return shown or "unnamed"


def label_of(name: str, kind: Kind) -> str:
    """The label of a file whose kind is known: it ends as such files do, so that no name passes it off as another kind."""
    shown = label(name)
    return shown if shown.rpartition(".")[2].lower() in kind.endings else label(f"{shown}.{kind.endings[0]}")
