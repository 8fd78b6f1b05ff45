"""`ingest check` says what is set wrong with a number, and where it is mended."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import ValidationError

from channels.sms.look import look
from channels.sms.settings import SmsAccount
from ingest.clock import now
from ingest.finding import Finding
from ingest.settings import Settings
from tests.channels.sms.conftest import KEY, PUBLIC_URL, TEAMS, account_of
from tests.servers.providers import Notify, Twilio, serving

OURS = f"{PUBLIC_URL}/sms/care"
SID = "AC" + "0" * 32


async def looked(provider: Any, public_url: str = PUBLIC_URL, **more: Any) -> list[Finding]:
    settings = Settings(key=KEY, teams=TEAMS, web={"public_url": public_url})  # type: ignore[arg-type]
    found = await look("care", account_of(provider, **more), database=None, clock=now, settings=settings)
    return [each for each in found if each.about == "channels.sms.care in"]


async def test_a_number_whose_webhook_is_ours_is_well():
    async with serving(Twilio(ours={"+441632960111": OURS})) as provider:
        (found,) = await looked(provider)
        assert (found.well, OURS in found.sentence) == (True, True)


@pytest.mark.parametrize(
    ("ours", "more", "said"),
    [
        ({"+441632960111": "https://old.example.org/sms"}, {}, f"Webhook, {OURS} by HTTP POST"),
        ({"+441632960111": ""}, {}, "Active numbers"),
        ({"+441632960111": OURS}, {"number": "+441632960999"}, "+441632960999 is no number of"),
        ({"+441632960111": OURS}, {"token": "another"}, "INGEST_CHANNELS__SMS__CARE__TOKEN"),
        ({"+441632960111": OURS}, {"account_sid": SID}, "Account Info"),
    ],
)
async def test_what_is_wrong_at_twilio_is_named_with_where_it_is_mended(ours: dict[str, str], more: dict[str, Any], said: str):
    async with serving(Twilio(ours=ours)) as provider:
        (found,) = await looked(provider, **more)
        assert (found.well, said in found.sentence) == (False, True), found.sentence
        assert provider.token not in found.sentence


async def test_notify_is_asked_with_our_key_and_what_is_to_be_entered_there_is_said():
    async with serving(Notify()) as provider:
        (found,) = await looked(provider)
        assert found.well
        assert f"{OURS}/receipts" in found.sentence
        for key, said in (
            ("not a key", "none of Notify's"),
            (f"name-{provider.service_id}-{provider.service_id}", "Notify refused api_key"),
        ):
            (found,) = await looked(provider, api_key=key)
            assert (found.well, said in found.sentence) == (False, True)
            assert "INGEST_CHANNELS__SMS__CARE__API_KEY" in found.sentence
            assert provider.service_id not in found.sentence


async def test_an_address_that_no_provider_would_call_is_named():
    async with serving(Notify()) as provider:
        first, _ = await looked(provider, "http://127.0.0.1:8080")
        assert (first.well, "public_url in [web]" in first.sentence) == (False, True)


async def test_a_provider_that_does_not_answer_is_named():
    async with AsyncExitStack() as held:
        provider = await held.enter_async_context(serving(Notify()))
        await provider.stop()
        (found,) = await looked(provider)
        assert (found.well, "Check api" in found.sentence) == (False, True)


async def test_of_vonage_it_is_said_what_to_enter_there():
    (found,) = await looked(None)
    assert (found.well, OURS in found.sentence, "md5-hash" in found.sentence) == (True, True, True)


# Settings.


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"provider": "twilio", "account_sid": SID}, "token: twilio needs it"),
        ({"provider": "twilio", "token": "x"}, "account_sid: twilio needs it"),
        ({"provider": "notify", "bearer": "0d7fa1b2c3e4958677a8b9c0"}, "api_key: notify needs it"),
        ({"provider": "notify", "bearer": "short", "api_key": "x"}, "bearer: it has fewer than"),
        ({"provider": "vonage"}, "token: vonage needs it"),
        ({"provider": "vonage", "token": "x", "number": "07700900123"}, "number"),
        ({"provider": "vonage", "token": "x", "api": "http://api.example.org"}, "not encrypted"),
        ({"provider": "vonage", "token": "x", "silent_after": "soon"}, "silent_after"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_their_key(given: dict[str, Any], said: str):
    with pytest.raises(ValidationError) as wrong:
        SmsAccount.model_validate({"number": "+447700900555", **given})
    assert said in str(wrong.value)
