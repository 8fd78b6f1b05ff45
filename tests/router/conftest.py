"""What the router's tests share: an empty register and log of their own, a watch that can be set, and contacts made to order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from ingest.contract import Contact, Identifier, Person, Record
from ingest.database import Database
from ingest.ids import MARK, contact_id, digest, mark
from ingest.log.sqlite import SqliteLog
from ingest.receive import record_of
from ingest.settings import AcknowledgementSettings, OutgoingSettings, RouterSettings, Teams
from router import worker as worker_module
from router.answers import Answers, library
from router.consequences import Consequences, House, Standing, consequences
from router.decide import Situation, decide
from router.match import Unmatched
from router.match.names import canonical_forename, canonical_surname
from router.read import Outcome, Reading
from router.readers import Readers
from router.register import tables
from router.register.index import kept_true
from router.store import Store
from router.worker import Worker

KEY = b"a key that only these tests know of"


def written(contact: Contact, *, ce_type: str = "contact-ingest.contact.v1", value: bytes | None = None) -> Record:
    """A contact as our own channels publish it, or another release or a fault of theirs would: with our mark on it."""
    known = record_of(contact, KEY)
    value = known.value or b"" if value is None else value
    told = {"ce_type": ce_type, f"ce_{MARK}": mark(KEY, str(contact.id), contact.source, ce_type, value)}
    return Record(known.key, value, tuple((name, told[name].encode() if name in told else raw) for name, raw in known.headers))


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def clock() -> Watch:
    """Half past nine on a Monday morning in March, until a test moves it."""
    return Watch()


@pytest.fixture
async def database(register_url: str) -> AsyncGenerator[Database]:
    opened = Database(register_url)
    yield opened
    await opened.close()


@pytest.fixture
async def log(tmp_path: Path, clock: Watch) -> AsyncGenerator[SqliteLog]:
    opened = await SqliteLog.open(
        tmp_path / "log.db", exclusive=True, clock=clock, retention=timedelta(days=30), most_record_bytes=2_000_000
    )
    yield opened
    await opened.close()


@pytest.fixture
def house() -> House:
    return House(
        teams=Teams(
            intake="intake@example.org",
            investigators="investigators@example.org",
            customer_care="care-team@example.org",
            duty="duty@example.org",
            duty_second="duty-second@example.org",
            staff_safety="safety@example.org",
        ),
        acknowledgement=AcknowledgementSettings(),
        outgoing=OutgoingSettings(sender_budget=3),
        router=RouterSettings(batch=50, dead_letters_in_a_row=5),
        senders={"care": "care@ombudsman.example"},
        notices_from="care",
    )


@pytest.fixture
def approved() -> Callable[..., Answers]:
    """Approved answers to ``mp-referral`` (or another query) by language, that may go by themselves unless it is said otherwise."""

    def make(query: str = "mp-referral", /, *, use: str = "automatic", until: str = "2026-12-31", **texts: str) -> Answers:
        files = {
            f"{query}.{language}.md": f'+++\nquery = "{query}"\nlanguage = "{language}"\ntitle = "About {query}"\n'
            f'approved_by = "A. Morgan"\napproved_on = 2026-01-05\nvalid_until = {until}\nuse = "{use}"\n+++\n{text}\n'
            for language, text in texts.items()
        }
        answers, faults = library(files)
        assert not faults
        return answers

    return make


@pytest.fixture
def store(database: Database, house: House, clock: Watch) -> Store:
    return Store(database, house, clock)


@pytest.fixture
def contact(clock: Watch) -> Callable[..., Contact]:
    """A contact by mail, each another one; what is named is as it is named."""
    numbers = count()

    def make(text: str = "A few words.", sender: str | None = "jo@example.com", **fields: Any) -> Contact:
        original = digest(f"{next(numbers)} {text}".encode())
        verified = fields.pop("verified_by", None)
        identifiers = (
            (Identifier(kind="email", given=sender, canonical=sender.lower(), verified_by=verified),) if sender else ()
        )
        made: dict[str, Any] = {
            "id": contact_id("email", "care", original),
            "source": "urn:contact-ingest:email:care",
            "channel": "email",
            "account": "care",
            "received_at": clock(),
            "sender": Person(name=fields.pop("name", None), identifiers=identifiers),
            "subject": "About my complaint",
            "text": text,
            "full_text": text,
            "original": original,
        }
        return Contact(**{**made, **fields})

    return make


@pytest.fixture
def decided(house: House, clock: Watch, contact: Callable[..., Contact]) -> Callable[..., Consequences]:
    """What comes of a contact that is read so, matched so, and stands so."""

    def make(
        reading: Reading | None = None,
        *,
        of: Contact | None = None,
        standing: Standing | None = None,
        in_house: House | None = None,
        **fields: Any,
    ) -> Consequences:
        about = of or contact()
        situation = Situation(
            about,
            reading or Reading(Outcome.FEEDBACK_RECORD, 0.9, feedback_type="service"),
            fields.pop("match", Unmatched("nobody")),
            clock().date(),
            **fields,
        )
        fingerprint = digest(about.model_dump_json().encode())
        return consequences(situation, decide(situation), fingerprint, in_house or house, standing or Standing(), clock())

    return make


@pytest.fixture
def append(log: SqliteLog) -> Callable[..., Awaitable[None]]:
    """Contacts, and records as they are, onto the topic in that order."""

    async def put(*items: Contact | Record) -> None:
        await log.append("contacts", [record_of(each, KEY) if isinstance(each, Contact) else each for each in items])

    return put


@pytest.fixture
def worker(
    log: SqliteLog, database: Database, store: Store, house: House, clock: Watch, monkeypatch: pytest.MonkeyPatch
) -> Worker:
    """A router that waits for nothing longer than it must."""
    monkeypatch.setattr(worker_module, "_IDLE_SECONDS", 0.02)
    return Worker(log, database, store, house, {}, clock, asyncio.Event(), KEY, Readers(0))


@pytest.fixture
def route(log: SqliteLog, worker: Worker) -> Callable[..., Awaitable[None]]:
    """Run the router until it has settled all there is."""

    async def run(chosen: Worker | None = None) -> None:
        chosen = chosen or worker
        chosen.stopping.clear()
        running = asyncio.create_task(chosen.run())
        async with asyncio.timeout(30):
            while not running.done():
                await asyncio.sleep(0.01)
                if (await log.lag("contacts", "router")).records == 0 and chosen.expected and not chosen.moved:
                    break
        chosen.stopping.set()
        await running

    return run


@pytest.fixture
def rows(database: Database) -> Callable[..., Awaitable[Sequence[Any]]]:
    """The rows of a table that meet some conditions."""

    async def look(table: Any, *conditions: Any) -> Sequence[Any]:
        async with database.read() as connection:
            return (await connection.execute(select(table).where(*conditions))).all()

    return look


@pytest.fixture
def refuse(database: Database) -> Callable[..., Awaitable[None]]:
    """Have the database refuse rows of a table: all of them, or those in whose body some words stand."""

    async def put(table: str, words: str | None = None) -> None:
        async with database.write() as connection:
            if connection.dialect.name == "postgresql":
                allowed = f"body NOT LIKE '%{words}%'" if words else "false"
                rule = f"ALTER TABLE {table} ADD CONSTRAINT refuses CHECK ({allowed}) NOT VALID"
            else:
                when = f"WHEN NEW.body LIKE '%{words}%'" if words else ""
                rule = f"CREATE TRIGGER refuses BEFORE INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'refused'); END"
            await connection.execute(text(rule))

    return put


@pytest.fixture
def person(database: Database, clock: Watch) -> Callable[..., Awaitable[str]]:
    """Somebody in the register, and a party to some cases: (reference, role, authority)."""

    async def put(
        id_: str = "R1",
        name: tuple[str, str] = ("Joan", "Pettifer"),
        email: str = "joan@example.com",
        *,
        cases: Sequence[tuple[str, str, str]] = (),
        postcode: str | None = "DE80 4PT",
        born: date | None = None,
        **fields: Any,
    ) -> str:
        async with database.write() as connection, kept_true(connection, [id_]):
            await connection.execute(
                tables.individuals.insert().values(
                    id=id_,
                    given_name=name[0],
                    surname=name[1],
                    canonical_surname=canonical_surname(name[1]),
                    canonical_forename=canonical_forename(name[0]),
                    date_of_birth=born,
                    imported_at=clock(),
                    **{"agreed_methods": [], "forbidden_methods": [], **fields},
                )
            )
            await connection.execute(
                tables.identifiers.insert().values(individual_id=id_, kind="email", canonical=email, given=email, since=clock())
            )
            if postcode:
                await connection.execute(
                    tables.addresses.insert().values(
                        individual_id=id_,
                        lines=["14 Quarry Lane"],
                        postcode=postcode,
                        canonical_postcode=postcode,
                        since=clock(),
                    )
                )
            for reference, role, authority in cases:
                await connection.execute(
                    tables.parties.insert().values(individual_id=id_, case_reference=reference, role=role, authority=authority)
                )
        return id_

    return put


@pytest.fixture
def case(database: Database) -> Callable[..., Awaitable[str]]:
    """A case of the register."""

    async def put(reference: str = "C-2034655", status: str = "open", **fields: Any) -> str:
        async with database.write() as connection:
            await connection.execute(
                tables.cases.insert().values(**{"reference": reference, "status": status, "owner_active": True, **fields})
            )
        return reference

    return put
