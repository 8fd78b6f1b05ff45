"""An office that takes mail in: the real log, originals and database in a folder, and a mailbox of its own on a real Dovecot."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import func, select

from channels.email.ingress import Arrive, Pace, run
from channels.email.settings import EmailAccount
from ingest.clock import Clock
from ingest.contract import Contact
from ingest.database import Database
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import receive
from ingest.settings import Settings
from ingest.state import mail_ledger
from tests.servers.dovecot import PASSWORD, Dovecot, running_dovecot

QUICK = Pace(call=2.0, pause=0.05, longest_pause=0.2, again=0.05)
"""A patience that fits a test."""

KEYED = Settings.model_construct(key=SecretStr("k" * 32))
"""Of all settings, a mailbox needs the key."""

OFTEN = timedelta(milliseconds=100)

AccountOf = Callable[..., EmailAccount]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dovecot() -> Generator[Dovecot]:
    """One server for all tests, each with mailboxes of its own."""
    yield from running_dovecot()


@pytest.fixture(scope="session")
def modest_dovecot() -> Generator[Dovecot]:
    """A server that knows neither IDLE nor MOVE."""
    yield from running_dovecot("IMAP4rev1 UIDPLUS")


@pytest.fixture
def user() -> str:
    """A mailbox nobody has had."""
    return f"care{next(_numbers)}"


@dataclass
class Office:
    """What the composition root would put together."""

    database: Database
    log: SqliteLog
    originals: Originals
    clock: Clock
    arrive: Arrive

    async def contacts(self) -> list[Contact]:
        """All that is on the log, in order."""
        found: list[Contact] = []
        while records := await self.log.read("contacts", after={0: len(found)}, most=500):
            found += [Contact.model_validate_json(each.record.value or b"") for each in records]
        return found

    @asynccontextmanager
    async def taking_in(
        self, account: EmailAccount, name: str = "care", pace: Pace = QUICK, **more: Any
    ) -> AsyncGenerator[None]:
        """Run the account meanwhile, and stop it as SIGTERM would."""
        stopping = asyncio.Event()
        going = asyncio.create_task(
            run(
                name,
                account,
                arrive=self.arrive,
                database=self.database,
                clock=self.clock,
                settings=KEYED,
                stopping=stopping,
                pace=pace,
                **more,
            )
        )
        try:
            yield
            assert not going.done(), "it ended by itself"
        finally:
            stopping.set()
            async with asyncio.timeout(10):
                await going

    async def until(self, count: int) -> list[Contact]:
        """Once there are so many contacts on the log."""
        return await until(self.contacts, lambda contacts: len(contacts) >= count)


@pytest.fixture
async def office(tmp_path: Path, clock: Clock, register_url: str) -> AsyncGenerator[Office]:
    """An office with nothing taken in yet."""
    database = Database(register_url)
    originals = Originals(f"file:///{tmp_path / 'originals'}")
    log = await SqliteLog.open(
        tmp_path / "log.db", exclusive=True, clock=clock, retention=timedelta(days=30), most_record_bytes=1_000_000
    )
    arrive = partial(receive, originals=originals, log=log, database=database, key=b"k" * 32)
    yield Office(database, log, originals, clock, arrive)
    await log.close()
    await database.close()


@pytest.fixture
def account(user: str, request: pytest.FixtureRequest) -> Callable[..., EmailAccount]:
    """Settings for this test's mailbox, or for another user's, on the usual server or another."""

    def settings(on: Dovecot | None = None, **other: Any) -> EmailAccount:
        server: Dovecot = on or request.getfixturevalue("dovecot")
        given: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "ca_file": str(server.ca_file),
            "user": user,
            "password": PASSWORD,
            "smtp": "localhost:25",
            "sender": "care@example.org",
        }
        return EmailAccount(**(given | other))

    return settings


async def until(look: Callable[[], Any], enough: Callable[[Any], bool], seconds: float = 10) -> Any:
    """What ``look`` gives, once it is enough."""
    async with asyncio.timeout(seconds):
        while not enough(found := await look()):
            await asyncio.sleep(0.02)
        return found


def mail(subject: str = "A complaint", body: str = "Nobody has answered me.", sender: str = "ann@example.net") -> bytes:
    return f"From: Ann <{sender}>\r\nTo: care@example.org\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def errors(reason: str) -> float:
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "email", "reason": reason}) or 0.0


def waiting(name: str = "care") -> float | None:
    return REGISTRY.get_sample_value("email_unsettled", {"account": name})


async def polled(name: str = "care") -> None:
    """Once the mailbox has been looked at again, by a clock that goes on."""
    before = REGISTRY.get_sample_value("email_last_success_timestamp_seconds", {"account": name})

    async def look() -> float | None:
        return REGISTRY.get_sample_value("email_last_success_timestamp_seconds", {"account": name})

    await until(look, lambda found: found != before)


async def count(office: Office, table: Any, *where: Any) -> int:
    async with office.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table).where(*where))).scalar_one()


async def settled(office: Office, wanted: int) -> None:
    async def look() -> int:
        return await count(office, mail_ledger, mail_ledger.c.settled.is_(True))

    await until(look, lambda found: found >= wanted)


async def counted(reason: str, more_than: float) -> None:
    async def look() -> float:
        return errors(reason)

    await until(look, lambda found: found > more_than)
