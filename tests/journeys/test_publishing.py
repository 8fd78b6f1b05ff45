"""Another system publishes by HTTP while the service is killed again and again: what it was told is accepted is kept, once."""

import asyncio
import http.client
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ingest.clock import now
from ingest.contract import Contact, decode
from ingest.ids import digest, published_contact_id
from ingest.log import Log
from ingest.log.kafka import KafkaLog
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import CONTACTS
from ingest.settings import LogSettings
from tests.journeys.house import Installation
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

CRM, KEY = "urn:example:crm", "0d7fa1b2c3e4958677a8b9c0d1e2f3a4"
CLIENTS, EACH, KILLS = 12, 40, 12
MORE = f"""
[publishers."{CRM}"]
keys = ["{digest(KEY.encode())}"]
"""


def body_of(key: str) -> bytes:
    """What is said under a key; without a time, so that the service must remember when it had it first."""
    return json.dumps({"channel": "telephone", "account": "0300", "text": f"Nobody rang me about {key}."}).encode()


class Publisher:
    """Sends each contact until it is told 202, and writes down what it was told."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self.accepted: dict[str, str] = {}
        self.tries = 0
        self._lock = threading.Lock()

    def publish(self, client: int, chance: random.Random) -> None:
        for number in range(EACH):
            key, deadline = f"call-{client}-{number}", time.monotonic() + 120
            while time.monotonic() < deadline:
                with self._lock:
                    self.tries += 1
                if told := self._once(key, chance.choice(self._ports)):
                    with self._lock:
                        assert self.accepted.setdefault(key, told) == told
                    if chance.random() < 0.9:  # now and then once more, as one does who did not hear
                        break
                else:
                    time.sleep(0.1)
            time.sleep(0.05)

    def _once(self, key: str, port: int) -> str | None:
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key, "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            try:
                connection.request("POST", "/contacts", body_of(key), headers)
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                return None
        assert answer.status in (202, 503), told
        return told["id"] if answer.status == 202 else None


@pytest.fixture
def on_one_box(tmp_path: Path) -> Generator[Installation]:
    """Web and router in one process, on a log of SQLite's."""
    it = Installation.without_mail(tmp_path / "house", ("web", "router"), MORE)
    yield it
    it.stop()


@pytest.fixture
def scaled_out(tmp_path: Path, kafka: Kafka, postgres: Postgres) -> Generator[Installation]:
    """Two of the role web beside a router, on Kafka and PostgreSQL."""
    it = Installation.apart_without_mail(tmp_path / "house", kafka, postgres, ("web", "web-2", "router"), MORE)
    yield it
    it.stop()


@pytest.mark.journey
@pytest.mark.timeout(400)
async def test_no_contact_that_was_accepted_is_lost_or_doubled_by_kills(on_one_box: Installation) -> None:
    async def log_of() -> Log:
        path = on_one_box.folder / "log.db"
        return await SqliteLog.open(path, exclusive=False, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000)

    await killed_again_and_again(on_one_box, log_of)


@pytest.mark.journey
@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.xdist_group("journeys-on-kafka")
@pytest.mark.timeout(400)
async def test_no_contact_that_was_accepted_is_lost_or_doubled_by_kills_of_several_processes(
    scaled_out: Installation, kafka: Kafka
) -> None:
    async def log_of() -> Log:
        return KafkaLog(LogSettings(url=kafka.url))

    await killed_again_and_again(scaled_out, log_of)


@pytest.mark.journey
async def test_told_to_stop_it_answers_what_it_has_in_hand_and_what_it_accepted_is_there_when_it_comes_back(
    on_one_box: Installation,
) -> None:
    it = on_one_box
    it.start()
    await asyncio.to_thread(it.ready)
    publisher = Publisher([it.processes["service"].public])
    with ThreadPoolExecutor(CLIENTS) as clients:
        sending = [clients.submit(publisher.publish, each, random.Random(each)) for each in range(CLIENTS)]
        while len(publisher.accepted) < 50:
            await asyncio.sleep(0.05)
        assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()
        told = set(publisher.accepted)
        it.start()
        for each in sending:
            await asyncio.wrap_future(each)
    assert 50 <= len(told) < CLIENTS * EACH
    assert it.telemetry().count("drain-limit") == 0
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM contacts", CLIENTS * EACH, 120)
    assert it.number("SELECT count(*) FROM variants") == 0


async def killed_again_and_again(it: Installation, log_of: Callable[[], Awaitable[Log]]) -> None:
    chance = random.Random(20260302)
    it.start()
    await asyncio.to_thread(it.ready)
    doors = [each for each in it.processes.values() if "web" in each.roles]
    publisher = Publisher([each.public for each in doors])
    with ThreadPoolExecutor(CLIENTS) as clients:
        sending = [clients.submit(publisher.publish, each, random.Random(each)) for each in range(CLIENTS)]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.4, 2.0))
            each = chance.choice(doors)
            each.kill()
            each.start()
            if chance.random() < 0.7:
                await asyncio.to_thread(each.ready)
        for each in sending:
            await asyncio.wrap_future(each)
    total = CLIENTS * EACH
    assert len(publisher.accepted) == total
    assert publisher.tries > total, "nothing was ever tried again: the kills hit nothing"
    assert publisher.accepted == {key: str(published_contact_id(CRM, key)) for key in publisher.accepted}

    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM contacts", total, 120)
    assert it.number("SELECT count(*) FROM dispositions WHERE current") == total
    assert it.number("SELECT count(*) FROM variants") == 0, "the same contact is on the log in two forms"
    assert it.number("SELECT count(*) FROM dead_letters") == 0
    assert it.number("SELECT count(*) FROM receipts") == total
    ledger = await asyncio.to_thread(it.command, "ledger")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()

    log = await log_of()
    originals = Originals(f"file:///{it.folder / 'originals'}")
    held: dict[UUID, Contact] = {}
    for delivery in await log.read(CONTACTS.name, after={}, most=100_000):
        event = decode(delivery.record)
        if event.source == CRM and event.id in publisher.accepted:
            contact = Contact.model_validate_json(event.data)
            assert held.setdefault(contact.id, contact) == contact
            assert await originals.get(contact.original) == body_of(event.id)
    await log.close()
    assert {str(each) for each in held} == set(publisher.accepted.values())
