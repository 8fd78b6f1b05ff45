"""Does a PDF open without a password? Many that are encrypted do: their owner's password only forbids printing or copying.

Pure, and bounded. Tries the empty user password against the encryption dictionary of the standard security handler
(ISO 32000-1 section 7.6.3; revisions 5 and 6: ISO 32000-2 section 7.6.4). What cannot be read is taken for locked.
"""

import hashlib
import re
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MOST_DICTIONARY_BYTES: Final = 8_192
_MOST_STRING_BYTES: Final = 512
_PADDING: Final = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")

_ENCRYPT: Final = re.compile(rb"/Encrypt[\s\0]{0,20}(?:(\d{1,10})[\s\0]{1,20}(\d{1,5})[\s\0]{1,20}R|(<<))")
_ID: Final = re.compile(rb"/ID[\s\0]{0,20}\[[\s\0]{0,20}(?=[<(])")
_HEX: Final = re.compile(rb"<([0-9A-Fa-f\s]{0,1200})>")
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def is_locked(content: bytes) -> bool:
    """Whether it asks for a password before it shows anything."""
    found = _ENCRYPT.search(content)
    if found is None:
        return False
    dictionary = _dictionary(content, found)
    owner, user = _string(dictionary, b"O"), _string(dictionary, b"U")
    revision, permissions = _number(dictionary, b"R"), _number(dictionary, b"P")
    if not re.search(rb"/Filter[\s\0]{0,20}/Standard\b", dictionary) or owner is None or user is None:
        return True
    if revision in {5, 6}:
        return len(user) < 40 or not compare_digest(_hardened(user[32:40], revision), user[:32])
    if revision not in {2, 3, 4} or permissions is None or len(user) < 32:
        return True
    known = re.search(rb"/EncryptMetadata[\s\0]{0,20}false\b", dictionary) is None or revision < 4
    secret = _PADDING + owner[:32] + (permissions & 0xFFFFFFFF).to_bytes(4, "little")
    lengths = {(_number(dictionary, b"Length") or 40) // 8, 16, 5} if revision > 2 else {5}
    return not any(
        _opens(user, secret, identifier, revision, length, known) for identifier in _identifiers(content) for length in lengths
    )


def _dictionary(content: bytes, found: re.Match[bytes]) -> bytes:
    if found[3]:
        return content[found.start(3) :][:_MOST_DICTIONARY_BYTES]
    # The last of that number is what counts: later parts of the file replace earlier ones.
    at = max(content.rfind(mark + b"%s %s obj" % found.group(1, 2)) for mark in (b"\n", b"\r", b" "))
    whole = content[at:][:_MOST_DICTIONARY_BYTES] if at >= 0 else b""
    return whole.partition(b"endobj")[0] if b"endobj" in whole else whole


def _identifiers(content: bytes) -> set[bytes]:
    found = [_read(content, each.end()) for each in _ID.finditer(content, max(0, len(content) - 1024 * 1024))][-4:]
    if first := _ID.search(content, 0, 64 * 1024):
        found.append(_read(content, first.end()))
    return {each for each in found if each is not None} or {b""}


def _number(dictionary: bytes, name: bytes) -> int | None:
    found = re.search(rb"/%s[\s\0]{0,20}(-?\d{1,10})(?![\w.])" % name, dictionary)
    return int(found[1]) if found else None


def _string(dictionary: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"/%s[\s\0]{0,20}(?=[<(])" % name, dictionary)
    return _read(dictionary, found.end()) if found else None


def _read(content: bytes, at: int) -> bytes | None:
    """The string that begins there, in hexadecimal or in parentheses (section 7.3.4); None where it does not end in time."""
    if content[at : at + 1] == b"<":
        found = _HEX.match(content, at)
        letters = b"".join(found[1].split()) if found else b"x"
        return bytes.fromhex(f"{letters.decode()}{'0' * (len(letters) % 2)}") if found else None
    out, depth, at = bytearray(), 1, at + 1
    while len(out) <= _MOST_STRING_BYTES and at < len(content):
        each = content[at : at + 1]
        at += 1
        if each == b"\\":
            octal = re.compile(rb"[0-7]{1,3}").match(content, at)
            line_end = re.compile(rb"\r\n?|\n").match(content, at)
            taken = octal[0] if octal else line_end[0] if line_end else content[at : at + 1]
            out += bytes([int(octal[0], 8) & 255]) if octal else b"" if line_end else _ESCAPED.get(taken, taken)
            at += len(taken)
            continue
        depth += (each == b"(") - (each == b")")
        if depth == 0:
            return bytes(out)
        out += each
    return None


def _opens(user: bytes, secret: bytes, identifier: bytes, revision: int, length: int, known: bool) -> bool:
    """Algorithms 2, 4 and 5 for the empty password; ``length`` in bytes, ``known`` whether metadata is encrypted too."""
    if not 5 <= length <= 16:
        return False
    key = _md5(secret + identifier + (b"" if known else b"\xff\xff\xff\xff"))
    if revision == 2:
        return compare_digest(_rc4(key[:length], _PADDING), user[:32])
    for _ in range(50):
        key = _md5(key[:length])
    told = _md5(_PADDING + identifier)
    for turn in range(20):
        told = _rc4(bytes(each ^ turn for each in key[:length]), told)
    return compare_digest(told, user[:16])


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _rc4(key: bytes, content: bytes) -> bytes:
    box, at = list(range(256)), 0
    for each in range(256):
        at = (at + box[each] + key[each % len(key)]) % 256
        box[each], box[at] = box[at], box[each]
    out, at = bytearray(), 0
    for place, each in enumerate(content, 1):
        at = (at + box[place % 256]) % 256
        box[place % 256], box[at] = box[at], box[place % 256]
        out.append(each ^ box[(box[place % 256] + box[at]) % 256])
    return bytes(out)


def _hardened(salt: bytes, revision: int) -> bytes:
    """The hash of the empty password: plain in revision 5, algorithm 2.B in revision 6."""
    key, turn = hashlib.sha256(salt).digest(), 0
    while revision == 6:
        turn += 1
        encryptor = Cipher(algorithms.AES(key[:16]), modes.CBC(key[16:32])).encryptor()
        mixed = encryptor.update(key * 64)
        key = hashlib.new(("sha256", "sha384", "sha512")[sum(mixed[:16]) % 3], mixed).digest()
        if turn >= 64 and mixed[-1] <= turn - 32:
            break
    return key[:32]
