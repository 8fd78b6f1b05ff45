"""What is sent by text reaches the provider once, whatever the provider or the network does, and nobody in the night."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import trustme
from prometheus_client import REGISTRY
from pydantic import SecretStr

from channels.sending import Accepted, Connection, Deferred, Failed, Outcome, Trouble, Unknown
from channels.sms import send
from channels.sms.look import look
from channels.sms.send import way_out
from channels.sms.settings import SmsAccount
from channels.table import ways_out
from ingest.clock import now
from ingest.contract import Audience, Outgoing, OutgoingKind
from ingest.settings import Settings
from tests.servers.providers import DROP, HANG, Notify, Provider, Twilio, serving

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PUBLIC = "https://contact.example.org"
MESSAGE = Outgoing(
    id=UUID(int=7), kind=OutgoingKind.ACKNOWLEDGEMENT, audience=Audience.PERSON, channel="sms", account="care",
    recipient="+447700900123", subject="", body="We have your message. Ref CC-7F3KQ-92QXA. & = + % €", message_id=str(UUID(int=7)),
    created_at=NOON, due=NOON + timedelta(hours=48),
)  # fmt: skip


def settings() -> Settings:
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    return Settings(key="7f3a91c04be82d6659d1e07ab34c8f20", teams=team, web={"public_url": PUBLIC})  # type: ignore[arg-type]


def account(provider: Provider, **changed: Any) -> SmsAccount:
    own: dict[str, Any] = {"number": "+441632960111", "api": provider.url}
    match provider:
        case Twilio():
            own |= {"provider": "twilio", "account_sid": provider.account_sid, "token": provider.token}
        case Notify():
            own |= {"provider": "notify", "bearer": "b" * 32, "api_key": provider.api_key, "template": provider.template}
        case _:
            raise AssertionError(provider)
    return SmsAccount(**{**own, **changed})


def connection_to(provider: Provider, **changed: Any) -> Connection:
    made = way_out("care", account(provider, **changed), settings=settings())
    assert made is not None
    return made


KINDS: list[Callable[[], Provider]] = [Twilio, Notify]
each_provider = pytest.mark.parametrize("make", KINDS, ids=["twilio", "notify"])


@asynccontextmanager
async def reached(make: Callable[[], Provider], **changed: Any) -> AsyncGenerator[tuple[Provider, Connection]]:
    async with serving(make()) as provider:
        connection = connection_to(provider, **changed)
        yield provider, connection
        await connection.close()


@each_provider
async def test_an_accepted_message_is_with_the_provider_once_with_its_words_as_they_are(make: Callable[[], Provider]) -> None:
    async with reached(make) as (provider, connection):
        assert await connection.send(MESSAGE, NOON) == Accepted()
        assert [(each.number, each.text) for each in provider.sent] == [("+447700900123", MESSAGE.body)]
        assert await connection.asked(MESSAGE) == Accepted()


async def test_twilio_is_told_where_to_say_what_became_of_it_under_our_public_address_and_its_id() -> None:
    async with reached(Twilio) as (provider, connection):
        await connection.send(MESSAGE, NOON)
        (sent,) = provider.sent
    assert sent.receipts == f"{PUBLIC}/sms/care/receipts?of={MESSAGE.id}"


async def test_notify_is_given_our_id_to_say_what_became_of_it() -> None:
    async with reached(Notify) as (provider, connection):
        await connection.send(MESSAGE, NOON)
        (sent,) = provider.sent
    assert sent.reference == str(MESSAGE.id)


async def test_a_messaging_service_chooses_the_number_where_one_is_set() -> None:
    async with serving(Twilio(ours={"+441632960999": ""})) as provider:  # From our number would be refused
        connection = connection_to(provider, messaging_service="MG" + "0" * 32)
        assert await connection.send(MESSAGE, NOON) == Accepted()
        await connection.close()


async def test_each_request_to_notify_has_a_token_made_for_it() -> None:
    """One made when the connection was would be refused half a minute later."""
    async with reached(Notify) as (provider, connection):
        start = provider.clock()
        provider.clock = lambda: start
        assert await connection.send(MESSAGE, NOON) == Accepted()
        provider.clock = lambda: start + timedelta(seconds=31)
        assert await connection.check() == Deferred("server-refused: 403", Trouble.ACCOUNT)
        provider.clock = lambda: start + timedelta(seconds=1)
        assert await connection.send(MESSAGE, NOON) == Accepted()


ANSWERS: list[tuple[Callable[[], Provider], int | str, Outcome]] = [
    (Twilio, 401, Deferred("server-refused: 401", Trouble.ACCOUNT)),
    (Twilio, 403, Deferred("server-refused: 403", Trouble.ACCOUNT)),
    (Twilio, 404, Deferred("sender-refused: 404 20404", Trouble.ACCOUNT)),
    (Twilio, 429, Deferred("too-many: 429", Trouble.ACCOUNT)),
    (Twilio, 500, Deferred("server-failed: 500", Trouble.CONNECTION)),
    (Twilio, 503, Deferred("server-failed: 503", Trouble.CONNECTION)),
    (Twilio, DROP, Unknown("connection-lost")),
    (Notify, 400, Failed("message-refused: 400 BadRequestError")),
    (Notify, 401, Deferred("server-refused: 401", Trouble.ACCOUNT)),
    (Notify, 403, Deferred("server-refused: 403", Trouble.ACCOUNT)),
    (Notify, 429, Deferred("too-many: 429", Trouble.ACCOUNT)),
    (Notify, 500, Deferred("server-failed: 500", Trouble.CONNECTION)),
    (Notify, DROP, Unknown("connection-lost")),
]


@pytest.mark.parametrize(("make", "answer", "outcome"), ANSWERS, ids=lambda each: getattr(each, "__name__", str(each)))
async def test_an_answer_of_the_provider_becomes_an_outcome_and_the_next_message_goes(
    make: Callable[[], Provider], answer: int | str, outcome: Outcome
) -> None:
    async with reached(make) as (provider, connection):
        provider.to_send.append(answer)
        assert await connection.send(MESSAGE, NOON) == outcome
        assert await connection.send(MESSAGE, NOON) == Accepted()


@pytest.mark.parametrize(
    ("recipient", "changed", "outcome"),
    [
        ("not a number", {}, Failed("recipient-refused: 400 21211")),
        ("+447700900999", {}, Failed("recipient-refused: 400 21610")),
        ("+447700900123", {"number": "+441632960222"}, Deferred("sender-refused: 400 21659", Trouble.ACCOUNT)),
        ("+447700900123", {"token": "another"}, Deferred("server-refused: 401", Trouble.ACCOUNT)),
    ],
    ids=["no number", "somebody who wrote STOP", "a number that is not ours", "another token"],
)
async def test_twilio_on(recipient: str, changed: dict[str, Any], outcome: Outcome) -> None:
    async with serving(Twilio(stopped={"+447700900999"})) as provider:
        connection = connection_to(provider, **changed)
        assert await connection.send(MESSAGE.model_copy(update={"recipient": recipient}), NOON) == outcome
        await connection.close()


@pytest.mark.parametrize(
    ("recipient", "template", "outcome"),
    [
        ("+442079460000", "((message))", Failed("recipient-refused: 400 ValidationError")),
        ("+447700900123", "((message)) ((name))", Deferred("template-wrong", Trouble.ACCOUNT)),
        ("+447700900123", None, Deferred("not-found: 404", Trouble.ACCOUNT)),
    ],
    ids=["a landline", "a template that wants more than the words", "a template that is gone"],
)
async def test_notify_on(recipient: str, template: str | None, outcome: Outcome) -> None:
    async with reached(Notify) as (provider, connection):
        assert isinstance(provider, Notify)
        provider.templates = {provider.template: template} if template else {}
        assert await connection.send(MESSAGE.model_copy(update={"recipient": recipient}), NOON) == outcome
        assert provider.sent == []


@each_provider
async def test_silence_after_the_message_is_unknown_and_the_provider_then_knows_it(
    make: Callable[[], Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "ANSWER_SECONDS", 0.3)
    async with reached(make) as (provider, connection):
        provider.to_send.append(HANG)
        assert await connection.send(MESSAGE, NOON) == Unknown("no-answer")
        assert await connection.asked(MESSAGE) == Accepted()
        assert len(provider.sent) == 1


@each_provider
async def test_what_the_provider_never_had_it_cannot_tell(make: Callable[[], Provider]) -> None:
    async with reached(make) as (_, connection):
        await connection.send(MESSAGE.model_copy(update={"id": UUID(int=8), "body": "Another."}), NOON)
        assert await connection.asked(MESSAGE) is None


@each_provider
async def test_somebodys_own_words_to_us_are_not_taken_for_ours(make: Callable[[], Provider]) -> None:
    async with reached(make) as (provider, connection):
        assert isinstance(provider, Twilio | Notify)
        provider.write(MESSAGE.recipient, MESSAGE.body)
        assert await connection.asked(MESSAGE) is None


@pytest.mark.parametrize(
    ("make", "status"),
    [(Twilio, "failed"), (Twilio, "undelivered"), (Notify, "permanent-failure"), (Notify, "technical-failure")],
)
async def test_what_the_provider_could_not_deliver_meanwhile_has_failed(make: Callable[[], Provider], status: str) -> None:
    async with reached(make) as (provider, connection):
        await connection.send(MESSAGE, NOON)
        provider.sent[0] = replace(provider.sent[0], status=status)
        assert await connection.asked(MESSAGE) == Failed(f"undelivered: {status}")
        await connection.send(MESSAGE, NOON)
        assert await connection.asked(MESSAGE) == Accepted(), "one copy of it is on its way"


@each_provider
@pytest.mark.parametrize("answer", [500, 401, DROP])
async def test_a_provider_that_cannot_be_asked_now_is_asked_later(make: Callable[[], Provider], answer: int | str) -> None:
    async with reached(make) as (provider, connection):
        await connection.send(MESSAGE, NOON)
        provider.to_ask.append(answer)
        assert isinstance(await connection.asked(MESSAGE), Deferred)
        assert await connection.asked(MESSAGE) == Accepted()


@each_provider
async def test_a_provider_that_is_down_is_unreachable_and_found_again_when_it_is_back(make: Callable[[], Provider]) -> None:
    async with reached(make) as (provider, connection):
        await provider.stop()
        assert await connection.send(MESSAGE, NOON) == Deferred("unreachable", Trouble.CONNECTION)
        await provider.start()
        assert await connection.send(MESSAGE, NOON) == Accepted()


async def answered(raw: bytes, message: Outgoing = MESSAGE) -> tuple[Outcome, Outcome | None]:
    """What comes of sending to, and asking, a server that answers everything with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    provider = Twilio(port=server.sockets[0].getsockname()[1])
    connection = connection_to(provider)
    try:
        return await connection.send(message, NOON), await connection.asked(message)
    finally:
        await connection.close()
        server.close()


def http(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers))
    return head.encode() + b"\r\n\r\n" + body


async def test_a_redirect_is_followed_nowhere() -> None:
    sent, _ = await answered(http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:1/"))
    assert sent == Deferred("redirected: 307", Trouble.ACCOUNT)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b"null", b"[1]", b'{"messages": 7}', b'{"messages": [7]}', b"x" * 3_000_000]
)
async def test_an_answer_that_is_not_as_it_should_be_tells_nothing(body: bytes) -> None:
    assert await answered(http("200 OK", body)) == (Accepted(), None)
    refused, _ = await answered(http("400 Bad Request", body))
    assert refused == Failed("message-refused: 400")


async def test_an_answer_that_is_no_http_may_have_followed_the_sending() -> None:
    assert (await answered(b"SSH-2.0-x\r\n"))[0] == Unknown("connection-lost")


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said() -> None:
    import ssl

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    server = await asyncio.start_server(hear, "127.0.0.1", ssl=context)
    port = server.sockets[0].getsockname()[1]
    connection = connection_to(Twilio(), api=f"https://localhost:{port}")
    assert await connection.send(MESSAGE, NOON) == Deferred("certificate-refused", Trouble.ACCOUNT)
    await connection.close()
    server.close()
    assert heard == []


@each_provider
async def test_in_quiet_hours_nothing_is_said_to_the_provider_and_it_may_go_when_they_end(make: Callable[[], Provider]) -> None:
    async with reached(make, quiet="21:00-08:00") as (provider, connection):
        night, morning = NOON.replace(hour=23), NOON.replace(day=3, hour=8)
        assert await connection.send(MESSAGE, night) == Deferred("quiet-hours", Trouble.MESSAGE, morning)
        assert provider.asked == []
        assert await connection.send(MESSAGE, morning) == Accepted()
        late = MESSAGE.model_copy(update={"due": morning - timedelta(minutes=1)})
        assert await connection.send(late, night) == Accepted()


@each_provider
async def test_checking_sends_nothing_and_says_whether_it_could(make: Callable[[], Provider]) -> None:
    async with reached(make) as (provider, connection):
        assert await connection.check() is None
        provider.refusing = 401
        assert await connection.check() == Deferred("server-refused: 401", Trouble.ACCOUNT)
        assert provider.sent == []


async def said_of(account: SmsAccount) -> tuple[bool, str]:
    """What `ingest check` says of what goes out."""
    found = await look("care", account, clock=now, settings=settings())
    (out,) = [each for each in found if each.about == "channels.sms.care out"]
    return out.well, out.sentence


@each_provider
async def test_a_check_says_that_an_account_could_send_and_what_a_part_costs(make: Callable[[], Provider]) -> None:
    async with serving(make()) as provider:
        assert await said_of(account(provider, price_per_part="0.0395")) == (
            True,
            f"{account(provider).provider} would send what we write from +441632960111, at 0.0395 GBP a part.",
        )
        assert provider.sent == []


@pytest.mark.parametrize(
    ("make", "changed", "said"),
    [
        (Twilio, {"token": "another"}, "mend token or api_key. (server-refused: 401)"),
        (Notify, {"api_key": "rubbish"}, "Copy it whole, with its two ids. (api-key-malformed)"),
        (Notify, {"template": str(UUID(int=1))}, "Check account_sid or template. (not-found: 404)"),
        (Twilio, {"api": "http://127.0.0.1:1"}, "Check api, and that a firewall lets us out to it. (unreachable)"),
    ],
    ids=["another token", "no key of Notify's", "no such template", "nobody there"],
)
async def test_a_check_says_where_to_mend(make: Callable[[], Provider], changed: dict[str, Any], said: str) -> None:
    async with serving(make()) as provider:
        well, sentence = await said_of(account(provider, **changed))
    assert not well
    assert sentence.endswith(said)


async def test_a_check_says_that_the_template_is_wrong() -> None:
    async with serving(Notify()) as provider:
        provider.templates = {provider.template: "Dear ((name)), ((message))"}
        well, sentence = await said_of(account(provider))
    assert not well
    assert "((message))" in sentence


async def test_a_check_says_that_nothing_is_sent_where_that_is_meant() -> None:
    async with serving(Notify()) as provider:
        assert await said_of(account(provider, template=None)) == (
            True,
            "Nothing is sent from +441632960111: template is not set.",
        )


@each_provider
async def test_parts_are_counted_as_they_are_charged(make: Callable[[], Provider]) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("sms_parts_total", {"account": "care"}) or 0

    before = counted()
    async with reached(make) as (provider, connection):
        await connection.send(MESSAGE.model_copy(update={"body": "ŵ" * 71}), NOON)
        provider.to_send.append(429)
        await connection.send(MESSAGE, NOON)
    assert counted() - before == 2


async def test_a_key_that_is_none_of_notifys_is_told_before_anything_is_said() -> None:
    async with reached(Notify, api_key="rubbish") as (provider, connection):
        assert await connection.send(MESSAGE, NOON) == Deferred("api-key-malformed", Trouble.ACCOUNT)
        assert provider.asked == []


def test_an_account_that_only_takes_in_is_none_that_sends() -> None:
    number = "+441632960111"
    notify: dict[str, Any] = {"provider": "notify", "bearer": SecretStr("b" * 32), "api_key": SecretStr("k")}
    found = {
        ("sms", "vonage"): SmsAccount(provider="vonage", number=number, token=SecretStr("t")),
        ("sms", "no-template"): SmsAccount(number=number, **notify),
        ("sms", "notify"): SmsAccount(number=number, **notify, template=str(UUID(int=1))),
    }
    assert list(ways_out(found, settings())) == [("sms", "notify")]
