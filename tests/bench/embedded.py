"""The embedded router against SQLite's own ceiling: the same records read, the same rows written, no matching and no reading.

The baseline takes the same log by plain sqlite3 in batches of 500, validates each contact, and writes by ``executemany`` the very
rows that the router wrote, with the position, into an equal register: what any router on SQLite would have to do at least.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ingest import state
from ingest.contract import Contact
from ingest.database import Database, pragmas, upgrade
from ingest.log.sqlite import SqliteLog
from ingest.receive import record_of
from ingest.settings import AcknowledgementSettings, OutgoingSettings, RouterSettings, Teams
from router.consequences import House
from router.readers import Readers
from router.register import MIGRATIONS, tables
from router.register.intake import OPTIONAL, REQUIRED, Kind, opened, take_in
from router.store import Store
from router.worker import Worker
from tests.bench.contacts import SAMPLES, contacts, people
from tests.bench.usage import cpu_seconds

BATCH = 500
KEY = b"a key that only the bench knows of"


@dataclass(frozen=True)
class Measured:
    """Contacts a second, and what a contact cost in CPU microseconds."""

    contacts_a_second: float
    cpu_us_a_contact: float


def _now() -> datetime:
    return datetime.now(UTC)


def house() -> House:
    """What the router must know of us, by the defaults of the settings."""
    return House(
        teams=Teams(
            intake="intake@example.org",
            investigators="investigators@example.org",
            customer_care="care-team@example.org",
            duty="duty@example.org",
        ),
        acknowledgement=AcknowledgementSettings(),
        outgoing=OutgoingSettings(),
        router=RouterSettings(batch=BATCH),
        senders={"care": "care@ombudsman.example"},
        notices_from="care",
    )


async def _log(path: Path) -> SqliteLog:
    return await SqliteLog.open(path, exclusive=True, clock=_now, retention=timedelta(days=30), most_record_bytes=8_000_000)


async def prepare(folder: Path, number: int) -> None:
    """A log with so many contacts, and a register with people and cases and nothing decided."""
    log = await _log(folder / "log.db")
    made = list(contacts(number))
    for start in range(0, number, 1_000):
        await log.append("contacts", [record_of(each, KEY) for each in made[start : start + 1_000]])
    await log.close()
    url = f"sqlite:///{folder / 'register.db'}"
    upgrade(url, [MIGRATIONS, state.MIGRATIONS])
    await fill(url, number, folder)


async def fill(url: str, number: int, folder: Path, individuals: int = 0) -> None:
    """Cases into a register, and people: who writes so many contacts, and others up to a number."""
    database = Database(url)
    kinds: tuple[tuple[Kind, Path], ...] = (
        ("individuals", people(number, folder, individuals)),
        ("cases", SAMPLES / "cases.csv"),
    )
    for kind, path in kinds:
        await take_in(database, kind, opened(path, REQUIRED[kind], OPTIONAL[kind]), _now)
    await database.close()


async def router(folder: Path, number: int) -> Measured:
    """The whole router, until it has settled every contact."""
    log, database = await _log(folder / "log.db"), Database(f"sqlite:///{folder / 'register.db'}")
    stopping, ours, readers = asyncio.Event(), house(), Readers.for_this_machine()
    worker = Worker(log, database, Store(database, ours, _now), ours, {}, _now, stopping, KEY, readers)
    wall, cpu = time.perf_counter(), cpu_seconds(os.getpid())
    running = asyncio.create_task(worker.run())
    while sum(worker.expected.values()) < number and not running.done():
        await asyncio.sleep(0.02)
    wall, cpu = time.perf_counter() - wall, cpu_seconds(os.getpid()) - cpu
    stopping.set()
    await running
    readers.close()
    await database.close()
    await log.close()
    return Measured(number / wall, cpu / number * 1e6)


_KEY: Final = {tables.individual_keys.name: "key, individual_id"}  # of a table without row numbers


def written(before: Path, after: Path) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    """For each table the insert and the rows that the router added; its position is written apart."""
    found: dict[str, tuple[str, list[tuple[Any, ...]]]] = {}
    with closing(sqlite3.connect(before)) as old, closing(sqlite3.connect(after)) as new:
        for (name,) in new.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall():
            held = set(old.execute(f'SELECT {_KEY.get(name, "rowid")} FROM "{name}"'))
            every = new.execute(f'SELECT {_KEY.get(name, "rowid")}, * FROM "{name}"')
            keys = _KEY.get(name, "rowid").count(",") + 1
            rows = [row[keys:] for row in every if row[:keys] not in held]
            if rows and name != tables.positions.name:
                found[name] = (f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
    return found


def plain(folder: Path, number: int, rows: dict[str, tuple[str, list[tuple[Any, ...]]]]) -> Measured:
    """The ceiling."""
    with closing(_connected(folder / "log.db")) as log, closing(_connected(folder / "register.db")) as register:
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, number, BATCH):
            taken = log.execute(
                "SELECT position, appended_at, key, headers, value FROM records WHERE topic = 1 AND position >= ? ORDER BY position LIMIT ?",
                (start, BATCH),
            ).fetchall()
            assert len(taken) == min(BATCH, number - start)
            for row in taken:
                Contact.model_validate_json(row[4])
            register.execute("BEGIN IMMEDIATE")
            for insert, every in rows.values():
                register.executemany(insert, _share(every, start, number))
            register.execute("INSERT OR REPLACE INTO positions VALUES ('bench', 'contacts', 0, 1, ?)", (start + BATCH,))
            register.execute("COMMIT")
            log.execute("INSERT OR REPLACE INTO groups VALUES (1, 'plain', ?)", (start + BATCH,))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(number / wall, cpu / number * 1e6)


def _share(rows: Sequence[tuple[Any, ...]], start: int, number: int) -> Sequence[tuple[Any, ...]]:
    return rows[start * len(rows) // number : min(start + BATCH, number) * len(rows) // number]


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in pragmas():
        connection.execute(pragma)
    return connection
