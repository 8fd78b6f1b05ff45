"""A mail to ourselves that goes all the way round, out by the account's server and back into its mailbox, and shows that mail does.

It is no contact: nobody wrote it. What is in it and known by it is keyed, so that nobody else's mail is taken for one; whoever has seen
one can only keep out mail of their own.
"""

import asyncio
import hashlib
import hmac
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.email.mime import end_of_headers
from channels.email.send import Connection
from channels.email.settings import EmailAccount
from channels.sending import Accepted, Unknown
from ingest.clock import Clock
from ingest.database import Database, insert
from ingest.errors import IngestError
from ingest.key import known
from ingest.state import canaries
from ingest.telemetry import ERRORS, MAIL_CANARY, telemetry

HEADER: Final = "X-Contact-Ingest-Canary"
_MOST_BYTES: Final = 65_536  # with all that servers on the way write above it
_FOUND: Final = re.compile(rb"(?im)^%s:[ \t]*(\d{1,12})\.([0-9a-f]{32})[ \t]*\r?$" % HEADER.encode())
_LONGEST_SLEEP: Final = 60.0
_BODY: Final = """\
This mail was written by the service that reads this mailbox, to see whether mail still comes in.

It is taken out of the mailbox again as soon as it is there. Where many of them lie here, the service does not read the mailbox.
"""

_say = telemetry("email")


def compose_canary(name: str, account: EmailAccount, key: bytes, at: datetime) -> EmailMessage:
    """The mail of an account for a moment, to the whole second."""
    seconds = int(at.timestamp())
    message = EmailMessage(policy=SMTP)
    message["Date"] = format_datetime(at)
    message["From"] = message["To"] = account.sender
    message["Subject"] = "Does mail come in?"
    message["Message-ID"] = f"<canary.{seconds}.{_mark(key, name, seconds)[:12]}@{account.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message[HEADER] = f"{seconds}.{_mark(key, name, seconds)}"
    message.set_content(_BODY)
    return message


def sent_when(raw: bytes, name: str, key: bytes) -> datetime | None:
    """When this canary of the account's was sent; None where the mail is none."""
    if len(raw) > _MOST_BYTES:
        return None
    end, _ = end_of_headers(raw) or (len(raw), len(raw))
    if (found := _FOUND.search(raw, 0, end)) is None:
        return None
    seconds = int(found[1])
    if not any(hmac.compare_digest(found[2].decode(), _mark(each, name, seconds)) for each in known(key)):
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _mark(key: bytes, name: str, seconds: int) -> str:
    return hmac.new(key, f"canary\x1f{name}\x1f{seconds}".encode(), hashlib.sha256).hexdigest()[:32]


async def came_round(connection: AsyncConnection, name: str, sent_at: datetime) -> None:
    """Note that one is back; an older one after a newer changes nothing."""
    newer = canaries.c.came_round.is_(None) | (canaries.c.came_round < sent_at)
    row = {"account": name, "sent_at": sent_at, "came_round": sent_at}
    new = insert(canaries).values(**row)
    await connection.execute(new.on_conflict_do_update(index_elements=["account"], set_={"came_round": sent_at}, where=newer))
    MAIL_CANARY.labels(name).set(sent_at.timestamp())


async def send_canaries(
    name: str, account: EmailAccount, every: timedelta, *, key: bytes, database: Database, clock: Clock, stopping: asyncio.Event
) -> None:
    """Send one in every such time until told to stop, and say so where the last is not back when the next is due."""
    flight = _Flight(name, account, key, database, clock)
    due = clock()
    while not stopping.is_set():
        try:
            due = await flight.go_on(every)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the mailbox goes on being read
            reason = error.reason if isinstance(error, IngestError) else "unforeseen"
            ERRORS.labels("email", reason).inc()
            _say.warning("canary-fault", account=name, reason=reason, kind=type(error).__name__)
            due = clock() + min(every, timedelta(seconds=_LONGEST_SLEEP))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.01, min((due - clock()).total_seconds(), _LONGEST_SLEEP))):
                await stopping.wait()


class _Flight:
    def __init__(self, name: str, account: EmailAccount, key: bytes, database: Database, clock: Clock) -> None:
        self._name = name
        self._account = account
        self._key = key
        self._database = database
        self._clock = clock
        self._tried: datetime | None = None

    async def go_on(self, every: timedelta) -> datetime:
        """Send the one that is due, if one is; answers with when the next is. Raises Unavailable."""
        async with self._database.read() as connection:
            last = (await connection.execute(select(canaries).where(canaries.c.account == self._name))).one_or_none()
        back = last.came_round if last is not None else None
        MAIL_CANARY.labels(self._name).set(back.timestamp() if back else 0)
        now = self._clock()
        due = max(
            now if last is None else last.sent_at + every,
            now if self._tried is None else self._tried + every / 4,
        )
        if now < due:
            return due
        if last is not None and (last.came_round is None or last.came_round < last.sent_at):
            ERRORS.labels("email", "canary-late").inc()
            _say.error("canary-late", account=self._name, sent_at=str(last.sent_at), last_round=str(last.came_round))
        self._tried = now
        if not await self._send(now):
            return now + every / 4
        sent_at = now.replace(microsecond=0)  # as it stands in the mail
        new = insert(canaries).values(account=self._name, sent_at=sent_at)
        async with self._database.write() as writing:
            await writing.execute(new.on_conflict_do_update(index_elements=["account"], set_={"sent_at": sent_at}))
        return now + every

    async def _send(self, now: datetime) -> bool:
        connection = Connection(self._account)
        message, own = compose_canary(self._name, self._account, self._key, now), self._account.sender
        outcome = await connection.hand_over(message, own, own)
        await connection.close()
        if isinstance(outcome, Accepted | Unknown):
            return True
        ERRORS.labels("email", "canary-not-sent").inc()
        _say.warning("canary-not-sent", account=self._name, reason=outcome.reason)
        return False
