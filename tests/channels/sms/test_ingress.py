"""Texts come by their providers' webhooks: who is believed, what is kept and how often, what is answered, and what a person must see."""

import asyncio
import hashlib
import hmac
import json
import shutil
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.sms.taking import Pace
from ingest.contract import OutgoingState, Trace, trace_of
from ingest.errors import Unavailable
from ingest.receive import CONTACTS
from router.read.reader import read
from tests.channels.sms.conftest import PUBLIC_URL, VONAGE_SECRET, House, Serving
from tests.servers.loopback import plain_client
from tests.servers.providers import Notify, Sent, Twilio, serving

AMIR = "+447700900123"
SAID = "Nobody rang me back. Dw i'n gofyn eto."
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"another" * 20


def vonage(told: dict[str, Any], secret: str = VONAGE_SECRET) -> tuple[bytes, dict[str, str]]:
    """A webhook of Vonage's, as a form, signed by its published recipe."""
    signed = "".join(f"&{name}={str(told[name]).replace('&', '_').replace('=', '_')}" for name in sorted(told))
    sig = hashlib.md5(signed.encode() + secret.encode()).hexdigest()
    return urlencode({**told, "sig": sig}).encode(), {"content-type": "application/x-www-form-urlencoded"}


def part(number: int, total: int, text: str, ref: str = "12", **more: Any) -> dict[str, Any]:
    """One part of a text, as Vonage tells of it."""
    return {
        "msisdn": AMIR[1:], "to": "447700900555", "messageId": f"0B0000{ref}{number:02}", "text": text, "type": "text",
        "keyword": "NOBODY", "message-timestamp": "2026-03-02 09:29:58", "timestamp": "1772443798", "nonce": f"n{number}",
        "concat": "true", "concat-ref": ref, "concat-total": str(total), "concat-part": str(number), **more,
    }  # fmt: skip


def reason(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:contact-ingest:problem:")


async def nothing_was_written(house: House) -> None:
    assert await house.contacts() == []
    for table in ("claims", "receipts", "texts", "reconciled"):
        assert await house.count(table) == 0


# What comes in.


async def test_a_text_by_twilio_is_a_contact_of_its_number_and_is_answered_with_no_words(twilios: House):
    each = twilios.provider.write(AMIR, SAID)
    answer = await twilios.forward(each)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    contact = await twilios.contact()
    assert (contact.channel, contact.account, contact.source) == ("sms", "care", "urn:contact-ingest:sms:care")
    assert (contact.text, contact.full_text, contact.warnings, contact.acknowledged) == (SAID, SAID, (), False)
    (phone,) = contact.sender.identifiers
    assert (phone.kind, phone.given, phone.canonical, phone.verified_by) == ("phone", AMIR, AMIR, None)
    assert b"MessageSid=" + each.id.encode() in await twilios.originals.get(contact.original)


async def test_a_text_by_notify_has_its_senders_number_as_given_and_in_the_form_that_is_compared(notifys: House):
    answer = await notifys.forward(notifys.provider.write(AMIR, SAID))
    assert (answer.status_code, answer.content) == (204, b"")
    contact = await notifys.contact()
    (phone,) = contact.sender.identifiers
    assert (phone.kind, phone.given, phone.canonical) == ("phone", "447700900123", AMIR)
    assert contact.sent_at is not None
    assert contact.received_at > contact.sent_at


async def test_a_text_by_vonage_is_answered_with_nothing_and_is_a_contact(vonages: House):
    told = part(1, 1, SAID) | {"concat": "false"}
    answer = await vonages.post(*vonage(told))
    assert (answer.status_code, answer.content) == (204, b"")
    contact = await vonages.contact()
    assert (contact.text, contact.sender.identifiers[0].canonical) == (SAID, AMIR)


# 23: who is believed.


@pytest.mark.parametrize("altered", ["none", "another", "other words", "another address", "a query"])
async def test_23_a_webhook_of_twilios_that_is_unsigned_or_altered_is_refused_and_nothing_written(twilios: House, altered: str):
    provider: Twilio = twilios.provider
    form, where = provider.form_of(provider.write(AMIR, SAID)), "/sms/care"
    body, headers = provider.signed(twilios.url if altered != "another address" else f"{twilios.at}/sms/care", form)
    if altered == "none":
        del headers["X-Twilio-Signature"]
    if altered == "another":
        headers["X-Twilio-Signature"] = RequestValidator("another token").compute_signature(twilios.url, form)
    if altered == "other words":
        body = body.replace(b"Nobody", b"Anybody")
    if altered == "a query":
        where += "?of=1"
    answer = await twilios.post(body, headers, where)
    assert (answer.status_code, reason(answer)) == (401, "signature")
    await nothing_was_written(twilios)


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer a token that the service chos", "Basic a token that the service chose", "Bearer ÿ"]
)
async def test_23_a_callback_of_notifys_without_its_token_is_refused_and_nothing_written(notifys: House, token: str):
    body = json.dumps({"id": "1", "source_number": "447700900123", "message": SAID}).encode()
    headers = {"authorization": token.encode("latin-1")} if token else {}
    answer = await notifys.post(body, headers)  # type: ignore[arg-type]
    assert (answer.status_code, reason(answer)) == (401, "signature")
    await nothing_was_written(notifys)


@pytest.mark.parametrize("altered", ["none", "another", "other words"])
async def test_23_a_webhook_of_vonages_that_is_unsigned_or_altered_is_refused_and_nothing_written(vonages: House, altered: str):
    body, headers = vonage(part(1, 1, SAID), "another" if altered == "another" else VONAGE_SECRET)
    if altered == "none":
        body = body.rpartition(b"&sig=")[0]
    if altered == "other words":
        body = body.replace(b"Nobody", b"Anybody")
    answer = await vonages.post(body, headers)
    assert (answer.status_code, reason(answer)) == (401, "signature")
    await nothing_was_written(vonages)


async def test_a_signature_is_over_the_public_url_with_or_without_its_port_as_twilio_does_either(twilios: House):
    provider: Twilio = twilios.provider
    form = provider.form_of(provider.write(AMIR, SAID))
    signature = RequestValidator(provider.token).compute_signature(f"{PUBLIC_URL}:443/sms/care", form)
    body, headers = provider.signed(twilios.url, form)
    assert (await twilios.post(body, {**headers, "X-Twilio-Signature": signature})).status_code == 200


async def test_a_webhook_signed_with_a_shared_key_is_believed_by_its_own_secret_alone(house_of: Serving):
    async with serving(Twilio()) as provider, house_of(provider, account={"secret": "a shared key's secret"}) as house:
        form = provider.form_of(provider.write(AMIR, SAID))
        body, headers = provider.signed(house.url, form)
        named = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"}
        for secret, status in ((provider.token, 401), ("a shared key's secret", 200)):
            signature = RequestValidator(secret).compute_signature(house.url, form, "HMAC_SHA256")
            answer = await house.post(body, {**headers, **named, "X-Twilio-Signature": signature})
            assert answer.status_code == status
        odd = {"X-Twilio-Webhooks-Signature-Settings": "key=1,algorithm=HMAC_MD5"}
        assert (await house.post(body, {**headers, **odd})).status_code == 401


async def test_a_body_of_json_is_believed_where_the_signed_address_has_its_hash(twilios: House):
    body = json.dumps({"MessageSid": "SM" + "1" * 32, "From": AMIR, "To": "+441632960111", "Body": SAID})
    validator = RequestValidator(twilios.provider.token)
    where = f"/sms/care?bodySHA256={validator.compute_hash(body)}"
    signature = validator.compute_signature(PUBLIC_URL + where, {})
    headers = {"content-type": "application/json", "X-Twilio-Signature": signature}
    assert (await twilios.post(body.replace("rang", "wrote").encode(), headers, where)).status_code == 401
    await nothing_was_written(twilios)
    assert (await twilios.post(body.encode(), headers, where)).status_code == 200
    assert (await twilios.contact()).text == SAID


# What a provider surely sent, and we cannot read.


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"message": "no id"}', b"\xff\xfe", b'{"id": {}}', b"[" * 60_000])
async def test_what_notify_sends_and_we_cannot_read_is_kept_for_a_person(notifys: House, body: bytes):
    assert (await notifys.post(body, notifys.provider.headers())).status_code == 204
    assert (await notifys.post(body, notifys.provider.headers())).status_code == 204
    contact = await notifys.contact()
    assert contact.warnings[0].startswith("not-read:")
    assert await notifys.originals.get(contact.original) == body


async def test_what_is_empty_too_large_or_of_another_kind_is_refused_and_nothing_written(notifys: House):
    headers = notifys.provider.headers()
    receipt = {"id": "1", "reference": None, "to": "447700900123", "status": "delivered", "notification_type": "sms"}
    for body, status, why in (
        (b"", 400, "empty"),
        (b"[" * 70_000, 413, "body-too-large"),
        (json.dumps(receipt).encode(), 422, "not-a-text"),
    ):
        answer = await notifys.post(body, headers)
        assert (answer.status_code, reason(answer)) == (status, why)
    await nothing_was_written(notifys)


async def test_while_storage_is_away_the_provider_is_told_to_come_again_and_then_it_is_one_contact(twilios: House):
    each = twilios.provider.write(AMIR, SAID)
    twilios.away = [Unavailable("log-unavailable", "The log is away.")]
    answer = await twilios.forward(each)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert await twilios.contacts() == []
    assert (await twilios.forward(each)).status_code == 200
    await twilios.contact()


# 24 and fault 31: what comes again.


@pytest.mark.parametrize("kind", [Twilio, Notify])
async def test_24_a_retry_two_hours_later_gets_the_same_answer_and_is_one_record(house_of: Serving, kind: Any):
    async with serving(kind()) as provider, house_of(provider) as house:
        each = provider.write(AMIR, SAID)
        first = await house.forward(each)
        house.clock.pass_by(timedelta(hours=2))
        again = await house.forward(each, **({"NewField": "1"} if kind is Twilio else {"new_field": 1}))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        await house.contact()


async def test_24_a_text_that_first_comes_after_two_hours_is_taken_in(twilios: House):
    each = twilios.provider.write(AMIR, SAID)
    twilios.clock.pass_by(timedelta(hours=2))
    assert (await twilios.forward(each)).status_code == 200
    assert (await twilios.contact()).text == SAID


async def test_fifty_deliveries_at_once_are_one_contact_and_fifty_equal_answers(twilios: House):
    each = twilios.provider.write(AMIR, SAID)
    answers = await asyncio.gather(*(twilios.forward(each) for _ in range(50)))
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    await twilios.contact()
    assert await twilios.count("receipts") == 1


async def test_other_words_under_the_same_reference_are_kept_beside_the_first(twilios: House):
    each = twilios.provider.write(AMIR, SAID)
    await twilios.forward(each)
    assert (await twilios.forward(each, Body="I withdraw that.")).status_code == 200
    first, second = await twilios.contacts()
    assert first.id == second.id
    assert (first.text, second.text) == (SAID, "I withdraw that.")


# 25: parts.


async def test_25_parts_that_come_in_any_order_and_more_than_once_are_one_text(vonages: House):
    texts = {1: "Nobody rang ", 2: "me back & nothing=", 3: "was done."}
    for number in (3, 1, 3):
        assert (await vonages.post(*vonage(part(number, 3, texts[number])))).status_code == 204
    assert await vonages.contacts() == []
    assert (await vonages.post(*vonage(part(2, 3, texts[2])))).status_code == 204
    contact = await vonages.contact()
    assert (contact.text, contact.warnings) == ("Nobody rang me back & nothing=was done.", ())
    for number in (1, 2, 3):
        assert (await vonages.post(*vonage(part(number, 3, texts[number])))).status_code == 204
    await asyncio.sleep(0.2)
    await vonages.contact()
    assert await vonages.waiting() == 0


async def test_25_a_text_whose_part_never_comes_is_held_and_then_reviewed_as_far_as_it_came(vonages: House):
    for number, text in ((3, "was done."), (1, "Nobody rang ")):
        await vonages.post(*vonage(part(number, 3, text)))
    await asyncio.sleep(0.2)
    assert await vonages.contacts() == []
    vonages.clock.pass_by(timedelta(minutes=11))
    contact = await vonages.contact()
    assert contact.text == "Nobody rang […]was done."
    assert contact.warnings == ("not-read: 1 of its 3 parts did not come",)
    assert (vonages.clock.now - contact.received_at) > timedelta(minutes=10)


async def test_25_parts_survive_that_the_service_ends_before_the_last_has_come(
    house_of: Serving, tmp_path: Path, empty_register: Path
):
    register = f"sqlite:///{shutil.copy(empty_register, tmp_path / 'kept.db')}"
    async with house_of(register=register) as house:
        await house.post(*vonage(part(2, 2, "back.")))
        assert await house.waiting() == 1
    async with house_of(register=register) as house:
        await house.post(*vonage(part(1, 2, "Nobody rang ")))
        assert (await house.contact()).text == "Nobody rang back."


# 26: who is no telephone.


@pytest.mark.parametrize("sender", ["ALPHA", "60777", "HMRC Tax", ""])
async def test_26_a_name_or_short_code_is_nobodys_number_and_a_person_looks(twilios: House, sender: str):
    await twilios.forward(twilios.provider.write(sender, SAID))
    contact = await twilios.contact()
    assert [(each.kind, each.given) for each in contact.sender.identifiers] == ([("handle", sender)] if sender else [])
    assert contact.warnings[0].startswith("suspected-robot:")


# 27: pictures.


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "http://169.254.169.254/latest/meta-data/",
        "https://api.twilio.com.example.org/2010-04-01/",
        "{api}/sms/care",
        "{api}/2010-04-01/Accounts/{account}/Messages.json",
        "{api}@example.org/2010-04-01/Accounts/{account}/Messages/MM11111111111111111111111111111111/Media/ME11111111111111111111111111111111",
        "file:///etc/passwd",
        "http://[",
        "",
    ],
)
async def test_27_a_picture_that_does_not_lie_with_the_provider_is_not_fetched_and_a_person_looks(twilios: House, url: str):
    provider: Twilio = twilios.provider
    more = {
        "NumMedia": "1",
        "MediaUrl0": url.format(api=provider.url, account=provider.account_sid),
        "MediaContentType0": "image/png",
    }
    assert (await twilios.forward(provider.write(AMIR, SAID), **more)).status_code == 200
    contact = await twilios.contact()
    assert contact.attachments == ()
    assert contact.warnings == ("not-read: 1 of its 1 pictures do not lie with the provider and were not fetched",)
    assert provider.asked == []


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:{port}/secret",
        "https://mms.twiliocdn.com.example.org/x",
        "https://s3-external-1.amazonaws.com/another.bucket/x",
    ],
)
async def test_27_a_picture_that_leads_away_from_the_provider_is_not_followed(twilios: House, where: str):
    asked = list[bytes]()

    async def secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(secret, "127.0.0.1", 0)
    twilios.provider.media_at = where.format(port=server.sockets[0].getsockname()[1])
    await twilios.forward(twilios.provider.write(AMIR, SAID, [("image/png", PNG)]))
    contact = await twilios.contact()
    assert contact.attachments == ()
    assert contact.warnings == (
        "not-read: 1 of its 1 pictures are too large, or lead away from the provider, and were not fetched",
    )
    assert asked == []
    server.close()


async def test_pictures_are_fetched_after_the_answer_and_are_attachments(twilios: House):
    each = twilios.provider.write(AMIR, "", [("image/png", PNG), ("text/html", JPEG)])
    assert (await twilios.forward(each)).status_code == 200
    contact = await twilios.contact()
    assert [(a.name, a.content_type, a.size) for a in contact.attachments] == [
        ("picture-1.png", "image/png", len(PNG)),
        ("picture-2.jpg", "image/jpeg", len(JPEG)),
    ]
    assert await twilios.originals.get(contact.attachments[0].digest) == PNG
    assert contact.warnings == ("not-read: attachment-only",)
    assert (await twilios.forward(each)).status_code == 200
    await asyncio.sleep(0.2)
    await twilios.contact()


async def test_a_text_is_of_the_trace_that_its_webhook_came_in_also_where_it_waits_for_a_picture(twilios: House):
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "congo=t61rcWkgMzE"}
    twilios.provider.within = trace
    await twilios.forward(twilios.provider.write(AMIR, SAID))
    await twilios.contact(1)
    await twilios.forward(twilios.provider.write(AMIR, SAID, [("image/png", PNG)]))
    await twilios.contact(2)
    records = [each.record for each in await twilios.log.read(CONTACTS.name, after={}, most=10)]
    assert [trace_of(each) for each in records] == [Trace(**trace)] * 2
    fetched = [headers for method, headers in twilios.provider.asked_with if method == "GET"]
    assert {each["traceparent"] for each in fetched} == {trace["traceparent"]}


async def test_parts_are_of_the_trace_of_the_first(vonages: House):
    for number, told in ((2, "back."), (1, "Nobody rang ")):
        body, headers = vonage(part(number, 2, told))
        parent = f"00-4bf92f3577b34da6a3ce929d0e0e473{number}-00f067aa0ba902b7-01"
        assert (await vonages.post(body, {**headers, "traceparent": parent})).status_code == 204
    await vonages.contact()
    (found,) = await vonages.log.read(CONTACTS.name, after={}, most=10)
    assert trace_of(found.record) == Trace(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4731-00f067aa0ba902b7-01")


async def test_a_picture_is_tried_again_and_after_some_minutes_the_text_is_taken_in_without_it(house_of: Serving):
    async with serving(Twilio()) as provider, house_of(provider) as house:
        provider.to_ask += [503, 404]
        await house.forward(provider.write(AMIR, SAID, [("image/png", PNG)]))
        contact = await house.contact()
        assert (len(contact.attachments), contact.warnings) == (1, ())
        provider.refusing = 404
        await house.forward(provider.write(AMIR, "Another.", [("image/png", PNG)]))
        await asyncio.sleep(0.3)
        assert (await house.waiting(), len(await house.contacts())) == (1, 1)
        house.clock.pass_by(timedelta(minutes=6))
        late = await house.contact(2)
        assert late.warnings == ("not-read: 1 of its 1 pictures could not be had from the provider in time",)
        assert late.text == "Another."


async def test_a_picture_over_the_limit_is_not_kept(house_of: Serving):
    async with serving(Twilio()) as provider, house_of(provider, uploads={"most_bytes": 1000}) as house:
        await house.forward(provider.write(AMIR, SAID, [("image/png", PNG * 100), ("image/png", PNG)]))
        contact = await house.contact()
        assert [each.size for each in contact.attachments] == [len(PNG)]
        assert contact.warnings[0].startswith("not-read: 1 of its 2 pictures are too large")


async def test_our_password_at_the_provider_goes_to_its_api_alone(house_of: Serving):
    async with serving(Twilio()) as provider, AsyncExitStack() as held:
        seen = list[str]()

        async def files(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.close()

        server = await asyncio.start_server(files, "127.0.0.1", 0)
        held.callback(server.close)
        house = await held.enter_async_context(house_of(provider))
        await house.forward(provider.write(AMIR, SAID, [("image/png", PNG)]))
        assert len((await house.contact()).attachments) == 1
        assert seen == []


# 28: STOP and HELP.


@pytest.mark.parametrize("words", ["STOP", " stop. ", "Unsubscribe", "ARRET", "OPT-OUT", "StopAll!"])
async def test_28_stop_is_recorded_and_obeyed_at_once_and_nothing_more_is_sent(twilios: House, words: str):
    await twilios.forward(twilios.provider.write(AMIR, words))
    contact = await twilios.contact()
    assert contact.text == words
    assert contact.acknowledged is True
    assert contact.declared is not None
    reading = read("sms", None, contact.text, contact.declared)
    assert dict(reading.restrictions) == {"sms": words.strip()}


async def test_28_what_twilio_took_for_stop_or_help_in_other_words_is_told_apart_and_left_to_it_to_answer(twilios: House):
    for words, kind in (("STOPIWCH", "STOP"), ("HELP", "HELP"), ("START", "START")):
        await twilios.forward(twilios.provider.write(AMIR, words), OptOutType=kind)
    stop, help_, start = await twilios.contacts()
    assert (stop.acknowledged, help_.acknowledged, start.acknowledged) == (True, True, False)
    assert stop.declared is not None
    assert stop.declared.unsafe_ways[0].method == "sms"
    for each in (help_, start):
        assert each.declared is None
        assert read("sms", None, each.text).outcome.value == "review"


@pytest.mark.parametrize(
    "words", ["Stop please, I have had enough of your letters.", "HELP", "START", "end of story", "I cannot stop"]
)
async def test_28_more_than_the_word_alone_is_no_stop_and_help_is_answered_by_us_where_nobody_else_does(
    notifys: House, words: str
):
    await notifys.forward(notifys.provider.write(AMIR, words))
    contact = await notifys.contact()
    assert (contact.acknowledged, contact.declared) == (False, None)


# Receipts.


@pytest.mark.parametrize(
    ("status", "error", "state", "why"),
    [
        ("delivered", "", OutgoingState.DELIVERED, None),
        ("undelivered", "30003", OutgoingState.FAILED, "undelivered: 30003"),
        ("failed", "he said <no>", OutgoingState.FAILED, "failed"),
    ],
)
async def test_a_receipt_of_twilios_says_what_became_of_our_text(
    twilios: House, status: str, error: str, state: OutgoingState, why: str | None
):
    ours, url = uuid4(), f"{twilios.url}/receipts"
    await twilios.sent(ours, attempts=2)
    sent = Sent("SM" + "2" * 32, AMIR, "CC-", twilios.clock(), "sent", receipts=f"{url}?of={ours}")
    for _ in range(2):
        assert (await twilios.provider.report(sent, status, at=twilios.at, error=error)).status_code == 204
    told, again = await twilios.statuses()
    assert (told.outgoing_id, told.state, told.reason, told.attempts) == (ours, state, why, 2)
    assert again.outgoing_id == ours


@pytest.mark.parametrize("status", ["queued", "sent", "sending"])
async def test_of_a_text_that_is_on_its_way_nothing_is_written(twilios: House, status: str):
    ours = uuid4()
    await twilios.sent(ours)
    sent = Sent("SM" + "2" * 32, AMIR, "CC-", twilios.clock(), "sent", receipts=f"{twilios.url}/receipts?of={ours}")
    assert (await twilios.provider.report(sent, status, at=twilios.at)).status_code == 204
    assert await twilios.statuses() == []


@pytest.mark.parametrize("query", ["", "?of=1", "?of=", "?of=0195a8f0-0000-7000-8000-000000000004"])
async def test_a_receipt_for_no_text_of_ours_is_refused(twilios: House, query: str):
    sent = Sent("SM" + "2" * 32, AMIR, "CC-", twilios.clock(), "sent", receipts=f"{twilios.url}/receipts{query}")
    answer = await twilios.provider.report(sent, "delivered", at=twilios.at)
    assert (answer.status_code, reason(answer)) == (404, "unknown-outgoing")
    assert await twilios.statuses() == []


async def test_a_receipt_whose_signed_address_was_altered_is_refused(twilios: House):
    ours, other = uuid4(), uuid4()
    await twilios.sent(ours)
    body, headers = twilios.provider.signed(
        f"{twilios.url}/receipts?of={other}", {"MessageStatus": "failed", "MessageSid": "SM1"}
    )
    answer = await twilios.post(body, headers, f"/sms/care/receipts?of={ours}")
    assert answer.status_code == 401
    assert await twilios.statuses() == []


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("delivered", OutgoingState.DELIVERED),
        ("permanent-failure", OutgoingState.FAILED),
        ("temporary-failure", OutgoingState.FAILED),
    ],
)
async def test_a_receipt_of_notifys_says_what_became_of_our_text(notifys: House, status: str, state: OutgoingState):
    ours = uuid4()
    await notifys.sent(ours)
    sent = Sent(str(uuid4()), AMIR, "CC-", notifys.clock(), "sending", reference=str(ours))
    url = f"{notifys.url}/receipts"
    assert (await notifys.provider.report(sent, status, url, notifys.at)).status_code == 204
    (told,) = await notifys.statuses()
    assert (told.outgoing_id, told.state) == (ours, state)
    sent.reference = "a letter"
    assert (await notifys.provider.report(sent, status, url, notifys.at)).status_code == 404


# Whatever comes.

HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-twilio-signature", "x-twilio-webhooks-signature-settings", "authorization", "content-type", "x-forwarded-proto"]
    ),
    st.one_of(
        st.lists(st.integers(0x21, 0xFF).filter(lambda each: each != 0x7F), max_size=60).map(bytes),
        st.sampled_from(
            [
                b"application/json",
                b"application/x-www-form-urlencoded",
                b"Bearer \xff",
                b"key=1,algorithm=HMAC_SHA256",
                b"algorithm=,=",
            ]
        ),
    ),
)
BODIES = st.one_of(
    st.binary(max_size=400),
    st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda told: json.dumps(told).encode("utf-8", "replace")
    ),
    st.dictionaries(st.text(max_size=9), st.text(max_size=30)).map(lambda told: urlencode(told, errors="replace").encode()),
)
QUERIES = st.sampled_from(["", "?of=1", "?bodySHA256=", "?bodySHA256=%ff", "?%ff=[", "?of=%00", "?" + "a=1&" * 300])


@pytest.mark.parametrize("kind", [Twilio, Notify, None])
@pytest.mark.parametrize("path", ["/sms/care", "/sms/care/receipts"])
async def test_hostile_headers_and_bodies_never_break_it_and_unsigned_ones_write_nothing(
    house_of: Serving, kind: Any, path: str
):
    async with AsyncExitStack() as held:
        provider = await held.enter_async_context(serving(kind())) if kind else None
        house = await held.enter_async_context(house_of(provider))
        client = await held.enter_async_context(plain_client(base_url=house.at, timeout=20))
        loop = asyncio.get_running_loop()

        @examples(
            max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
        )
        @given(headers=HEADERS, body=BODIES, query=QUERIES)
        def hostile(headers: dict[str, bytes], body: bytes, query: str) -> None:
            asking = client.post(path + query, content=body, headers=list(headers.items()))  # type: ignore[arg-type]
            answer = asyncio.run_coroutine_threadsafe(asking, loop).result()
            assert answer.status_code in (400, 401, 413), answer.text

        await asyncio.to_thread(hostile)
        await nothing_was_written(house)
        assert await house.statuses() == []


@pytest.mark.parametrize("kind", [Twilio, Notify, None])
async def test_hostile_bodies_that_are_signed_never_break_it(house_of: Serving, kind: Any):
    names = st.sampled_from(
        ["MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "OptOutType", "MessageStatus", "id", "source_number", "message",
         "date_received", "messageId", "msisdn", "text", "type", "concat", "concat-part", "concat-total", "message-timestamp"]
    )  # fmt: skip
    odd = st.sampled_from(
        ["", "1", "true", "99999999999999999999", "\x00", "-1", "²", "http://[", "9999-99-99", "0001-01-01T00:00:00+23:59"]
    )
    fields = st.dictionaries(names, st.text(max_size=40) | odd)
    async with AsyncExitStack() as held:
        provider = await held.enter_async_context(serving(kind())) if kind else None
        house = await held.enter_async_context(house_of(provider, pace=Pace(look=30)))
        client = await held.enter_async_context(plain_client(base_url=house.at, timeout=20))
        loop = asyncio.get_running_loop()

        @examples(
            max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
        )
        @given(told=fields, raw=st.binary(max_size=60))
        def hostile(told: dict[str, str], raw: bytes) -> None:
            told = {name: value.encode("utf-8", "replace").decode() for name, value in told.items()}
            match provider:
                case Twilio():
                    body, headers = provider.signed(house.url, told)
                case Notify():
                    body, headers = raw or json.dumps(told).encode(), provider.headers()
                case _:
                    body, headers = vonage(told)
            answer = asyncio.run_coroutine_threadsafe(client.post("/sms/care", content=body, headers=headers), loop).result()
            assert answer.status_code in (200, 204, 400, 422), answer.text

        await asyncio.to_thread(hostile)


# The signatures that vendors have published.


@pytest.mark.parametrize(
    ("signature", "secret", "told", "sig"),
    [
        ("md5-hash", "secret", {"a": "1", "b": "2", "timestamp": "1461605396"}, "6af838ef94998832dbfc29020b564830"),
        ("md5", "signature_secret", {"param1": "value&1", "param2": "value=2", "timestamp": 1234567890}, "2bbf0abafb2c55e5af6231513896a2ac"),
        (
            "sha256", "signature_secret", {"param1": "value1", "param2": "value2", "timestamp": 1234567890},
            "280c4320703dbc98bfa22db676655ed2acfbfe8792b062ff7622e67f1183c287",
        ),
    ],
)  # fmt: skip
async def test_vonages_published_signatures_are_believed_in_either_case_and_others_not(
    house_of: Serving, signature: str, secret: str, told: dict[str, Any], sig: str
):
    async with house_of(account={"signature": signature, "token": secret}) as house:
        for given_sig, status in ((sig, 204), (sig.upper(), 204), (sig[::-1], 401), ("", 401)):
            body = json.dumps({**told, "sig": given_sig}).encode()
            assert (await house.post(body, {"content-type": "application/json"})).status_code == status


def test_the_recipe_that_these_tests_sign_by_is_vonages_own():
    body, _ = vonage({"a": "1", "b": "2", "timestamp": "1461605396"}, "secret")
    assert body.endswith(b"sig=6af838ef94998832dbfc29020b564830")
    assert (
        hmac.new(b"signature_secret", b"&param1=value_1&param2=value_2&timestamp=1234567890", "md5")
        .hexdigest()
        .startswith("2bbf0a")
    )


async def test_a_name_that_cannot_stand_in_an_address_stops_the_start(tmp_path: Path, twilios: House):
    from channels.sms.ingress import door
    from ingest.errors import Misconfigured

    with pytest.raises(Misconfigured) as wrong:
        door("a/b", twilios.account, arrive=None, append=None, database=None, clock=None, settings=twilios.settings)  # type: ignore[arg-type]
    assert wrong.value.reason == "channels.sms.a/b"
