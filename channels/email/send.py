"""Sends mail: an outgoing message to RFC 5322 bytes, and those to a submission server, with what came of it as a value.

Once the message is on its way a silence is ``Unknown``, before it a silence is ``Deferred``. The envelope's sender
is the account's address, since many submission servers refuse the null one that RFC 3834 section 3.3 would have; where
the account takes plus addresses, one of them that names the message, so that whatever comes back says what it is of.
"""

import asyncio
import re
import ssl
from contextlib import suppress
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Final

import aiosmtplib

from channels.email.oauth import Tokens
from channels.email.returned import RETURNED
from channels.email.settings import EmailAccount
from channels.email.trust import trust
from channels.sending import Accepted, Deferred, Failed, Outcome, Trouble, Unknown
from ingest.contract import Outgoing, OutgoingKind
from ingest.errors import IngestError, Misconfigured, Refused
from ingest.ids import bounce_token
from ingest.settings import Settings

CONNECT_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 30.0
# RFC 5321 section 4.5.3.2.6 would wait ten minutes; the price of less is one copy, of more a queue that stands still.
TAKEN_SECONDS: Final = 120.0

MOST_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1

_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{3,900}>")
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_OF_THE_ACCOUNT: Final = frozenset({530, 534, 535, 538})  # RFC 4954 section 6: not this message, but how we log in


class _MessageIds(UnstructuredHeader, BaseHeader):
    """Message-IDs are never encoded and never broken: the standard library would, past 78 characters."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {(policy.linesep + ' ').join(str(self).split())}{policy.linesep}"


_headers = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references"):
    _headers.map_to_type(_name, _MessageIds)
_POLICY: Final = SMTP.clone(header_factory=_headers)


def compose(outgoing: Outgoing, account: EmailAccount, now: datetime) -> EmailMessage:
    """The message as it is sent, to its one recipient.

    Raises Refused(``header-refused``) where a header would hold CR, LF or NUL or the Message-ID is none, and
    Refused(``recipient-refused``) where the recipient is not one address that plain SMTP can carry. Of the thread only
    what is formed as a Message-ID is kept: the sender's mail program made it.
    """
    thread = (outgoing.in_reply_to or "", *outgoing.references)
    for name, value in (
        ("subject", outgoing.subject),
        ("recipient", outgoing.recipient),
        ("reply token", outgoing.reply_token or ""),
        *(("thread", each) for each in thread),
    ):
        if any(each in value for each in "\r\n\0"):
            raise Refused("header-refused", f"The {name} holds a line end or NUL; a header may not.")
    if not _MESSAGE_ID.fullmatch(outgoing.message_id):
        raise Refused("header-refused", "The Message-ID is not formed as one.")
    message = EmailMessage(policy=_POLICY)
    message["Date"] = format_datetime(now)
    message["From"] = Address(account.sender_name, addr_spec=_address(account.sender))
    message["To"] = Address(addr_spec=_address(outgoing.recipient))
    subject = " ".join(outgoing.subject.splitlines())  # U+2028 and such, which the library takes for line ends
    if outgoing.reply_token and (tagged := _tagged(account, outgoing.reply_token)):
        message["Reply-To"] = Address(account.sender_name, addr_spec=_address(tagged))
    elif outgoing.reply_token:
        subject = f"{subject} [{outgoing.reply_token}]"
    message["Subject"] = subject
    message["Message-ID"] = outgoing.message_id
    in_reply_to, *references = (each if _MESSAGE_ID.fullmatch(each) else "" for each in thread)
    if in_reply_to:
        message["In-Reply-To"] = in_reply_to
    if any(references):
        message["References"] = " ".join(filter(None, references))
    answers = outgoing.kind in (OutgoingKind.ACKNOWLEDGEMENT, OutgoingKind.ANSWER)
    message["Auto-Submitted"] = "auto-replied" if answers else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(outgoing.body, charset="utf-8", cte="quoted-printable")
    return message


def _tagged(account: EmailAccount, token: str) -> str | None:
    """Our address with a token in it; None where it cannot take one, or would be longer than RFC 5321 section 4.5.3.1.1 lets it be."""
    local, _, host = account.sender.rpartition("@")
    return f"{local}+{token}@{host}" if account.plus_addresses and len(local) + 1 + len(token) <= 64 else None


def _address(given: str) -> str:
    """One address in ASCII, its host in IDNA where it is not."""
    try:
        local, _, host = given.rpartition("@")
        written = f"{local}@{host.encode('idna').decode()}"
        if local and host and written.isprintable() and Address(addr_spec=written).addr_spec == written:
            return written
    except (MessageError, ValueError, IndexError):  # the library's own answers to what is no address
        pass
    raise Refused("recipient-refused", "The address is not one that plain SMTP can carry.")


def returns_to(outgoing: Outgoing, account: EmailAccount, key: bytes) -> str:
    """The envelope's sender: where the account takes plus addresses and there is room, an own one for each message."""
    sender = _address(account.sender)
    local, _, host = sender.rpartition("@")
    tagged = f"{local}+{RETURNED}{bounce_token(key, outgoing.id)}"
    return f"{tagged}@{host}" if account.plus_addresses and len(tagged) <= MOST_LOCAL else sender


def way_out(_: str, account: EmailAccount, *, settings: Settings) -> "Connection":
    """The account's connection, for the channel table."""
    return Connection(account, settings.own_key)


class Connection:
    """An account's connection to its server: made when it is wanted, kept for a run, made anew after any fault."""

    def __init__(self, account: EmailAccount, key: bytes = b"") -> None:
        self._account = account
        self._key = key
        self._tokens = Tokens(account.oauth, account.ca_file) if account.oauth else None
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        """Hand one message to the server; it never raises for what a server or a network does."""
        try:
            message = compose(outgoing, self._account, now)
            sender, recipient = returns_to(outgoing, self._account, self._key), _address(outgoing.recipient)
        except Refused as error:
            return Failed(error.reason)
        return await self.hand_over(message, sender, recipient)

    async def hand_over(self, message: EmailMessage, sender: str, recipient: str) -> Outcome:
        """Hand a message that is composed to the server, likewise; ``sender`` is the envelope's."""
        outcome = await self._hand_over(message.as_bytes(), sender, recipient)
        if outcome != Accepted():
            self._drop()
        return outcome

    async def asked(self, outgoing: Outgoing) -> None:
        """SMTP cannot be asked."""

    async def close(self) -> None:
        """Take leave of the server, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=CONNECT_SECONDS)
            client.close()

    async def check(self) -> Deferred | None:
        """Reach the server and log in, sending nothing; None where it would take mail of ours, else why it would not."""
        reached = await self._reached()
        return reached if isinstance(reached, Deferred) else None

    async def _reached(self) -> aiosmtplib.SMTP | Deferred:
        try:
            return await self._connected()
        except aiosmtplib.SMTPResponseException as error:
            # A server that is full answers 4yz; any other refusal before the first message is about us.
            return Deferred(
                f"server-refused: {_codes(error)}", Trouble.CONNECTION if error.code // 100 == 4 else Trouble.ACCOUNT
            )
        except OSError as error:
            if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
                return Deferred("certificate-refused", Trouble.ACCOUNT)
            return Deferred("unreachable", Trouble.CONNECTION)
        except aiosmtplib.SMTPException:
            return Deferred("no-starttls-or-login", Trouble.ACCOUNT)
        except IngestError as error:
            return Deferred(error.reason, Trouble.ACCOUNT)

    async def _hand_over(self, raw: bytes, sender: str, recipient: str) -> Outcome:
        client = await self._reached()
        if isinstance(client, Deferred):
            return client
        try:
            await client.mail(sender)
            await client.rcpt(recipient)
            begun = await client.execute_command(b"DATA")
        except aiosmtplib.SMTPSenderRefused as error:
            return _refused("sender-refused", error, Trouble.ACCOUNT)
        except aiosmtplib.SMTPResponseException as error:
            return _refused("recipient-refused", error, Trouble.MESSAGE)
        except (aiosmtplib.SMTPException, OSError):
            return Deferred("connection-lost", Trouble.CONNECTION)
        if begun.code != 354:
            return _refused("message-refused", aiosmtplib.SMTPDataError(*begun), Trouble.MESSAGE)
        return await _transfer(client, raw)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        account = self._account
        host, _, port = account.smtp.rpartition(":")
        client = aiosmtplib.SMTP(
            hostname=host.strip("[]"),
            port=int(port),
            use_tls=account.smtp_security == "tls",
            start_tls=account.smtp_security == "starttls",
            tls_context=await asyncio.to_thread(_trusted, account.ca_file) if account.smtp_security != "none" else None,
            # Not this machine's own name, which would be looked up, and told to the world.
            local_hostname=_address(account.sender).rpartition("@")[2],
            timeout=COMMAND_SECONDS,
        )
        self._client = client
        await client.connect(timeout=CONNECT_SECONDS)
        if account.smtp_login:
            await self._log_in(client)
        return client

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        """By one method only: a wrong password tried by each that there is would soon lock the account."""
        await client.ehlo()
        account = self._account
        if self._tokens is not None:
            try:
                await client.auth_xoauth2(account.user, await self._tokens.token())
            except aiosmtplib.SMTPAuthenticationError:
                self._tokens.forget()
                raise
            return
        assert account.password is not None
        for method, log_in in (("plain", client.auth_plain), ("login", client.auth_login)):
            if method in client.server_auth_methods:
                await log_in(account.user, account.password.get_secret_value())
                return
        raise aiosmtplib.SMTPException("The server knows neither PLAIN nor LOGIN.")

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


async def _transfer(client: aiosmtplib.SMTP, raw: bytes) -> Outcome:
    """The message itself. From its first byte on, no answer means that nobody knows."""
    protocol = client.protocol
    if protocol is None:
        return Deferred("connection-lost", Trouble.CONNECTION)
    try:
        protocol.write(re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n")
        answer = await protocol.read_response(timeout=TAKEN_SECONDS)
    except aiosmtplib.SMTPTimeoutError:
        return Unknown("no-answer")
    except (aiosmtplib.SMTPException, OSError):
        return Unknown("connection-lost")
    if answer.code // 100 == 2:
        return Accepted()
    return _refused("message-refused", aiosmtplib.SMTPDataError(*answer), Trouble.MESSAGE)


def _refused(what: str, error: aiosmtplib.SMTPResponseException, trouble: Trouble) -> Outcome:
    """A refusal by its code: 4yz is for now, 5yz for good unless it is about the account, and 421 is a farewell."""
    reason = f"{what}: {_codes(error)}"
    if error.code == 421:
        return Deferred(reason, Trouble.CONNECTION)
    if error.code in _OF_THE_ACCOUNT:
        return Deferred(reason, Trouble.ACCOUNT)
    if error.code // 100 == 5 and trouble is Trouble.MESSAGE:
        return Failed(reason)
    return Deferred(reason, trouble)


def _codes(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return trust(ca_file)
    except Misconfigured as error:
        raise ssl.SSLError("ca_file cannot be read") from error
