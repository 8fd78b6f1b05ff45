"""The router on Kafka and PostgreSQL, beside two that write the very same rows without matching or reading.

Each side is a process of its own that takes the same backlog off the same topic into a register of its own. How far it is, is
read from the register's positions; what it cost, from the system's accounts of its process and of both servers. The clock runs from
the first tenth of the contacts on, so that nobody's start is measured.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import asyncpg

from ingest import state
from ingest.contract import TOPIC_NAMES
from ingest.database import upgrade
from ingest.log.kafka import KafkaLog
from ingest.receive import record_of
from ingest.settings import LogSettings
from router.register import MIGRATIONS
from tests.bench.contacts import contacts
from tests.bench.embedded import KEY, fill
from tests.bench.rows import CONTACTS
from tests.bench.usage import cpu_seconds
from tests.servers.kafka import Kafka, running_kafka
from tests.servers.postgres import Postgres, running_postgres

PARTITIONS: Final = 6
INGEST: Final = (sys.executable, "-c", "from ingest.commands.entry import main; main()")
_LOOK_SECONDS: Final = 0.02
_STUCK_SECONDS: Final = 120.0
SETTINGS: Final = """\
key_file = "key"
log.url = "{log}"
register.url = "{register}"
web.public = "127.0.0.1:{public}"
web.private = "127.0.0.1:0"

[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care-team@example.org"
duty = "duty@example.org"

[channels.email.care]
host = "localhost"
user = "care"
password_file = "key"
smtp = "localhost:25"
sender = "care@ombudsman.example"
"""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where all sides run: one backlog on one broker, and a register as each of them finds it, with nothing decided."""

    folder: Path
    kafka: Kafka
    postgres: Postgres
    number: int
    template: str

    @contextmanager
    def register(self) -> Generator[str]:
        """A register of its own; its address."""
        name = f"register_{next(_numbers)}"
        self.postgres.execute(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        try:
            yield self.postgres.url(name)
        finally:
            self.postgres.drop(name)

    def settings(self, register: str) -> Path:
        """A file of settings for it."""
        path = self.folder / f"ingest-{next(_numbers)}.toml"
        path.write_text(SETTINGS.format(log=self.kafka.url, register=register, public=0), encoding="utf-8")
        return path

    def router(self, register: str, *profile: Path) -> list[str]:
        """What runs the router's worker alone, and leaves a profile of it where one is named."""
        return [sys.executable, "-m", "tests.bench.alone", self.kafka.url, register, *map(str, profile)]

    def service(self, register: str) -> list[str]:
        """What runs the router as it is run: with outbox, duties and pages."""
        return [*INGEST, "run", "router", "--config", str(self.settings(register))]

    def one_by_one(self, register: str) -> list[str]:
        """What runs the router's job under FastStream."""
        module = "tests.bench.faststream_one_by_one"
        return [sys.executable, "-m", module, self.kafka.url, register, f"bench-{next(_numbers)}"]

    def writer(self, module: str, register: str, rows: Path) -> list[str]:
        """What runs one of those that write rows from a file."""
        group = f"bench-{next(_numbers)}"
        return [sys.executable, "-m", module, f"127.0.0.1:{self.kafka.port}", register, str(rows), group]


@dataclass(frozen=True, slots=True)
class Measured:
    """Contacts a second, and CPU microseconds a contact of the process, of PostgreSQL and of Kafka."""

    contacts_a_second: float
    cpu_us_a_contact: float
    postgres_us_a_contact: float
    kafka_us_a_contact: float


@contextmanager
def ground(folder: Path, number: int, individuals: int = 0) -> Generator[Ground]:
    """Both servers with so many contacts waiting, and at least so many people in the register. Skipped, as a test is, where a server is not installed."""
    with contextmanager(running_kafka)() as kafka, contextmanager(running_postgres)(durable=True) as postgres:
        (folder / "key").write_bytes(KEY)
        template = postgres.create()
        asyncio.run(_prepare(kafka, postgres.url(template), number, folder, individuals))
        yield Ground(folder, kafka, postgres, number, template)


async def make_topics(url: str) -> None:
    """All of them, on a single broker."""
    log = KafkaLog(LogSettings(url=url))
    await log.create_topics(TOPIC_NAMES, partitions=PARTITIONS, replication=1, min_isr=1, retention=timedelta(days=30))
    await log.close()


async def _prepare(kafka: Kafka, register: str, number: int, folder: Path, individuals: int) -> None:
    await make_topics(kafka.url)
    log = KafkaLog(LogSettings(url=kafka.url))
    made = contacts(number)
    while some := [record_of(each, KEY) for each in islice(made, 1_000)]:
        await log.append(CONTACTS, some)
    log_id = (await log.describe(CONTACTS)).log_id
    await log.close()
    upgrade(register, [MIGRATIONS, state.MIGRATIONS])
    await fill(register, number, folder, individuals)
    async with _connected(register) as connection:
        await connection.execute("DELETE FROM audit")  # of the import: all that is there later is of contacts
        # With positions of its own a register is read to from the beginning, whatever the group has settled for another.
        places = [(log_id, CONTACTS, each, 1, 0) for each in range(PARTITIONS)]
        await connection.executemany(
            "INSERT INTO positions (log_id, topic, partition, epoch, next) VALUES ($1, $2, $3, $4, $5)", places
        )
        await connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def _connected(register: str) -> AsyncGenerator[Any]:
    connection = await asyncpg.connect(register)
    try:
        yield connection
    finally:
        await connection.close()


class Side:
    """One or more processes of one side, and how far they are with a register."""

    def __init__(self, place: Ground, commands: Sequence[Sequence[str]], connection: Any) -> None:
        self._place = place
        self._connection = connection
        self.said = place.folder / f"said-{next(_numbers)}.txt"
        with self.said.open("wb") as lines:
            self.processes = [subprocess.Popen(each, stdout=lines, stderr=lines) for each in commands]

    async def settled(self) -> int:
        """How many contacts are in the register."""
        return await self._connection.fetchval(f"SELECT coalesce(sum(next), 0)::int FROM positions WHERE topic = '{CONTACTS}'")

    async def waiting(self) -> int:
        """How many rows the outbox holds."""
        return await self._connection.fetchval("SELECT count(*) FROM outbox")

    async def until(self, wanted: int) -> int:
        """Wait for so many; how many there are. Raises RuntimeError where a process ended, or nothing comes any more."""
        before, since = -1, time.monotonic()
        while (there := await self.settled()) < wanted:
            if there != before:
                before, since = there, time.monotonic()
            if time.monotonic() - since > _STUCK_SECONDS or any(each.poll() is not None for each in self.processes):
                raise RuntimeError(f"{there} of {wanted}, and no more: {self.said.read_text(errors='replace')[-2000:]}")
            await asyncio.sleep(_LOOK_SECONDS)
        return there

    def cpu(self) -> tuple[float, float, float]:
        """CPU seconds so far of the processes, of PostgreSQL and of Kafka."""
        return (
            sum(cpu_seconds(each.pid) for each in self.processes),
            cpu_seconds(self._place.postgres.pid),
            cpu_seconds(self._place.kafka.pid),
        )

    def end(self) -> None:
        """Told to stop; by force where that is not heard."""
        for each in self.processes:
            each.terminate()
        for each in self.processes:
            try:
                each.wait(30)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


@asynccontextmanager
async def side(place: Ground, register: str, *commands: Sequence[str]) -> AsyncGenerator[Side]:
    """A side at work, until it is no more wanted."""
    async with _connected(register) as connection:
        running = Side(place, commands, connection)
        try:
            yield running
        finally:
            await asyncio.to_thread(running.end)


async def measure(
    place: Ground, register: str, number: int, *commands: Sequence[str], begin: signal.Signals | None = None
) -> Measured:
    """A side until it has settled so many; ``begin`` tells its processes of the moment from which on it is measured."""
    async with side(place, register, *commands) as running:
        first = await running.until(max(1, number // 10))
        if begin is not None:
            for each in running.processes:
                each.send_signal(begin)
        began, before = time.perf_counter(), running.cpu()
        last = await running.until(number)
        took, after = time.perf_counter() - began, running.cpu()
    done = max(1, last - first)
    return Measured(done / took, *((late - early) / done * 1e6 for early, late in zip(before, after, strict=True)))
