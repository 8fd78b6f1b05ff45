"""What the scaled-out log promises beyond any log: groups that move, topics that are made anew, and brokers that go away."""

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from ingest.contract import Record
from ingest.errors import Misconfigured, Refused, Unavailable
from ingest.log import Consumption, Delivery, Partition
from ingest.log.kafka import KafkaLog
from ingest.settings import LogSettings
from ingest.telemetry import REWOUND
from tests.ingest.log.conftest import answering, kafka_settings, make_topic
from tests.servers.kafka import PASSWORD, USERNAME, Kafka

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.xdist_group("kafka")]

NO_LIMIT = 1_000_000_000
_numbers = itertools.count()


def letters(count: int, size: int = 10) -> list[Record]:
    """Each of another sender, so that they lie on every partition."""
    return [Record(f"sender {number}", str(number).encode().ljust(size)) for number in range(count)]


@pytest.fixture
async def log(kafka: Kafka) -> AsyncGenerator[KafkaLog]:
    opened = await answering(KafkaLog(kafka_settings(kafka)))
    yield opened
    await opened.close()


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """With three partitions, and nothing on it."""
    name = f"kafka-{next(_numbers)}-{os.getpid()}"
    await make_topic(kafka, name)
    return name


class Member:
    """A router, less its routing: notes what it is told, and where it is to begin."""

    def __init__(self, begin: Mapping[int, int] | None = None) -> None:
        self.begin = begin or {}
        self.ours: set[Partition] = set()
        self.told: list[tuple[str, frozenset[int]]] = []
        self.trouble: list[Exception] = []

    async def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        self.told.append(("assigned", frozenset(each.number for each in partitions)))
        if self.trouble:
            raise self.trouble.pop()
        self.ours |= set(partitions)
        return {each: self.begin.get(each.number) for each in partitions}

    async def revoked(self, partitions: Sequence[Partition]) -> None:
        self.told.append(("revoked", frozenset(each.number for each in partitions)))
        self.ours -= set(partitions)

    def of(self, log: KafkaLog, topic: str) -> contextlib.AbstractAsyncContextManager[Consumption]:
        return log.consume(topic, "router", assigned=self.assigned, revoked=self.revoked)


async def taken(consumption: Consumption, count: int, *, settle: bool = True) -> list[Delivery]:
    found: list[Delivery] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            page = await consumption.take(most=50, most_bytes=NO_LIMIT, within=0.5)
            found += page
            if page and settle:
                await consumption.settle({page[0].partition: page[-1].position + 1})
    return found


async def remade(kafka: Kafka, topic: str) -> None:
    """Deleted and made again, as an operator might who wants another number of partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.url.removeprefix("kafka://"))
    await admin.start()
    await admin.delete_topics([topic])
    await asyncio.sleep(0.3)
    await admin.close()
    await make_topic(kafka, topic)


# Groups.


async def test_two_members_share_the_partitions_and_every_record_comes(log: KafkaLog, kafka: Kafka, topic: str):
    other = KafkaLog(kafka_settings(kafka))
    first, second = Member(), Member()
    async with first.of(log, topic) as one:
        assert len(first.ours) == 3
        stopping = asyncio.Event()
        found: list[Delivery] = []

        async def read(consumption: Consumption) -> None:
            while not stopping.is_set():
                page = await consumption.take(most=50, most_bytes=NO_LIMIT, within=0.1)
                found.extend(page)
                if page:
                    await consumption.settle({page[0].partition: page[-1].position + 1})

        reading = asyncio.create_task(read(one))
        async with second.of(other, topic) as two, asyncio.timeout(60):
            also = asyncio.create_task(read(two))
            while len(first.ours) + len(second.ours) != 3 or not first.ours or not second.ours:
                await asyncio.sleep(0.05)
            assert not {each.number for each in first.ours} & {each.number for each in second.ours}
            await log.append(topic, letters(200))
            while (await log.lag(topic, "router")).records:
                await asyncio.sleep(0.05)
            stopping.set()
            await asyncio.gather(reading, also)
        assert sorted({each.record.key or "" for each in found}) == sorted(f"sender {number}" for number in range(200))
        assert len({each.partition for each in found}) == 3
    assert second.told[-1][0] == "revoked"
    await other.close()


async def test_a_partition_is_let_go_only_when_all_that_is_in_hand_is_settled(log: KafkaLog, kafka: Kafka, topic: str):
    other = KafkaLog(kafka_settings(kafka))
    first, second = Member(), Member()
    await log.append(topic, letters(30))
    async with first.of(log, topic) as one:
        pages = [await one.take(most=5, most_bytes=NO_LIMIT, within=5) for _ in range(2)]
        assert all(pages)
        joining = asyncio.create_task(other_member(second, other, topic))
        await asyncio.sleep(4)  # the heartbeat that tells of the move comes every third second
        for page in pages:
            assert [what for what, _ in first.told] == ["assigned"]
            await one.settle({page[0].partition: page[-1].position + 1})
        async with asyncio.timeout(30):
            while first.told[-1][0] == "assigned":
                await asyncio.sleep(0.05)
            rest = [*await taken_by(one), *pages[0], *pages[1]]
        assert first.told[1] == ("revoked", frozenset({0, 1, 2}))
        theirs = await joining
    # What was settled while it drained is nobody's to read again.
    keys = [each.record.key for each in (*rest, *theirs)]
    assert len(keys) == len(set(keys)) == 30
    await other.close()


async def other_member(member: Member, log: KafkaLog, topic: str) -> list[Delivery]:
    async with member.of(log, topic) as consumption:
        return await taken_by(consumption)


async def taken_by(consumption: Consumption) -> list[Delivery]:
    found: list[Delivery] = []
    idle = 0
    while idle < 6:
        page = await consumption.take(most=50, most_bytes=NO_LIMIT, within=0.5)
        idle = 0 if page else idle + 1
        found += page
        if page:
            await consumption.settle({page[0].partition: page[-1].position + 1})
    return found


async def test_settling_what_has_gone_to_another_member_is_no_fault_and_notes_nothing(log: KafkaLog, topic: str):
    await log.append(topic, letters(30))
    member = Member()
    async with member.of(log, topic) as consumption:
        page = await consumption.take(most=5, most_bytes=NO_LIMIT, within=5)
        gone = Partition("another/making", topic, page[0].partition.number)
        await consumption.settle({gone: 5})
        assert (await log.lag(topic, "router")).records == 30


async def test_where_the_register_is_away_nothing_is_handed_over_until_it_has_said_where_to_begin(log: KafkaLog, topic: str):
    await log.append(topic, letters(30))
    member = Member(begin={0: 1, 1: 1, 2: 1})
    member.trouble = [Unavailable("register-away", "The register is away.")]
    with pytest.raises(Unavailable, match="register"):
        async with member.of(log, topic):
            pytest.fail("it began without knowing where")
    async with member.of(log, topic) as consumption:
        found = await taken(consumption, 27)
    assert {each.position for each in found if each.position < 2} == {1}


async def test_a_member_whose_loop_was_blocked_past_its_session_comes_back(kafka: Kafka, topic: str):
    log = KafkaLog(kafka_settings(kafka), session=timedelta(seconds=1))
    await log.append(topic, letters(9))
    member = Member()
    async with member.of(log, topic) as consumption:
        seen = {(each.partition, each.position) for each in await taken(consumption, 9)}
        time.sleep(3)
        await log.append(topic, letters(9))
        while len(seen) < 18:  # what was settled as it lost its place may come twice
            seen |= {(each.partition, each.position) for each in await taken(consumption, 1)}
    assert [what for what, _ in member.told].count("assigned") >= 2
    await log.close()


async def test_a_named_member_that_was_killed_takes_up_its_partitions_without_a_pause(kafka: Kafka, topic: str):
    named = kafka_settings(kafka, group_instance_id="router-1")
    log = KafkaLog(named)
    await log.append(topic, letters(9))
    before = time.monotonic()
    for _ in range(2):
        async with Member().of(log, topic) as consumption:
            assert len(await taken(consumption, 9, settle=False)) == 9
    assert time.monotonic() - before < 10  # a session, which an unnamed one that said no goodbye would be waited for
    await log.close()


# Positions.


async def test_a_topic_made_anew_has_another_name_for_itself_and_is_read_from_the_earliest(
    log: KafkaLog, kafka: Kafka, topic: str
):
    await log.append(topic, letters(30))
    member = Member()
    async with member.of(log, topic) as consumption:
        before = {each.partition.log_id for each in await taken(consumption, 30)}
    await remade(kafka, topic)
    await log.append(topic, letters(40))
    async with member.of(log, topic) as consumption:
        found = await taken(consumption, 40)
    assert len(before) == 1
    assert {each.partition.log_id for each in found}.isdisjoint(before)
    assert len({each.record.key for each in found}) == 40


async def test_a_topic_made_anew_under_its_reader_is_read_from_the_earliest(
    log: KafkaLog, kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch
):
    # The library's own question may make the topic again before the operator does, with one partition; what was on its way to
    # the others ends at the deadline.
    monkeypatch.setattr("ingest.log.kafka._SECONDS", 3.0)
    await log.append(topic, letters(30))
    member = Member()
    async with member.of(log, topic) as consumption:
        before = {each.partition for each in await taken(consumption, 30)}
        await remade(kafka, topic)
        for _ in range(20):
            try:
                await log.append(topic, letters(60))
                break
            except Unavailable:
                await asyncio.sleep(0.2)
        found: dict[str | None, Delivery] = {}
        async with asyncio.timeout(60):
            while len(found) < 60:
                with contextlib.suppress(Unavailable):
                    page = await consumption.take(most=50, most_bytes=NO_LIMIT, within=0.5)
                    for each in page:  # an append that gave up may have written, and so may its repeat
                        found.setdefault(each.record.key, each)
                    if page:
                        await consumption.settle({page[0].partition: page[-1].position + 1})
        assert {each.partition for each in found.values()}.isdisjoint(before)
        assert {each.log_id for each in member.ours} == {each.partition.log_id for each in found.values()}
        assert min(each.position for each in found.values()) == 0


async def test_settling_on_a_topic_that_was_deleted_ends(log: KafkaLog, kafka: Kafka, topic: str):
    await log.append(topic, letters(30))
    async with Member().of(log, topic) as consumption:
        (page, *_) = [await consumption.take(most=50, most_bytes=NO_LIMIT, within=5)]
        await remade(kafka, topic)
        async with asyncio.timeout(40):
            await consumption.settle({page[0].partition: page[-1].position + 1})
    assert (await log.lag(topic, "router")).records == 0


async def test_a_position_that_retention_took_while_we_were_away_is_counted_as_rewound(log: KafkaLog, kafka: Kafka, topic: str):
    await log.append(topic, letters(30))
    await delete_before(kafka, topic, 4)
    before = REWOUND.labels(topic)._value.get()
    async with Member(begin={0: 1, 1: 4, 2: 1_000}).of(log, topic) as consumption:
        assert {each.number for each in consumption.rewound} == {0, 2}
        first: dict[int, int] = {}
        for each in await taken(consumption, 30 - 3 * 4):
            first.setdefault(each.partition.number, each.position)
        assert first == {0: 4, 1: 4, 2: 4}
    assert REWOUND.labels(topic)._value.get() == before + 2


async def delete_before(kafka: Kafka, topic: str, position: int) -> None:
    (kafka.folder / "delete.json").write_text(
        '{"version": 1, "partitions": ['
        + ", ".join(f'{{"topic": "{topic}", "partition": {number}, "offset": {position}}}' for number in range(3))
        + "]}"
    )
    server = kafka.url.removeprefix("kafka://")
    ran = kafka.run(
        "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", server, "--offset-json-file", "delete.json"
    )
    assert not ran.returncode, ran.stdout + ran.stderr


async def test_an_operator_s_own_reset_of_the_group_is_followed_where_the_register_has_no_say(
    log: KafkaLog, kafka: Kafka, topic: str
):
    await log.append(topic, letters(30))
    async with Member().of(log, topic) as consumption:
        await taken(consumption, 30)
    server = kafka.url.removeprefix("kafka://")
    reset = ("--reset-offsets", "--to-earliest", "--group", f"{topic}.router", "--topic", topic, "--execute")
    await asyncio.to_thread(
        kafka.run, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", server, *reset
    )
    assert (await log.lag(topic, "router")).records == 30
    async with Member().of(log, topic) as consumption:
        assert len(await taken(consumption, 30)) == 30


# Brokers that go away.


async def test_nothing_said_to_be_on_the_log_is_lost_when_the_broker_is_killed(log: KafkaLog, kafka: Kafka, topic: str):
    said: list[str] = []
    stopping = asyncio.Event()

    async def append(caller: int) -> None:
        for number in itertools.count():
            if stopping.is_set():
                return
            key = f"{caller}/{number}"
            try:
                await log.append(topic, [Record(key, b"x")])
            except Unavailable as away:
                assert away.reason == "log-unavailable"  # noqa: PT017 - any number of them may come
                continue
            said.append(key)

    callers = [asyncio.create_task(append(caller)) for caller in range(8)]
    await asyncio.sleep(1)
    before = len(said)
    await asyncio.to_thread(kafka.restart)
    async with asyncio.timeout(60):
        while len(said) < before + 200:
            await asyncio.sleep(0.1)
    stopping.set()
    await asyncio.gather(*callers)
    kept = {each.record.key for each in await everything(log, topic)}
    assert before
    assert set(said) <= kept


async def everything(log: KafkaLog, topic: str) -> list[Delivery]:
    found: list[Delivery] = []
    after: dict[int, int] = {}
    while page := await log.read(topic, after=after, most=5_000):
        found += page
        for each in page:
            after[each.partition.number] = each.position + 1
    return found


async def test_a_reader_goes_on_after_the_broker_was_killed(log: KafkaLog, kafka: Kafka, topic: str):
    await log.append(topic, letters(30))
    async with Member().of(log, topic) as consumption:
        assert len(await taken(consumption, 30)) == 30
        await asyncio.to_thread(kafka.restart)
        for _ in range(20):
            try:
                await log.append(topic, letters(30))
                break
            except Unavailable:
                await asyncio.sleep(0.5)
        found: set[str | None] = set()
        async with asyncio.timeout(90):
            while len(found) < 30:
                with contextlib.suppress(Unavailable):
                    page = await consumption.take(most=50, most_bytes=NO_LIMIT, within=0.5)
                    found |= {each.record.key for each in page}


async def test_a_reader_may_leave_while_the_broker_is_away_without_its_task_being_ended(
    log: KafkaLog, kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch
):
    # The library cancels what it has under way and waits for that as it is: its own end would pass for ours.
    monkeypatch.setattr("ingest.log.kafka._SECONDS", 3.0)
    await log.append(topic, letters(30))
    left: list[int] = []

    async def leave(number: int) -> None:
        async with Member().of(log, topic) as consumption:
            await consumption.take(most=5, most_bytes=NO_LIMIT, within=5)
            joined.release()
            await away.wait()
        left.append(number)

    joined, away = asyncio.Semaphore(0), asyncio.Event()
    readers = [asyncio.create_task(leave(number)) for number in range(3)]
    async with asyncio.timeout(60):
        for _ in readers:
            await joined.acquire()
    try:
        await asyncio.to_thread(kafka.stop)
        await asyncio.sleep(1)
        away.set()
        async with asyncio.timeout(60):
            await asyncio.wait(readers)
    finally:
        await asyncio.to_thread(kafka.start)
    assert not [each for each in readers if each.cancelled()]
    assert sorted(left) == [0, 1, 2]


async def test_a_broker_that_says_nothing_is_said_to_be_away_within_the_deadline(
    kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.log.kafka._SECONDS", 2.0)
    log = KafkaLog(kafka_settings(kafka))
    await log.append(topic, letters(1))
    kafka.pause()
    try:
        async with asyncio.timeout(20):
            for call in (log.append(topic, letters(1)), log.lag(topic, "router"), log.read(topic, after={}, most=1)):
                with pytest.raises(Unavailable) as away:
                    await call
                assert away.value.reason == "log-unavailable"
    finally:
        kafka.resume()
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(Unavailable):
                await log.append(topic, letters(1))
                break
    await log.close()


async def test_a_cluster_that_is_not_there_is_away_and_the_sentence_says_what_to_look_at():
    log = KafkaLog(LogSettings(url="kafka://127.0.0.1:1"))
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable, match=r"\[log\]"):
            await log.append("contacts", letters(1))
    await log.close()


# Topics.


async def test_nothing_makes_a_topic_by_asking_about_it_though_the_brokers_would(log: KafkaLog, kafka: Kafka):
    name = f"never-made-{os.getpid()}"
    member = Member()

    async def consume() -> None:
        async with member.of(log, name):
            pytest.fail("there is nothing to read")

    for call in (log.append(name, letters(1)), log.lag(name, "router"), log.read(name, after={}, most=1), consume()):
        with pytest.raises(Unavailable, match="ingest topic create") as missing:
            await call
        assert missing.value.reason == "topic-missing"
    server = kafka.url.removeprefix("kafka://")
    listed = await asyncio.to_thread(kafka.run, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", server, "--list")
    assert listed.returncode == 0
    assert name not in listed.stdout.split()


async def test_topics_are_made_once_as_asked_and_a_cluster_too_small_for_them_says_so(log: KafkaLog, kafka: Kafka):
    name = f"made-{os.getpid()}"
    asked: dict[str, Any] = {"partitions": 4, "replication": 1, "min_isr": 1, "retention": timedelta(days=7)}
    assert await log.create_topics([name], **asked) == {name: (True, 4)}
    assert await log.create_topics([name], **dict[str, Any](asked, partitions=9)) == {name: (False, 4)}
    server = kafka.url.removeprefix("kafka://")
    described = (
        await asyncio.to_thread(
            kafka.run, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", server, "--describe", "--topic", name
        )
    ).stdout
    for each in ("PartitionCount: 4", "retention.ms=604800000", "min.insync.replicas=1", "LogAppendTime"):
        assert each in described
    with pytest.raises(Refused, match="replication"):
        await log.create_topics([f"{name}-3"], **dict[str, Any](asked, replication=3))


# Records.


async def test_what_another_client_s_key_and_clock_say_stops_nobody(log: KafkaLog, kafka: Kafka):
    name = f"foreign-{os.getpid()}"
    foreign = AIOKafkaProducer(bootstrap_servers=kafka.url.removeprefix("kafka://"))
    await foreign.start()  # it makes the topic as the brokers like it: a publisher's own times, and one partition
    for moment in (0, 1_000):
        await foreign.send_and_wait(name, b"x", key=b"\xff\x00", timestamp_ms=moment, headers=[("h", None)])
    await foreign.stop()
    found = await log.read(name, after={}, most=10)
    assert [each.record for each in found] == [Record("\\xff\x00", b"x", (("h", b""),))] * 2
    assert [each.appended_at.year for each in found] == [1970, 1970]
    assert all(each.appended_at.tzinfo is UTC for each in found)


async def test_what_a_publisher_took_back_is_never_handed_over(log: KafkaLog, kafka: Kafka, topic: str):
    publisher = AIOKafkaProducer(bootstrap_servers=kafka.url.removeprefix("kafka://"), transactional_id=f"crm-{os.getpid()}")
    await publisher.start()
    with contextlib.suppress(ZeroDivisionError):
        async with publisher.transaction():
            await publisher.send_and_wait(topic, b"taken back", partition=0)
            raise ZeroDivisionError
    async with publisher.transaction():
        await publisher.send_and_wait(topic, b"meant", partition=0)
    await publisher.stop()
    assert [each.record.value for each in await log.read(topic, after={}, most=10)] == [b"meant"]
    async with Member().of(log, topic) as consumption:
        assert [each.record.value for each in await taken(consumption, 1)] == [b"meant"]


async def test_a_topic_that_takes_only_small_records_refuses_a_large_one_by_name(log: KafkaLog, kafka: Kafka, topic: str):
    server = kafka.url.removeprefix("kafka://")
    changed = await asyncio.to_thread(
        kafka.run,
        "kafka.admin.ConfigCommand",
        *("--bootstrap-server", server, "--alter", "--entity-type", "topics", "--entity-name", topic),
        *("--add-config", "max.message.bytes=10000"),
    )
    assert not changed.returncode, changed.stderr
    await log.append(topic, [Record("k", b"the one before it")])
    with pytest.raises(Refused, match=r"max\.message\.bytes") as refused:
        await log.append(topic, [Record("k", os.urandom(50_000))])
    assert refused.value.reason == "record-too-large"
    assert len(await log.append(topic, [Record("k", b"the next one of its partition"), *letters(3)])) == 4


# Getting in.


async def test_over_tls_with_a_name_and_password_by_scram(kafka: Kafka, topic: str):
    chosen = kafka_settings(
        kafka, url=kafka.secure_url, security="sasl-tls", ca_file=str(kafka.ca_file), username=USERNAME, password=PASSWORD
    )
    log = KafkaLog(chosen)
    await log.append(topic, letters(30))
    async with Member().of(log, topic) as consumption:
        assert len(await taken(consumption, 30)) == 30
    assert (await log.lag(topic, "router")).records == 0
    await log.close()


@pytest.mark.parametrize("wrong", [{"password": "not-the-password-9"}, {"ca_file": None}])
async def test_who_cannot_get_in_or_does_not_trust_the_brokers_is_told_that_they_are_away(
    kafka: Kafka, topic: str, wrong: dict[str, str | None]
):
    secure: dict[str, Any] = {"url": kafka.secure_url, "security": "sasl-tls", "ca_file": str(kafka.ca_file)}
    log = KafkaLog(kafka_settings(kafka, **{**secure, "username": USERNAME, "password": PASSWORD, **wrong}))
    async with asyncio.timeout(40):
        with pytest.raises(Unavailable) as away:
            await log.append(topic, letters(1))
    assert away.value.reason == "log-unavailable"
    assert "not-the-password" not in away.value.sentence
    await log.close()


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"url": "kafka://"}, "log.url"),
        ({"url": "kafka://broker"}, "log.url"),
        ({"url": "kafka://one:9092,two"}, "log.url"),
        ({"security": "tls", "ca_file": "/none/such.pem"}, "log.ca_file"),
        ({"security": "sasl-tls", "password": "x"}, "log.username"),
        ({"security": "sasl-tls", "username": "x"}, "log.password"),
    ],
)
async def test_settings_that_cannot_be_a_cluster_s_stop_the_start(given: dict[str, str], key: str):
    with pytest.raises(Misconfigured) as refused:
        KafkaLog(LogSettings(**{"url": "kafka://127.0.0.1:9092", **given}))  # type: ignore[arg-type]
    assert refused.value.reason == key
    assert key in refused.value.sentence
