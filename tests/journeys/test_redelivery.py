"""A provider that sends everything fifty times at once: each thing is taken in once, and every one of the fifty is told the same."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.bench.doors import Connection, Place, connected, on_the_log, request
from tests.journeys.house import Installation
from tests.servers.providers import Twilio

DELIVERIES, TIMES = 1_000, 50
WAVES = 2
"""Deliveries at once, each with so many connections of its own."""
PUBLIC_URL = "https://contact.ombudsman.example"
SMS = """
[channels.sms.care]
provider = "twilio"
number = "{number}"
account_sid = "{account}"
token_file = "sms-token"
api = "http://127.0.0.1:9"
reconcile_every = "1h"
"""

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
Answers = dict[int, Counter[tuple[int, bytes]]]


def texts(twilio: Twilio, number: int) -> Iterator[bytes]:
    """What Twilio would send for so many texts, each from somebody else."""
    for each in range(number):
        text = twilio.write(f"+4477009{each:05}", f"Text {each}: nobody rang me back, and I would like an apology.")
        body, headers = twilio.signed(f"{PUBLIC_URL}/sms/care", twilio.form_of(text))
        signature = headers["X-Twilio-Signature"]
        yield request("POST", "/sms/care", body, content_type=headers["Content-Type"], x_twilio_signature=signature)


async def sent(ports: Sequence[int], deliveries: Sequence[bytes]) -> Answers:
    """Each of them so many times at once, over as many connections, which are shared out among the ports; how often each was told what."""
    waiting, answers = iter(enumerate(deliveries)), Answers()

    async def wave() -> None:
        async with AsyncExitStack() as held:
            lines = [await held.enter_async_context(connected(ports[each % len(ports)])) for each in range(TIMES)]
            for number, delivery in waiting:
                told = await asyncio.gather(*(ask(line, delivery) for line in lines))
                answers[number] = Counter(told)

    async with asyncio.TaskGroup() as group:
        for _ in range(WAVES):
            group.create_task(wave())
    return answers


async def ask(line: Connection, delivery: bytes) -> tuple[int, bytes]:
    status, _, body = await line.ask(delivery)
    return status, body


def equal(answers: Answers, number: int) -> None:
    """Every one of them was told the same, and was told yes."""
    assert len(answers) == number
    every = sum(answers.values(), Counter[tuple[int, bytes]]())
    assert len(every) == 1, every
    (((status, _), times),) = every.items()
    assert (status // 100, times) == (2, number * TIMES)


async def test_a_thousand_texts_that_come_fifty_times_at_once_are_a_thousand_contacts_and_fifty_thousand_equal_answers(
    tmp_path: Path,
) -> None:
    folder, twilio = tmp_path / "house", Twilio()
    folder.mkdir()
    (folder / "sms-token").write_text(twilio.token)
    more = SMS.format(number=next(iter(twilio.ours)), account=twilio.account_sid)
    it = Installation.without_mail(folder, ("web",), more, f'public_url = "{PUBLIC_URL}"')
    service = it.processes["service"]
    try:
        it.start()
        await asyncio.to_thread(it.ready)
        answers = await sent([service.public], list(texts(twilio, DELIVERIES)))
        equal(answers, DELIVERIES)
        assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()
        service.roles = ("web", "router")
        it.start()
        await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM contacts", DELIVERIES, 120)
        found = await on_the_log(Place(service.public, folder / "ingest.toml"))
        assert set(found.values()) == {1}
        assert len(found) == DELIVERIES
        assert it.number("SELECT count(*) FROM receipts") == DELIVERIES
        assert it.number("SELECT count(*) FROM variants") == 0
    finally:
        it.stop()
