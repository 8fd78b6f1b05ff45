"""What the spool promises: while Kafka is away or slow every append is answered, and all of it is on Kafka afterwards, in order."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.clock import now
from ingest.contract import Record
from ingest.errors import Misconfigured, Refused, Unavailable
from ingest.log.kafka import KafkaLog
from ingest.log.spool import SpooledLog, left_in
from ingest.telemetry import SPOOL_OLDEST, SPOOLED_BYTES, SPOOLED_RECORDS
from tests.ingest.log.conftest import answering, kafka_settings, make_topic
from tests.servers.kafka import Kafka, running_kafka

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.xdist_group("spool")]

ANSWER_SECONDS = 3.0
"""As long as Kafka is waited for, and as much again for the disk of a busy machine."""
AT_ONCE_SECONDS = 1.0
"""Less than Kafka is waited for."""
RETURN_SECONDS = 60.0
"""By when the log has everything once Kafka is back."""
_numbers = itertools.count()

Open = Callable[..., Awaitable[SpooledLog]]


@pytest.fixture(scope="module")
def broker() -> Generator[Kafka]:
    """A cluster of this file's own, since it is stopped."""
    yield from running_kafka()


@pytest.fixture(autouse=True)
def working(broker: Kafka) -> Generator[None]:
    """However a test ends, the next one has a broker. Where it is enough that Kafka is away it is frozen, since it takes long to start."""
    yield
    (broker.start if broker.stopped else broker.resume)()


@pytest.fixture
async def topic(broker: Kafka) -> str:
    """With three partitions, and nothing on it."""
    name = f"spool-{next(_numbers)}-{os.getpid()}"
    await make_topic(broker, name)
    return name


@pytest.fixture
async def open_spool(broker: Kafka, tmp_path: Path) -> AsyncGenerator[Open]:
    """Opens the log with its spool, as a start of the process does."""
    made: list[SpooledLog] = []

    async def open_(name: str = "web", **others: Any) -> SpooledLog:
        chosen = kafka_settings(broker, **{"spool": tmp_path / "spool", **others})
        made.append(await SpooledLog.open(KafkaLog(chosen), name, chosen, now))
        return made[-1]

    yield open_
    for each in made:
        await each.close()


def letter(number: int, sender: str = "sender", size: int = 0) -> Record:
    text = f"{sender} {number}".encode()
    return Record(sender, text.ljust(size), (("ce_id", text),))


async def append(log: SpooledLog, topic: str, *records: Record) -> float:
    """How long the answer took."""
    began = time.monotonic()
    await log.append(topic, records)
    return time.monotonic() - began


async def append_many(log: SpooledLog, topic: str, numbers: Sequence[int]) -> list[float]:
    """One after the other, as one sender's letters come."""
    return [await append(log, topic, letter(number)) for number in numbers]


async def on_kafka(broker: Kafka, topic: str) -> list[str]:
    """The ``ce_id`` of everything, in the order of each partition, repeats and all."""
    log = await answering(KafkaLog(kafka_settings(broker)))
    try:
        found: list[str] = []
        after: dict[int, int] = {}
        while page := await log.read(topic, after=after, most=1_000):
            after.update({each.partition.number: each.position + 1 for each in page})
            found += [each.record.header("ce_id") or "" for each in page]
        return found
    finally:
        await log.close()


async def until_empty(log: SpooledLog, within: float = RETURN_SECONDS) -> None:
    async with asyncio.timeout(within):
        while log.spooling:
            await asyncio.sleep(0.05)


def as_read(found: Sequence[str]) -> dict[str, list[int]]:
    """What a reader that drops repeats makes of it: each sender's numbers, in order."""
    by_sender: Mapping[str, list[int]] = defaultdict(list)
    for each in dict.fromkeys(found):
        sender, _, number = each.rpartition(" ")
        by_sender[sender].append(int(number))
    return dict(by_sender)


async def test_while_kafka_is_down_every_append_is_answered_in_time_and_goes_on_in_order_when_it_is_back(
    broker: Kafka, topic: str, open_spool: Open
):
    log = await open_spool()
    await append_many(log, topic, range(5))
    assert not log.spooling
    broker.stop()
    first, *others = await append_many(log, topic, range(5, 200))
    assert first < ANSWER_SECONDS
    assert max(others) < AT_ONCE_SECONDS, "only the first waits for Kafka"
    assert await log.append(topic, [letter(200)]) == [], "it has no position yet"
    broker.start()
    await until_empty(log)
    assert await log.append(topic, [letter(201)]) != []
    assert as_read(await on_kafka(broker, topic)) == {"sender": list(range(202))}


async def test_while_kafka_is_frozen_every_append_is_answered_in_time(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool()
    await append_many(log, topic, range(5))
    broker.pause()
    took = await append_many(log, topic, range(5, 100))
    await asyncio.sleep(3)  # tries of the drain are under way, and some were given up
    took += await append_many(log, topic, range(100, 200))
    assert max(took) < ANSWER_SECONDS
    assert sorted(took)[-2] < AT_ONCE_SECONDS
    broker.resume()
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == {"sender": list(range(200))}


async def test_a_process_that_starts_while_kafka_is_frozen_answers_in_time_too(broker: Kafka, topic: str, open_spool: Open):
    broker.pause()
    log = await open_spool()
    assert max(await append_many(log, topic, range(20))) < ANSWER_SECONDS
    broker.resume()
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == {"sender": list(range(20))}


@contextlib.asynccontextmanager
async def writing(log: SpooledLog, topic: str) -> AsyncGenerator[dict[str, list[int]]]:
    """Sixteen senders who write without a pause for as long as the block lasts; what each has written, once it is over."""
    stopping, written = asyncio.Event(), dict[str, list[int]]()

    async def write(sender: str) -> None:
        written[sender] = []
        while not stopping.is_set():
            number = len(written[sender])
            took = await append(log, topic, letter(number, sender))
            assert took < ANSWER_SECONDS
            written[sender].append(number)
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        for number in range(16):
            group.create_task(write(f"sender-{number}"))
        yield written
        stopping.set()


@pytest.mark.timeout(200)
async def test_letters_of_many_keep_their_order_through_outages_while_they_go_on_coming(
    broker: Kafka, topic: str, open_spool: Open
):
    log = await open_spool()
    async with writing(log, topic) as written:
        for down, up in ((broker.stop, broker.start), (broker.pause, broker.resume)):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(down)
            await asyncio.sleep(4)
            assert log.spooling
            await asyncio.to_thread(up)
            await until_empty(log)  # though there is no moment at which nobody writes
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == written


async def test_letters_keep_their_order_while_kafka_answers_by_fits_and_starts(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool()
    async with writing(log, topic) as written:
        for paused, awake in ((1.0, 0.1), (1.7, 0.3), (0.8, 0.05), (2.5, 0.6), (1.5, 0.02), (1.6, 1.0)):
            broker.pause()
            await asyncio.sleep(paused)
            broker.resume()
            await asyncio.sleep(awake)
        await until_empty(log)
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == written


_WRITER = """
import asyncio, sys
from pathlib import Path
from ingest.clock import now
from ingest.contract import Record
from ingest.log.kafka import KafkaLog
from ingest.log.spool import SpooledLog
from ingest.settings import LogSettings

async def main(url, spool, topic):
    chosen = LogSettings(url=url, spool=Path(spool))
    log = await SpooledLog.open(KafkaLog(chosen), "web", chosen, now)
    number = 0
    while True:
        text = f"sender {number}".encode()
        await log.append(topic, [Record("sender", text, (("ce_id", text),))])
        print(number, file=sys.stderr, flush=True)
        number += 1

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_process_has_said_yes_to_goes_on_first_when_it_starts_again(
    broker: Kafka, topic: str, open_spool: Open, tmp_path: Path
):
    broker.stop()
    spool = tmp_path / "spool"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, broker.url, spool, topic], stderr=subprocess.PIPE, text=True)
    assert writer.stderr is not None
    said: list[str] = []
    while said[-1:] != ["50"]:
        said.append((await asyncio.to_thread(writer.stderr.readline)).strip())
    writer.send_signal(signal.SIGKILL)
    answered = sum(each.isdigit() for each in (*said, *writer.stderr.read().splitlines()))
    assert writer.wait(10) == -signal.SIGKILL
    (left,) = await left_in(spool, now)
    assert (left.name, left.held) == ("web", False)
    assert left.records in (answered, answered + 1), "one may be there whose answer was not heard"
    assert left.oldest is not None

    log = await open_spool()
    assert log.spooling
    assert await append(log, topic, letter(10_000)) < AT_ONCE_SECONDS
    (left,) = await left_in(spool, now)
    assert left.held
    broker.start()
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == {"sender": [*range(left.records - 1), 10_000]}
    assert [each.records for each in await left_in(spool, now)] == [0]


async def test_past_its_limit_the_spool_says_not_now_and_nothing_is_half_taken_until_kafka_is_back(
    broker: Kafka, topic: str, open_spool: Open
):
    log = await open_spool(spool_most_bytes=1_000_000)
    broker.pause()
    for number in range(9):
        await append(log, topic, letter(number, size=99_000))
    two = [letter(9, size=90_000), letter(10, size=90_000)]
    for _ in range(2):
        with pytest.raises(Unavailable, match="spool_most_bytes") as full:
            await log.append(topic, two)
        assert full.value.reason == "spool-full"
    await append(log, topic, letter(11))  # what is smaller still fits
    assert log.spooling
    broker.resume()
    await until_empty(log)
    await log.append(topic, two)
    assert as_read(await on_kafka(broker, topic)) == {"sender": [*range(9), 11, 9, 10]}


async def test_what_the_topic_does_not_take_waits_for_the_operator_and_what_was_before_it_is_not_written_over_and_over(
    broker: Kafka, topic: str, open_spool: Open
):
    log = await open_spool(most_record_bytes=1_000_000)
    broker.stop()
    await append_many(log, topic, range(40))
    await append(log, topic, Record("sender", os.urandom(300_000), (("ce_id", b"sender 40"),)))  # nothing compresses it
    await append_many(log, topic, range(41, 60))
    broker.start()
    async with asyncio.timeout(RETURN_SECONDS):
        while "sender 39" not in await on_kafka(broker, topic):
            await asyncio.sleep(1)
    await asyncio.sleep(10)
    before = await on_kafka(broker, topic)
    assert as_read(before) == {"sender": list(range(40))}
    assert log.spooling
    await asyncio.sleep(6)
    assert await on_kafka(broker, topic) == before
    await append(log, topic, letter(60))
    words = ("--alter", "--topic", topic, "--add-config", "max.message.bytes=2000000")
    mended = broker.run("kafka.admin.ConfigCommand", "--bootstrap-server", f"127.0.0.1:{broker.port}", *words)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == {"sender": list(range(61))}


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is for root to make")
async def test_a_full_disk_says_not_now_and_all_that_was_taken_before_goes_on(
    broker: Kafka, topic: str, open_spool: Open, small_disk: Path
):
    log = await open_spool(spool=small_disk / "spool")
    broker.pause()
    taken = 0
    refusal: Unavailable | None = None
    while refusal is None:
        try:
            await append(log, topic, letter(taken, size=50_000))
            taken += 1
        except Unavailable as error:
            refusal = error
    assert refusal.reason == "spool-unavailable"
    assert "full" in refusal.sentence
    assert taken > 5
    broker.resume()
    await until_empty(log)
    assert await log.append(topic, [letter(taken)]) != []
    assert as_read(await on_kafka(broker, topic)) == {"sender": list(range(taken + 1))}


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """Of 2 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "spool", path], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


async def test_an_append_that_its_caller_gave_up_does_not_come_between_others(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool()
    broker.pause()
    await append(log, topic, letter(0))
    for number in range(1, 100):
        given_up = asyncio.create_task(append(log, topic, letter(number, "impatient")))
        kept = asyncio.create_task(append(log, topic, letter(number)))
        await asyncio.sleep(0)
        given_up.cancel()
        await kept
        with contextlib.suppress(asyncio.CancelledError):
            await given_up
    broker.resume()
    await until_empty(log)
    found = as_read(await on_kafka(broker, topic))
    assert found["sender"] == list(range(100))
    assert found.get("impatient", []) == sorted(found.get("impatient", []))


async def test_what_kafka_has_leaves_no_trace_on_the_disk(broker: Kafka, topic: str, open_spool: Open, tmp_path: Path):
    log = await open_spool()
    broker.pause()
    for number in range(20):
        await append(log, topic, letter(number, size=50_000))
    file = tmp_path / "spool" / "web.db"
    assert file.stat().st_size > 1_000_000
    broker.resume()
    await until_empty(log)
    assert file.stat().st_size < 50_000
    await log.close()
    assert b"sender 1" not in b"".join(each.read_bytes() for each in file.parent.iterdir())


async def test_it_is_told_how_much_waits_and_since_when(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool()
    assert (value(SPOOLED_RECORDS), value(SPOOLED_BYTES), value(SPOOL_OLDEST)) == (0, 0, 0)
    broker.pause()
    began = time.time()
    await append(log, topic, letter(0, size=1_000))
    await asyncio.sleep(0.3)
    await append(log, topic, letter(1, size=1_000), letter(2, size=1_000))
    assert value(SPOOLED_RECORDS) == 3
    assert 3_000 < value(SPOOLED_BYTES) < 3_200
    assert began < value(SPOOL_OLDEST) < time.time() - 0.2
    broker.resume()
    await until_empty(log)
    assert (value(SPOOLED_RECORDS), value(SPOOLED_BYTES), value(SPOOL_OLDEST)) == (0, 0, 0)


def value(gauge: Any) -> float:
    return gauge.collect()[0].samples[0].value


async def test_it_is_ready_while_either_kafka_or_the_disk_takes_records(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool(spool_most_bytes=1_000_000)
    await log.check(topic, "router")
    broker.pause()
    began = time.monotonic()
    await log.check(topic, "router")
    assert time.monotonic() - began < ANSWER_SECONDS
    for number in range(9):
        await append(log, topic, letter(number, size=99_000))
        await log.check(topic, "router")
    await append(log, topic, letter(9, size=90_000))
    with pytest.raises(Unavailable) as full:
        await log.check(topic, "router")
    assert full.value.reason == "spool-full"
    broker.resume()
    await until_empty(log)
    await log.check(topic, "router")


async def test_a_topic_that_kafka_has_not_is_said_to_be_missing_and_nothing_waits_for_it(open_spool: Open):
    log = await open_spool()
    for asking in (log.append("never-made", [letter(0)]), log.check("never-made", "router")):
        with pytest.raises(Unavailable) as missing:
            await asking
        assert missing.value.reason == "topic-missing"
    assert not log.spooling


async def test_a_record_over_the_limit_is_refused_while_kafka_is_away_too(broker: Kafka, topic: str, open_spool: Open):
    log = await open_spool()
    broker.pause()
    await append(log, topic, letter(0))
    with pytest.raises(Refused) as refused:
        await append(log, topic, letter(1), letter(2, size=100_001))
    assert refused.value.reason == "record-too-large"
    just_within = letter(3, size=100_000 - 40)
    await append(log, topic, just_within)
    broker.resume()
    await until_empty(log)
    assert as_read(await on_kafka(broker, topic)) == {"sender": [0, 3]}


async def test_it_closes_within_the_time_that_a_service_has_for_it_while_kafka_is_frozen(
    broker: Kafka, topic: str, open_spool: Open, tmp_path: Path
):
    log = await open_spool()
    await append(log, topic, letter(0))
    broker.pause()
    await append_many(log, topic, range(1, 4))
    began = time.monotonic()
    await log.close()
    assert time.monotonic() - began < 20
    with pytest.raises(Unavailable) as closed:
        await log.append(topic, [letter(4)])
    assert closed.value.reason == "log-unavailable"
    assert [each.records for each in await left_in(tmp_path / "spool", now)] == [3]


async def test_two_processes_never_share_a_spool_and_one_that_is_left_is_taken_up_by_the_next(
    broker: Kafka, topic: str, open_spool: Open
):
    names = ["web", "email", "web", "web"]
    first, other, second, third = [await open_spool(name) for name in names]
    assert [each.name for each in (first, other, second, third)] == ["web", "email", "web-2", "web-3"]
    broker.pause()
    await append(second, topic, letter(0))
    await second.close()
    assert (await open_spool("web")).name == "web-2"
    broker.resume()
    async with asyncio.timeout(RETURN_SECONDS):
        while not await on_kafka(broker, topic):
            await asyncio.sleep(0.2)


async def test_a_spool_that_cannot_be_is_refused_at_the_start(open_spool: Open, tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Misconfigured) as refused:
        await open_spool(spool=tmp_path / "file")
    assert refused.value.reason == "log.spool"
