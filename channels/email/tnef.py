"""What Outlook puts into a ``winmail.dat``: the files in it, and the words where the mail around it has none.

Pure. After MS-OXTNEF sections 2.1.3 and 2.1.3.4: one pass, each step past at least the length of what it read, so that a hostile
one costs what its length does. What cannot be read ends the reading, and what was read until then stands.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MOST_PROPERTIES: Final = 10_000
MOST_FILES: Final = 1_000

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_FILE_BEGINS, _FILE_TITLE, _FILE_CONTENT, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_BODY, _CODE_PAGE, _PROPERTIES = 0x800C, 0x9007, 0x9003
_PLAIN_BODY, _HTML_BODY, _LONG_NAME, _SHORT_NAME, _CONTENT_OBJECT, _MEDIA_TYPE = 0x1000, 0x1013, 0x3707, 0x3704, 0x3701, 0x370E
_EIGHT_BYTES: Final = frozenset({0x05, 0x06, 0x07, 0x14, 0x40})
_VARIABLE: Final = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_UTF_16: Final = 0x1F


@dataclass(slots=True)
class Packed:
    """One file; its name as it was given."""

    name: str = ""
    content_type: str = "application/octet-stream"
    content: bytes = b""


@dataclass(slots=True)
class Opened:
    """What was in it. ``html`` is bytes in the charset that it names itself."""

    files: list[Packed] = field(default_factory=list[Packed])
    plain: str = ""
    html: bytes = b""


def opened(content: bytes) -> Opened | None:
    """None where it is no winmail.dat."""
    if not content.startswith(_SIGNATURE):
        return None
    found = Opened()
    code_page = "cp1252"
    for name, value in _attributes(content):
        if name == _CODE_PAGE and len(value) >= 4:
            code_page = f"cp{struct.unpack_from('<L', value)[0]}"
        elif name == _FILE_BEGINS:
            if len(found.files) >= MOST_FILES:
                break
            found.files.append(Packed())
        elif name == _BODY:
            found.plain = _text(value, code_page)
        elif name == _PROPERTIES:
            for number, kind, said in _properties(value):
                if number == _PLAIN_BODY:
                    found.plain = _string(said, kind, code_page)
                elif number == _HTML_BODY:
                    found.html = said if kind != _UTF_16 else said.decode("utf-16-le", "replace").encode()
        elif found.files:
            _add(found.files[-1], name, value, code_page)
    found.files = [each for each in found.files if each.content or each.name]
    return found


def _add(file: Packed, name: int, value: bytes, code_page: str) -> None:
    if name == _FILE_TITLE:
        file.name = file.name or _text(value, code_page)
    elif name == _FILE_CONTENT:
        file.content = value
    elif name == _FILE_PROPERTIES:
        for number, kind, said in _properties(value):
            if number == _LONG_NAME:
                file.name = _string(said, kind, code_page)
            elif number == _SHORT_NAME:
                file.name = file.name or _string(said, kind, code_page)
            elif number == _MEDIA_TYPE:
                file.content_type = _string(said, kind, code_page).lower()
            elif number == _CONTENT_OBJECT and not file.content:
                file.content = said[16:]  # past the identifier of its interface


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute's name and value: level, name, type, length, the value and a checksum (section 2.1.3.2)."""
    at = 6
    while at + 11 <= len(content):
        name, _, length = struct.unpack_from("<HHL", content, at + 1)
        if at + 9 + length > len(content):
            return
        yield name, content[at + 9 : at + 9 + length]
        at += 9 + length + 2


def _properties(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each property's number, type and (first) value (section 2.1.3.4)."""
    try:
        count = min(struct.unpack_from("<L", value)[0], MOST_PROPERTIES)
        at = 4
        for _ in range(count):
            kind, number = struct.unpack_from("<HH", value, at)
            at += 4
            if number >= 0x8000:
                by_name, length = struct.unpack_from("<LL", value, at + 16)
                at += 24 + (_padded(length) if by_name else 0)
            several, kind = kind & 0x1000, kind & 0xEFFF
            values, size = 1, 16 if kind == 0x48 else 8 if kind in _EIGHT_BYTES else 4
            if several or kind in _VARIABLE:
                values = struct.unpack_from("<L", value, at)[0]
                at += 4
            first: bytes | None = None
            for _ in range(min(values, MOST_PROPERTIES)):
                length = size
                if kind in _VARIABLE:
                    length = struct.unpack_from("<L", value, at)[0]
                    at += 4
                first = value[at : at + length] if first is None else first
                at += _padded(length)
                if at > len(value):
                    return
            yield number, kind, first or b""
    except struct.error:
        return


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4


def _string(value: bytes, kind: int, code_page: str) -> str:
    return _text(value, "utf-16-le" if kind == _UTF_16 else code_page)


def _text(value: bytes, code_page: str) -> str:
    try:
        return value.decode(code_page, "replace").rstrip("\0")
    except LookupError:
        return value.decode("cp1252", "replace").rstrip("\0")
