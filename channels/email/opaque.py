"""What an S/MIME file is, and what a signed one encloses: that can be read without any key (RFC 5652, RFC 8551 section 3.5.2).

Pure. No signature is checked here; whoever reads it learns what the mail says, not that it is genuine. Outlook writes BER with
lengths left open, and strings in pieces.
"""

from collections.abc import Iterator
from typing import Final, Literal

MOST_LEVELS: Final = 8
MOST_PIECES: Final = 100_000
_KINDS: Final[dict[bytes, Literal["signed", "encrypted"]]] = {
    bytes.fromhex("2a864886f70d010702"): "signed",
    bytes.fromhex("2a864886f70d010703"): "encrypted",
    bytes.fromhex("2a864886f70d0109100117"): "encrypted",  # authEnvelopedData, RFC 5083
}
_SEQUENCE, _OID, _OCTETS, _PIECES, _FIRST = 0x30, 0x06, 0x04, 0x24, 0xA0


class _NotIt(Exception):
    """It is not formed as it should be."""


def kind_of(content: bytes) -> Literal["signed", "encrypted"] | None:
    """Whether a file's CMS content is signed or encrypted; None where it is neither, or no CMS."""
    try:
        return _KINDS.get(_oid(content, _inside(content, 0, _SEQUENCE))[0])
    except _NotIt:
        return None


def enclosed(content: bytes) -> bytes | None:
    """What a signed file encloses; None where it encloses nothing or is none."""
    if kind_of(content) != "signed":
        return None
    try:
        _, at = _oid(content, _inside(content, 0, _SEQUENCE))
        at = _inside(content, _inside(content, at, _FIRST), _SEQUENCE)
        at = _after(content, _after(content, at))  # the version and the digest algorithms
        _, at = _oid(content, _inside(content, at, _SEQUENCE))
        pieces: list[bytes] = []
        for piece in _octets(content, _inside(content, at, _FIRST)):
            pieces.append(piece)
            if len(pieces) > MOST_PIECES:
                return None
        return b"".join(pieces)
    except _NotIt:
        return None


def _head(content: bytes, at: int) -> tuple[int, int, int | None]:
    """The tag at a place, where its content begins, and how long that is; None where the length is left open."""
    if at + 2 > len(content):
        raise _NotIt
    tag, length, start = content[at], content[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise _NotIt
    if length == 0x80:
        return tag, start, None
    if length > 0x80:
        size = length & 0x7F
        if size > 4 or start + size > len(content):
            raise _NotIt
        length, start = int.from_bytes(content[start : start + size]), start + size
    if start + length > len(content):
        raise _NotIt
    return tag, start, length


def _inside(content: bytes, at: int, wanted: int) -> int:
    tag, start, _ = _head(content, at)
    if tag != wanted:
        raise _NotIt
    return start


def _oid(content: bytes, at: int) -> tuple[bytes, int]:
    tag, start, length = _head(content, at)
    if tag != _OID or length is None:
        raise _NotIt
    return content[start : start + length], start + length


def _after(content: bytes, at: int, level: int = 0) -> int:
    """Where what stands at a place ends."""
    _, start, length = _head(content, at)
    if length is not None:
        return start + length
    if level > MOST_LEVELS:
        raise _NotIt
    while content[start : start + 2] != b"\0\0":
        start = _after(content, start, level + 1)
    return start + 2


def _octets(content: bytes, at: int, level: int = 0) -> Iterator[bytes]:
    """A string of bytes, whole or in pieces."""
    tag, start, length = _head(content, at)
    if tag == _OCTETS and length is not None:
        yield content[start : start + length]
        return
    if tag != _PIECES or level > MOST_LEVELS:
        raise _NotIt
    end = None if length is None else start + length
    while start < end if end is not None else content[start : start + 2] != b"\0\0":
        yield from _octets(content, start, level + 1)
        start = _after(content, start)
