"""Mail comes in from servers that are worse than Dovecot: whatever they do costs a moment, and never a mail."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.email.ingress import Pace
from ingest.state import receipts
from tests.channels.email.conftest import Office, count, counted, digest, errors, mail, settled, until, waiting
from tests.servers.imap import BYE, DROP, NEVER, ImapServer

NEVER_POLLED = timedelta(hours=1)
HURRIED = Pace(call=0.2, pause=0.01, longest_pause=0.05, again=0.05)
COMMANDS = [b"greeting", b"LOGIN", b"CAPABILITY", b"SELECT", b"NOOP", b"UID SEARCH", b"UID FETCH", b"UID STORE"]


@pytest.fixture
def register_url(tmp_path: Path, empty_register: Path) -> str:
    """A mail server's faults are the same whatever the register is."""
    return f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"


def two() -> ImapServer:
    return ImapServer({1: mail("First"), 2: mail("Second")})


async def subjects(office: Office) -> list[str | None]:
    return [each.subject for each in await office.contacts()]


# --- what it does to the connection


@pytest.mark.parametrize("command", COMMANDS, ids=bytes.decode)
@pytest.mark.parametrize("fault", [DROP, BYE], ids=bytes.decode)
async def test_a_connection_lost_at_any_command_costs_a_moment(office: Office, command: bytes, fault: bytes):
    server = two()
    server.answers[command] = [fault] if command != b"greeting" else [b"* BYE too many of you" if fault == BYE else DROP]
    pace = Pace(call=60.0 if fault == DROP or command != b"greeting" else 0.5, pause=0.01)
    async with server.account() as account, office.taking_in(account, pace=pace):
        await settled(office, 2)
    assert (await subjects(office), server.seen) == (["First", "Second"], {1, 2})


@pytest.mark.parametrize("command", COMMANDS, ids=bytes.decode)
async def test_a_server_that_stays_and_answers_nothing_is_given_up_at_the_deadline(office: Office, command: bytes):
    server = two()
    server.answers[command] = [NEVER]
    before = errors("imap-deadline")
    async with server.account() as account, office.taking_in(account, pace=HURRIED):
        await settled(office, 2)
    assert (await subjects(office), errors("imap-deadline")) == (["First", "Second"], before + 1)


@pytest.mark.parametrize("fault", [DROP, NEVER, b"told nothing", b"goodbye"], ids=bytes.decode)
async def test_a_server_that_goes_while_we_wait_for_news_is_found_again(office: Office, fault: bytes):
    server = two()
    server.capabilities = b"IMAP4rev1 IDLE"
    async with server.account(poll_every=NEVER_POLLED) as account, office.taking_in(account, pace=HURRIED):
        await settled(office, 2)
        await asyncio.wait_for(server.idle.wait(), 5)
        server.mails[3] = mail("Third")
        if fault in (DROP, NEVER):
            server.answers[b"DONE"] = [fault]
            server.tell(b"* 3 EXISTS\r\n")
        elif fault == b"goodbye":
            server.goodbye()
        else:
            server.cut()
        await settled(office, 3)
    assert await subjects(office) == ["First", "Second", "Third"]


BURST = b"* 1 FETCH (FLAGS (\\Seen))\r\n* 9 EXPUNGE\r\n* OK still here\r\n" * 1_000


@pytest.mark.parametrize("at", [b"SELECT", b"NOOP", b"UID SEARCH", b"UID FETCH", b"UID STORE"], ids=bytes.decode)
async def test_a_burst_of_three_thousand_lines_does_not_end_the_connection(office: Office, at: bytes):
    server = two()
    server.beside[at] = BURST
    before = errors("imap-lost"), errors("imap-deadline")
    async with server.account(poll_every=NEVER_POLLED) as account, office.taking_in(account):
        await settled(office, 2)
    assert (await subjects(office), (errors("imap-lost"), errors("imap-deadline"))) == (["First", "Second"], before)


async def test_a_burst_in_idle_does_not_end_the_connection(office: Office):
    server = two()
    server.capabilities = b"IMAP4rev1 IDLE"
    before = errors("imap-lost")
    async with server.account(poll_every=NEVER_POLLED) as account, office.taking_in(account):
        await settled(office, 2)
        await asyncio.wait_for(server.idle.wait(), 5)
        server.tell(BURST)
        server.arrives(3, mail("Third"))
        await settled(office, 3)
    assert (await subjects(office), errors("imap-lost")) == (["First", "Second", "Third"], before)


async def test_a_quiet_mailbox_is_left_alone_until_the_next_poll(office: Office):
    server = two()
    async with server.account(poll_every=NEVER_POLLED) as account, office.taking_in(account):
        await settled(office, 2)
        await asyncio.sleep(0.3)
        assert server.commands.count(b"NOOP") == 1


# --- what it will not do


@pytest.mark.parametrize("answer", [b"NO [INUSE] another has it open", b"BAD what"], ids=bytes.decode)
@pytest.mark.parametrize("command", COMMANDS[1:], ids=bytes.decode)
async def test_a_command_that_is_refused_for_now_is_given_again(office: Office, command: bytes, answer: bytes):
    server = two()
    server.answers[command] = [answer]
    async with server.account() as account, office.taking_in(account, pace=HURRIED):
        await settled(office, 2)
    assert (await subjects(office), server.seen) == (["First", "Second"], {1, 2})


@pytest.mark.parametrize("answer", [b"NO [OVERQUOTA] full", b"NO [NOPERM] no", b"NO [READ-ONLY] no", NEVER], ids=bytes.decode)
async def test_mail_that_cannot_be_flagged_is_taken_in_once_all_the_same(office: Office, answer: bytes):
    server = two()
    server.always[b"UID STORE"] = answer
    async with server.account() as account, office.taking_in(account, pace=HURRIED):
        await office.until(2)
        await until(
            lambda: _of(server.commands.count(b"LOGOUT") + sum(each.startswith(b"UID STORE") for each in server.commands)),
            lambda n: n > 3,
        )
        assert server.seen == set()
        server.always.clear()
        await settled(office, 2)
    assert (await subjects(office), await count(office, receipts)) == (["First", "Second"], 2)


async def test_a_server_that_turns_us_away_for_now_is_no_wrong_password(office: Office):
    server = two()
    server.answers[b"LOGIN"] = [b"NO [LIMIT] too many connections"]
    before = errors("imap-unavailable"), errors("imap-login")
    async with server.account() as account, office.taking_in(account):
        await settled(office, 2)
    assert (errors("imap-unavailable"), errors("imap-login")) == (before[0] + 1, before[1])


async def test_a_mail_that_is_refused_again_and_again_is_asked_for_less_and_less_often(office: Office):
    server = ImapServer({1: mail("Refused"), 2: mail("Other")})
    server.refused = {1}
    before = errors("not-fetched")
    async with server.account() as account, office.taking_in(account, pace=Pace(call=2.0, again=3600.0)):
        await counted("not-fetched", more_than=before + 1)
        await asyncio.sleep(0.5)
        assert (server.fetched.count(1), waiting()) == (2, 1)
    assert await subjects(office) == ["Other"]


async def test_a_mail_that_costs_the_connection_each_time_keeps_no_other_out(office: Office):
    server = ImapServer({1: mail("Deadly"), 2: mail("Second"), 3: mail("Third")})
    server.always[b"UID FETCH 1 (UID BODY"] = DROP
    async with server.account() as account, office.taking_in(account):
        await settled(office, 2)
        assert waiting() == 1
        server.arrives(4, mail("Fourth"))
        await settled(office, 3)
        server.always.clear()
        await settled(office, 4)
    assert await subjects(office) == ["Second", "Third", "Fourth", "Deadly"]


# --- what it says of a mail


async def test_a_mail_cut_short_by_the_loss_of_the_connection_comes_in_whole(office: Office):
    server = ImapServer({1: mail("Whole", "word " * 10_000), 2: mail("Other")})
    server.cut_in_the_middle = {1}
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(2)
    assert {each.original for each in contacts} == {digest(raw) for raw in server.mails.values()}
    assert await count(office, receipts) == 2


async def test_a_mail_that_is_shorter_than_its_size_is_asked_for_again(office: Office):
    server = ImapServer({1: mail("Whole", "word " * 10_000), 2: mail("Other")})
    server.short_at_first = {1}
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(2)
    assert {each.original for each in contacts} == {digest(raw) for raw in server.mails.values()}


async def test_a_size_that_is_only_an_estimate_is_no_hindrance(office: Office):
    server = ImapServer({1: mail("Estimated"), 2: mail("Other")})
    server.sizes = {1: 4_321}
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(2)
    assert [each.original for each in contacts] == [digest(raw) for raw in server.mails.values()]


async def test_news_of_other_mails_amid_an_answer_is_not_taken_for_it(office: Office):
    server = ImapServer({1: mail("One"), 2: mail("Two")})
    server.beside[b"UID FETCH"] = b"* 2 FETCH (FLAGS (\\Seen))\r\n* 7 EXPUNGE\r\n* 9 EXISTS\r\n"
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(2)
    assert [each.original for each in contacts] == [digest(raw) for raw in server.mails.values()]


async def test_a_body_in_quotes_is_taken_in_whole_or_not_at_all(office: Office):
    server = ImapServer(
        {1: b'Subject: \\ and "quoted"', 2: b"Subject: 2 * 3 is what the library makes 23 of", 3: mail("Other")}
    )
    server.quoted = {1, 2}
    before = errors("not-fetched")
    async with server.account() as account, office.taking_in(account):
        contacts = await office.until(2)
        await counted("not-fetched", more_than=before + 1)
    assert {each.original for each in contacts} == {digest(server.mails[1]), digest(server.mails[3])}
    assert (waiting(), 2 in server.seen) == (1, False)


async def test_what_looks_like_the_protocol_within_a_mail_or_an_answer_is_none(office: Office):
    server = ImapServer(
        {1: mail("a * b * 3 EXISTS", "* 5 EXISTS\r\n* BYE\r\nA1 OK done\r\n+ go on\r\n* 1 FETCH (UID 9 BODY[] {4}\r\n")}
    )
    server.beside = {b"SELECT": b"* OK [ALERT] a * b * c\r\n* FLAGS (a * b)\r\n", b"UID FETCH": b'* LIST () "/" "a * b"\r\n'}
    async with server.account() as account, office.taking_in(account):
        await settled(office, 1)
    assert [each.original for each in await office.contacts()] == [digest(server.mails[1])]


# --- people who work in the mailbox while it is read


@pytest.mark.parametrize(
    "before", [b"UID FETCH 1,2", b"UID FETCH 1 (UID BODY", b"UID STORE"], ids=["described", "fetched", "flagged"]
)
async def test_a_mail_that_somebody_moves_away_before_it_is_read_keeps_no_other_out(office: Office, before: bytes):
    server = two()

    def somebody_moves_it() -> None:
        del server.mails[1]
        server.tell(b"* 1 EXPUNGE\r\n")

    server.on[before] = somebody_moves_it
    async with server.account() as account, office.taking_in(account):
        await until(lambda: _of((2 in server.seen, waiting())), lambda found: found == (True, 0))
    expected = ["First", "Second"] if before == b"UID STORE" else ["Second"]
    assert await subjects(office) == expected


async def test_what_somebody_flags_while_it_is_read_is_taken_in_once(office: Office):
    server = two()
    server.on[b"UID FETCH"] = lambda: server.seen.update({1, 2})
    async with server.account() as account, office.taking_in(account):
        await settled(office, 2)
        server.seen.clear()  # and marked as unread again
        await until(lambda: _of(server.commands.count(b"NOOP")), lambda found: found > 3)
    assert (await subjects(office), await count(office, receipts)) == (["First", "Second"], 2)


# --- when all is numbered anew


async def test_a_folder_that_is_renumbered_between_two_looks_gives_the_same_contacts_again(office: Office):
    server = two()
    async with server.account() as account:
        async with office.taking_in(account):
            await settled(office, 2)
        server.uid_validity, server.mails = 2, {1: server.mails[2], 7: server.mails[1], 9: mail("Third")}
        async with office.taking_in(account):
            await settled(office, 5)
    assert len({each.id for each in await office.contacts()}) == await count(office, receipts) == 3


async def test_a_folder_that_is_renumbered_within_a_look_is_entered_anew(office: Office):
    server = two()

    def renumbered() -> None:
        server.uid_validity, server.mails = 2, {1: mail("Third"), 2: server.mails[1], 3: server.mails[2]}
        server.tell(b"* OK [UIDVALIDITY 2] restored\r\n")

    server.on[b"UID FETCH 2 (UID BODY"] = renumbered
    async with server.account() as account, office.taking_in(account):
        await settled(office, 3)
    assert set(await subjects(office)) == {"First", "Second", "Third"}
    assert await count(office, receipts) == 3


# --- one that lets in by a token


async def _of(found: Any) -> Any:
    return found
