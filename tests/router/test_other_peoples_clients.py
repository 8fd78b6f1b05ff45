"""Contacts that other people's programs publish: Kafka's own console producer and kcat, in either mode of CloudEvents."""

import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ingest.contract import Contact, topic_of
from ingest.ids import published_contact_id
from ingest.log.kafka import KafkaLog
from ingest.settings import LogSettings, Publisher
from router import worker as worker_module
from router.readers import Readers
from router.register import tables
from router.store import Store
from router.worker import Worker
from tests.servers.kafka import Kafka

pytestmark = [
    pytest.mark.needs("kafka"),
    pytest.mark.needs("postgres"),
    pytest.mark.xdist_group("kafka"),
    pytest.mark.parametrize("register_url", ["postgres"], indirect=True),
]

CRM = "urn:example:crm"
KEY = b"a key that only these tests know of"
STRANGER = "urn:example:stranger"
GUIDE = Path(__file__).parents[2] / "docs" / "publishing.md"
TYPE = "contact-ingest.contact.v1"
JSON, STRUCTURED = "application/json", "application/cloudevents+json; charset=UTF-8"

_numbers = itertools.count()


@dataclass(frozen=True)
class Sent:
    """One record as somebody's program is told to publish it. A value of None is a null, a key of None is no key."""

    headers: tuple[tuple[str, str], ...]
    value: str | None
    key: str | None = "jo"


Client = Callable[[Kafka, str, Sequence[Sent]], None]


def console_producer(kafka: Kafka, topic: str, sent: Sequence[Sent]) -> None:
    """Kafka's own: a line a record, whose headers, key and value stand behind each other."""
    absent, lines = "NULL", []
    for each in sent:
        headers = ",".join(f"{name}:{value}" for name, value in each.headers)
        lines.append("\t".join((headers or absent, each.key or absent, absent if each.value is None else each.value)))
    chosen = ("parse.headers=true", "parse.key=true", f"null.marker={absent}")
    done = kafka.run(
        "org.apache.kafka.tools.ConsoleProducer",
        *("--bootstrap-server", kafka.url.removeprefix("kafka://"), "--topic", topic),
        *(word for each in chosen for word in ("--reader-property", each)),
        stdin="".join(f"{line}\n" for line in lines),
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stdout + done.stderr


def kcat(kafka: Kafka, topic: str, sent: Sequence[Sent]) -> None:
    """A run for each record, since headers are told on the command line."""
    for each in sent:
        done = run_kcat(kafka, topic, each)
        assert done.returncode == 0, done.stderr


def run_kcat(kafka: Kafka, topic: str, sent: Sent) -> subprocess.CompletedProcess[str]:
    """What came of publishing one record, where kcat leaves it to the broker how large one may be."""
    headers = [word for name, value in sent.headers for word in ("-H", f"{name}={value}")]
    key = [] if sent.key is None else ["-K", "\t"]
    null = ["-Z"] if sent.value is None else []
    return subprocess.run(
        ["kcat", "-P", "-b", kafka.url.removeprefix("kafka://"), "-t", topic, "-X", "message.max.bytes=100000000", *headers, *key, *null],
        input=f"{sent.key}\t{sent.value or ''}" if sent.key else sent.value,
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """The console producer comes with Kafka, kcat by itself."""
    if shutil.which("kcat") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("kcat is missing: install it with: apt-get install kcat")


def binary(ce_id: str, contact: Contact, source: str = CRM, **changed: Any) -> Sent:
    """In binary mode: attributes as headers, the contact as the value."""
    attributes = {"ce_specversion": "1.0", "ce_type": TYPE, "ce_source": source, "ce_id": ce_id, "content-type": JSON}
    return Sent(tuple(attributes.items()), json.dumps(body_of(contact, source, changed), ensure_ascii=False))


def structured(ce_id: str, contact: Contact, source: str = CRM, **changed: Any) -> Sent:
    """In structured mode: all of it in the value."""
    attributes = {"specversion": "1.0", "type": TYPE, "source": source, "id": ce_id, "datacontenttype": JSON}
    value = json.dumps({**attributes, "data": body_of(contact, source, changed)}, ensure_ascii=False)
    return Sent((("content-type", STRUCTURED),), value)


def body_of(contact: Contact, source: str, changed: dict[str, Any]) -> dict[str, Any]:
    return {**json.loads(contact.model_dump_json()), "source": source, **changed}


@pytest.fixture
async def log(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[KafkaLog]:
    """With an empty topic of contacts, which each test calls otherwise, since one cluster serves them all."""
    contacts = topic_of("contacts")._replace(name=f"contacts-of-others-{next(_numbers)}-{os.getpid()}")
    monkeypatch.setattr(worker_module, "CONTACTS", contacts)
    opened = KafkaLog(LogSettings(url=kafka.url), session=timedelta(seconds=1))
    await opened.create_topics([contacts.name], partitions=2, replication=1, min_isr=1, retention=timedelta(days=30))
    yield opened
    await opened.close()


@pytest.fixture
async def publish(log: KafkaLog, kafka: Kafka, database, house, clock) -> AsyncGenerator[Callable[..., Any]]:
    """Publish with somebody's program, and wait until the router, which runs all the while, has settled all there is."""
    topic, stopping = worker_module.CONTACTS.name, asyncio.Event()
    worker = Worker(log, database, Store(database, house, clock), house, {CRM: Publisher()}, clock, stopping, KEY, Readers(0))
    running = asyncio.create_task(worker.run())

    async def by(client: Client, *sent: Sent) -> None:
        await asyncio.to_thread(client, kafka, topic, sent)
        async with asyncio.timeout(60):
            while sum(worker.expected.values()) < await ends(log, topic):
                assert not running.done(), running.exception()
                await asyncio.sleep(0.05)

    yield by
    stopping.set()
    await running


async def ends(log: KafkaLog, topic: str) -> int:
    """How many records there are."""
    return len(await log.read(topic, after={}, most=1_000))


def counted(reason: str) -> float:
    """What the alarm is raised by."""
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "router", "reason": reason}) or 0.0


CLIENTS = pytest.mark.parametrize("client", [console_producer, kcat])
MODES = pytest.mark.parametrize("mode", [binary, structured])


@CLIENTS
@MODES
async def test_what_a_named_publisher_publishes_is_routed_and_the_rest_is_dead_lettered_with_why(
    client, mode, contact, publish, rows
):
    pigeon = {"identifiers": [{"kind": "pigeon", "given": "x", "canonical": "x"}]}
    keyless = mode("keyless", contact("Nobody rang."))
    await publish(
        client,
        mode("good", contact("Diolch, Siân: nobody rang. 📞")),
        mode("pigeon", contact(), sender=pigeon),
        mode("wordless", contact(), text=None),
        mode("stranger", contact(), source=STRANGER),
        replace(keyless, key=None),
    )
    kept = {row.id: json.loads(row.body)["text"] for row in await rows(tables.contacts)}
    assert kept == {
        published_contact_id(CRM, "good"): "Diolch, Siân: nobody rang. 📞",
        published_contact_id(CRM, "keyless"): "Nobody rang.",
    }
    assert {(row.contact_id, row.current) for row in await rows(tables.dispositions)} == {(id_, True) for id_ in kept}
    dead = {row.contact_id: (row.reason, row.detail.partition(": ")[0], row.key) for row in await rows(tables.dead_letters)}
    assert dead == {
        published_contact_id(CRM, "pigeon"): ("breaks-the-contract", "sender.identifiers.0.kind", "jo"),
        published_contact_id(CRM, "wordless"): ("breaks-the-contract", "text", "jo"),
        published_contact_id(STRANGER, "stranger"): (
            "unknown-publisher",
            "The settings name no publisher by its ce_source.",
            "jo",
        ),
    }


@MODES
async def test_48_an_unknown_publisher_raises_an_alarm_and_a_known_one_none(mode, contact, publish, rows):
    before = counted("unknown-publisher")
    with capture_logs() as said:
        await publish(kcat, mode("good", contact()), mode("stranger", contact(), source=STRANGER))
    assert counted("unknown-publisher") == before + 1
    (alarm,) = [each for each in said if each["log_level"] == "error"]
    assert (alarm["event"], alarm["reason"]) == ("dead-letter", "unknown-publisher")
    assert alarm["contact"] == str(published_contact_id(STRANGER, "stranger"))
    assert "not-read-for-risk" in {row.kind for row in await rows(tables.tasks)}


@CLIENTS
async def test_what_is_no_contact_at_all_says_why_and_what_comes_after_it_is_routed(client, contact, publish, rows):
    good = binary("good", contact())
    await publish(
        client,
        replace(good, value="{not json"),
        Sent((("content-type", STRUCTURED),), "{not json"),
        Sent((), "Hello, I should like to complain."),
        Sent((("content-type", "application/cloudevents-batch+json"),), "[]"),
        replace(good, value=None),
        binary("after", contact()),
    )
    assert sorted(row.reason for row in await rows(tables.dead_letters)) == [
        "batch-mode", "breaks-the-contract", "missing-attribute", "not-json", "tombstone",
    ]  # fmt: skip
    assert {row.id for row in await rows(tables.contacts)} == {published_contact_id(CRM, "after")}
    (tombstone,) = await rows(tables.dead_letters, tables.dead_letters.c.reason == "tombstone")
    assert (tombstone.key, tombstone.value) == ("jo", None)


@MODES
async def test_a_contact_larger_than_any_of_ours_is_routed_and_marked_as_not_read_in_full(mode, contact, publish, rows):
    long = "He was told he would be rung back. " * 100_000
    await publish(kcat, mode("long", contact(long), full_text=""))
    ((kept,), (disposition,)) = await rows(tables.contacts), await rows(tables.dispositions)
    assert len(json.loads(kept.body)["text"]) == len(long)
    assert (disposition.kind, disposition.rule) == ("HoldForReview", "not-read")


async def test_49_a_record_over_the_topics_limit_is_refused_while_its_publisher_is_there_to_be_told(
    kafka, log, contact, publish, rows
):
    large = binary("large", contact("x" * 9_000_000), full_text="")
    refused = await asyncio.to_thread(run_kcat, kafka, worker_module.CONTACTS.name, large)
    assert refused.returncode != 0
    assert "size too large" in refused.stderr.lower()
    await publish(kcat, binary("after", contact()))
    assert {row.id for row in await rows(tables.contacts)} == {published_contact_id(CRM, "after")}


async def test_the_guides_own_program_publishes_the_guides_own_contact(tmp_path, publish, rows):
    (contact,) = re.findall(r"```json contact\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (program,) = re.findall(r"```sh examples/publish_kafka.sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)

    def as_the_guide_says(kafka: Kafka, topic: str, _: Sequence[Sent]) -> None:
        (tmp_path / "contact.json").write_text(contact)
        given = {"BROKERS": kafka.url.removeprefix("kafka://"), "PARTITION_KEY": "8f2c"}
        command = ["sh", "-c", program.replace("-t contacts ", f"-t {topic} "), "sh", "call-2026-000042", "contact.json"]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, **given}, check=True, timeout=60)

    await publish(as_the_guide_says)
    ((kept,), dead) = await rows(tables.contacts), await rows(tables.dead_letters)
    assert (kept.id, dead) == (published_contact_id(CRM, "call-2026-000042"), [])


async def test_a_record_published_again_changes_nothing_and_with_other_words_both_are_kept(contact, publish, rows):
    first, other = binary("call", contact("Nobody rang.")), binary("call", contact("Somebody rang."))
    await publish(kcat, first, first)
    assert (len(await rows(tables.contacts)), await rows(tables.variants)) == (1, [])
    await publish(kcat, other)
    assert (len(await rows(tables.contacts)), len(await rows(tables.variants))) == (1, 1)
