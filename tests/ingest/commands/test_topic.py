"""``ingest topic`` shows what lies on the topics, and nothing in it can steer a terminal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.clock import now
from ingest.contract import Event, Record, encode
from ingest.log.kafka import KafkaLog
from ingest.log.sqlite import SqliteLog
from ingest.settings import LogSettings, load, path_of
from tests.ingest.commands.conftest import Ingest
from tests.servers.kafka import Kafka


def append(config: Path, topic: str, records: Sequence[Record], settled: int | None = None) -> None:
    async def work() -> None:
        chosen = load(config).log
        log = await SqliteLog.open(
            path_of(chosen.url),
            exclusive=False,
            clock=now,
            retention=chosen.retention,
            most_record_bytes=chosen.most_record_bytes,
        )
        await log.append(topic, records)
        if settled is not None:

            async def assigned(partitions):
                return dict.fromkeys(partitions, settled)

            async def revoked(_):
                return None

            async with log.consume(topic, "router", assigned=assigned, revoked=revoked):
                pass
        await log.close()

    asyncio.run(work())


def event(number: int, text: str = "") -> Record:
    return encode(
        Event(f"id-{number}", "urn:x", "contact-ingest.contact.v1", f'{{"text": "{text}"}}'.encode()), f"key-{number}"
    )


def test_the_last_records_are_shown_in_order(ingest: Ingest, config: Path):
    append(config, "contacts", [event(number) for number in range(25)])
    ran = ingest("topic", "tail", "contacts", "--most", 3, "--json", "--config", config)
    assert ran.status == 0
    assert [(row["position"], row["id"]) for row in ran.rows] == [(22, "id-22"), (23, "id-23"), (24, "id-24")]
    assert ran.rows[0]["value"] == '{"text": ""}'
    assert ran.rows[0]["headers"]["ce_source"] == "urn:x"
    assert ran.rows[0]["key"] == "key-22"
    table = ingest("topic", "tail", "contacts", "--most", 3, "--config", config)
    assert "id-24" in table.out
    assert "id-21" not in table.out
    assert '"text"' not in table.out


def test_more_are_asked_for_than_there_are(ingest: Ingest, config: Path):
    append(config, "contacts", [event(number) for number in range(2)])
    assert len(ingest("topic", "tail", "contacts", "--json", "--config", config).rows) == 2


def test_a_topic_with_nothing_on_it_is_no_fault(ingest: Ingest, config: Path):
    ran = ingest("topic", "tail", "contacts", "--config", config)
    assert (ran.status, ran.out) == (0, "")
    assert "contacts: there are none." in ran.err
    assert ingest("topic", "tail", "contacts", "--json", "--config", config).out == ""


def test_what_cannot_be_read_is_shown_with_its_reason_and_its_bytes(ingest: Ingest, config: Path):
    append(config, "contacts.dead-letter", [Record(None, b"\xff\x00", (("reason", b"not-json"),)), Record(None, None)])
    rows = ingest("topic", "tail", "contacts.dead-letter", "--json", "--config", config).rows
    assert [row["type"] for row in rows] == ["unreadable: missing-attribute", "unreadable: tombstone"]
    assert rows[0]["headers"] == {"reason": "not-json"}
    assert (rows[0]["value"], rows[1]["value"]) == ("\ufffd\x00", None)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_nothing_on_a_topic_can_steer_the_terminal(ingest: Ingest, config: Path, more: list[str]):
    headers = [("ce_specversion", b"1.0"), ("ce_id", "\u202eid [red]x[/red] :skull:".encode()), ("ce_type", b"t")]
    readable = Record("\x9b31m", b"\x1b]0;owned\x07", (*headers, ("ce_source", b"urn:x")))
    append(config, "contacts", [readable, Record(None, b"\x1b[2J", (("\x1b[2J", b"\x07"),))])
    out = ingest("topic", "tail", "contacts", "--config", config, *more).out
    assert "[red]x[/red] :skull:" in out
    assert not set(out) & set("\x1b\x07\x9b\u202e")


def test_lag_says_how_far_behind_each_reader_is_and_since_when(ingest: Ingest, config: Path):
    append(config, "contacts", [event(number) for number in range(5)], settled=2)
    rows = {row["topic"]: row for row in ingest("topic", "lag", "--json", "--config", config).rows}
    assert rows["contacts"]["records"] == 3
    assert rows["contacts"]["group"] == "router"
    assert rows["contacts"]["oldest"] is not None
    assert (rows["outgoing"]["records"], rows["outgoing"]["oldest"]) == (0, None)
    assert "router" in ingest("topic", "lag", "--config", config).out


def test_a_topic_that_there_is_not_is_wrong_use(ingest: Ingest, config: Path):
    ran = ingest("topic", "tail", "contact", "--config", config)
    assert ran.status == 2
    assert "contacts.dead-letter" in ran.err


def test_a_log_that_is_no_log_of_ours_is_said_in_a_sentence(ingest: Ingest, config: Path):
    (config.parent / "log.db").write_bytes(b"not a database at all, by any means" * 100)
    ran = ingest("topic", "lag", "--config", config)
    assert ran.status == 2
    assert "log.db" in ran.err
    assert "Traceback" not in ran.out + ran.err


# On Kafka.


MAILBOX_AWAY = """
[channels.email.care]
host = "127.0.0.1"
port = 1
user = "care"
password_file = "ingest.key"
smtp = "127.0.0.1:1"
sender = "care@ombudsman.example"
"""


@pytest.mark.needs("kafka")
@pytest.mark.xdist_group("kafka")
def test_topics_are_made_once_and_checked_and_what_was_published_is_shown(
    ingest: Ingest, config: Path, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("INGEST_LOG__URL", kafka.url)
    with config.open("a", encoding="utf-8") as written:
        written.write(MAILBOX_AWAY)
    checked = ingest("check", "--config", config).out
    assert "✗ topic contacts: There is no topic contacts. Make it with `ingest topic create`." in checked
    missing = ingest("topic", "tail", "contacts", "--config", config)
    assert missing.status == 1
    assert "ingest topic create" in missing.err
    three = ingest("topic", "create", "--config", config)
    assert three.status == 1
    assert "replication" in three.err.lower()
    alone = ["--replication", 1, "--min-isr", 1, "--json", "--config", config]
    made = ingest("topic", "create", *alone).rows
    assert {(row["made_now"], row["partitions"]) for row in made} == {(True, 6)}
    assert {row["topic"] for row in made} >= {"contacts", "contacts.dead-letter", "outgoing", "ledger"}
    again = ingest("topic", "create", "--partitions", 9, *alone)
    assert (again.status, {(row["made_now"], row["partitions"]) for row in again.rows}) == (0, {(False, 6)})
    checked = ingest("check", "--config", config).out
    assert f"✓ topics: {len(made)} of {len(made)} are set as they should be; each record lies on one broker alone" in checked
    server = kafka.url.removeprefix("kafka://")
    words = ["--alter", "--entity-type", "topics", "--entity-name", "handoffs.intake", "--add-config", "retention.ms=86400000"]
    assert kafka.run("kafka.admin.ConfigCommand", "--bootstrap-server", server, *words).returncode == 0
    checked = ingest("check", "--config", config).out
    assert f"✓ topics: {len(made) - 1} of {len(made)}" in checked
    assert "✗ topic handoffs.intake: records go after 1 days, sooner than log.retention says" in checked
    publish(kafka, [event(number) for number in range(25)])
    rows = ingest("topic", "tail", "contacts", "--most", 3, "--json", "--config", config).rows
    assert len(rows) == 3
    lag = {row["topic"]: row["records"] for row in ingest("topic", "lag", "--json", "--config", config).rows}
    assert lag == {"contacts": 25, "outgoing": 0, "outgoing.status": 0, "allocations": 0, "handoffs.receipts": 0}


def publish(kafka: Kafka, records: Sequence[Record]) -> None:
    async def work() -> None:
        log = KafkaLog(LogSettings(url=kafka.url))
        await log.append("contacts", records)
        await log.close()

    asyncio.run(work())


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        (None, [], "makes its topics itself"),
        ("kafka://127.0.0.1:1", ["--replication", 2, "--min-isr", 3], "--min-isr"),
    ],
)
def test_what_no_cluster_could_do_is_wrong_use(
    ingest: Ingest, config: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, more: list[str | int], said: str
):
    if url:
        monkeypatch.setenv("INGEST_LOG__URL", url)
    ran = ingest("topic", "create", *more, "--config", config)
    assert ran.status == 2
    assert said in ran.err
