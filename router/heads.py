"""The audit trail's heads, signed and kept where whoever may write the register may not.

Without them a trail that was cut off, or made anew, with its heads is whole in itself. Each is a checkpoint in a signed note
(C2SP, tlog-checkpoint and signed-note): three lines that people can read, and an Ed25519 signature that anybody can check who has the public key.
"""

import base64
import binascii
import hashlib
from contextlib import suppress
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from ingest.database import Database
from ingest.errors import Misconfigured
from ingest.originals import Originals
from ingest.settings import AuditSettings, OriginalsSettings
from router.register import tables

_NAME: Final = "contact-ingest"
_ED25519: Final = b"\x01"


class Heads:
    """A store of signed heads. ``open_heads`` makes one of the settings."""

    def __init__(self, store: Originals, key: Ed25519PrivateKey) -> None:
        self._store = store
        self._key = key
        self._kept = 0

    @property
    def public_key(self) -> str:
        """For whoever checks a head elsewhere, as signed notes name a key."""
        raw = self._key.public_key().public_bytes_raw()
        return f"{_NAME}+{_key_id(_NAME, raw).hex()}+{base64.b64encode(_ED25519 + raw).decode()}"

    async def keep(self, database: Database) -> int:
        """Sign and keep the newest head, where there is a newer one than was kept last; answers with its size, else 0. Raises Unavailable."""
        head = tables.audit_heads
        async with database.read() as connection:
            newest = (
                await connection.execute(select(head.c.size, head.c.root).order_by(head.c.size.desc()).limit(1))
            ).one_or_none()
        if newest is None or newest.size <= self._kept:
            return 0
        await self._store.put([signed(newest.size, newest.root, self._key)])
        self._kept = newest.size
        return newest.size

    async def every(self) -> tuple[list[tuple[int, bytes]], list[str]]:
        """Size and root of each, by size; and a sentence about each that is not one that we signed. Raises Unavailable."""
        found: list[tuple[int, bytes]] = []
        faults: list[str] = []
        async for place, content in self._store.every():
            try:
                found.append(read(content, self._key))
            except ValueError as error:
                faults.append(f"The head kept at {place} {error}.")
        return sorted(found), faults

    async def beyond(self, size: int) -> list[str]:
        """Where those lie that name more entries than so many. Raises Unavailable."""
        found: list[str] = []
        async for place, content in self._store.every():
            with suppress(ValueError):
                found += [place] if read(content, self._key)[0] > size else []
        return sorted(found)


def open_heads(chosen: AuditSettings, bucket: OriginalsSettings) -> Heads | None:
    """Where the settings name a place for them. A bucket is reached as that of the originals is. Raises Misconfigured."""
    if chosen.heads is None or chosen.key is None:
        return None
    try:
        seed = base64.b64decode(chosen.key.get_secret_value(), validate=True)
        key = Ed25519PrivateKey.from_private_bytes(seed)
    except ValueError as error:
        raise Misconfigured("audit.key", "audit.key is no key: make one with `openssl rand -base64 32`.") from error
    return Heads(Originals(chosen.heads, bucket, setting="audit.heads"), key)


def signed(size: int, root: bytes, key: Ed25519PrivateKey) -> bytes:
    """A head as a signed note."""
    text = f"{_NAME}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = _key_id(_NAME, key.public_key().public_bytes_raw()) + key.sign(text.encode())
    return f"{text}\n— {_NAME} {base64.b64encode(signature).decode()}\n".encode()


def read(note: bytes, key: Ed25519PrivateKey) -> tuple[int, bytes]:
    """Size and root of one that this key signed. Raises ValueError, with how a sentence about it goes on."""
    text, mark, signature = note.partition(f"\n— {_NAME} ".encode())
    lines = text.split(b"\n")
    if not mark or len(lines) != 4 or lines[0] != _NAME.encode() or not lines[1].isdigit():
        raise ValueError("is none of ours")
    public = key.public_key()
    try:
        given = base64.b64decode(signature.strip(), validate=True)
        if given[:4] != _key_id(_NAME, public.public_bytes_raw()):
            raise ValueError("was signed with another key")
        public.verify(given[4:], text)
        return int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (InvalidSignature, binascii.Error):
        raise ValueError("was not signed as it stands") from None


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]
