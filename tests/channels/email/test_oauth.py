"""A mailbox is opened, and mail sent, by an access token of an app's own; whoever refuses one is told of within a minute."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from channels.email.ingress import Pace, survey
from channels.email.look import look
from channels.email.oauth import Tokens
from channels.email.send import Connection
from channels.email.settings import EmailAccount, OAuth
from channels.sending import Accepted, Deferred, Trouble
from ingest.errors import Misconfigured, Unavailable
from tests.channels.email.conftest import Office, counted, errors, mail, settled
from tests.channels.email.test_send import MESSAGE, NOW
from tests.servers.imap import NEVER, ImapServer
from tests.servers.oauth import TokenServer, token_server
from tests.servers.smtp import smtp_server

# aiosmtpd's own advice to whoever runs it as a server.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

MINUTE = Pace(call=2.0, pause=0.05)
"""As it is by default, but for how long an answer may take."""


@pytest.fixture
def register_url(tmp_path: Path, empty_register: Path) -> str:
    """Tokens are the same whatever the register is."""
    return f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"


@pytest.fixture
async def tokens(tmp_path: Path) -> AsyncGenerator[TokenServer]:
    async with token_server(tmp_path) as server:
        yield server


def taking(tokens: TokenServer) -> ImapServer:
    """A mail server that believes the tokens of that one."""
    server = ImapServer({1: mail("First"), 2: mail("Second")})
    server.capabilities = b"IMAP4rev1 AUTH=XOAUTH2 SASL-IR"
    server.tokens = tokens.given  # type: ignore[assignment]
    return server


def of(tokens: TokenServer, **other: Any) -> dict[str, Any]:
    """The settings of an account, as far as they are about tokens."""
    return {"oauth": tokens.settings(**other), "ca_file": str(tokens.ca_file)}


async def test_mail_comes_in_by_a_token_that_is_asked_for_once(office: Office, tokens: TokenServer):
    server = taking(tokens)
    async with server.account(**of(tokens)) as account, office.taking_in(account):
        await settled(office, 2)
        server.cut()
        server.arrives(3, mail("Third"))
        await settled(office, 3)
    assert [each["scope"] for each in tokens.asked] == ["https://outlook.office365.com/.default"]
    assert {each["grant_type"] for each in tokens.asked} == {"client_credentials"}


async def test_a_token_near_its_end_is_not_used_again(office: Office, tokens: TokenServer):
    server = taking(tokens)
    tokens.lasts = 200  # msal leaves the last five minutes out
    async with server.account(**of(tokens)) as account, office.taking_in(account):
        await settled(office, 2)
        server.cut()
        server.arrives(3, mail("Third"))
        await settled(office, 3)
    assert len(tokens.given) == 2


async def test_a_token_the_mail_server_refuses_is_told_at_once_and_another_asked_for(office: Office, tokens: TokenServer):
    server = taking(tokens)
    server.tokens = set()
    before = errors("imap-login")
    async with server.account(**of(tokens)) as account:
        async with office.taking_in(account, pace=MINUTE):
            async with asyncio.timeout(10):
                await counted("imap-login", more_than=before)
            await asyncio.sleep(0.3)
            assert (server.challenges, errors("imap-login")) == (1, before + 1)  # and not hammered
        found = await survey("care", account, database=office.database, clock=office.clock, pace=MINUTE)
        assert (found.reachable, "that the app may open this mailbox by IMAP" in found.sentence) == (False, True)
        server.tokens = tokens.given  # type: ignore[assignment]
        async with office.taking_in(account, pace=Pace(call=2.0, pause=0.05, longest_pause=0.1)):
            await settled(office, 2)


async def test_a_mail_server_that_never_answers_a_token_is_told_at_the_deadline(office: Office, tokens: TokenServer):
    server = taking(tokens)
    server.answers[b"AUTHENTICATE"] = [NEVER]
    before = errors("imap-deadline")
    async with server.account(**of(tokens)) as account, office.taking_in(account, pace=Pace(call=0.3, pause=0.05)):
        await settled(office, 2)
    assert errors("imap-deadline") == before + 1


@pytest.mark.parametrize(
    ("wrong", "reason", "says"),
    [
        ({"client_secret": "run out"}, "oauth-refused", "gives the-app no token (invalid_client)"),
        ({"tenant": "elsewhere.example"}, "oauth-refused", "Check oauth.tenant"),
        ({"authority": "https://localhost:1"}, "oauth-unreachable", "Check oauth.authority"),
    ],
    ids=["secret", "tenant", "authority"],
)
async def test_a_refusal_of_the_server_of_tokens_says_what_to_do(
    office: Office, tokens: TokenServer, wrong: dict[str, str], reason: str, says: str
):
    async with taking(tokens).account(**of(tokens, **wrong)) as account:
        before = errors(reason)
        async with office.taking_in(account, pace=MINUTE):
            await counted(reason, more_than=before)
    async with smtp_server(tokens=[]) as sending, taking(tokens).account(**of(tokens, **wrong)) as account:
        chosen = account.model_copy(update={"smtp": sending.address, "smtp_security": "none"})
        within, without = await look("care", chosen, database=office.database, clock=office.clock)
    assert (within.well, says in within.sentence) == (False, True)
    assert (without.well, f"({reason})" in without.sentence) == (False, True)


async def test_a_server_of_tokens_that_hangs_is_given_up_at_the_deadline(tokens: TokenServer):
    tokens.hangs = True
    with pytest.raises(Unavailable) as caught:
        await Tokens(OAuth(**tokens.settings()), str(tokens.ca_file), seconds=0.6).token()
    assert caught.value.reason == "oauth-unreachable"


async def test_a_certificate_does_instead_of_a_secret(tokens: TokenServer, tmp_path: Path):
    pem = tmp_path / "app.pem"
    trustme.CA().issue_cert("app.example.org", key_type=trustme.KeyType.RSA).private_key_and_cert_chain_pem.write_to_path(
        str(pem)
    )
    oauth = OAuth(**tokens.settings(client_secret=None, certificate_file=str(pem)))
    assert await Tokens(oauth, str(tokens.ca_file)).token() == tokens.given[-1]
    assert "client_assertion" in tokens.asked[0]
    pem.write_text("no key")
    with pytest.raises(Misconfigured):
        await Tokens(oauth, str(tokens.ca_file)).token()


async def test_mail_goes_out_by_a_token_too(tokens: TokenServer):
    async with smtp_server(tokens=tokens.given) as server:
        account = account_of(server.address, tokens)
        connection = Connection(account)
        assert await connection.send(MESSAGE, NOW) == Accepted()
        await connection.close()
        tokens.given.clear()
        outcome = await Connection(account).send(MESSAGE, NOW)
        assert outcome == Accepted()
        assert server.recipients() == [MESSAGE.recipient] * 2


async def test_a_token_the_sending_server_refuses_is_the_accounts_trouble(tokens: TokenServer):
    async with smtp_server(tokens=[]) as server:
        outcome = await Connection(account_of(server.address, tokens)).send(MESSAGE, NOW)
    assert isinstance(outcome, Deferred)
    assert (outcome.trouble, outcome.reason) == (Trouble.ACCOUNT, "server-refused: 535 5.7.8")


def account_of(smtp: str, tokens: TokenServer) -> EmailAccount:
    given: dict[str, Any] = {"host": "localhost", "user": "care", "smtp": smtp, "smtp_security": "none", **of(tokens)}
    return EmailAccount(**given, sender="care@example.org")


LEAST: dict[str, Any] = {"host": "h.example", "user": "care", "smtp": "s.example:587", "sender": "care@example.org"}
APP = {"tenant": "example.org", "client_id": "the-app"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"password": "p", "oauth": APP | {"client_secret": "s"}},
        {"oauth": APP},
        {"oauth": APP | {"client_secret": "s", "certificate_file": "app.pem"}},
        {"oauth": APP | {"client_secret": "s", "authority": "http://login.example.org"}},
    ],
    ids=["neither", "both", "no secret", "two secrets", "in the clear"],
)
def test_a_mailbox_is_opened_by_a_password_or_by_a_token_and_never_in_the_clear(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        EmailAccount(**LEAST, **wrong)
