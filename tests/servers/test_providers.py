"""The providers of the tests, held to what their vendors' own clients and signature code expect."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest
import pytest_asyncio
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient
from starlette.requests import Request
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from ingest.settings import WebSettings
from ingest.web import Door, problem
from tests.servers.loopback import free_ports, plain_client, public_port
from tests.servers.providers import DROP, HANG, Notify, Twilio, parts, serving

AMIR, NIA = "+447700900123", "+447700900124"
PICTURE = b"\x89PNG\r\n\x1a\n a picture"


class _ToLoopback(TwilioHttpClient):
    """The vendor's own transport, to another host."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=5)
        self._url = url

    def request(self, method: str, url: str, *given: Any, **named: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self._url), *given, **named)


@pytest_asyncio.fixture
async def twilio() -> AsyncGenerator[Twilio]:
    async with serving(Twilio()) as each:
        yield each


@pytest_asyncio.fixture
async def notify() -> AsyncGenerator[Notify]:
    async with serving(Notify()) as each:
        yield each


def theirs(of: Twilio, token: str = "") -> Client:
    return Client(of.account_sid, token or of.token, http_client=_ToLoopback(of.url))


def notifys(of: Notify, key: str = "") -> NotificationsAPIClient:
    return NotificationsAPIClient(key or of.api_key, of.url, timeout=2)


async def test_twilios_client_sends_a_text_and_finds_it_again(twilio: Twilio) -> None:
    ours = next(iter(twilio.ours))

    def use(client: Client) -> None:
        made = client.messages.create(
            to=AMIR, from_=ours, body="Thank you for your text.", status_callback="https://x.example/r"
        )
        assert (made.status, made.num_segments, made.direction, made.date_sent) == ("queued", "1", "outbound-api", None)
        found = client.messages(str(made.sid)).fetch()
        assert (found.body, found.to, found.from_) == ("Thank you for your text.", AMIR, ours)
        (listed,) = client.messages.list(to=AMIR, date_sent=datetime.now(UTC).date())
        assert listed.sid == made.sid
        assert client.messages.list(to=AMIR, date_sent_after=datetime.now(UTC) + timedelta(days=1)) == []
        assert client.messages.list(to=NIA) == []

    await asyncio.to_thread(use, theirs(twilio))
    assert [(each.number, each.receipts) for each in twilio.sent] == [(AMIR, "https://x.example/r")]


async def test_twilios_client_reads_every_page_of_what_people_wrote_newest_first(twilio: Twilio) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    for each in range(120):
        twilio.write(AMIR, f"text {each}", at=start + timedelta(seconds=each))
    found = await asyncio.to_thread(theirs(twilio).messages.list, to=next(iter(twilio.ours)), page_size=50)
    assert [each.body for each in found] == [f"text {each}" for each in reversed(range(120))]
    assert {(each.direction, each.status, each.from_) for each in found} == {("inbound", "received", AMIR)}
    assert len(twilio.asked) == 3


async def test_twilios_client_reads_the_account_and_where_a_number_sends_what_is_written_to_it(twilio: Twilio) -> None:
    twilio.ours = {"+441632960111": "https://contact.example/sms/care", "+441632960112": ""}
    client = theirs(twilio)
    account = await asyncio.to_thread(client.api.accounts(twilio.account_sid).fetch)
    assert account.status == "active"
    (number,) = await asyncio.to_thread(client.incoming_phone_numbers.list, phone_number="+441632960111")
    assert (number.phone_number, number.sms_url) == ("+441632960111", "https://contact.example/sms/care")


async def test_twilio_gives_a_picture_to_whoever_has_the_token_by_sending_them_on(twilio: Twilio) -> None:
    each = twilio.write(AMIR, "look", [("image/png", PICTURE)])
    form = twilio.form_of(each)
    (listed,) = await asyncio.to_thread(theirs(twilio).messages(each.id).media.list)
    assert listed.content_type == form["MediaContentType0"] == "image/png"
    assert str(listed.sid) in form["MediaUrl0"]
    async with plain_client() as client:
        assert (await client.get(form["MediaUrl0"])).status_code == 401
        sent_on = await client.get(form["MediaUrl0"], auth=(twilio.account_sid, twilio.token))
        assert sent_on.status_code == 307
        found = await client.get(sent_on.headers["location"])
    assert (found.content, found.headers["content-type"]) == (PICTURE, "image/png")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"body": "x", "to": "07700900123", "from_": "+441632960111"}, 400, 21211),
        ({"body": "x", "to": AMIR, "from_": "+441632960999"}, 400, 21659),
        ({"body": "x" * 1601, "to": AMIR, "from_": "+441632960111"}, 400, 21617),
        ({"to": AMIR, "from_": "+441632960111"}, 400, 21602),
        ({"body": "x", "to": NIA, "from_": "+441632960111"}, 400, 21610),
    ],
)
async def test_twilios_client_understands_why_a_text_is_refused(
    twilio: Twilio, given: dict[str, str], status: int, code: int
) -> None:
    twilio.write(NIA, "STOP")
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(lambda: theirs(twilio).messages.create(**given))
    assert (refused.value.status, refused.value.code) == (status, code)
    assert twilio.sent == []


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (429, 20429), (500, 20500), (503, 20503)])
async def test_twilio_refuses_once_when_told_to_and_takes_nothing(twilio: Twilio, status: int, code: int) -> None:
    twilio.to_send.append(status)
    send = lambda: theirs(twilio).messages.create(to=AMIR, from_="+441632960111", body="x")  # noqa: E731
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(send)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert twilio.sent == []
    assert (await asyncio.to_thread(send)).status == "queued"


async def test_twilio_knows_its_own_token(twilio: Twilio) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(lambda: theirs(twilio, "another").messages.create(to=AMIR, from_="+441632960111", body="x"))
    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_notifys_client_sends_by_template_and_finds_it_by_our_reference(notify: Notify) -> None:
    def use(client: NotificationsAPIClient) -> None:
        made: Any = client.send_sms_notification(AMIR, notify.template, {"message": "Thank you."}, reference="ours-1")
        assert (made["reference"], made["content"]["body"]) == ("ours-1", "Thank you.")
        found: Any = client.get_all_notifications(reference="ours-1")
        assert [each["id"] for each in found["notifications"]] == [made["id"]]
        one: Any = client.get_notification_by_id(made["id"])
        assert (one["status"], one["phone_number"]) == ("sending", AMIR)
        nothing: Any = client.get_all_notifications(reference="another")
        assert nothing["notifications"] == []
        template: Any = client.get_template(notify.template)
        assert (template["body"], template["personalisation"]) == ("((message))", {"message": {"required": True}})

    await asyncio.to_thread(use, notifys(notify))
    assert [(each.number, each.text, each.reference) for each in notify.sent] == [(AMIR, "Thank you.", "ours-1")]


async def test_notifys_client_reads_what_people_wrote_250_at_a_time_and_a_week_of_it(notify: Notify) -> None:
    start = datetime.now(UTC) - timedelta(hours=2)
    for each in range(600):
        notify.write(AMIR, f"text {each}", at=start + timedelta(seconds=each))
    notify.write(AMIR, "long ago", at=start - timedelta(days=7))
    client = notifys(notify)
    found: list[Any] = await asyncio.to_thread(lambda: list(client.get_received_texts_iterator()))
    assert [each["content"] for each in found] == [f"text {each}" for each in reversed(range(600))]
    assert {(each["user_number"], each["notify_number"]) for each in found} == {(AMIR[1:], notify.number)}
    assert len(notify.asked) == 4


@pytest.mark.parametrize(
    ("number", "template", "said", "error"),
    [
        ("0770090012", None, {"message": "x"}, "ValidationError"),
        ("01632960111", None, {"message": "x"}, "ValidationError"),
        ("ALPHA", None, {"message": "x"}, "ValidationError"),
        (AMIR, "00000000-0000-4000-8000-000000000000", {"message": "x"}, "BadRequestError"),
        (AMIR, None, {}, "BadRequestError"),
        (AMIR, None, {"message": "x" * 919}, "BadRequestError"),
    ],
)
async def test_notifys_client_understands_why_a_text_is_refused(
    notify: Notify, number: str, template: str | None, said: dict[str, str], error: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        await asyncio.to_thread(notifys(notify).send_sms_notification, number, template or notify.template, said)
    assert refused.value.status_code == 400
    assert [each["error"] for each in refused.value.message] == [error]  # type: ignore[index]
    assert notify.sent == []


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_notify_refuses_once_when_told_to_and_takes_nothing(notify: Notify, status: int) -> None:
    notify.to_send.append(status)
    client = notifys(notify)
    with pytest.raises(HTTPError) as refused:
        await asyncio.to_thread(client.send_sms_notification, AMIR, notify.template, {"message": "x"})
    assert refused.value.status_code == status
    assert notify.sent == []
    await asyncio.to_thread(client.send_sms_notification, AMIR, notify.template, {"message": "x"})
    assert notify.numbers() == [AMIR]


@pytest.mark.parametrize("late", [-40, 40], ids=["late", "early"])
async def test_notify_takes_no_token_that_is_half_a_minute_out(notify: Notify, late: int) -> None:
    iat = int(datetime.now(UTC).timestamp()) + late
    token = jwt.encode({"iss": notify.service_id, "iat": iat}, notify.secret, "HS256")
    async with plain_client() as client:
        answer = await client.get(f"{notify.url}/v2/received-text-messages", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert "clock" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer nonsense", "Basic YTpi"])
async def test_notify_takes_no_request_without_a_token_of_its_service(notify: Notify, said: str) -> None:
    async with plain_client() as client:
        answer = await client.get(f"{notify.url}/v2/received-text-messages", headers={"Authorization": said})
    assert answer.status_code in (401, 403)
    with pytest.raises(HTTPError) as refused:
        await asyncio.to_thread(notifys(notify, f"a-{notify.service_id}-{notify.service_id}").get_received_texts)
    assert refused.value.status_code == 403


@pytest.mark.parametrize("fault", [HANG, DROP])
@pytest.mark.parametrize("kind", [Twilio, Notify])
async def test_what_is_taken_without_an_answer_is_taken(kind: Callable[[], Twilio | Notify], fault: str) -> None:
    async with serving(kind()) as provider:
        provider.to_send.append(fault)
        with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError)) as silent:
            await _send_to(provider)
        assert isinstance(silent.value, httpx.ReadTimeout) == (fault == HANG)
        assert provider.numbers() == [AMIR]
        assert (await _send_to(provider)).status_code == 201
        assert provider.numbers() == [AMIR, AMIR]


async def _send_to(provider: Twilio | Notify) -> httpx.Response:
    async with plain_client(timeout=0.5) as client:
        if isinstance(provider, Twilio):
            return await client.post(
                f"{provider.url}/2010-04-01/Accounts/{provider.account_sid}/Messages.json",
                data={"To": AMIR, "From": "+441632960111", "Body": "x"},
                auth=(provider.account_sid, provider.token),
            )
        now = int(datetime.now(UTC).timestamp())
        token = jwt.encode({"iss": provider.service_id, "iat": now}, provider.secret, "HS256")
        return await client.post(
            f"{provider.url}/v2/notifications/sms",
            json={"phone_number": AMIR, "template_id": provider.template, "personalisation": {"message": "x"}},
            headers={"Authorization": f"Bearer {token}"},
        )


async def test_a_provider_that_stopped_comes_back_on_the_same_port_with_what_it_had(twilio: Twilio) -> None:
    twilio.write(AMIR, "hello")
    port = twilio.port
    await twilio.stop()
    with pytest.raises(httpx.ConnectError):
        await _send_to(twilio)
    await twilio.start()
    assert twilio.port == port
    assert [each.body for each in await asyncio.to_thread(theirs(twilio).messages.list)] == ["hello"]


class _Heard:
    """What came to a public port: path, headers and body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def door(self) -> Door:
        async def take(request: Request) -> Response:
            self.requests.append((request.url.path, dict(request.headers), await request.body()))
            return Response(status_code=200)

        return Door([("POST", "/sms/{name}", take), ("POST", "/sms/{name}/receipts", take)], problem)


async def test_twilio_signs_what_it_tells_for_our_public_name_and_its_own_code_agrees(twilio: Twilio) -> None:
    heard, (port,) = _Heard(), free_ports(1)
    at, public = f"http://127.0.0.1:{port}", "https://contact.example"
    each = twilio.write(AMIR, "Bore da, mae'r ŵyn yma & a=b", [("image/png", PICTURE)])
    async with public_port(WebSettings(public=f"127.0.0.1:{port}"), [heard.door()]):
        assert (await twilio.forward(each, f"{public}/sms/care", at)).status_code == 200
        await _send_to(twilio)
        assert (await twilio.report(twilio.sent[0], url=f"{public}/sms/care/receipts?m=1", at=at)).status_code == 200
    validator = RequestValidator(twilio.token)
    (path, headers, body), (_, headers_2, body_2) = heard.requests
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    assert (path, form["Body"], form["From"], form["MessageSid"]) == ("/sms/care", each.text, AMIR, each.id)
    assert validator.validate(f"{public}/sms/care", form, headers["x-twilio-signature"])
    assert not validator.validate(f"{public}/sms/care", {**form, "Body": "other"}, headers["x-twilio-signature"])
    receipt = dict(parse_qsl(body_2.decode(), keep_blank_values=True))
    assert (receipt["MessageStatus"], receipt["MessageSid"]) == ("delivered", twilio.sent[0].id)
    assert validator.validate(f"{public}/sms/care/receipts?m=1", receipt, headers_2["x-twilio-signature"])
    assert urlsplit(form["MediaUrl0"]).path.startswith(f"/2010-04-01/Accounts/{twilio.account_sid}/Messages/{each.id}/Media/ME")


async def test_notify_tells_what_it_has_with_the_token_we_chose(notify: Notify) -> None:
    heard, (port,) = _Heard(), free_ports(1)
    at = f"http://127.0.0.1:{port}"
    each = notify.write(AMIR, "Helo 👋")
    async with public_port(WebSettings(public=f"127.0.0.1:{port}"), [heard.door()]):
        await notify.forward(each, f"{at}/sms/care")
        await _send_to(notify)
        await notify.report(notify.sent[0], "permanent-failure", f"{at}/sms/care/receipts")
    (_, headers, body), (_, _, body_2) = heard.requests
    assert headers["authorization"] == f"Bearer {notify.bearer}"
    told = json.loads(body)
    assert told.keys() == {"id", "source_number", "destination_number", "message", "date_received"}
    assert (told["id"], told["source_number"], told["message"]) == (each.id, AMIR[1:], "Helo 👋")
    receipt = json.loads(body_2)
    assert (receipt["id"], receipt["status"], receipt["notification_type"]) == (notify.sent[0].id, "permanent-failure", "sms")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2)),
        *(("ŵ" * 70, 1), ("ŵ" * 71, 2), ("👋" * 35, 1), ("👋" * 36, 2), ("ŵ" * 135, 3)),
    ],
)
def test_parts_are_counted_as_networks_charge_them(text: str, number: int) -> None:
    assert parts(text) == number
