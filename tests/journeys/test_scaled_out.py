"""Kafka, PostgreSQL and a process a role, while any of them is killed, frozen or moved: nothing is lost, nothing done twice."""

import asyncio
import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from channels.email.translate import translate
from ingest.log.kafka import KafkaLog
from ingest.receive import CONTACTS, record_of
from ingest.settings import LogSettings
from tests.journeys.conftest import without_topics
from tests.journeys.house import KEY, Installation, Process
from tests.journeys.test_killed_midway import letter
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka, running_kafka
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.smtp import SmtpServer

pytestmark = [
    pytest.mark.journey,
    pytest.mark.needs("dovecot"),
    pytest.mark.needs("kafka"),
    pytest.mark.needs("postgres"),
    pytest.mark.xdist_group("scaled-out"),
    pytest.mark.timeout(580),
]

ROUTERS = ("router-1", "router-2", "router-3")
EVERYTHING = ("email", *ROUTERS, "dispatcher")
ROUTED = "SELECT count(*) FROM contacts"
HELD_UP = """
    SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND relation = 'contacts'::regclass AND query LIKE 'SELECT contacts.id, contacts.fingerprint%'
"""
WRITTEN = "SELECT " + ", ".join(
    f"(SELECT count(*) FROM {table})" for table in ("contacts", "dispositions", "outgoing", "tasks", "handoffs", "audit")
)
POSITIONS = "SELECT log_id, topic, partition, next FROM positions ORDER BY 1, 2, 3"
EPOCHS = "SELECT sum(epoch) FROM positions WHERE topic = 'contacts'"
Made = Callable[..., Installation]


@pytest.fixture(scope="module")
def kafka() -> Generator[Kafka]:
    """A cluster of this file's own, since it is restarted."""
    yield from running_kafka()


@pytest.fixture(scope="module")
def postgres() -> Generator[Postgres]:
    """A PostgreSQL of this file's own, which keeps what it has committed when it is restarted."""
    yield from running_postgres(durable=True)


@pytest.fixture
async def house(dovecot: Dovecot, smtp: SmtpServer, kafka: Kafka, postgres: Postgres, tmp_path: Path) -> AsyncGenerator[Made]:
    """Makes an installation of some processes, not started, with an empty mailbox, topics and register."""
    made: list[Installation] = []

    def make(*processes: str) -> Installation:
        user = f"scaled.{tmp_path.name}"
        dovecot.mailbox(user)
        made.append(Installation.scaled_out(tmp_path, dovecot, user, smtp.port, kafka, postgres, processes))
        return made[0]

    yield make
    for each in made:
        await asyncio.to_thread(each.stop)
    await without_topics(kafka)


@dataclass
class Letters:
    """Letters onto the topic as contacts, each with the next number."""

    log: KafkaLog
    published: int = 0

    async def publish(self, most: int) -> None:
        """Some more."""
        numbers = range(self.published, self.published + most)
        self.published += most
        how: dict[str, Any] = {"account": "care", "received_at": datetime.now(UTC), "backfill": False, "authserv_id": None}
        contacts = [translate(letter(number), **how)[0] for number in numbers]
        await self.log.append(CONTACTS.name, [record_of(each, KEY.encode()) for each in contacts])

    async def stream(self, seconds: float) -> None:
        """A few at a time for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await self.publish(5)
            await asyncio.sleep(0.2)

    async def until_shared(self, it: Installation, routers: Sequence[str]) -> None:
        """A few at a time, until each of the routers has decided on some of them."""
        before = {each: routed_by(it.processes[each]) for each in routers}

        def shared() -> bool:
            return all(routed_by(it.processes[each]) > before[each] for each in routers)

        deadline = time.monotonic() + 60
        while not await asyncio.to_thread(shared):
            assert time.monotonic() < deadline, f"not every one of {routers} has a share after 60 s. {it.telemetry()}"
            await self.stream(seconds=0.2)


@pytest.fixture
async def letters(kafka: Kafka) -> AsyncGenerator[Letters]:
    """By a log of our own, as a channel has it."""
    log = KafkaLog(LogSettings(url=kafka.url))
    yield Letters(log)
    await log.close()


async def until(it: Installation, what: str, true: Callable[[], bool], within: float) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"not after {within} s: {what}. {it.telemetry()}"
        await asyncio.sleep(0.1)


async def all_is_well(it: Installation, smtp: SmtpServer | None, letters: int, crashes: int = 0) -> None:
    """Each letter has come to one end, each receipt owed was sent, once but for crashes; the books balance; all run and end when told."""
    await asyncio.to_thread(it.wait_for, ROUTED, letters, 90)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM outbox", 0, 60)
    assert it.number("SELECT count(*) FROM dispositions WHERE current") == letters
    assert it.number("SELECT count(*) FROM dispositions") == letters
    assert it.number("SELECT count(DISTINCT contact_id) FROM dispositions") == letters
    assert it.number("SELECT count(*) FROM dead_letters") == 0
    assert it.number("SELECT count(*) FROM variants") == 0
    told = it.rows("SELECT recipient FROM outgoing WHERE audience = 'person' AND state <> 'held'")
    robots = sum(number % 20 == 7 for number in range(letters))
    held = it.number("SELECT count(*) FROM outgoing WHERE audience = 'person' AND state = 'held'")
    assert len(told) + held == letters - robots
    assert len(set(told)) == len(told)

    if smtp is not None:
        await asyncio.to_thread(
            it.wait_for, "SELECT count(*) FROM outgoing WHERE state <> 'accepted' AND state <> 'held'", 0, 120
        )
        sent = Counter((each.message["Message-ID"], each.recipient) for each in smtp.taken)
        writers = [recipient for _, recipient in sent if recipient.startswith("writer.")]
        assert sorted(writers) == sorted(each for (each,) in told), "somebody who is owed a receipt has none, or two"
        assert len({message_id for message_id, _ in sent}) == len(sent)
        assert len(sent) == it.number("SELECT count(*) FROM outgoing WHERE state = 'accepted'")
        assert sum(sent.values()) - len(sent) <= crashes, "more copies than crashes of the dispatcher"

    assert all(each.lives for each in it.processes.values() if each.running is not None), it.telemetry()
    for words in (("ledger",), ("audit", "verify")):
        checked = await asyncio.to_thread(it.command, *words)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()


@asynccontextmanager
async def held_up(it: Installation, postgres: Postgres, letters: Letters, routers: int) -> AsyncGenerator[None]:
    """For as long as the block lasts so many routers have a batch in hand: each has asked what the register knows, and waits."""
    # Nobody may be amid a transaction that writes, which would hold up the others.
    await asyncio.to_thread(it.wait_for, ROUTED, letters.published, 60)
    connection = await asyncpg.connect(postgres.url(it.database), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
            await letters.publish(100 * routers)
            await until(it, f"{routers} routers with a batch in hand", lambda: it.number(HELD_UP) == routers, 30)
            yield
    finally:
        await connection.close()


def routed_by(each: Process) -> float:
    """How many contacts a process has decided on since it started."""
    return sum(float(found) for found in re.findall(r"(?m)^contact_processed_total\{.*\} (.+)$", each.page("metrics")))


async def test_letters_survive_forty_kills_of_random_processes(dovecot: Dovecot, smtp: SmtpServer, house: Made) -> None:
    chance, it = random.Random(20260302), house(*EVERYTHING)
    it.start()
    await asyncio.to_thread(it.ready)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mailboxes", 1, 20)

    victims = list(EVERYTHING) * 8
    chance.shuffle(victims)
    starts = dict.fromkeys(EVERYTHING, 1)
    # Ten letters a kill: some are in every place when one comes, and all are sent within the time that the processes need to
    # start again.
    for kill, name in enumerate(victims):
        before = it.number(ROUTED)
        for number in range(kill * 10, kill * 10 + 10):
            await asyncio.to_thread(dovecot.deliver, it.user, letter(number))
        if kill % 13 == 12:
            # A router that is killed holds its partitions until its session ends, 10 s later: in a storm of kills nothing is
            # routed. Now it is calm until something is, and the next storm comes amid the work.
            await until(it, "something routed in a calm", lambda before=before: it.number(ROUTED) > before, 60)
        if kill % 4:
            wanted = starts[name]
            await until(
                it, f"{name} started", lambda name=name, wanted=wanted: it.processes[name].said("started") >= wanted, 60
            )
        await asyncio.sleep(chance.uniform(0, 0.6))
        await asyncio.to_thread(it.processes[name].kill)
        starts[name] = it.processes[name].said("started") + 1
        it.processes[name].start()
    assert len(victims) == 40

    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mail_ledger", 400, 90)
    await all_is_well(it, smtp, 400, crashes=victims.count("dispatcher"))


async def test_a_router_frozen_past_its_session_writes_nothing_when_it_wakes_and_then_takes_part_again(
    postgres: Postgres, house: Made, letters: Letters
) -> None:
    it = house(*ROUTERS)
    it.start()
    await asyncio.to_thread(it.ready)
    await letters.until_shared(it, ROUTERS)

    frozen, epochs = it.processes["router-1"], it.number(EPOCHS)
    async with held_up(it, postgres, letters, len(ROUTERS)):
        frozen.send(signal.SIGSTOP)
    await asyncio.to_thread(it.wait_for, ROUTED, letters.published, 60)
    assert it.number(EPOCHS) > epochs, "others have taken over what was its own"
    before = it.rows(WRITTEN), it.rows(POSITIONS)
    assert sum(it.processes[each].said("fenced") for each in ROUTERS) == 0
    frozen.send(signal.SIGCONT)
    await until(it, "the frozen one says that it is fenced", lambda: frozen.said("fenced") > 0, 30)
    assert (it.rows(WRITTEN), it.rows(POSITIONS)) == before

    await letters.until_shared(it, ROUTERS)
    await all_is_well(it, None, letters.published)


async def two_hundred_letters(
    it: Installation, dovecot: Dovecot, smtp: SmtpServer, *, down: Callable[[], None], up: Callable[[], None]
) -> None:
    """A server is down from the hundredth letter to the hundred and fiftieth, and all is well in the end."""
    it.start()
    await asyncio.to_thread(it.ready)
    for number in range(200):
        await asyncio.to_thread(dovecot.deliver, it.user, letter(number))
        if number == 100:
            await until(it, "something routed", lambda: it.number(ROUTED) > 0, 30)
            await asyncio.to_thread(down)
        if number == 150:
            await asyncio.sleep(1)
            await asyncio.to_thread(up)
    await all_is_well(it, smtp, 200)


async def test_the_broker_loses_power_midway_and_the_same_processes_go_on(
    dovecot: Dovecot, smtp: SmtpServer, house: Made, kafka: Kafka
) -> None:
    await two_hundred_letters(house(*EVERYTHING), dovecot, smtp, down=kafka.stop, up=kafka.start)


async def test_letters_are_taken_in_while_the_broker_is_away_though_the_process_that_does_is_killed(
    dovecot: Dovecot, smtp: SmtpServer, house: Made, kafka: Kafka
) -> None:
    it = house(*EVERYTHING)
    it.start()
    await asyncio.to_thread(it.ready)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mailboxes", 1, 20)
    email = it.processes["email"]
    await asyncio.to_thread(kafka.stop)
    for number in range(30):
        await asyncio.to_thread(dovecot.deliver, it.user, letter(number))
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mail_ledger", 30, 60)
    assert json.loads(await asyncio.to_thread(email.page, "readyz")) == {
        "ready": True,
        "wanting": {},
        "borne": {"log": "spooling"},
    }
    assert "\ncontact_spooled_records 30.0\n" in await asyncio.to_thread(email.page, "metrics")

    await asyncio.to_thread(email.kill)
    left = await asyncio.to_thread(it.command, "check")
    assert "✗ spool email: 30 contacts wait for Kafka since" in left.stdout
    assert "start `ingest run email` here" in left.stdout
    email.start()
    for number in range(30, 60):
        await asyncio.to_thread(dovecot.deliver, it.user, letter(number))
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mail_ledger", 60, 60)
    assert "✓ spool email: 60 contacts wait" in (await asyncio.to_thread(it.command, "check")).stdout
    await asyncio.to_thread(kafka.start)
    await all_is_well(it, smtp, 60)


async def test_postgresql_crashes_midway_and_the_same_processes_go_on(
    dovecot: Dovecot, smtp: SmtpServer, house: Made, postgres: Postgres
) -> None:
    await two_hundred_letters(house(*EVERYTHING), dovecot, smtp, down=postgres.crash, up=postgres.start)


async def test_partitions_move_amid_a_batch_as_a_router_joins_and_another_leaves(
    postgres: Postgres, house: Made, letters: Letters
) -> None:
    it = house(*ROUTERS)
    staying, leaving, joining = (it.processes[each] for each in ROUTERS)
    staying.start()
    leaving.start()
    await asyncio.to_thread(it.ready)
    await letters.until_shared(it, ROUTERS[:2])

    async with held_up(it, postgres, letters, 2):
        joining.start()
        await until(it, "the third has started", lambda: joining.said("started") > 0, 30)
        await letters.stream(seconds=2)  # it takes the others' partitions from them, who have a batch in hand
    await letters.until_shared(it, ROUTERS)
    async with held_up(it, postgres, letters, 3):
        leaving.send(signal.SIGTERM)
        await letters.stream(seconds=2)
        assert leaving.lives, "it left without finishing what it had in hand"
    assert await asyncio.to_thread(leaving.ended, 25) == 0, leaving.telemetry()
    await letters.until_shared(it, (ROUTERS[0], ROUTERS[2]))
    assert sum(each.said("fenced") + each.said("not-drained") for each in it.processes.values()) == 0, it.telemetry()
    await all_is_well(it, None, letters.published)
