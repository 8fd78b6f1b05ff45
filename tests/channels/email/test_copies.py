"""The same mail in two mailboxes, or twice in one: both are kept, and one of them is answered."""

import shutil
from pathlib import Path

import pytest

from channels.email.copies import fingerprint
from ingest.state import receipts
from tests.channels.email.conftest import AccountOf, Office, count, mail, settled, until
from tests.servers.dovecot import Dovecot
from tests.servers.imap import ImapServer

LETTER = b"Message-ID: <letter@example.net>\r\n" + mail("To you all")


@pytest.fixture
def register_url(tmp_path: Path, empty_register: Path) -> str:
    """Copies are the same whatever the register is."""
    return f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"


def delivered(raw: bytes, to: str) -> bytes:
    """As a server delivers it."""
    return f"Delivered-To: {to}\r\nReceived: from a by b for <{to}>;\r\n\tMon, 2 Mar 2026 09:00:00 +0000\r\n".encode() + raw


@pytest.mark.needs("dovecot")
async def test_a_mail_to_two_mailboxes_is_kept_in_both_and_answered_once(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    for each in ("care", "complaints"):
        dovecot.deliver(user + each, delivered(LETTER, f"{each}@example.org"))
        dovecot.deliver(user + each, mail(f"Only to {each}"))
    async with (
        office.taking_in(account(user=user + "care"), "care"),
        office.taking_in(account(user=user + "complaints"), "complaints"),
    ):
        contacts = await office.until(4)
        await settled(office, 4)
    copies = [each for each in contacts if each.subject == "To you all"]
    (answered,) = (each for each in copies if not each.acknowledged)
    (second,) = (each for each in copies if each.acknowledged)
    assert {each.account for each in copies} == {"care", "complaints"}
    assert second.warnings == (
        f"same-mail: it came before, as contact {answered.id}, which is answered; nothing is sent about this one by itself",
    )
    assert answered.warnings == ()
    assert not any(each.acknowledged for each in contacts if each not in copies)


async def test_a_mail_delivered_twice_is_kept_twice_and_says_the_same_when_it_is_read_again(office: Office):
    server = ImapServer({1: delivered(LETTER, "care@example.org"), 2: delivered(LETTER, "help@example.org")})
    async with server.account() as account:
        async with office.taking_in(account):
            await settled(office, 2)
        server.uid_validity, server.mails = 2, {1: server.mails[2], 2: server.mails[1]}
        async with office.taking_in(account):
            await settled(office, 4)
    before, after = (await office.contacts())[:2], (await office.contacts())[2:]
    assert [(each.id, each.acknowledged, each.warnings) for each in before] == [
        (each.id, each.acknowledged, each.warnings) for each in reversed(after)
    ]
    assert [each.acknowledged for each in before] == [False, True]


async def test_the_same_bytes_twice_in_a_folder_or_in_another_folder_are_one_contact(office: Office):
    server = ImapServer({1: LETTER, 2: LETTER})
    async with server.account() as account:
        async with office.taking_in(account):
            await settled(office, 2)
        async with office.taking_in(account.model_copy(update={"folder": "Archive"})):
            await settled(office, 4)
    assert {(each.id, each.acknowledged) for each in await office.contacts()} == {((await office.contacts())[0].id, False)}
    assert await count(office, receipts) == 1


async def test_the_same_message_id_over_other_words_is_another_mail(office: Office):
    other = LETTER.replace(b"Nobody has answered me.", b"Somebody has answered me.")
    server = ImapServer({1: LETTER, 2: other})
    async with server.account() as account, office.taking_in(account):
        await until(lambda: count(office, receipts), lambda found: found == 2)
    assert not any(each.acknowledged for each in await office.contacts())


def test_a_fingerprint_is_of_what_the_sender_wrote() -> None:
    assert fingerprint(delivered(LETTER, "a@example.org")) == fingerprint(delivered(LETTER, "much.longer@example.org"))
    large = LETTER + b"x" * 1_000_000
    assert fingerprint(delivered(large, "a@example.org")) == fingerprint(large)
    for written in (b"From: Ann", b"To you all", b"letter@", b"answered"):
        assert fingerprint(LETTER.replace(written, written + b"e")) != fingerprint(LETTER)
    assert fingerprint(mail()) is fingerprint(b"Message-ID: <>\r\n\r\nx") is fingerprint(b"") is None
