"""Several routers on one topic: each contact is decided on once, whoever is killed or frozen on the way."""

import asyncio
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import select, text

from ingest.contract import Record, topic_of
from ingest.database import Database
from ingest.log.kafka import KafkaLog
from ingest.originals import Originals
from ingest.receive import record_of
from ingest.settings import LogSettings
from router import erasure, ledger
from router import worker as worker_module
from router.readers import Readers
from router.register import tables
from router.removal import ERASED, Word, remove_contacts, removing
from router.store import Store
from router.worker import Worker
from tests.router.conftest import written
from tests.servers.kafka import Kafka

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.xdist_group("kafka")]

KEY = b"a key that only these tests know of"
_numbers = itertools.count()

ROUTER = """
    import asyncio, sys
    from datetime import timedelta
    from ingest.clock import now
    from ingest.database import Database
    from ingest.log.kafka import KafkaLog
    from ingest.settings import AcknowledgementSettings, LogSettings, OutgoingSettings, RouterSettings, Teams
    from router import worker
    from router.consequences import House
    from router.readers import Readers
    from router.store import Store

    async def main(url, register, topic):
        worker.CONTACTS = worker.CONTACTS._replace(name=topic)
        team = "team@example.org"
        house = House(
            teams=Teams(intake=team, investigators=team, customer_care=team, duty=team),
            acknowledgement=AcknowledgementSettings(), outgoing=OutgoingSettings(), router=RouterSettings(batch=5),
            senders={"care": "care@ombudsman.example"}, notices_from="care",
        )
        log = KafkaLog(LogSettings(url=url), session=timedelta(seconds=1))
        database = Database(register)
        await worker.Worker(log, database, Store(database, house, now), house, {}, now, asyncio.Event(), b"a key that only these tests know of", Readers(1)).run()

    asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def log(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[KafkaLog]:
    """With an empty topic of contacts, which each test calls otherwise, since one cluster serves them all."""
    contacts = topic_of("contacts")._replace(name=f"contacts-{next(_numbers)}-{os.getpid()}")
    monkeypatch.setattr(worker_module, "CONTACTS", contacts)
    opened = KafkaLog(LogSettings(url=kafka.url), session=timedelta(seconds=1))
    await opened.create_topics([contacts.name], partitions=4, replication=1, min_isr=1, retention=timedelta(days=30))
    yield opened
    await opened.close()


async def routed(log: KafkaLog) -> None:
    """Until nothing is left that no router has settled."""
    async with asyncio.timeout(60):
        while (await log.lag(worker_module.CONTACTS.name, "router")).records:
            await asyncio.sleep(0.1)


async def test_two_routers_share_the_partitions_and_each_contact_is_decided_on_once(
    log, kafka, database, house, clock, contact, rows
):
    topic, stopping = worker_module.CONTACTS.name, asyncio.Event()
    other = KafkaLog(LogSettings(url=kafka.url), session=timedelta(seconds=1))
    workers = [
        Worker(each, database, Store(database, house, clock), house, {}, clock, stopping, KEY, Readers(0))
        for each in (log, other)
    ]
    running = [asyncio.create_task(each.run()) for each in workers]
    async with asyncio.timeout(60):
        while not all(each.expected for each in workers) or min(len(each.store._epochs) for each in workers) != 2:
            await asyncio.sleep(0.1)
    await log.append(topic, [record_of(contact(sender=f"jo{number}@example.com"), KEY) for number in range(200)])
    await routed(log)
    stopping.set()
    await asyncio.gather(*running)
    assert len(await rows(tables.contacts)) == 200
    assert len(await rows(tables.dispositions)) == 200
    assert sorted(row.partition for row in await rows(tables.positions)) == [0, 1, 2, 3]
    assert sum(row.next for row in await rows(tables.positions)) == 200
    await other.close()


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
async def test_47_what_one_router_parked_is_routed_by_the_one_to_whom_its_partition_moves(
    log, kafka, database, house, clock, contact, rows
):
    topic, contacts = worker_module.CONTACTS.name, [contact(sender=f"jo{number}@example.com") for number in range(12)]
    records = {each.id: record_of(each, KEY) for each in contacts}
    await log.append(topic, [written(each, ce_type="contact-ingest.contact.v2") for each in contacts])
    first = Worker(log, database, Store(database, house, clock), house, {}, clock, asyncio.Event(), KEY, Readers(0))
    routing = asyncio.create_task(first.run())
    await until(rows, tables.parked, 12)
    # The next release: the same bytes, under a type that is known.
    async with database.write() as connection:
        for id_, record in records.items():
            known = [[name, raw.decode("latin-1")] for name, raw in record.headers]
            await connection.execute(tables.parked.update().where(tables.parked.c.contact_id == id_).values(headers=known))
    other = KafkaLog(LogSettings(url=kafka.url), session=timedelta(seconds=1))
    second = Worker(other, database, Store(database, house, clock), house, {}, clock, asyncio.Event(), KEY, Readers(0))
    also = asyncio.create_task(second.run())
    await until(rows, tables.contacts, 12)
    assert await rows(tables.parked) == []
    assert len(first.expected) == len(second.expected) == 2
    assert not set(first.expected) & set(second.expected)
    first.stopping.set()
    await routing
    await log.append(topic, [record_of(contact(sender=f"jo{number}@example.com"), KEY) for number in range(12)])
    await until(rows, tables.contacts, 24)
    second.stopping.set()
    await also
    await other.close()


@pytest.mark.parametrize("register_url", [pytest.param("postgres", marks=pytest.mark.needs("postgres"))], indirect=True)
async def test_routers_of_two_releases_share_a_topic_while_the_tables_become_the_later_one_s(
    log, kafka, register_url, database, house, clock, contact, rows
):
    topic, stopping, beside = worker_module.CONTACTS.name, asyncio.Event(), Database(register_url)
    other = KafkaLog(LogSettings(url=kafka.url), session=timedelta(seconds=1))
    numbers = itertools.count()

    def letters(number: int, **later: object) -> list[Record]:
        """As a release publishes them that has fields of its own."""
        made = [contact(sender=f"jo{next(numbers)}@example.com") for _ in range(number)]
        return [written(each, value=json.dumps({**each.model_dump(mode="json"), **later}).encode()) for each in made]

    async def work(over: KafkaLog, where: Database) -> None:
        await Worker(over, where, Store(where, house, clock), house, {}, clock, stopping, KEY, Readers(0)).run()

    await log.append(topic, letters(40))
    earlier = asyncio.create_task(work(log, database))
    await until(rows, tables.contacts, 40)
    for (
        table
    ) in tables.metadata.sorted_tables:  # as `ingest database upgrade` of the later release does, beneath the earlier one
        async with beside.write() as connection:
            await connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN of_a_later_release TEXT"))
        await log.append(topic, letters(1))
    later = asyncio.create_task(work(other, beside))
    await log.append(topic, letters(40, of_a_later_release={"anything": [1]}))
    await until(rows, tables.contacts, 80 + len(tables.metadata.sorted_tables))
    stopping.set()
    await asyncio.gather(earlier, later)
    assert await rows(tables.dead_letters) == []
    assert len(await rows(tables.dispositions)) == len(await rows(tables.contacts)) == next(numbers)
    await beside.close()
    await other.close()


async def until(rows, table, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await rows(table)) != count:
            await asyncio.sleep(0.05)


# The other router is a process of its own, which is given the register's file.
@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_whatever_becomes_of_one_router_another_decides_on_the_rest_and_nothing_twice(
    log, kafka, database, tmp_path, house, clock, contact, rows, blow
):
    topic, register = worker_module.CONTACTS.name, tmp_path / "register.db"
    await log.append(topic, [record_of(contact(sender=f"jo{number}@example.com"), KEY) for number in range(400)])
    first = subprocess.Popen(
        [sys.executable, "-c", dedent(ROUTER), kafka.url, f"sqlite:///{register}", topic], cwd=Path(__file__).parents[2]
    )
    try:
        async with asyncio.timeout(60):
            while len(await rows(tables.contacts)) < 20:
                await asyncio.sleep(0.01)
        stop(first, blow, register)
        before = len(await rows(tables.contacts))
        stopping = asyncio.Event()
        second = Worker(log, database, Store(database, house, clock), house, {}, clock, stopping, KEY, Readers(0))
        running = asyncio.create_task(second.run())
        await routed(log)
        # The frozen one wakes with a batch in hand that is no longer its own.
        if blow is signal.SIGSTOP:
            first.send_signal(signal.SIGCONT)
            await asyncio.sleep(3)
        stopping.set()
        await running
    finally:
        first.kill()
        first.wait()
    assert before < 400
    assert len(await rows(tables.contacts)) == 400
    assert len(await rows(tables.dispositions)) == 400
    assert sum(row.next for row in await rows(tables.positions)) == 400
    assert min(row.epoch for row in await rows(tables.positions)) >= 2


def stop(process: subprocess.Popen[bytes], blow: signal.Signals, register: Path) -> None:
    """Frozen with the embedded register's lock in hand it would stop everybody; PostgreSQL would roll it back."""
    while True:
        process.send_signal(blow)
        if blow is signal.SIGKILL:
            process.wait()
            return
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(register, timeout=0.1)) as probe:
            probe.execute("BEGIN EXCLUSIVE")  # a reader frozen in the middle keeps others from committing too
            probe.rollback()
            return
        process.send_signal(signal.SIGCONT)


async def test_what_was_erased_is_settled_when_kafka_has_it_still_and_it_is_told_until_when(
    log, database, store, house, clock, contact, monkeypatch, tmp_path
):
    """Kafka changes nothing on a topic: what comes off it again is known by its mark, and what it keeps can be asked for."""
    name = worker_module.CONTACTS.name
    monkeypatch.setattr(erasure, "TOPIC_NAMES", (name, "no-such-topic"))
    gone, stays = contact("My zebra keeper wept.", "jo@example.com"), contact("Nobody rang.", "ann@example.com")
    await log.append(name, [record_of(each, KEY) for each in (gone, stays)])
    router = Worker(log, database, store, house, {}, clock, asyncio.Event(), KEY, Readers(0))
    running = asyncio.create_task(router.run())
    await routed(log)
    async with removing(database) as connection:
        await remove_contacts(connection, KEY, [gone.id], Word(ERASED, "Sam", "asked for", clock()))
    originals = Originals(f"file:///{tmp_path}/originals")
    monkeypatch.setattr(ledger, "CONTACTS", worker_module.CONTACTS)
    found = await erasure.finish(database, log, originals, (), KEY, clock)
    assert (found.emptied, [(each.topic, each.records) for each in found.remain]) == (0, [(name, 1)])
    await log.append(name, [record_of(each, KEY) for each in (gone, stays)])
    await routed(log)
    router.stopping.set()
    await running
    async with database.read() as connection:
        assert set((await connection.execute(select(tables.contacts.c.id))).scalars()) == {stays.id}
    assert [each.records for each in await erasure.remaining(database, log, KEY)] == [2]
