"""Mail goes out with the right headers, over the wire as settings say, and every answer becomes the right outcome."""

import ssl
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from channels.email import send
from channels.email.send import Accepted, Connection, Deferred, Failed, Trouble, Unknown, compose, returns_to
from channels.email.settings import EmailAccount
from ingest.contract import Audience, Outgoing, OutgoingKind
from ingest.errors import Refused
from ingest.ids import bounced_by
from tests.servers.smtp import DROP, HANG, SmtpServer, smtp_server

# Its own advice to whoever runs it as a server, for the one test that logs in over implicit TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ACCOUNT = EmailAccount(
    host="localhost", user="care", password=SecretStr("secret"), smtp="localhost:25", smtp_security="none", smtp_login=False,
    sender="care@example.org", sender_name="Gofal Cwsmeriaid, Tŷ",
)  # fmt: skip
MESSAGE = Outgoing(
    id=UUID(int=1), kind=OutgoingKind.ACKNOWLEDGEMENT, audience=Audience.PERSON, channel="email", account="care",
    recipient="sian@example.com", subject="We have your message / Rydym wedi cael eich neges [CC-7F3KQ-92QXA]",
    body="Diolch i chi, Siân.\n.\nA line of its own dot above.\n", message_id="<1@example.org>", in_reply_to="<letter@example.com>",
    references=("<first@example.com>", "<letter@example.com>"), created_at=NOW, due=NOW,
)  # fmt: skip


def account(server: SmtpServer, **changed: object) -> EmailAccount:
    return ACCOUNT.model_copy(update={"smtp": server.address, **changed})


def message(**changed: object) -> Outgoing:
    return MESSAGE.model_copy(update=changed)


def test_an_acknowledgement_has_the_headers_that_keep_robots_quiet_and_threads_whole() -> None:
    composed = compose(MESSAGE, ACCOUNT, NOW)
    assert dict(composed.items()) == {
        "Date": "Mon, 02 Mar 2026 09:30:00 +0000",
        "From": '"Gofal Cwsmeriaid, Tŷ" <care@example.org>',
        "To": "sian@example.com",
        "Subject": "We have your message / Rydym wedi cael eich neges [CC-7F3KQ-92QXA]",
        "Message-ID": "<1@example.org>",
        "In-Reply-To": "<letter@example.com>",
        "References": "<first@example.com> <letter@example.com>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }


TOKEN = "mZDmljF_WBaVN4k31-pafwBpxN7gUuQ4C3mYgkP4nUwE2RtLdA"


@pytest.mark.parametrize(
    ("sender", "takes_tags", "reply_to", "in_the_subject"),
    [
        ("care@example.org", True, f"care+{TOKEN}@example.org", False),
        ("care@example.org", False, None, True),
        ("customer.contact.centre@example.org", True, None, True),
    ],
    ids=["takes tags", "takes none", "would be too long"],
)
def test_the_token_of_an_answer_is_in_the_address_that_takes_it_or_else_in_the_subject(
    sender: str, takes_tags: bool, reply_to: str | None, in_the_subject: bool
) -> None:
    ours = ACCOUNT.model_copy(update={"sender": sender, "plus_addresses": takes_tags})
    composed = BytesParser(policy=default).parsebytes(compose(message(reply_token=TOKEN), ours, NOW).as_bytes())
    assert (
        [each.addr_spec for each in composed["Reply-To"].addresses] == [reply_to] if reply_to else composed["Reply-To"] is None
    )
    assert composed["From"].addresses[0].addr_spec == sender
    assert composed["Subject"] == (f"{MESSAGE.subject} [{TOKEN}]" if in_the_subject else MESSAGE.subject)


def test_without_a_token_answers_come_to_the_address_that_sent_it() -> None:
    assert compose(MESSAGE, ACCOUNT.model_copy(update={"plus_addresses": True}), NOW)["Reply-To"] is None


@pytest.mark.parametrize("kind", [OutgoingKind.HANDOFF, OutgoingKind.TASK, OutgoingKind.DIGEST])
def test_a_notice_to_our_own_people_says_that_nobody_asked_for_it(kind: OutgoingKind) -> None:
    assert compose(message(kind=kind, audience=Audience.STAFF), ACCOUNT, NOW)["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("ending", ["\r\nBcc: all@example.com", "\nx", "\rx", "\0"])
@pytest.mark.parametrize("header", ["subject", "recipient", "message_id", "in_reply_to", "reply_token"])
def test_a_line_end_in_any_header_is_refused(header: str, ending: str) -> None:
    with pytest.raises(Refused) as refused:
        compose(message(**{header: (getattr(MESSAGE, header) or TOKEN) + ending}), ACCOUNT, NOW)
    assert refused.value.reason == "header-refused"


def test_a_line_end_in_the_references_is_refused() -> None:
    with pytest.raises(Refused):
        compose(message(references=("<a@b>\r\nBcc: <all@example.com>",)), ACCOUNT, NOW)


@pytest.mark.parametrize(
    "recipient", ["", "@", "nobody", "a@b.org,c@d.org", "<a@b.org>", "Ann <a@b.org>", "siân@b.org", "a b@c.org", "a@b\u2028c", "a@", "a@..org"]
)  # fmt: skip
def test_what_is_not_one_address_is_refused(recipient: str) -> None:
    with pytest.raises(Refused) as refused:
        compose(message(recipient=recipient), ACCOUNT, NOW)
    assert refused.value.reason == "recipient-refused"


def test_an_international_host_is_written_in_ascii() -> None:
    assert compose(message(recipient="a@bücher.example"), ACCOUNT, NOW)["To"] == "a@xn--bcher-kva.example"


def test_long_message_ids_are_neither_encoded_nor_broken_and_malformed_ones_are_left_out() -> None:
    long = f"<{'a' * 200}@example.com>"
    raw = compose(message(in_reply_to=long, references=("rubbish", long, long)), ACCOUNT, NOW).as_bytes()
    assert f"In-Reply-To: {long}\r\n".encode() in raw
    assert f"References: {long}\r\n {long}\r\n".encode() in raw
    assert b"rubbish" not in raw


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_words_arrive_as_they_were_in_lines_that_every_server_takes(body: str) -> None:
    raw = compose(message(body=body), ACCOUNT, NOW).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    read = BytesParser(policy=default).parsebytes(raw).get_content()  # type: ignore[attr-defined]
    lines = body.encode().splitlines()  # of bytes: CR and LF alone end a line, as in mail
    assert read.replace("\r\n", "\n").encode() == (b"\n".join(lines) or b"") + b"\n"


async def test_an_accepted_message_arrives_for_its_recipient_alone_and_the_connection_is_kept() -> None:
    async with smtp_server() as server:
        connection = Connection(account(server))
        assert [await connection.send(MESSAGE, NOW) for _ in range(3)] == [Accepted()] * 3
        await connection.close()
    assert server.connections == 1
    assert server.recipients() == ["sian@example.com"] * 3
    taken = server.taken[0]
    assert taken.sender == "care@example.org"
    assert taken.message["Message-ID"] == "<1@example.org>"
    assert taken.message.get_content() == MESSAGE.body.replace("\n", "\r\n")


KEY = b"a key that only these tests know of"


async def test_where_plus_addresses_reach_us_the_envelope_names_the_message_and_nothing_that_a_person_sees_does() -> None:
    async with smtp_server() as server:
        connection = Connection(account(server, plus_addresses=True), KEY)
        assert [await connection.send(message(id=UUID(int=each)), NOW) for each in (1, 2)] == [Accepted()] * 2
        await connection.close()
    locals_, hosts = zip(*(each.sender.split("@") for each in server.taken), strict=True)
    assert set(hosts) == {"example.org"}
    assert [bounced_by(KEY, each.removeprefix("care+b-")) for each in locals_] == [UUID(int=1), UUID(int=2)]
    assert {each.message["From"].addresses[0].addr_spec for each in server.taken} == {"care@example.org"}


def test_a_mailbox_whose_name_leaves_no_room_sends_from_itself() -> None:
    long = ACCOUNT.model_copy(update={"plus_addresses": True, "sender": f"{'c' * 20}@example.org"})
    assert returns_to(MESSAGE, long, KEY) == long.sender
    short = long.model_copy(update={"sender": f"{'c' * 19}@example.org"})
    assert len(returns_to(MESSAGE, short, KEY).partition("@")[0]) == 64


@pytest.mark.parametrize(
    ("where", "answer", "outcome"),
    [
        ("to_sender", "550 5.7.60 may not send as this", Deferred("sender-refused: 550 5.7.60", Trouble.ACCOUNT)),
        ("to_sender", "530 5.7.0 log in first", Deferred("sender-refused: 530 5.7.0", Trouble.ACCOUNT)),
        ("to_recipient", "450 4.7.1 greylisted", Deferred("recipient-refused: 450 4.7.1", Trouble.MESSAGE)),
        ("to_recipient", "421 4.7.0 too many", Deferred("recipient-refused: 421 4.7.0", Trouble.CONNECTION)),
        ("to_recipient", "550 5.1.1 <sian@example.com> unknown", Failed("recipient-refused: 550 5.1.1")),
        ("to_recipient", "550 no", Failed("recipient-refused: 550")),
        ("to_message", "451 4.3.0 later", Deferred("message-refused: 451 4.3.0", Trouble.MESSAGE)),
        ("to_message", "554 5.7.1 looks like spam", Failed("message-refused: 554 5.7.1")),
        ("to_message", DROP, Unknown("connection-lost")),
    ],
)
async def test_an_answer_of_the_server_becomes_an_outcome_and_the_next_message_goes(
    where: str, answer: str, outcome: object
) -> None:
    async with smtp_server() as server:
        getattr(server, where).append(answer)
        connection = Connection(account(server))
        assert await connection.send(MESSAGE, NOW) == outcome
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await connection.close()


async def test_silence_after_the_message_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "TAKEN_SECONDS", 0.2)
    async with smtp_server() as server:
        server.to_message.append(HANG)
        connection = Connection(account(server))
        assert await connection.send(MESSAGE, NOW) == Unknown("no-answer")
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await connection.close()


async def test_a_server_that_is_down_is_unreachable_and_found_again_when_it_is_back() -> None:
    async with smtp_server() as server:
        connection = Connection(account(server))
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await server.stop()
        assert await connection.send(MESSAGE, NOW) in (
            Deferred("unreachable", Trouble.CONNECTION),
            Deferred("connection-lost", Trouble.CONNECTION),
        )
        assert await connection.send(MESSAGE, NOW) == Deferred("unreachable", Trouble.CONNECTION)
        await server.start()
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await connection.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def certificate(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_encrypted_and_logged_in(security: str, authority: trustme.CA, ca_file: Path) -> None:
    wanted = {"smtp_security": security, "smtp_login": True, "ca_file": str(ca_file)}
    async with smtp_server(
        login=("care", "secret"),
        tls=certificate(authority, "localhost"),
        security=security,  # type: ignore[arg-type]
    ) as server:
        connection = Connection(account(server, **wanted))
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await connection.close()
        assert server.taken[0].over_tls
        wrong = Connection(account(server, **wanted, password=SecretStr("guess")))
        assert await wrong.send(MESSAGE, NOW) == Deferred("server-refused: 535 5.7.8", Trouble.ACCOUNT)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["another host", "unknown authority", "no such file"])
async def test_a_certificate_that_proves_nothing_gets_neither_password_nor_mail(
    security: str, fault: str, authority: trustme.CA, ca_file: Path
) -> None:
    host = "elsewhere.example.org" if fault == "another host" else "localhost"
    trusted = {"another host": str(ca_file), "unknown authority": None, "no such file": "/nowhere/ca.pem"}[fault]
    async with smtp_server(
        login=("care", "secret"),
        tls=certificate(authority, host),
        security=security,  # type: ignore[arg-type]
    ) as server:
        connection = Connection(account(server, smtp_security=security, smtp_login=True, ca_file=trusted))
        assert await connection.send(MESSAGE, NOW) == Deferred("certificate-refused", Trouble.ACCOUNT)
        assert server.taken == []


async def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    async with smtp_server() as server:
        connection = Connection(account(server, smtp_security="starttls"))
        assert await connection.send(MESSAGE, NOW) == Deferred("no-starttls-or-login", Trouble.ACCOUNT)
        assert server.taken == []


async def test_what_cannot_be_composed_fails_without_troubling_the_server() -> None:
    async with smtp_server() as server:
        connection = Connection(account(server))
        assert await connection.send(message(subject="a\r\nBcc: b@c.org"), NOW) == Failed("header-refused")
        assert await connection.send(message(recipient="nobody"), NOW) == Failed("recipient-refused")
        assert server.connections == 0
