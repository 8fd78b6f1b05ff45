"""The programs of docs/publishing.md are run as they stand there, against a real broker and a real server."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import cramjam
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.codec import lz4_encode
from aiokafka.errors import ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.helpers import create_ssl_context
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingest import state
from ingest.clock import now
from ingest.contract import DEAD_LETTERS, Contact, Event, Handoff, decode, encode, topic_of
from ingest.database import Database
from ingest.ids import digest, published_contact_id, reference
from ingest.log.kafka import KafkaLog
from ingest.originals import Originals
from ingest.publishing import routes
from ingest.receive import CONTACTS, receive
from ingest.scan import scanner
from ingest.settings import LogSettings, Publisher, ScanSettings, Settings, UploadsSettings, WebSettings
from ingest.uploads import Uploads
from ingest.web import Door, problem, serve_public
from router.opening import contact_of
from tests.servers.kafka import PASSWORD, USERNAME, Installed, Kafka, kafka_jars, running_kafka
from tests.servers.loopback import free_ports, listens

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.xdist_group("examples"), pytest.mark.timeout(200)]

DOCS = Path(__file__).parents[2] / "docs"
GUIDE, EXAMPLES = (DOCS / "publishing.md").read_text(encoding="utf-8"), DOCS / "examples"
CACHE = Path.home() / ".cache" / "contact-ingest" / "examples"
GOLDEN = Path(__file__).parents[1] / "ingest" / "contract" / "golden"
CRM, KEY, OURS = "urn:example:crm", "0d7fa1b2c3e4958677a8b9c0d1e2f3a4", b"a key that nobody can guess, of 32 bytes"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def blocks(kind: str) -> list[str]:
    """What stands between fences of that kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_every_program_of_the_page_is_the_file_of_its_name_and_every_file_is_on_the_page():
    shown = dict(re.findall(r"^```\w+ examples/(\S+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))
    for name, text in shown.items():
        assert (EXAMPLES / name).read_text(encoding="utf-8") == text, name
    tracked = {each.name for each in EXAMPLES.iterdir() if each.is_file()}
    assert tracked - {"package.json", "package-lock.json", "lz4.mjs"} == set(shown)
    programs = [each for each in EXAMPLES.iterdir() if each.suffix != ".json"]
    assert all("SPDX-License-Identifier: CC0-1.0" in each.read_text(encoding="utf-8") for each in programs)
    assert "http" not in (EXAMPLES / "package-lock.json").read_text()


def test_every_reason_of_the_page_is_one_of_the_code_and_none_is_missing():
    sources = [DOCS.parent / "ingest" / each for each in ("publishing.py", "web.py", "uploads.py", "log/__init__.py")]
    code = "\n".join(each.read_text() for each in sources)
    table = GUIDE[GUIDE.index("| status | reason") : GUIDE.index("## On the topic")]
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|busy|unavailable|malformed|encoded)`", table)) - {"retry-after"}
    assert all(f'"{each}"' in code for each in told)
    declined = set(re.findall(r'_declined\(\s*\d+,\s*"([a-z-]+)"', code)) | {"too-slow", "busy", "unavailable"}
    assert declined <= told


@pytest.fixture(scope="module")
def kafka() -> Generator[Kafka]:
    """A cluster of this file's own: the programs know the topics by their names."""
    yield from running_kafka()


@pytest.fixture
async def log(kafka: Kafka) -> AsyncGenerator[KafkaLog]:
    opened = KafkaLog(LogSettings(url=kafka.url))
    names = ["contacts", "handoffs.intake", DEAD_LETTERS]
    await opened.create_topics(names, partitions=2, replication=1, min_isr=1, retention=timedelta(days=30))
    yield opened
    await opened.close()


@pytest.fixture
async def url(log: KafkaLog, tmp_path: Path, empty_register: Path) -> AsyncGenerator[str]:
    """Where the service is, its log on Kafka."""
    database = Database(f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}")
    originals = Originals(f"file:///{tmp_path}/originals")
    (port,) = free_ports(1)
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    chosen = Settings(
        key=OURS.decode(),  # type: ignore[arg-type]
        teams=team,  # type: ignore[arg-type]
        web=WebSettings(public=f"127.0.0.1:{port}"),
        publishers={CRM: Publisher(keys=(digest(KEY.encode()),))},
    )

    async def arrive(arrivals: Any) -> list[Contact]:
        return await receive(arrivals, originals=originals, log=log, database=database, key=OURS)

    uploads = Uploads(UploadsSettings(), scanner(ScanSettings()), originals=originals, database=database, clock=now)
    made = routes(arrive=arrive, database=database, uploads=uploads, clock=now, settings=chosen)
    stopping = asyncio.Event()
    running = asyncio.create_task(serve_public(chosen.web, [Door(made, problem)], stopping))
    while not listens(port):
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    async with database.read() as connection:
        assert (await connection.execute(select(state.receipts))).all()
    stopping.set()
    await running
    await database.close()


@pytest.fixture(scope="module")
def modules() -> Path:
    """The examples beside what ``npm ci`` installs for them, as package-lock.json has it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("Node is missing: install it with: apt-get install nodejs npm")
    lock = (EXAMPLES / "package-lock.json").read_bytes()
    if not (CACHE / "node_modules").is_dir() or (CACHE / "package-lock.json").read_bytes() != lock:
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(EXAMPLES / name, CACHE / name)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=CACHE,
            check=True,
            capture_output=True,
            timeout=100,
        )
    for each in EXAMPLES.glob("*.mjs"):
        shutil.copy(each, CACHE / each.name)
    return CACHE


def program(name: str) -> str:
    """Where one of them stands; skipped where what it needs is not installed."""
    needed = {"publish_http.sh": "curl", "publish_kafka.sh": "kcat"}.get(name)
    if needed and shutil.which(needed) is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{needed} is missing: install it with: apt-get install {needed}")
    return str(EXAMPLES / name)


async def run(*words: str, stdin: str = "", **environment: str) -> str:
    """What a program prints; it must end well."""
    done = await asyncio.to_thread(
        subprocess.run, words, input=stdin, capture_output=True, text=True, timeout=90, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def on_the_log(log: KafkaLog) -> dict[str, Contact]:
    """What the router reads, by the key that each publisher knows it by."""
    found = await log.read(CONTACTS.name, after={}, most=10_000)
    return {decode(each.record).id: contact_of(each.record, {CRM: Publisher()}, OURS)[0] for each in found}


# By HTTP.


async def test_the_page_in_shell_hands_over_the_page_s_own_contact(url: str, log: KafkaLog):
    words = [program("publish_http.sh"), "curl-1", str(EXAMPLES / "contact.json")]
    said = json.loads(await run(*words, CONTACTS_URL=url, CONTACTS_KEY=KEY))
    assert said == json.loads(await run(*words, CONTACTS_URL=url, CONTACTS_KEY=KEY)), "the same again is the same"
    id_ = published_contact_id(CRM, "curl-1")
    assert said == {"id": str(id_), "reference": reference(id_)}
    assert said.keys() == json.loads(blocks("json accepted")[0]).keys()
    assert (await on_the_log(log))["curl-1"].sender.name == "Siân Prosser-Jones"


async def test_the_page_in_shell_says_what_is_wrong_and_ends_so(url: str, log: KafkaLog, tmp_path: Path):
    (tmp_path / "wrong.json").write_text('{"channel": "pigeon", "account": "a", "text": "b"}')
    words = [program("publish_http.sh"), "curl-2", str(tmp_path / "wrong.json")]
    done = await asyncio.to_thread(
        subprocess.run, words, capture_output=True, text=True, timeout=60, env={**os.environ, "CONTACTS_URL": url, "CONTACTS_KEY": KEY}
    )  # fmt: skip
    assert done.returncode != 0
    assert json.loads(done.stdout)["errors"][0]["pointer"] == "#/channel"
    await run(program("publish_http.sh"), "curl-3", str(EXAMPLES / "contact.json"), CONTACTS_URL=url, CONTACTS_KEY=KEY)


async def test_the_page_in_python_uploads_a_file_and_hands_over_its_contact(url: str, log: KafkaLog, tmp_path: Path):
    (tmp_path / "Her letter.pdf").write_bytes(PDF)
    words = [
        sys.executable,
        program("publish_http.py"),
        "py-1",
        str(EXAMPLES / "contact.json"),
        str(tmp_path / "Her letter.pdf"),
    ]
    said = await run(*words, CONTACTS_URL=url, CONTACTS_KEY=KEY)
    assert said.strip() == reference(published_contact_id(CRM, "py-1"))
    (attachment,) = (await on_the_log(log))["py-1"].attachments
    assert (attachment.name, attachment.digest) == ("Her letter.pdf", digest(PDF))


async def test_the_page_in_python_waits_for_a_service_that_is_away(url: str, log: KafkaLog):
    (port,) = free_ports(1)
    words = [sys.executable, program("publish_http.py"), "py-2", str(EXAMPLES / "contact.json")]
    asking = asyncio.create_task(run(*words, CONTACTS_URL=f"http://127.0.0.1:{port}", CONTACTS_KEY=KEY))
    await asyncio.sleep(1.5)
    there = url.rpartition(":")[2]

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The service at the address that nobody answered."""
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", int(there))

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while part := await source.read(65_536):
                target.write(part)
                await target.drain()
            target.close()

        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    async with await asyncio.start_server(through, "127.0.0.1", port):
        assert (await asking).strip() == reference(published_contact_id(CRM, "py-2"))
    assert "py-2" in await on_the_log(log)


# On the topic.


@pytest.fixture
def contact(tmp_path: Path) -> Path:
    """The page's least contact."""
    path = tmp_path / "contact.json"
    path.write_text(blocks("json contact")[0], encoding="utf-8")
    return path


async def test_the_page_with_kcat_publishes(kafka: Kafka, log: KafkaLog, contact: Path):
    brokers = kafka.url.removeprefix("kafka://")
    await run(program("publish_kafka.sh"), "kcat-1", str(contact), BROKERS=brokers, PARTITION_KEY="8f2c")
    assert (await on_the_log(log))["kcat-1"].text.startswith("He was told")


async def test_the_page_with_aiokafka_publishes(kafka: Kafka, log: KafkaLog, contact: Path):
    told = json.loads(contact.read_text())
    known = {**told, "sender": {"identifiers": [{"kind": "email", "given": "a@b.example", "canonical": "a@b.example"}]}}
    lines = "".join(json.dumps({"key": f"aio-{n}", "contact": each}) + "\n" for n, each in enumerate((told, known, known)))
    brokers = kafka.url.removeprefix("kafka://")
    said = await run(sys.executable, program("publish_kafka.py"), stdin=lines, BROKERS=brokers, PARTITION_SECRET="s" * 32)
    assert said.split() == ["aio-0", "aio-1", "aio-2"]
    assert {"aio-0", "aio-1", "aio-2"} <= (await on_the_log(log)).keys()
    keys = {each.id: record.key for record in [d.record for d in await log.read(CONTACTS.name, after={}, most=10_000)] if (each := decode(record))}  # fmt: skip
    assert keys["aio-0"] is None
    assert keys["aio-1"] == keys["aio-2"]
    assert "a@b.example" not in str(keys["aio-1"])


async def test_the_page_with_kafkajs_publishes(kafka: Kafka, log: KafkaLog, contact: Path, modules: Path):
    brokers = kafka.url.removeprefix("kafka://")
    said = await run(
        "node", str(modules / "publish_kafka.mjs"), "js-1", str(contact), BROKERS=brokers, PARTITION_SECRET="s" * 32
    )
    assert said.strip() == "js-1"
    assert (await on_the_log(log))["js-1"].text.startswith("He was told")


@given(st.lists(st.binary(max_size=50) | st.binary(min_size=1, max_size=3).map(lambda each: each * 40_000), max_size=20))
@settings(max_examples=25, deadline=None)
def test_the_page_s_lz4_unpacks_what_others_have_packed(modules: Path, parts: list[bytes]):
    plain = b"".join(parts)
    unpacks = "import{unpack}from'./lz4.mjs';import{readFileSync as r}from'fs';process.stdout.write(unpack(r(0)))"
    command = ["node", "--input-type=module", "-e", unpacks]
    for packed in (cramjam.lz4.compress(plain), lz4_encode(plain)):
        done = subprocess.run(command, input=bytes(packed), cwd=modules, capture_output=True, timeout=30)
        assert (done.returncode, done.stdout) == (0, plain), done.stderr.decode()


async def test_the_page_with_kafkajs_reads_each_handoff_once_and_ends_when_told(kafka: Kafka, log: KafkaLog, modules: Path):
    golden = json.loads((GOLDEN / "handoff.v1.binary.json").read_text())["value"]
    topic = topic_of("handoffs.intake")

    def event(number: int, ce_type: str = topic.ce_type) -> Event:
        handoff = Handoff.model_validate({**golden, "reference": f"CC-{number}", "full_text": "He rang. " * 40_000})
        return Event(f"handoff-{number}", "urn:contact-ingest:router", ce_type, handoff.model_dump_json().encode())

    sent = [event(1), event(2), event(1), event(3, topic.ce_type.replace(".v1", ".v2")), event(4)]
    await log.append(topic.name, [encode(each, "one") for each in sent])
    words = ["node", str(modules / "read_handoffs.mjs")]
    environment = {**os.environ, "BROKERS": kafka.url.removeprefix("kafka://"), "GROUP": "intake"}
    reader = await asyncio.create_subprocess_exec(
        *words, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert reader.stdout is not None
    try:
        async with asyncio.timeout(60):
            told = [json.loads(await reader.stdout.readline())["reference"] for _ in range(3)]
            assert told == ["CC-1", "CC-2", "CC-4"]
            reader.terminate()
            assert await reader.wait() == 0
    finally:
        if reader.returncode is None:
            reader.kill()


# What the broker lets whom do.


class Guarded(Kafka):
    """With an authoriser: whoever comes by the plain listener may do everything, and USERNAME what it is given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Installed(folder, kafka_jars()))
        with (folder / "server.properties").open("a") as properties:
            properties.write(
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nsuper.users=User:ANONYMOUS\n"
            )


@pytest.fixture
def guarded() -> Generator[Guarded]:
    folder = Path(tempfile.mkdtemp(prefix="kafka-"))
    server = Guarded(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_with_the_page_s_rights_a_publisher_writes_a_reader_reads_and_neither_does_more(guarded: Guarded):
    (commands,) = blocks("sh acls")
    brokers = guarded.url.removeprefix("kafka://")
    lines = [line.split()[1:] for line in commands.replace('"$BROKERS"', brokers).splitlines() if line.startswith("kafka-acls")]
    log = KafkaLog(LogSettings(url=guarded.url))
    names = ["contacts", "handoffs.intake", "handoffs.receipts"]
    await log.create_topics(names, partitions=1, replication=1, min_isr=1, retention=timedelta(days=30))
    await log.append("handoffs.intake", [encode(Event("1", "urn:a", "t", b"{}"), "k")])
    secure: dict[str, Any] = {
        "bootstrap_servers": guarded.secure_url.removeprefix("kafka://"),
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": USERNAME,
        "sasl_plain_password": PASSWORD,
        "ssl_context": create_ssl_context(cafile=str(guarded.ca_file)),
    }

    async def grant(whose: str) -> None:
        """What the page gives to one of its two, to the only user that there is."""
        for words in lines:
            if f"User:{whose}" in words:
                here = [each.replace(f"User:{whose}", f"User:{USERNAME}") for each in words]
                done = await asyncio.to_thread(guarded.run, "org.apache.kafka.tools.AclCommand", *here)
                assert done.returncode == 0, done.stdout + done.stderr

    async def writes(topic: str) -> bool:
        producer = AIOKafkaProducer(**secure, acks="all", enable_idempotence=True)
        try:
            await producer.start()
            await asyncio.wait_for(producer.send_and_wait(topic, b"{}"), 20)
        except (ClusterAuthorizationFailedError, TopicAuthorizationFailedError):
            return False
        else:
            return True
        finally:
            with suppress(ClusterAuthorizationFailedError):
                await producer.stop()

    async def reads(topic: str, group: str = "intake") -> bool:
        consumer = AIOKafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **secure)
        try:
            await consumer.start()
            await asyncio.wait_for(consumer.getone(), 20)
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
            return False
        else:
            return True
        finally:
            await consumer.stop()

    async def may() -> dict[str, bool]:
        return {
            "write contacts": await writes("contacts"),
            "write handoffs": await writes("handoffs.intake"),
            "write receipts": await writes("handoffs.receipts"),
            "read contacts": await reads("contacts"),
            "read handoffs": await reads("handoffs.intake"),
            "read them in another group": await reads("handoffs.intake", "another"),
        }

    assert not any((await may()).values())
    await grant("crm")
    assert {what for what, may_it in (await may()).items() if may_it} == {"write contacts"}
    assert len(await log.read("contacts", after={}, most=10)) == 1
    await grant("intake")
    assert {what for what, may_it in (await may()).items() if may_it} == {
        "write contacts",
        "read handoffs",
        "write receipts",
    }
    await log.close()
