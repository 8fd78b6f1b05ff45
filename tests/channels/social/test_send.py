"""Replies reach a portal that speaks Standard Webhooks, and whatever it does with them is an outcome and never an exception."""

import asyncio
import hashlib
import hmac
import http.server
import json
import ssl
import threading
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import trustme
from pydantic import SecretStr

from channels.sending import Accepted, Connection, Deferred, Failed, Trouble, Unknown
from channels.social import send
from channels.social.send import way_out
from channels.social.settings import Hmac
from ingest.contract import Audience, Outgoing, OutgoingKind, Post
from tests.channels.social.conftest import account
from tests.servers.loopback import free_ports
from tests.servers.portal import DROP, HANG, Portal, running_portal

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FIXED = "Thank you. You can reach us on 0300 123 4567, and at https://contact.ombudsman.example/.\n— Customer Care 🌻"


def invitation(number: int = 1, **changed: Any) -> Outgoing:
    return Outgoing(
        id=UUID(int=number), kind=OutgoingKind.INVITATION, audience=Audience.PERSON, channel="social", account="care",
        recipient="@GwenPryce", subject="", body=FIXED, message_id=str(UUID(int=number)), in_reply_to="1790001",
        post=Post(network="x", thread_id="1790001", private_way=True), private=False, language="en", created_at=NOW,
        due=NOW + timedelta(hours=48),
    ).model_copy(update=changed)  # fmt: skip


@pytest.fixture
async def connection(portal: Portal) -> AsyncGenerator[Connection]:
    it = way_out("care", account(replies=portal.replies))
    assert it is not None
    yield it
    await it.close()


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_reply_is_posted_signed_and_its_words_are_as_they_were(portal: Portal, connection: Connection):
    assert await connection.send(invitation(), now()) == Accepted()
    assert portal.refused == 0
    assert portal.posted == [
        {
            "id": str(UUID(int=1)), "post_id": "1790001", "thread_id": "1790001", "network": "x", "handle": "@GwenPryce",
            "private": False, "text": FIXED, "language": "en",
        }
    ]  # fmt: skip
    ((method, headers, body),) = portal.requests
    assert (method, headers["webhook-id"], headers["content-type"]) == ("POST", str(UUID(int=1)), "application/json")
    assert json.loads(body)["type"] == "reply.create"
    assert datetime.fromisoformat(json.loads(body)["timestamp"]).tzinfo


async def test_a_private_reply_says_that_it_is(portal: Portal, connection: Connection):
    await connection.send(invitation(private=True, language="cy"), now())
    assert (portal.posted[0]["private"], portal.posted[0]["language"]) == (True, "cy")


async def test_the_same_message_again_is_the_same_reply(portal: Portal, connection: Connection):
    for later in range(3):
        assert await connection.send(invitation(), now() + timedelta(seconds=later)) == Accepted()
    await connection.send(invitation(2), now())
    assert [each["id"] for each in portal.posted] == [str(UUID(int=1)), str(UUID(int=2))]


@pytest.mark.parametrize("silence", [DROP, HANG])
async def test_after_a_lost_answer_nobody_knows_and_sending_again_makes_no_second(
    portal: Portal, connection: Connection, silence: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(send, "_ANSWER_SECONDS", 0.5)
    portal.answers.append(silence)
    outcome = await connection.send(invitation(), now())
    assert outcome == Unknown("connection-lost" if silence == DROP else "no-answer")
    assert await connection.asked(invitation()) is None
    assert await connection.send(invitation(), now()) == Accepted()
    assert len(portal.posted) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, Accepted()), (202, Accepted()), (204, Accepted()),
        (404, Failed("post-gone: 404")), (409, Failed("post-gone: 409")), (410, Failed("post-gone: 410")),
        (400, Failed("reply-refused: 400")), (422, Failed("reply-refused: 422")),
        (401, Deferred("portal-refused-us: 401", Trouble.ACCOUNT)), (403, Deferred("portal-refused-us: 403", Trouble.ACCOUNT)),
        (429, Deferred("portal-busy: 429", Trouble.ACCOUNT)), (500, Deferred("portal-failed: 500", Trouble.MESSAGE)),
        (503, Deferred("portal-away: 503", Trouble.CONNECTION)),
    ],
)  # fmt: skip
async def test_each_answer_means_what_it_says(portal: Portal, connection: Connection, answer: int, outcome: Any):
    portal.answers.append(answer)
    assert await connection.send(invitation(), now()) == outcome


async def test_a_reply_to_a_post_that_is_gone_fails_for_good(portal: Portal, connection: Connection):
    portal.deleted.add("1790001")
    assert await connection.send(invitation(), now()) == Failed("post-gone: 410")


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ("120", NOW + timedelta(minutes=2)),
        ("Mon, 02 Mar 2026 09:40:00 GMT", NOW + timedelta(minutes=10)),
        ("999999999999999", NOW + timedelta(hours=6)),
        ("86400", NOW + timedelta(hours=6)),
        ("Mon, 02 Mar 2020 09:40:00 GMT", NOW),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_when_to_come_back_is_as_the_portal_says_within_reason(told: str, until: datetime | None):
    assert send._until(told, NOW) == until


async def test_a_busy_portal_says_when(portal: Portal, connection: Connection):
    portal.answers.append((429, {"Retry-After": "60"}))
    at = now()
    assert await connection.send(invitation(), at) == Deferred("portal-busy: 429", Trouble.ACCOUNT, at + timedelta(seconds=60))
    portal.answers.append((503, {"Retry-After": "60"}))
    assert await connection.send(invitation(), at) == Deferred("portal-away: 503", Trouble.ACCOUNT, at + timedelta(seconds=60))


async def test_no_redirect_is_followed(portal: Portal, connection: Connection):
    with running_portal() as elsewhere:
        portal.answers.append((307, {"Location": elsewhere.replies}))
        assert await connection.send(invitation(), now()) == Deferred("portal-redirects: 307", Trouble.ACCOUNT)
        assert elsewhere.requests == []


async def test_where_nobody_listens_it_waits_and_goes_when_the_portal_is_back():
    (port,) = free_ports(1)
    it = send.Connection(account(replies=f"http://127.0.0.1:{port}/replies"))
    assert await it.send(invitation(), now()) == Deferred("unreachable", Trouble.CONNECTION)
    assert await it.check() == Deferred("unreachable", Trouble.CONNECTION)
    with running_portal(port=port) as back:
        assert await it.send(invitation(), now()) == Accepted()
        await it.close()
        assert len(back.posted) == 1


async def test_what_answers_no_post_and_a_portal_without_a_way_to_reply_fail_at_once(portal: Portal, connection: Connection):
    assert await connection.send(invitation(post=None), now()) == Failed("no-post")
    assert await connection.send(invitation(in_reply_to=None), now()) == Failed("no-post")
    assert await send.Connection(account()).send(invitation(), now()) == Failed("no-way-to-reply")
    assert way_out("care", account()) is None
    assert portal.requests == []


async def test_a_portal_with_a_scheme_of_its_own_is_answered_by_it(portal: Portal):
    portal.answers.append(200)
    scheme = Hmac(header="X-Sig", prefix="v0=", signed="v0:{timestamp}:{body}", timestamp_header="X-At")
    it = send.Connection(account(replies=portal.replies, secret=SecretStr("a secret of the portal's"), hmac=scheme))
    assert await it.send(invitation(), now()) == Accepted()
    await it.close()
    ((_, headers, body),) = portal.requests
    assert headers["webhook-id"] == str(UUID(int=1))
    expected = hmac.new(b"a secret of the portal's", f"v0:{headers['x-at']}:".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-sig"] == f"v0={expected}"


async def test_a_certificate_that_nobody_here_trusts_is_refused_and_one_of_the_named_authority_is_not(tmp_path: Path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    class Here(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(405)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library calls it
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Here)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"https://127.0.0.1:{server.server_address[1]}/replies"
    try:
        unknown = send.Connection(account(replies=url))
        assert await unknown.check() == Deferred("certificate-refused", Trouble.ACCOUNT)
        assert await unknown.send(invitation(), now()) == Deferred("certificate-refused", Trouble.ACCOUNT)
        known = send.Connection(account(replies=url, ca_file=str(tmp_path / "ca.pem")))
        assert await known.check() is None
        await known.close()
        lost = send.Connection(account(replies=url, ca_file=str(tmp_path / "no.pem")))
        assert await lost.check() == Deferred("certificate-refused: ca_file", Trouble.ACCOUNT)
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


async def test_a_check_reaches_the_portal_and_sends_nothing(portal: Portal, connection: Connection):
    assert await connection.check() is None
    assert [each[0] for each in portal.requests] == ["HEAD"]
    portal.answers.append(503)
    assert await connection.check() == Deferred("portal-away: 503", Trouble.CONNECTION)
    portal.answers.append((308, {"Location": "https://elsewhere.example/"}))
    assert await connection.check() == Deferred("portal-redirects: 308", Trouble.ACCOUNT)
    assert portal.posted == []
