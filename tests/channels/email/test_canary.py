"""A mail to ourselves goes all the way round, is seen to come back, and is nobody's contact."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from channels.email.canary import HEADER, compose_canary, sent_when
from channels.email.settings import EmailAccount
from ingest.clock import now
from ingest.state import canaries, mail_ledger
from tests.channels.email.conftest import AccountOf, Office, count, counted, errors, mail, settled, until
from tests.channels.email.test_send import ACCOUNT
from tests.servers.dovecot import Dovecot
from tests.servers.imap import ImapServer
from tests.servers.smtp import SmtpServer, smtp_server

KEY = b"k" * 32
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OFTEN = timedelta(milliseconds=300)


@pytest.fixture
def register_url(tmp_path: Path, empty_register: Path) -> str:
    """Canaries are the same whatever the register is."""
    return f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"


def age_of(name: str = "care") -> float | None:
    return REGISTRY.get_sample_value("email_canary_timestamp_seconds", {"account": name})


def sending(account: EmailAccount, server: SmtpServer) -> EmailAccount:
    changed = {"smtp": server.address, "smtp_security": "none", "smtp_login": False, "canary_every": OFTEN}
    return account.model_copy(update=changed)


def delivering(server: SmtpServer, deliver: Callable[[bytes], object]) -> None:
    """What the server takes is delivered, with what servers on the way write above it."""

    def delivered() -> None:
        deliver(b"Return-Path: <care@example.org>\r\nReceived: from us by them; " + b"x" * 80 + b"\r\n" + server.taken[-1].raw)

    server.on_taken = delivered


async def rounds(office: Office) -> datetime | None:
    async with office.database.read() as connection:
        return await connection.scalar(select(canaries.c.came_round))


@pytest.mark.needs("dovecot")
async def test_one_that_comes_round_is_counted_and_taken_out_of_the_mailbox_again(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    office.clock = now
    dovecot.deliver(user, mail("A person's"))
    async with smtp_server() as server:
        delivering(server, lambda raw: dovecot.deliver(user, raw))
        async with office.taking_in(sending(account(poll_every=OFTEN), server)):
            await office.until(1)
            first = await until(lambda: rounds(office), lambda found: found is not None)
            await until(lambda: rounds(office), lambda found: found > first, seconds=20)
            await settled(office, 3)
        assert set(server.recipients()) == {"care@example.org"}
    assert age_of() == (await rounds(office)).timestamp()  # type: ignore[union-attr]
    assert [each.subject for each in await office.contacts()] == ["A person's"]
    assert len(dovecot.flags(user)) - await count(office, mail_ledger, mail_ledger.c.settled.is_(False)) <= 2


async def test_one_that_does_not_come_back_before_the_next_is_an_alarm(office: Office):
    office.clock = now
    late, lost = errors("canary-late"), errors("imap-lost")
    async with smtp_server() as server, ImapServer().account() as account, office.taking_in(sending(account, server)):
        await counted("canary-late", more_than=late)
    assert (age_of(), errors("imap-lost")) == (0, lost)


async def test_one_that_cannot_be_sent_is_told_and_not_tried_again_at_once(office: Office):
    office.clock = now
    before = errors("canary-not-sent")
    async with smtp_server() as server, ImapServer().account() as account:
        server.to_sender = ["535 5.7.8 no"] * 50
        chosen = sending(account, server).model_copy(update={"canary_every": timedelta(hours=1)})
        async with office.taking_in(chosen):
            await counted("canary-not-sent", more_than=before)
    assert errors("canary-not-sent") == before + 1


async def test_whatever_goes_wrong_with_one_the_mailbox_is_read(office: Office):
    office.clock = now
    before = errors("unforeseen")
    server = ImapServer({1: mail("A person's")})
    async with server.account() as account:
        chosen = account.model_copy(update={"canary_every": OFTEN, "smtp": "no server at all"})
        async with office.taking_in(chosen):
            await counted("unforeseen", more_than=before)
            await settled(office, 1)


async def test_a_start_soon_after_another_sends_none(office: Office):
    async with smtp_server() as server, ImapServer().account() as account:
        chosen = sending(account, server).model_copy(update={"canary_every": timedelta(hours=1)})
        for _ in range(2):
            async with office.taking_in(chosen):
                await until(lambda: _count(server), lambda found: found > 0)
    assert len(server.taken) == 1


async def _count(server: SmtpServer) -> int:
    return len(server.taken)


async def test_what_only_looks_like_one_is_somebodys_mail(office: Office):
    ours = compose_canary("care", ACCOUNT, KEY, AT).as_bytes()
    forged = ours.replace(f"{HEADER}: ".encode(), f"{HEADER}: 1".encode())
    of_another = compose_canary("complaints", ACCOUNT, KEY, AT).as_bytes()
    quoted = mail("Fwd: Does mail come in?") + ours
    server = ImapServer({1: forged, 2: of_another, 3: quoted, 4: ours + b"x" * 70_000, 5: ours})
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(4)
        await settled(office, 5)
    assert len(contacts) == 4


def test_a_canary_is_known_by_its_key_whatever_is_written_above_it() -> None:
    raw = compose_canary("care", ACCOUNT, KEY, AT).as_bytes()
    assert sent_when(b"Received: by them\r\n" + raw, "care", KEY) == AT
    assert sent_when(raw.replace(b"\r\n", b"\n"), "care", KEY) == AT
    assert sent_when(raw, "care", b"j" * 32) is None
    assert sent_when(b"", "care", KEY) is None
