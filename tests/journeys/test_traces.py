"""A trace that begins outside is found again on everything that comes of its contact, on one box and on Kafka."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.clock import now
from ingest.contract import Trace, trace_of
from ingest.log import Log
from ingest.log.kafka import KafkaLog
from ingest.log.sqlite import SqliteLog
from ingest.settings import LogSettings
from tests.journeys.house import Installation
from tests.journeys.test_sms import PUBLIC_URL, settings
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.providers import Twilio, serving

TRACE = Trace(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate="congo=t61rcWkgMzE")
SAID = (
    "I want to make a new complaint about Wexcombe General Hospital. They cancelled my operation three times and lost my notes, "
    "and their complaints team has sent its final response. Please look into this for me."
)
WRITER = "+447700900123"
TOPICS = ("contacts", "handoffs.intake", "outgoing", "outgoing.status")

pytestmark = [pytest.mark.journey, pytest.mark.timeout(200)]


@pytest.fixture
async def provider() -> AsyncGenerator[Twilio]:
    async with serving(Twilio()) as each:
        yield each


async def test_a_trace_that_came_by_a_webhook_is_on_every_record_line_and_request_that_comes_of_it(
    provider: Twilio, tmp_path: Path
) -> None:
    it = Installation.without_mail(
        tmp_path / "house",
        ("web", "router", "dispatcher"),
        settings(provider, tmp_path / "house"),
        f'public_url = "{PUBLIC_URL}"',
    )
    try:
        await routed(it, provider)
        log = await SqliteLog.open(
            it.folder / "log.db", exclusive=False, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000
        )
        await found_again(it, provider, log)
    finally:
        it.stop()


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.xdist_group("journeys-on-kafka")
async def test_a_trace_goes_through_kafkas_headers_from_process_to_process(
    provider: Twilio, tmp_path: Path, kafka: Kafka, postgres: Postgres
) -> None:
    it = Installation.apart_without_mail(
        tmp_path / "house",
        kafka,
        postgres,
        ("web", "router", "dispatcher"),
        settings(provider, tmp_path / "house"),
        f'public_url = "{PUBLIC_URL}"',
    )
    try:
        await routed(it, provider)
        await found_again(it, provider, KafkaLog(LogSettings(url=kafka.url)))
    finally:
        it.stop()


async def routed(it: Installation, provider: Twilio) -> None:
    """A text that is handed on and acknowledged, from a webhook within a trace."""
    it.start()
    await asyncio.to_thread(it.ready)
    each = provider.write(WRITER, SAID)
    provider.within = TRACE.headers()
    answer = await provider.forward(each, f"{PUBLIC_URL}/sms/care", it.doors[0])
    assert answer.is_success, answer.text
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM handoffs", 1, 60)
    await asyncio.to_thread(
        it.wait_for, "SELECT count(*) FROM outgoing WHERE audience = 'person' AND state = 'accepted'", 1, 60
    )


async def found_again(it: Installation, provider: Twilio, log: Log) -> None:
    """On topics, in lines and at the provider, whose request is part of it as well."""
    try:
        for topic in TOPICS:
            records = [each.record for each in await log.read(topic, after={}, most=100)]
            assert records, f"{topic} has nothing on it"
            assert [trace_of(each) for each in records] == [TRACE] * len(records), topic
            assert {each.header("traceparent") for each in records} == {TRACE.traceparent}, topic
    finally:
        await log.close()
    told = [json.loads(each) for process in it.processes.values() for each in process.telemetry().splitlines()]
    assert [each["trace_id"] for each in told if each["event"] == "accepted" and each["kind"] == "acknowledgement"] == [
        TRACE.id
    ]
    (sending,) = [each for each in provider.asked_with if each[0] == "POST"]
    assert (sending[1]["traceparent"], sending[1]["tracestate"]) == (TRACE.traceparent, TRACE.tracestate)
