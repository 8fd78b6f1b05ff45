"""A mail server that takes what it is told to, keeps it, and misbehaves on demand: aiosmtpd on a free port of the loopback."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = "hang"
"""Take the message and never answer."""
DROP = "drop"
"""Take the message and cut the connection."""


@dataclass(frozen=True)
class Taken:
    """One message as it was taken."""

    sender: str
    recipient: str
    raw: bytes
    over_tls: bool

    @property
    def message(self) -> EmailMessage:
        """The message, read."""
        return BytesParser(policy=default).parsebytes(self.raw)  # type: ignore[return-value]


@dataclass
class SmtpServer:
    """What the server took, and what it shall answer next: each answer is used once, then it is well again."""

    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    security: Literal["none", "starttls", "tls"] = "none"
    tokens: Collection[str] | None = None
    taken: list[Taken] = field(default_factory=list[Taken])
    to_sender: list[str] = field(default_factory=list[str])
    to_recipient: list[str] = field(default_factory=list[str])
    to_message: list[str] = field(default_factory=list[str])
    connections: int = 0
    on_taken: Callable[[], None] = lambda: None
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.BaseTransport] = field(default_factory=set[asyncio.BaseTransport])

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"localhost:{self.port}"

    def recipients(self) -> list[str]:
        """Whom the messages were for, in order."""
        return [each.recipient for each in self.taken]

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same one after."""
        implicit = self.tls if self.security == "tls" else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        if self._server is not None:
            self._server.close()
            for each in self._open:
                with contextlib.suppress(AttributeError):  # Python 3.11.2 has a closed TLS transport without its protocol
                    each.abort()  # type: ignore[attr-defined]
            self._open.clear()
            self._server = None

    def _session(self) -> SMTP:
        def authenticate(_: object, __: object, ___: object, mechanism: str, given: Any) -> AuthResult:
            right = isinstance(given, LoginPassword) and (given.login.decode(), given.password.decode()) == self.login
            return AuthResult(success=right, handled=False)

        return SMTP(
            self,
            hostname="mail.example.org",
            tls_context=self.tls if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            auth_required=self.login is not None or self.tokens is not None,
            auth_require_tls=self.security == "starttls",
            authenticator=authenticate,
            loop=asyncio.get_running_loop(),
        )

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        """A refused token is first told in a challenge, as Google and Microsoft do."""
        token = base64.b64decode(args[1]).decode().rpartition("auth=Bearer ")[2].rstrip("\x01")
        if token in (self.tokens or ()):
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"400"}')
        return AuthResult(success=False, handled=False)

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]):  # noqa: N802
        self.connections += 1
        if server.transport is not None:
            self._open.add(server.transport)
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if self.to_sender:
            return self.to_sender.pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if self.to_recipient:
            return self.to_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.to_message.pop(0) if self.to_message else "250 OK"
        if answer.startswith(("4", "5")):
            return answer
        assert isinstance(envelope.content, bytes)
        (recipient,) = envelope.rcpt_tos
        self.taken.append(
            Taken(
                str(envelope.mail_from),
                recipient,
                envelope.content,
                bool(server.transport and server.transport.get_extra_info("sslcontext")),
            )
        )
        self.on_taken()
        if answer == HANG:
            await asyncio.sleep(3600)
        if answer == DROP and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(3600)
        return answer


@asynccontextmanager
async def smtp_server(
    *,
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    security: Literal["none", "starttls", "tls"] = "none",
    tokens: Collection[str] | None = None,
) -> AsyncGenerator[SmtpServer]:
    """A server for as long as the block lasts. ``login`` is the one name and password it takes, ``tokens`` what it takes by XOAUTH2."""
    server = SmtpServer(login, tls, security, tokens)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
