"""An IMAP server in a few lines, for what Dovecot never does: each of its faults is what some other server was seen to do.

It speaks as much as a reader of one folder needs, in the clear on the loopback, for as many connections as come. What it holds and what
it does wrong are plain attributes, which a test sets before or while it is read.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from channels.email.settings import EmailAccount

OFTEN: Final = timedelta(milliseconds=100)
NEVER: Final = b"never"
"""Among the answers: none at all, and the connection stays."""
DROP: Final = b"drop"
"""Likewise: the connection is cut."""
BYE: Final = b"bye"
"""Likewise: it says goodbye first (RFC 3501 section 7.1.5)."""


class ImapServer:
    """One folder, ``mails`` by UID. ``answers`` has, by the beginning of a command, what is said instead of OK, each once."""

    def __init__(self, mails: dict[int, bytes] | None = None) -> None:
        self.mails: dict[int, bytes] = mails or {}
        self.uid_validity = 1
        self.capabilities = b"IMAP4rev1"
        self.tokens: set[str] | None = None
        """Access tokens that are taken by XOAUTH2; None takes none, and none is offered."""
        self.seen: set[int] = set()
        self.commands: list[bytes] = []
        self.fetched: list[int] = []
        self.idle = asyncio.Event()
        """Set while somebody waits in IDLE."""
        self.answers: dict[bytes, list[bytes]] = {}
        self.always: dict[bytes, bytes] = {}
        """As ``answers``, every time."""
        self.beside: dict[bytes, bytes] = {}
        """Lines before the answer to such a command, every time."""
        self.on: dict[bytes, Callable[[], None]] = {}
        """What happens once when such a command comes, before it is answered: a person at work, or the server itself."""
        self.sizes: dict[int, int] = {}
        self.quoted: set[int] = set()
        self.refused: set[int] = set()
        self.cut_in_the_middle: set[int] = set()
        self.short_at_first: set[int] = set()
        self.challenges = 0
        """Refused tokens that were told in a challenge and answered by an empty line."""
        self._writers: set[asyncio.StreamWriter] = set()

    def tell(self, lines: bytes) -> None:
        """Say this to everybody who is connected, unasked."""
        for each in self._writers:
            each.write(lines)

    def cut(self) -> None:
        """Cut every connection."""
        for each in self._writers:
            each.transport.abort()

    def goodbye(self) -> None:
        """Likewise, with a word before it."""
        self.tell(b"* BYE we restart\r\n")
        for each in self._writers:
            each.close()

    def arrives(self, uid: int, raw: bytes) -> None:
        """A mail comes, and whoever is connected is told."""
        self.mails[uid] = raw
        self.tell(b"* %d EXISTS\r\n" % len(self.mails))

    @asynccontextmanager
    async def account(self, **other: Any) -> AsyncGenerator[EmailAccount]:
        """Listens meanwhile; these are the settings by which it is read."""
        async with await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=2**20) as server:
            port = server.sockets[0].getsockname()[1]
            way_in = {} if "oauth" in other else {"password": "secret"}
            given: dict[str, Any] = {
                "host": "127.0.0.1",
                "port": port,
                "tls": False,
                "user": "care",
                "poll_every": OFTEN,
                **way_in,
            }
            try:
                yield EmailAccount(**(given | other), smtp="localhost:25", sender="care@example.org")
            finally:
                for each in self._writers:
                    each.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError):
                if await self._greet(writer):
                    while (line := await reader.readline()) and await self._command(line, reader, writer):
                        await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _greet(self, writer: asyncio.StreamWriter) -> bool:
        match self._said_instead(b"greeting"):
            case b"never":
                await asyncio.Event().wait()
            case b"drop":
                return False
            case said:
                writer.write((said or b"* OK ready") + b"\r\n")
        return True

    async def _command(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        tag, _, rest = line.strip().partition(b" ")
        command = rest.upper()
        self.commands.append(command)
        for name in [each for each in self.on if command.startswith(each)]:
            self.on.pop(name)()
        writer.write(b"".join(lines for each, lines in self.beside.items() if command.startswith(each)))
        match instead := self._said_instead(command):
            case b"never":
                await asyncio.Event().wait()
            case b"drop":
                return False
            case b"bye":
                writer.write(b"* BYE so long\r\n")
                return False
            case None:
                pass
            case _:
                writer.write(instead if instead.endswith(b"\r\n") else tag + b" " + instead + b"\r\n")
                return True
        if command == b"IDLE":
            return await self._idle(tag, reader, writer)
        if command.startswith(b"AUTHENTICATE XOAUTH2 "):
            await self._authenticate(tag, rest.split()[2], reader, writer)
            return True
        if not self._answer(command, writer):
            return False
        no = b"BODY" in command and _uids(command)[0] in self.refused
        writer.write(tag + (b" NO not now\r\n" if no else b" OK done\r\n"))
        return command != b"LOGOUT"

    def _said_instead(self, command: bytes) -> bytes | None:
        for name, answers in self.answers.items():
            if command.startswith(name) and answers:
                return answers.pop(0)
        return next((answer for name, answer in self.always.items() if command.startswith(name)), None)

    async def _idle(self, tag: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"+ idling\r\n")
        self.idle.set()
        try:
            line = await reader.readline()
        finally:
            self.idle.clear()
        if (instead := self._said_instead(b"DONE")) is not None:
            if instead == NEVER:
                await asyncio.Event().wait()
            return False
        writer.write(tag + b" OK idled\r\n")
        return bool(line)

    async def _authenticate(self, tag: bytes, given: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        user, _, token = base64.b64decode(given).decode().partition("\x01auth=Bearer ")
        if user == "user=care" and token.rstrip("\x01") in (self.tokens or ()):
            writer.write(tag + b" OK come in\r\n")
            return
        writer.write(b"+ " + base64.b64encode(b'{"status":"401","schemes":"bearer"}') + b"\r\n")
        if (await reader.readline()) == b"\r\n":
            self.challenges += 1
            writer.write(tag + b" NO [AUTHENTICATIONFAILED] no\r\n")

    def _answer(self, command: bytes, writer: asyncio.StreamWriter) -> bool:
        if command.startswith(b"CAPABILITY"):
            writer.write(b"* CAPABILITY " + self.capabilities + b"\r\n")
        elif command.startswith((b"SELECT", b"EXAMINE")):
            writer.write(b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n" % (len(self.mails), self.uid_validity))
        elif command.startswith(b"UID SEARCH"):
            writer.write(b"* SEARCH" + b"".join(b" %d" % each for each in self._found(command.split()[3:])) + b"\r\n")
        elif command.startswith(b"UID STORE"):
            self.seen |= set(_uids(command))
        elif command.startswith(b"UID FETCH") and b"BODY" in command:
            return self._body(_uids(command)[0], writer)
        elif command.startswith(b"UID FETCH"):
            for uid in _uids(command):
                if uid in self.mails:
                    size = self.sizes.get(uid, len(self.mails[uid]))
                    date = b" 2-Mar-2026 09:00:00 +0000"
                    writer.write(b'* %d FETCH (INTERNALDATE "%s" UID %d RFC822.SIZE %d)\r\n' % (uid, date, uid, size))
        return True

    def _found(self, criteria: list[bytes]) -> list[int]:
        wanted, last = set[int](), max(self.mails, default=0)
        for each in criteria[0].split(b","):
            first, _, end = each.partition(b":")
            low, high = int(first), last if end == b"*" else int(end or first)
            wanted |= {uid for uid in self.mails if low <= uid <= high or (end == b"*" and uid == last)}
        if b"UNSEEN" in criteria:
            wanted -= self.seen
        return sorted(wanted)

    def _body(self, uid: int, writer: asyncio.StreamWriter) -> bool:
        self.fetched.append(uid)
        if uid in self.refused or uid not in self.mails:
            return True
        raw = self.mails[uid]
        if uid in self.quoted:
            writer.write(b'* %d FETCH (BODY[] "%s" UID %d)\r\n' % (uid, raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"'), uid))
            return True
        if uid in self.cut_in_the_middle:
            self.cut_in_the_middle.discard(uid)
            writer.write(b"* %d FETCH (UID %d BODY[] {%d}\r\n%s" % (uid, uid, len(raw), raw[: len(raw) // 2]))
            return False
        if uid in self.short_at_first:
            self.short_at_first.discard(uid)
            raw = raw[: len(raw) // 2]
        writer.write(b"* %d FETCH (BODY[] {%d}\r\n%s UID %d)\r\n" % (uid, len(raw), raw, uid))
        return True


def _uids(command: bytes) -> list[int]:
    return [int(each) for each in command.split()[2].split(b",")]
