"""A register, a log or both are put back from an older copy: what came since is routed again, and nobody hears from us twice."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Table, select

from channels.email.translate import translate
from ingest import state
from ingest.clock import now
from ingest.commands.run import Service, run_roles, service
from ingest.contract import TOPIC_NAMES, Event, HandoffReceipt, OutgoingState, ReceiptState, encode, topic_of
from ingest.log.kafka import KafkaLog
from ingest.receive import Arrival, receive
from ingest.reports import status_record
from ingest.settings import load
from router import duties, ledger, outbox
from router.readers import Readers
from router.register import tables
from tests.journeys.house import KEY
from tests.journeys.test_handoffs import ENQUIRY, INTAKES
from tests.journeys.test_killed_midway import letter
from tests.servers.kafka import Kafka
from tests.servers.loopback import free_ports
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpServer

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

ROLES: Final = ("router", "dispatcher")
SETTINGS: Final = """
key_file = "ingest.key"
[log]
url = "{log}"
[register]
url = "{register}"
[web]
private = "127.0.0.1:{port}"
[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care-team@example.org"
duty = "duty@example.org"
[channels.email.care]
host = "imap.example.org"
user = "care"
password_file = "ingest.key"
smtp = "localhost:{smtp}"
smtp_security = "none"
smtp_login = false
sender = "care@example.org"
[publishers."{publisher}"]
may_take = ["intake"]
"""


@dataclass
class Place:
    """An installation, and how its register is saved and put back."""

    folder: Path
    save_register: Callable[[], None]
    put_register_back: Callable[[], None]
    smtp: SmtpServer
    letters: int = 0
    bounced: UUID | None = None
    roles: Sequence[str] = ROLES
    ids: list[UUID] = field(default_factory=list[UUID])

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Service]:
        """Everything the service leans on, with nothing that runs."""
        async with service(load(self.folder / "ingest.toml"), now, asyncio.Event(), self.roles) as it:
            yield it

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Service]:
        """Router and dispatcher at work, until told to stop in good order."""
        async with self.open() as it:
            working = asyncio.create_task(run_roles(it, self.roles, Readers(0)))
            try:
                yield it
            finally:
                it.stopping.set()
                await working

    async def take_in(self, it: Service, number: int) -> None:
        """Some more letters, as a mailbox takes them in; every third is for Intake."""
        how: dict[str, Any] = {"account": "care", "received_at": now(), "backfill": False, "authserv_id": None}
        numbers = [each for each in range(self.letters, self.letters + number) if each % 20 != 7]  # which is a robot's
        self.letters += number
        raw = [_enquiry(each) if each % 3 == 0 else letter(each) for each in numbers]
        arrivals = [Arrival(each, partial(translate, **how)) for each in raw]
        taken = await receive(arrivals, originals=it.originals, log=it.log, database=it.database, key=KEY.encode())
        self.ids += [each.id for each in taken]

    async def settled(self, it: Service) -> None:
        """All of it is routed, and all that is due has gone and is known to have."""

        async def is_so() -> bool:
            routed = {row.id for row in await rows(it, tables.contacts)}
            waiting = [row for row in await rows(it, tables.outgoing) if row.state in ("due", "sending") and row.body]
            return set(self.ids) <= routed and not waiting and not await rows(it, tables.outbox)

        async with asyncio.timeout(60):
            while not await is_so():
                await asyncio.sleep(0.05)

    def copies(self) -> Counter[str]:
        """How often each message was taken by the mail server."""
        return Counter(str(each.message["Message-ID"]) for each in self.smtp.taken)

    async def is_whole(self, it: Service) -> None:
        """Every letter is filed once and nothing is unaccounted for; the trail verifies; nothing went twice."""
        assert sorted(row.id for row in await rows(it, tables.contacts)) == sorted(self.ids)
        lines = await ledger.entries(it.log, it.database, now())
        assert (sum(each.received for each in lines), sum(each.unaccounted for each in lines)) == (len(self.ids), 0)
        current = Counter(row.contact_id for row in await rows(it, tables.dispositions) if row.current)
        assert current == Counter(self.ids)
        await duties.seal(it.database, now, back=None)
        assert (await duties.verify_audit(it.database)).holds
        assert {message: number for message, number in self.copies().items() if number > 1} == {}


def _enquiry(number: int) -> bytes:
    return letter(number).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + f"{ENQUIRY} It is my {number}th letter.".encode()


async def rows(it: Service, table: Table) -> Sequence[Any]:
    async with it.database.read() as connection:
        return (await connection.execute(select(table))).all()


def put_back(what: str = "register") -> float:
    """How often it was noticed."""
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "restore", "reason": f"{what}-put-back"}) or 0.0


def settle(folder: Path, log: str, register: str, smtp: SmtpServer) -> None:
    folder.mkdir()
    (folder / "ingest.key").write_text(KEY)
    (port,) = free_ports(1)
    written = SETTINGS.format(log=log, register=register, port=port, smtp=smtp.port, publisher=INTAKES)
    (folder / "ingest.toml").write_text(written)


@pytest.fixture
def box(tmp_path: Path, smtp: SmtpServer) -> Place:
    """All on one box: the register is saved as SQLite itself does it, beside a service that runs."""
    folder, saved = tmp_path / "box", tmp_path / "saved"
    saved.mkdir()
    settle(folder, "sqlite:///log.db", "sqlite:///register.db", smtp)

    def save() -> None:
        with sqlite3.connect(folder / "register.db") as open_:
            open_.execute("VACUUM INTO ?", (str(saved / "register.db"),))
        open_.close()

    def put_back() -> None:
        for left in folder.glob("register.db*"):
            left.unlink()
        shutil.copy(saved / "register.db", folder / "register.db")

    return Place(folder, save, put_back, smtp)


@pytest.fixture
async def cluster_of_servers(tmp_path: Path, smtp: SmtpServer, request: pytest.FixtureRequest) -> AsyncGenerator[Place]:
    """Kafka and PostgreSQL: the register is saved by pg_dump and put back by pg_restore."""
    kafka: Kafka = request.getfixturevalue("kafka")
    postgres: Postgres = request.getfixturevalue("postgres")
    name, folder = postgres.create(), tmp_path / "cluster"
    settle(folder, kafka.url, postgres.url(name), smtp)
    log = KafkaLog(load(folder / "ingest.toml").log)
    await log.create_topics(TOPIC_NAMES, partitions=2, replication=1, min_isr=1, retention=timedelta(days=30))
    await log.close()
    saved: list[bytes] = []

    def save() -> None:
        saved[:] = [postgres.dump(name)]

    def put_back() -> None:
        postgres.restore(name, saved[0])

    yield Place(folder, save, put_back, smtp)
    postgres.drop(name)


@pytest.fixture(
    params=[
        "box",
        pytest.param(
            "cluster_of_servers",
            marks=[pytest.mark.needs("kafka"), pytest.mark.needs("postgres"), pytest.mark.xdist_group("journeys-on-kafka")],
        ),
    ]
)
def place(request: pytest.FixtureRequest) -> Place:
    """Either way to run."""
    return request.getfixturevalue(request.param)


async def test_after_an_older_register_is_put_back_all_is_routed_again_and_nothing_goes_twice(place: Place) -> None:
    async with place.running() as it:
        await place.take_in(it, 6)
        await place.settled(it)
        place.save_register()
        await place.take_in(it, 6)
        await place.settled(it)
        await say_what_came_after(place, it)
    async with place.open() as it:
        await place.take_in(it, 3)  # accepted, and not routed by anybody
    went, told = place.copies(), put_back()

    place.put_register_back()
    async with place.running() as it:
        await place.settled(it)
        await place.is_whole(it)
        await what_came_after_is_known_again(place, it)
        assert "put-back" in {row.action for row in await rows(it, tables.audit)}
    noticed = put_back()
    assert noticed > told
    assert set(went) < set(place.copies()), "what had not gone has gone now"

    async with place.running() as it:
        await place.take_in(it, 1)
        await place.settled(it)
        await place.is_whole(it)
    assert put_back() == noticed, "it is told once"


async def say_what_came_after(place: Place, it: Service) -> None:
    """After the copy a team takes a handoff, and a mail that was accepted comes back."""
    (*_, handoff) = sorted(
        (row for row in await rows(it, tables.handoffs) if row.team == "intake"), key=lambda row: row.handed_off_at
    )
    said = HandoffReceipt(handoff_id=handoff.id, state=ReceiptState.TAKEN, by="Sam", at=now())
    receipts = topic_of("handoffs.receipts")
    event = Event(f"taken-{handoff.id}", INTAKES, receipts.ce_type, said.model_dump_json().encode())
    await it.log.append(receipts.name, [encode(event, str(handoff.id))])
    accepted = {
        row.contact_id: row.id
        for row in await rows(it, tables.outgoing)
        if (row.kind, row.state) == ("acknowledgement", "accepted")
    }
    place.bounced = next(each for each in reversed(place.ids) if each in accepted)
    bounced = status_record(
        "urn:contact-ingest:email:care", accepted[place.bounced], OutgoingState.BOUNCED, now(), 1, "bounced: 5.1.1"
    )
    await it.log.append("outgoing.status", [bounced])
    await what_came_after_is_known_again(place, it)


async def what_came_after_is_known_again(place: Place, it: Service) -> None:
    async def known() -> bool:
        taken = [row.taken_by for row in await rows(it, tables.handoffs) if row.state == "taken"]
        bounced = [row.contact_id for row in await rows(it, tables.outgoing) if row.state == "bounced"]
        return (taken, bounced) == ([f"Sam ({INTAKES})"], [place.bounced])

    async with asyncio.timeout(30):
        while not await known():
            await asyncio.sleep(0.05)


async def test_a_log_that_is_older_than_the_register_gives_no_position_twice(box: Place, tmp_path: Path) -> None:
    async with box.running() as it:
        await box.take_in(it, 4)
        await box.settled(it)
    shutil.copy(box.folder / "log.db", tmp_path / "saved" / "log.db")
    async with box.running() as it:
        await box.take_in(it, 4)
        await box.settled(it)
    noticed = put_back("log")
    for left in box.folder.glob("log.db*"):
        left.unlink()
    shutil.copy(tmp_path / "saved" / "log.db", box.folder / "log.db")

    async with box.open() as it:
        await box.take_in(it, 3)  # where others lay that the register has had
    async with box.running() as it:
        await box.settled(it)
        await box.is_whole(it)
    assert put_back("log") > noticed
    noticed = put_back("log")
    async with box.running() as it:
        await box.take_in(it, 2)
        await box.settled(it)
        await box.is_whole(it)
    assert put_back("log") == noticed, "it is told once"


async def test_a_message_that_its_topic_lost_before_it_was_taken_in_is_published_again(box: Place, tmp_path: Path) -> None:
    async with box.running() as it:
        await box.take_in(it, 2)
        await box.settled(it)
    shutil.copy(box.folder / "log.db", tmp_path / "saved" / "log.db")
    box.roles = ("router",)
    async with box.running() as it:
        await box.take_in(it, 2)
        async with asyncio.timeout(30):
            while len(await rows(it, tables.contacts)) < len(box.ids) or await rows(it, tables.outbox):
                await asyncio.sleep(0.05)
    shutil.copy(tmp_path / "saved" / "log.db", box.folder / "log.db")

    box.roles = ROLES
    async with box.running() as it:
        async with asyncio.timeout(30):
            while (await it.log.lag("outgoing", "dispatcher")).records:
                await asyncio.sleep(0.05)
        assert await outbox.publish_again(it.log, it.database, now()) == 0, "it may be on its way"
        assert await outbox.publish_again(it.log, it.database, now() + timedelta(minutes=11)) > 0
        await box.settled(it)
        await box.is_whole(it)
        assert await outbox.publish_again(it.log, it.database, now() + timedelta(minutes=11)) == 0


async def test_register_log_and_originals_of_one_copy_are_whole_together(box: Place, tmp_path: Path) -> None:
    async with box.running() as it:
        await box.take_in(it, 4)
        await box.settled(it)
        box.save_register()
        await box.take_in(it, 4)
        await box.settled(it)
        with sqlite3.connect(box.folder / "log.db") as log:
            log.execute("VACUUM INTO ?", (str(tmp_path / "saved" / "log.db"),))
        log.close()
        shutil.copytree(box.folder / "originals", tmp_path / "saved" / "originals")
        known = list(box.ids)
        await box.take_in(it, 4)  # of which no copy knows
        await box.settled(it)
    for what in ("log.db", "register.db"):
        for left in box.folder.glob(f"{what}*"):
            left.unlink()
        shutil.copy(tmp_path / "saved" / what, box.folder / what)
    shutil.rmtree(box.folder / "originals")
    shutil.copytree(tmp_path / "saved" / "originals", box.folder / "originals")

    box.ids = known
    async with box.running() as it:
        await box.settled(it)
        await box.is_whole(it)
        for row in await rows(it, state.receipts):
            assert await it.originals.get(row.original)
