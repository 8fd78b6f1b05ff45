"""A provider that sends everything fifty times at once: each thing is taken in once, and every one of the fifty is told the same."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.bench.doors import Connection, Place, connected, on_the_log
from tests.bench.webhooks import PUBLIC_URL, accounts, posts, texts
from tests.journeys.house import Installation
from tests.servers.providers import Twilio

DELIVERIES, TIMES = 1_000, 50
WAVES = 2
"""Deliveries at once, each with so many connections of its own."""
pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
Answers = dict[int, Counter[tuple[int, bytes]]]


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


async def test_a_thousand_things_that_come_fifty_times_at_once_are_a_thousand_contacts_and_fifty_thousand_equal_answers(
    tmp_path: Path,
) -> None:
    folder, twilio, half = tmp_path / "house", Twilio(), DELIVERIES // 2
    folder.mkdir()
    it = Installation.without_mail(folder, ("web",), accounts(folder, twilio), f'public_url = "{PUBLIC_URL}"')
    service = it.processes["service"]
    try:
        it.start()
        await asyncio.to_thread(it.ready)
        for deliveries in (list(texts(twilio, half)), list(posts(half))):
            equal(await sent([service.public], deliveries), half)
        assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()
        service.roles = ("web", "router")
        it.start()
        await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM contacts", DELIVERIES, 120)
        found = await on_the_log(Place(service.public, folder / "ingest.toml"))
        assert len(found) == DELIVERIES
        assert {len(set(each)) for each in found.values()} == {1}, "the same thing is on the log in two forms"
        assert it.rows("SELECT channel, count(*) FROM receipts GROUP BY 1 ORDER BY 1") == [("sms", half), ("social", half)]
        assert it.number("SELECT count(*) FROM variants") == 0
    finally:
        it.stop()
