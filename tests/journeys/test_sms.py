"""Texts by Twilio and by GOV.UK Notify: in through the public port, into the register, acknowledged by text, and known to be delivered.

On one box and on Kafka with PostgreSQL; with webhooks that never came, and with processes killed midway.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest

from tests.journeys.house import Installation, Process
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.providers import Notify, Received, Twilio, serving

PUBLIC_URL = "https://contact.ombudsman.example"
SAID = "I complain about your service. You promised to ring me back by Friday and nobody rang. I would like an apology."
WRITER = "+447700900123"
ROLES = ("web", "sms", "router", "dispatcher")
KILLS, TEXTS = 8, 60
SETTINGS = {
    Twilio: """
[channels.sms.care]
provider = "twilio"
number = "{number}"
account_sid = "{account}"
token_file = "sms-token"
""",
    Notify: """
[channels.sms.care]
provider = "notify"
number = "{number}"
bearer_file = "sms-bearer"
api_key_file = "sms-api-key"
template = "{template}"
""",
}
MORE = """
api = "{api}"
reconcile_every = "1s"
price_per_part = "0.0395"
"""
PERSON = "SELECT count(*) FROM outgoing WHERE audience = 'person'"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

ON_ONE_BOX = "on one box"
wherever_it_runs = pytest.mark.parametrize(
    "it",
    [
        ON_ONE_BOX,
        pytest.param(
            "apart",
            marks=[pytest.mark.needs("kafka"), pytest.mark.needs("postgres"), pytest.mark.xdist_group("journeys-on-kafka")],
        ),
    ],
    indirect=True,
)


@pytest.fixture(params=[Twilio, Notify], ids=["twilio", "notify"])
async def provider(request: pytest.FixtureRequest) -> AsyncGenerator[Twilio | Notify]:
    kind: Callable[[], Twilio | Notify] = request.param
    async with serving(kind()) as each:
        yield each


def settings(provider: Twilio | Notify, folder: Path) -> str:
    """The number's section, with its secrets in files."""
    folder.mkdir()
    if isinstance(provider, Twilio):
        (folder / "sms-token").write_text(provider.token)
        section = SETTINGS[Twilio].format(number=next(iter(provider.ours)), account=provider.account_sid)
    else:
        (folder / "sms-bearer").write_text(provider.bearer)
        (folder / "sms-api-key").write_text(provider.api_key)
        section = SETTINGS[Notify].format(number=f"+44{provider.number[1:]}", template=provider.template)
    return section + MORE.format(api=provider.url)


@pytest.fixture
async def it(request: pytest.FixtureRequest, provider: Twilio | Notify, tmp_path: Path) -> AsyncGenerator[Installation]:
    """An installation with the provider's number, not started."""
    folder = tmp_path / "house"
    more, web = settings(provider, folder), f'public_url = "{PUBLIC_URL}"'
    if getattr(request, "param", ON_ONE_BOX) == ON_ONE_BOX:
        made = Installation.without_mail(folder, ROLES, more, web)
        yield made
        made.stop()
        return
    kafka: Kafka = request.getfixturevalue("kafka")
    postgres: Postgres = request.getfixturevalue("postgres")
    made = Installation.apart_without_mail(folder, kafka, postgres, (*ROLES, "web-2"), more, web)
    yield made
    made.stop()


async def tell(provider: Twilio | Notify, each: Received, door: str) -> httpx.Response:
    """The provider's webhook for what somebody wrote, at one process of ours."""
    return await provider.forward(each, f"{PUBLIC_URL}/sms/care", door)


async def started(it: Installation) -> None:
    it.start()
    await asyncio.to_thread(it.ready)


async def seen(it: Installation, query: str, wanted: int, within: float = 60) -> None:
    await asyncio.to_thread(it.wait_for, query, wanted, within)


@wherever_it_runs
async def test_a_text_is_recorded_and_acknowledged_and_its_receipt_known_to_be_delivered(
    it: Installation, provider: Twilio | Notify
) -> None:
    await started(it)
    each = provider.write(WRITER, SAID)
    first = await tell(provider, each, it.doors[0])
    assert first.is_success, first.text
    await seen(it, "SELECT count(*) FROM feedback_records", 1)
    await seen(it, f"{PERSON} AND state = 'accepted'", 1)
    ((number, told),) = [(sent.number, sent.text) for sent in provider.sent]
    assert number == WRITER
    assert "CC-" in told
    assert "nobody rang" not in told, "what they wrote is sent back to them"

    receipts = provider.sent[0].receipts or f"{PUBLIC_URL}/sms/care/receipts"
    receipt = await provider.report(provider.sent[0], "delivered", receipts, it.doors[-1])
    assert receipt.is_success, receipt.text
    await seen(it, f"{PERSON} AND state = 'delivered'", 1)

    for door in it.doors:
        again = await tell(provider, each, door)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()
    assert it.number("SELECT count(*) FROM contacts") == 1
    assert it.rows("SELECT channel, account FROM receipts") == [("sms", "care")]
    assert len(provider.sent) == 1
    assert receipts.partition("?")[0] == f"{PUBLIC_URL}/sms/care/receipts"


async def test_a_text_that_the_webhook_missed_is_found_by_asking_and_the_webhook_may_come_late(
    it: Installation, provider: Twilio | Notify
) -> None:
    missed = provider.write(WRITER, SAID)
    await started(it)
    await seen(it, "SELECT count(*) FROM contacts", 1)
    late = await tell(provider, missed, it.doors[0])
    assert late.is_success, late.text
    other = provider.write("+447700900124", SAID)
    assert (await tell(provider, other, it.doors[0])).is_success
    await seen(it, f"{PERSON} AND state = 'accepted'", 2)
    await asyncio.sleep(2.5)  # and it is asked again
    assert it.number("SELECT count(*) FROM contacts") == 2
    assert it.number("SELECT count(*) FROM variants") == 0
    assert sorted(provider.numbers()) == [WRITER, "+447700900124"]


async def test_a_receipt_that_was_with_the_provider_when_the_dispatcher_died_is_not_sent_twice(
    it: Installation, provider: Twilio | Notify
) -> None:
    dispatcher = next(each for each in it.processes.values() if "dispatcher" in each.roles)

    def die() -> None:
        provider.on_taken = lambda: None
        dispatcher.kill()

    provider.on_taken = die
    await started(it)
    each = provider.write(WRITER, SAID)
    assert (await tell(provider, each, it.doors[0])).is_success
    await asyncio.to_thread(ended, dispatcher)
    assert len(provider.sent) == 1
    dispatcher.start()
    await seen(it, f"{PERSON} AND state = 'accepted'", 1)
    assert provider.numbers() == [WRITER]


async def test_no_text_that_was_answered_is_lost_or_doubled_by_kills(it: Installation, provider: Twilio | Notify) -> None:
    chance = random.Random(20260302)
    killed = [each for each in it.processes.values() if {"web", "dispatcher"} & set(each.roles)]
    await started(it)
    tries = 0

    async def write(number: int) -> None:
        nonlocal tries
        each = provider.write(f"+447700900{300 + number}", SAID)
        await asyncio.sleep(number * 0.15)
        while True:
            tries += 1
            try:
                answer = await tell(provider, each, chance.choice(it.doors))
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            assert answer.is_success or answer.status_code == 503, answer.text
            if answer.is_success and chance.random() < 0.8:
                return

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.4, 2.0))
            each = chance.choice(killed)
            await asyncio.to_thread(each.kill)
            each.start()
            if chance.random() < 0.7:
                await asyncio.to_thread(each.ready)

    await asyncio.gather(kill(), *(write(number) for number in range(TEXTS)))
    assert tries > TEXTS
    await asyncio.to_thread(it.ready)
    await seen(it, "SELECT count(*) FROM contacts", TEXTS, 120)
    await seen(it, "SELECT count(*) FROM outbox", 0)
    await seen(it, f"{PERSON} AND state IN ('due', 'sending')", 0, 120)
    assert it.number("SELECT count(*) FROM dispositions WHERE current") == TEXTS
    assert it.number("SELECT count(*) FROM variants") == 0, "the same text is on the log in two forms"
    assert it.number("SELECT count(*) FROM dead_letters") == 0
    assert it.number("SELECT count(*) FROM receipts") == TEXTS
    assert it.number(f"{PERSON} AND state = 'accepted'") == TEXTS
    copies = Counter(provider.numbers())
    assert len(copies) == TEXTS, "somebody heard nothing"
    assert len(provider.sent) - TEXTS <= KILLS, "more copies than kills"
    ledger = await asyncio.to_thread(it.command, "ledger")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()


def ended(process: Process) -> None:
    assert process.running is not None
    process.running.wait(60)
