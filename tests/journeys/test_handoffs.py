"""A team's system says what becomes of its handoffs while the router is killed again and again: each comes back once."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ingest.clock import now
from ingest.contract import Event, HandoffReceipt, ReceiptState, encode, topic_of
from ingest.log import Log
from ingest.log.kafka import KafkaLog
from ingest.log.sqlite import SqliteLog
from ingest.settings import LogSettings
from tests.journeys.house import Installation
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

CRM, INTAKES, MANY, KILLS = "urn:example:crm", "urn:example:intake", 60, 6
MORE = f"""
[publishers."{CRM}"]

[publishers."{INTAKES}"]
may_take = ["intake"]
"""
ENQUIRY = (
    "I want to make a new complaint about Wexcombe General Hospital. They cancelled my operation three times and lost my notes, "
    "and their complaints team has sent its final response. Please look into this for me."
)
RECEIPTS = topic_of("handoffs.receipts")


@pytest.mark.journey
@pytest.mark.timeout(300)
async def test_what_a_team_returns_comes_back_once(tmp_path: Path) -> None:
    it = Installation.without_mail(tmp_path / "house", ("router",), MORE)
    try:
        path = it.folder / "log.db"
        it.start()
        await asyncio.to_thread(it.ready)
        log = await SqliteLog.open(path, exclusive=False, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000)
        await returned_under_kills(it, log)
    finally:
        it.stop()


@pytest.mark.journey
@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.xdist_group("journeys-on-kafka")
@pytest.mark.timeout(300)
async def test_what_a_team_returns_comes_back_once_with_several_routers(
    tmp_path: Path, kafka: Kafka, postgres: Postgres
) -> None:
    it = Installation.apart_without_mail(tmp_path / "house", kafka, postgres, ("router", "router-2"), MORE)
    try:
        it.start()
        await asyncio.to_thread(it.ready)
        await returned_under_kills(it, KafkaLog(LogSettings(url=kafka.url)))
    finally:
        it.stop()


async def returned_under_kills(it: Installation, log: Log) -> None:
    """Hand many on, have each returned twice over, and kill a router amid it all."""
    lines = it.folder / "contacts.jsonl"
    lines.write_text("".join(f"{json.dumps(_contact(number))}\n" for number in range(MANY)), encoding="utf-8")
    put = await asyncio.to_thread(it.command, "publish", str(lines), "--source", CRM)
    assert put.returncode == 0, put.stdout + put.stderr
    handed = "SELECT count(*) FROM handoffs WHERE team = 'intake'"
    await asyncio.to_thread(it.wait_for, handed, MANY, 60)
    ids = [UUID(str(row[0])) for row in it.rows("SELECT id FROM handoffs")]

    processes = list(it.processes.values())
    for turn in range(KILLS):
        some = ids[turn::KILLS]
        await log.append(RECEIPTS.name, [_receipt(each, ReceiptState.TAKEN) for each in some])
        await log.append(RECEIPTS.name, [_receipt(each, ReceiptState.RETURNED) for each in some] * 2)
        await asyncio.sleep(0.1 * turn)
        each = processes[turn % len(processes)]
        each.kill()
        each.start()
        await asyncio.to_thread(each.ready)
    await log.close()

    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM handoffs WHERE state = 'returned'", MANY, 60)
    returned = "SELECT count(*) FROM dispositions WHERE rule = 'returned-by-a-team'"
    assert it.number(returned) == it.number(f"{returned} AND current AND kind = 'HoldForReview' AND version = 2") == MANY
    assert it.number("SELECT count(*) FROM tasks WHERE kind = 'review' AND state = 'open'") == MANY
    assert it.number("SELECT count(*) FROM audit WHERE action = 'handoff-returned'") == MANY
    assert it.number("SELECT count(*) FROM audit WHERE action = 'handoff-taken'") == MANY
    verified = await asyncio.to_thread(it.command, "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()


def _contact(number: int) -> dict[str, object]:
    text = f"{ENQUIRY} It was in ward {number}."
    return {
        "id": str(uuid4()),
        "source": CRM,
        "channel": "email",
        "account": "care",
        "received_at": now().isoformat(),
        "sender": {
            "identifiers": [{"kind": "email", "given": f"w{number}@example.com", "canonical": f"w{number}@example.com"}]
        },
        "declared": {"asks_for": "new_complaint"},
        "text": text,
        "full_text": text,
        "original": f"{number:064x}",
    }


def _receipt(handoff_id: UUID, state: ReceiptState):
    said = HandoffReceipt(handoff_id=handoff_id, state=state, by="Intake", at=now(), because="not ours")
    event = Event(f"{handoff_id}:{state}", INTAKES, RECEIPTS.ce_type, said.model_dump_json().encode())
    return encode(event, str(handoff_id))
