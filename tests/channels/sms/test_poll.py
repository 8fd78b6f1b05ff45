"""What a webhook did not bring is asked for: what was missed is taken in once, an alarm rings, and another for silence."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from channels.sms.poll import run
from ingest.errors import Unavailable
from tests.channels.sms.conftest import House, Serving
from tests.servers.providers import Notify, Twilio, serving

AMIR, NIA = "+447700900123", "+447700900124"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
SOON = timedelta(minutes=7)
KINDS = pytest.mark.parametrize("kind", [Twilio, Notify])


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "sms", "reason": reason}) or 0


async def settled(house: House) -> None:
    """Nothing waits any more."""
    for _ in range(400):
        if not await house.waiting():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a text waits for ever")


@pytest.fixture(params=[Twilio, Notify])
async def house(request: pytest.FixtureRequest, house_of: Serving, register_url: str) -> Any:
    """A number at each provider, with a register of each kind."""
    async with AsyncExitStack() as held:
        provider = await held.enter_async_context(serving(request.param()))
        yield await held.enter_async_context(house_of(provider, register=register_url))


async def test_what_the_webhook_missed_is_taken_in_once_and_an_alarm_rings(house: House):
    missed, before = house.provider.write(AMIR, "Nobody rang."), counted("webhook-missed")
    told = house.provider.write(NIA, "Thank you.")
    await house.forward(told)
    house.clock.pass_by(SOON)
    assert await house.look()() == 1
    contact = await house.contact(2)
    assert (contact.text, contact.sender.identifiers[0].canonical) == ("Nobody rang.", AMIR)
    assert contact.sent_at is not None
    assert counted("webhook-missed") == before + 1
    house.clock.pass_by(timedelta(minutes=11))
    assert await house.look()() == 0
    late = await house.forward(missed)
    assert late.status_code in (200, 204)
    assert len(await house.contacts()) == 2


async def test_the_webhook_comes_while_the_text_that_was_asked_for_is_not_taken_in_yet(house: House):
    each = house.provider.write(AMIR, "Nobody rang.")
    house.clock.pass_by(SOON)
    house.away = [Unavailable("log-unavailable", "The log is away.")] * 3
    assert await house.look()() == 1
    answers = await asyncio.gather(*(house.forward(each) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 204}
    while house.away:
        house.clock.pass_by(timedelta(minutes=3))
        await asyncio.sleep(0.1)
    house.clock.pass_by(timedelta(minutes=3))
    await house.contact()
    await settled(house)
    await house.contact()


async def test_of_several_processes_one_completes_each_text(house: House):
    stopping = asyncio.Event()
    others = [asyncio.create_task(house.texts().run(stopping)) for _ in range(3)]
    for number in range(40):
        house.provider.write(f"+4477009002{number:02}", f"Text {number}.")
    house.clock.pass_by(SOON)
    assert await house.look()() == 40
    await settled(house)
    stopping.set()
    await asyncio.gather(*others)
    assert len(await house.contacts()) == 40


async def test_what_has_just_come_is_left_to_the_webhook(house: House):
    house.provider.write(AMIR, "Nobody rang.")
    assert await house.look()() == 0
    house.clock.pass_by(timedelta(minutes=11))
    assert await house.look()() == 1


async def test_every_page_is_asked_for_as_far_back_as_the_last_look_and_a_day(house: House):
    house.provider.write(AMIR, "Long ago.", at=house.clock.now - timedelta(days=2))
    for number in range(300):
        house.provider.write(f"+44770090{number:04}", f"Text {number}.", at=house.clock.now - timedelta(seconds=number))
    house.clock.pass_by(SOON)
    assert await house.look()() == 300
    await settled(house)
    assert len({each.id for each in await house.contacts()}) == len(await house.contacts()) == 300


async def test_a_webhook_that_died_amid_its_work_is_found_by_asking(house: House):
    each = house.provider.write(AMIR, "Nobody rang.")
    house.away = [Unavailable("log-unavailable", "The log is away.")]
    assert (await house.forward(each)).status_code == 503
    assert (await house.count("claims"), await house.contacts()) == (1, [])
    house.clock.pass_by(SOON)
    assert await house.look()() == 1
    await house.contact()


async def test_a_look_is_taken_by_one_process_and_not_more_often_than_is_set(house: House):
    await house.look()()
    asked = len(house.provider.asked)
    assert asked
    await house.look()()
    assert len(house.provider.asked) == asked
    house.clock.pass_by(timedelta(minutes=10))
    await house.look()()
    assert len(house.provider.asked) > asked


async def test_a_text_with_a_picture_that_was_missed_has_the_picture(house_of: Serving):
    async with serving(Twilio()) as provider, house_of(provider) as house:
        each = provider.write(AMIR, "See.", [("image/png", PNG)])
        house.clock.pass_by(SOON)
        assert await house.look()() == 1
        contact = await house.contact()
        assert [a.size for a in contact.attachments] == [len(PNG)]
        assert (await house.forward(each)).status_code == 200
        await asyncio.sleep(0.2)
        await house.contact()


async def test_what_we_sent_ourselves_is_no_text_to_us(house_of: Serving):
    async with serving(Twilio()) as provider, house_of(provider) as house:
        provider.ours["+441632960222"] = ""
        provider.write(AMIR, "To another number.", number="+441632960222")
        house.clock.pass_by(SOON)
        assert await house.look()() == 0


@KINDS
@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "provider-refused"), (403, "provider-refused"), (429, "provider-failed"), (503, "provider-failed")],
)
async def test_a_provider_that_refuses_us_is_told_apart_from_one_that_is_away(
    house_of: Serving, kind: Any, status: int, reason: str
):
    async with serving(kind()) as provider, house_of(provider) as house:
        provider.refusing = status
        with pytest.raises(Unavailable) as told:
            await house.look()()
        assert told.value.reason == reason
        await provider.stop()
        with pytest.raises(Unavailable) as told:
            await house.look()()
        assert told.value.reason == "provider-unreachable"


@KINDS
async def test_a_fault_of_the_providers_ends_no_role_and_the_next_look_finds_what_came_meanwhile(house_of: Serving, kind: Any):
    async with serving(kind()) as provider, house_of(provider, account={"reconcile_every": "50ms"}) as house:
        provider.to_ask += [503, 500]
        provider.write(AMIR, "Nobody rang.")
        stopping = asyncio.Event()
        role = asyncio.create_task(
            run(
                "care", house.account, arrive=house.arrive, database=house.database, clock=house.clock, settings=house.settings,
                stopping=stopping,
            )
        )  # fmt: skip
        assert (await house.contact()).text == "Nobody rang."
        stopping.set()
        await role


async def test_silence_rings_where_it_lasts_longer_than_usual_and_not_where_nobody_said(house_of: Serving):
    async with serving(Notify()) as provider, house_of(provider) as house:
        look, quiet = house.look(silent_after=timedelta(hours=4)), house.look()
        before = counted("silent")
        await look()
        house.clock.pass_by(timedelta(hours=5))
        await look()
        assert counted("silent") == before + 1
        await house.forward(provider.write(AMIR, "Nobody rang."))
        await look()
        assert counted("silent") == before + 1
        newest = REGISTRY.get_sample_value("sms_last_text_timestamp_seconds", {"account": "care"})
        assert newest == (await house.contact()).received_at.timestamp()
        house.clock.pass_by(timedelta(days=5))
        await quiet()
        assert counted("silent") == before + 1
