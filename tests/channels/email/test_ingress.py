"""Mail comes in from a real Dovecot: once, whole, and whatever the connection does meanwhile."""

import asyncio
import itertools
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from prometheus_client import REGISTRY
from sqlalchemy import Table, select

from channels.email.ingress import Pace, survey
from channels.email.signatures import Signatures
from ingest.errors import Refused, Unavailable
from ingest.ids import contact_id
from ingest.state import mail_ledger, mailboxes, receipts
from tests.channels.email.conftest import (
    OFTEN,
    QUICK,
    AccountOf,
    Office,
    count,
    counted,
    digest,
    errors,
    mail,
    polled,
    settled,
    until,
    waiting,
)
from tests.conftest import FIXED
from tests.servers.dns import dns_server
from tests.servers.dovecot import Dovecot

NEVER_POLLED = timedelta(hours=1)
LAST_YEAR = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)

# --- what comes in


@pytest.mark.needs("dovecot")
async def test_each_of_two_hundred_mails_comes_in_once_and_byte_for_byte(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    delivered = [mail(f"Number {each}", "\r\n".join(["Dear team,"] * each)) for each in range(200)]
    for raw in delivered:
        dovecot.deliver(user, raw)
    async with office.taking_in(account(poll_every=OFTEN)):
        await office.until(200)
        await settled(office, 200)
    contacts = await office.contacts()
    assert sorted(each.original for each in contacts) == sorted(map(digest, delivered))
    assert {digest(await office.originals.get(each.original)) for each in contacts} == set(map(digest, delivered))
    assert dovecot.flags(user) == ["S"] * 200
    assert waiting() == 0


HOSTILE = {
    "untagged lines": b"* 5 EXISTS\r\n* 1 EXPUNGE\r\n* BYE\r\na * b * c\r\n",
    "tagged lines": b"A1 OK done\r\nABCD1 BAD no\r\n+ idling\r\n",
    "closing brackets": b")\r\n))))\r\n)\r\nA2 OK FETCH completed\r\n",
    "opening brackets": b"(((((((((\r\n* 1 FETCH (UID 1 BODY[] {4}\r\n",
    "a literal's length at the end of a line": b"see {1000000}\r\n{5}\r\nBODY[] {3}\r\n",
    "quotes and backslashes": b'"\\"\\\\" \\r\\n " {\r\n',
    "eight bits": bytes(range(128, 256)) * 8 + b"\r\n",
    "a lone carriage return": b"one\rtwo\r\r\n",
    "no line end at the end": b"no end",
    "one line of a megabyte": b"x" * 1_000_000 + b"\r\n",
    "five thousand untagged lines": b"* 1 EXPUNGE\r\n" * 5_000,
    "five thousand empty lines": b"\r\n" * 5_000,
}


@pytest.mark.needs("dovecot")
async def test_a_body_that_looks_like_the_protocol_comes_in_byte_for_byte(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    delivered = {name: mail(name) + body for name, body in HOSTILE.items()}
    for raw in delivered.values():
        dovecot.deliver(user, raw)
    async with office.taking_in(account()):
        contacts = await office.until(len(delivered))
    found = {each.original for each in contacts}
    assert [name for name, raw in delivered.items() if digest(raw) not in found] == []


@pytest.mark.needs("dovecot")
@pytest.mark.parametrize("raw", [b"", b"\r\n", b"Subject: only a header\r\n\r\n"], ids=["no bytes", "a line end", "no body"])
async def test_a_mail_with_no_content_is_a_contact_all_the_same(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str, raw: bytes
):
    dovecot.deliver(user, raw)
    async with office.taking_in(account()):
        contacts = await office.until(1)
    assert [(each.original, each.id) for each in contacts] == [(digest(raw), contact_id("email", "care", digest(raw)))]


@pytest.mark.needs("dovecot")
async def test_of_a_mail_over_the_limit_the_beginning_is_kept_and_the_contact_says_so(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    large, other = mail("Large", "All of it matters.\r\n" * 20_000), mail("Another")
    dovecot.deliver(user, large)
    dovecot.deliver(user, other)
    async with office.taking_in(account(most_message_bytes=65_536)):
        first, second = await office.until(2)
    assert await office.originals.get(first.original) == large[:65_536]
    assert any(each.startswith("cut:") and str(len(large)) in each for each in first.warnings)
    assert (second.original, second.warnings) == (digest(other), ())


@pytest.mark.needs("dovecot")
async def test_a_signature_is_looked_up_where_that_is_asked_for_and_mail_goes_on_where_the_dns_is_away(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("channels.email.signatures.DEADLINE_SECONDS", 0.5)
    key = generate_private_key(65537, 2048)
    letter = b"From: ann@example.net\r\nSubject: A complaint\r\n\r\nNobody has answered me.\r\n"
    second = letter.replace(b"Nobody", b"Still nobody")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    signed, again = (dkim.sign(each, b"s1", b"example.net", pem) + each for each in (letter, second))
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    async with dns_server() as server:
        server.texts["s1._domainkey.example.net"] = [f"v=DKIM1; p={b64encode(der).decode()}"]
        looking = Signatures(server.resolver())
        async with office.taking_in(account(check_dkim=True), signatures=looking):
            dovecot.deliver(user, signed)
            await office.until(1)
            server.silent = True
            dovecot.deliver(user, again)
            await office.until(2)
        async with office.taking_in(account(check_dkim=False), "other", signatures=looking):
            contacts = await office.until(4)
    said = {(each.account, each.original): each.sender.identifiers[0].verified_by for each in contacts}
    assert said.pop(("care", digest(signed))) == "dkim"
    assert list(said.values()) == [None] * 3


@pytest.mark.needs("dovecot")
async def test_a_mail_of_forty_megabytes_comes_in_whole_and_keeps_no_other_out(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    large = mail("Large", "All of it matters, and * some ( of it { looks like the protocol.\r\n" * 640_000)
    for raw in (mail("Before"), large, mail("After")):
        dovecot.deliver(user, raw)
    async with office.taking_in(account(), pace=Pace(call=20.0)):
        contacts = await until(office.contacts, lambda found: len(found) == 3, seconds=60)
    assert len(large) > 40_000_000
    assert digest(large) in {each.original for each in contacts}
    assert {each.subject for each in contacts} == {"Before", "Large", "After"}


@pytest.mark.needs("dovecot")
async def test_several_mailboxes_are_each_taken_in_under_their_own_name(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    for each in ("care", "complaints", "cwynion"):
        dovecot.deliver(user + each, mail(each))
        dovecot.deliver(user + each, mail("The same to all"))
    async with (
        office.taking_in(account(user=user + "care"), "care"),
        office.taking_in(account(user=user + "complaints"), "complaints"),
        office.taking_in(account(user=user + "cwynion"), "cwynion"),
    ):
        contacts = await office.until(6)
    assert sorted((each.account, each.subject) for each in contacts) == sorted(
        (each, subject) for each in ("care", "complaints", "cwynion") for subject in (each, "The same to all")
    )
    assert len({each.id for each in contacts}) == 6


@pytest.mark.needs("dovecot")
async def test_what_a_person_has_opened_flagged_or_marked_for_deletion_is_taken_in_too(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    for flags in ("S", "F", "ST", None):
        dovecot.deliver(user, mail(f"With {flags}"), flags=flags)
    async with office.taking_in(account()):
        contacts = await office.until(4)
    assert {each.subject for each in contacts} == {"With S", "With F", "With ST", "With None"}


# --- when it comes in


@pytest.mark.needs("dovecot")
async def test_idle_brings_a_mail_without_a_poll(office: Office, account: AccountOf, dovecot: Dovecot, user: str):
    async with office.taking_in(account(poll_every=NEVER_POLLED)):
        for each in range(1, 4):
            dovecot.deliver(user, mail(f"Number {each}"))
            await office.until(each)


@pytest.mark.needs("dovecot")
async def test_a_server_without_idle_is_polled(office: Office, account: AccountOf, modest_dovecot: Dovecot, user: str):
    async with office.taking_in(account(modest_dovecot, poll_every=OFTEN)):
        for each in range(1, 4):
            modest_dovecot.deliver(user, mail(f"Number {each}"))
            await office.until(each)


@pytest.mark.needs("dovecot")
async def test_idle_is_begun_afresh_before_the_server_may_end_it(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("First"))
    async with office.taking_in(account(poll_every=NEVER_POLLED), pace=Pace(call=2.0, idle=0.05)):
        await office.until(1)
        await asyncio.sleep(0.5)
        dovecot.deliver(user, mail("Second"))
        await office.until(2)


@pytest.mark.needs("dovecot")
async def test_received_is_when_the_mailbox_had_it_and_never_later_than_now(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Earlier"), internal_date=FIXED - timedelta(days=3))
    dovecot.deliver(user, mail("From a clock that is ahead"), internal_date=FIXED + timedelta(hours=2))
    async with office.taking_in(account()):
        contacts = await office.until(2)
    assert [(each.subject, each.received_at) for each in contacts] == [
        ("Earlier", FIXED - timedelta(days=3)),
        ("From a clock that is ahead", FIXED),
    ]


# --- the ledger


@pytest.mark.needs("dovecot")
async def test_mail_older_than_the_first_start_is_taken_in_with_sending_off(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Old"), internal_date=LAST_YEAR)
    async with office.taking_in(account()):
        await office.until(1)
    dovecot.deliver(user, mail("Come since"), internal_date=FIXED)
    dovecot.deliver(user, mail("Moved in by hand"), internal_date=LAST_YEAR)
    async with office.taking_in(account()):
        contacts = await office.until(3)
    assert [(each.subject, each.backfill) for each in contacts] == [
        ("Old", True),
        ("Come since", False),
        ("Moved in by hand", True),
    ]


@pytest.mark.needs("dovecot")
async def test_neither_a_poll_nor_a_restart_takes_anything_in_twice(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    seconds = itertools.count()
    office.clock = lambda: FIXED + timedelta(seconds=next(seconds))
    for round_ in range(3):
        async with office.taking_in(account(poll_every=OFTEN)):
            for each in range(2):
                dovecot.deliver(user, mail(f"Number {round_}.{each}"))
                await settled(office, 2 * round_ + each + 1)
                await polled()
                await polled()
    subjects = [each.subject for each in await office.contacts()]
    assert subjects == [f"Number {round_}.{each}" for round_ in range(3) for each in range(2)]


@pytest.mark.needs("dovecot")
async def test_a_mailbox_that_was_renumbered_gives_the_same_contacts_again(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Old"), internal_date=LAST_YEAR)
    dovecot.deliver(user, mail("New"), internal_date=FIXED)
    async with office.taking_in(account()):
        before = await office.until(2)
        await settled(office, 2)
    dovecot.forget_uids(user)
    async with office.taking_in(account()):
        both = await office.until(4)
    assert sorted(both[2:], key=lambda each: each.id) == sorted(before, key=lambda each: each.id)
    assert await count(office, receipts) == 2


@pytest.mark.needs("dovecot")
async def test_with_its_ledger_lost_all_is_taken_in_as_the_same_contacts_with_sending_off(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("New"), internal_date=FIXED + timedelta(minutes=5))
    async with office.taking_in(account()):
        before = await office.until(1)
        await settled(office, 1)
    async with office.database.write() as connection:
        await connection.execute(mailboxes.delete())
        await connection.execute(mail_ledger.delete())
    office.clock = lambda: FIXED + timedelta(days=2)
    async with office.taking_in(account()):
        both = await office.until(2)
    assert [(each.id, each.backfill) for each in both] == [(before[0].id, False), (before[0].id, True)]


@pytest.mark.needs("dovecot")
async def test_with_an_older_ledger_put_back_what_came_since_is_taken_in_as_the_same_contacts(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Before"), internal_date=FIXED + timedelta(minutes=5))
    async with office.taking_in(account()):
        await settled(office, 1)
        copy = {table: await _rows(office, table) for table in (mailboxes, mail_ledger)}
        dovecot.deliver(user, mail("Since"), internal_date=FIXED + timedelta(minutes=6))
        await settled(office, 2)
        before = await office.until(2)
    async with office.database.write() as connection:
        for table, kept in copy.items():
            await connection.execute(table.delete())
            await connection.execute(table.insert(), kept)
    async with office.taking_in(account()):
        again = await office.until(3)
    assert again[2] == before[1]


async def _rows(office: Office, table: Table) -> list[dict[str, Any]]:
    async with office.database.read() as connection:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]


# --- what the server counts and what we hold


def unaccounted(name: str = "care") -> float | None:
    return REGISTRY.get_sample_value("email_unaccounted", {"account": name})


@pytest.mark.needs("dovecot")
async def test_a_mail_that_was_missed_is_an_alarm_and_is_taken_in(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    for each in range(5):
        dovecot.deliver(user, mail(f"Number {each}"))
    async with office.taking_in(account()):
        await settled(office, 5)
    async with office.database.write() as connection:
        await connection.execute(mail_ledger.delete().where(mail_ledger.c.uid.in_([2, 5])))
    before = errors("unaccounted")
    async with office.taking_in(account(poll_every=OFTEN)):
        await counted("unaccounted", more_than=before + 1)
        await settled(office, 5)

        async def gap() -> float | None:
            return unaccounted()

        await until(gap, lambda found: found == 0)
    assert errors("unaccounted") == before + 2
    assert len({each.id for each in await office.contacts()}) == 5


@pytest.mark.needs("dovecot")
async def test_what_people_delete_move_away_or_cannot_be_had_is_no_alarm(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    delivered = [dovecot.deliver(user, mail(f"Number {each}")) for each in range(4)]
    delivered[1].chmod(0)
    seconds, before = itertools.count(), errors("unaccounted")
    office.clock = lambda: FIXED + timedelta(seconds=next(seconds))
    async with office.taking_in(account()):
        await settled(office, 3)
        for each in (dovecot.mailbox(user) / "cur").iterdir():
            each.unlink()
    async with office.taking_in(account(poll_every=OFTEN), pace=replace(QUICK, count=0.0)):
        await polled()
        await polled()
    assert (unaccounted(), errors("unaccounted")) == (0, before)


# --- saying so on the server


@pytest.mark.needs("dovecot")
@pytest.mark.parametrize("server", ["dovecot", "modest_dovecot"], ids=["with MOVE", "without MOVE"])
@pytest.mark.parametrize("folder", ["Taken in", "Cŵynion & more"])
async def test_what_is_taken_in_is_moved_to_a_folder_that_is_made_for_it(
    office: Office, account: AccountOf, user: str, server: str, folder: str, request: pytest.FixtureRequest
):
    on: Dovecot = request.getfixturevalue(server)
    for each in range(3):
        on.deliver(user, mail(f"Number {each}"))
    async with office.taking_in(account(on, move_to=folder, poll_every=OFTEN)):
        await office.until(3)
        await settled(office, 3)
        on.deliver(user, mail("Later"))
        await settled(office, 4)
    wire = {"Taken in": "Taken in", "Cŵynion & more": "C&AXU-ynion &- more"}[folder]
    assert (len(on.flags(user)), len(on.flags(user, wire))) == (0, 4)


@pytest.mark.needs("dovecot")
async def test_mail_that_will_not_be_moved_is_taken_in_once_and_moved_when_it_can_be(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail())
    target = dovecot.mailbox(user, "Done")
    folders = [target, *(target / each for each in ("cur", "new", "tmp"))]
    for each in folders:
        each.chmod(0o555)
    async with office.taking_in(account(move_to="Done", poll_every=OFTEN)):
        await counted("not-settled", more_than=errors("not-settled") + 2)
        assert (len(await office.contacts()), len(dovecot.flags(user))) == (1, 1)
        for each in folders:
            each.chmod(0o755)
        await settled(office, 1)
    assert (len(await office.contacts()), len(dovecot.flags(user, "Done"))) == (1, 1)


@pytest.mark.needs("dovecot")
async def test_mail_in_a_folder_that_may_only_be_read_is_taken_in_once(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail())
    dovecot.allow(user, "lr")
    async with office.taking_in(account(poll_every=OFTEN)):
        await counted("not-settled", more_than=errors("not-settled") + 2)
    assert (len(await office.contacts()), dovecot.flags(user)) == (1, [""])
    dovecot.allow(user, "lrs")
    async with office.taking_in(account(poll_every=OFTEN)):
        await settled(office, 1)
    assert (len(await office.contacts()), dovecot.flags(user)) == (1, ["S"])


@pytest.mark.needs("dovecot")
async def test_nothing_is_flagged_before_it_is_kept(office: Office, account: AccountOf, dovecot: Dovecot, user: str):
    real, away = office.arrive, asyncio.Event()

    async def arrive(arrivals: Any, *, beside: Any) -> Any:
        if not away.is_set():
            raise Unavailable("log-unavailable", "The log is away.")
        return await real(arrivals, beside=beside)

    office.arrive = arrive
    dovecot.deliver(user, mail())
    async with office.taking_in(account()):
        await counted("log-unavailable", more_than=errors("log-unavailable") + 1)
        assert dovecot.flags(user) == [""]
        away.set()
        await settled(office, 1)
    assert (len(await office.contacts()), dovecot.flags(user)) == (1, ["S"])


# --- one mail that cannot be had


@pytest.mark.needs("dovecot")
async def test_a_mail_the_server_will_not_give_keeps_no_other_out_and_comes_in_when_it_can(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    _, shut, _ = (dovecot.deliver(user, mail(each)) for each in ("First", "Shut", "Last"))
    shut.chmod(0)
    async with office.taking_in(account(poll_every=OFTEN)):
        contacts = await office.until(2)
        assert {each.subject for each in contacts} == {"First", "Last"}

        async def still_waiting() -> float | None:
            return waiting()

        await until(still_waiting, lambda found: found == 1)
        for each in (dovecot.mailbox(user) / part for part in ("new", "cur")):
            for path in each.iterdir():
                path.chmod(0o644)
        contacts = await office.until(3)
        await until(still_waiting, lambda found: found == 0)
    assert [each.subject for each in contacts[2:]] == ["Shut"]


@pytest.mark.needs("dovecot")
async def test_a_mail_that_is_refused_keeps_its_neighbours_out_no_longer_than_a_moment(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    real, poison = office.arrive, mail("Poison")

    async def arrive(arrivals: Any, *, beside: Any) -> Any:
        if poison in [each.original for each in arrivals]:
            raise Refused("record-too-large", "It is too large.")
        return await real(arrivals, beside=beside)

    office.arrive = arrive
    for raw in (mail("First"), poison, mail("Last")):
        dovecot.deliver(user, raw)
    async with office.taking_in(account()):
        contacts = await office.until(2)
    assert {each.subject for each in contacts} == {"First", "Last"}
    assert waiting() == 1


# --- the connection


@pytest.mark.needs("dovecot")
async def test_a_server_that_restarts_during_idle_is_found_again(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Before"))
    async with office.taking_in(account(poll_every=NEVER_POLLED)):
        await office.until(1)
        await settled(office, 1)
        lost = errors("imap-lost")
        await asyncio.to_thread(dovecot.restart)
        await counted("imap-lost", more_than=lost)
        dovecot.deliver(user, mail("After"))
        contacts = await office.until(2)
    assert [each.subject for each in contacts] == ["Before", "After"]


@pytest.mark.needs("dovecot")
async def test_a_server_that_hangs_is_given_up_at_the_deadline_and_found_again(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Before"))
    async with office.taking_in(account(poll_every=OFTEN), pace=Pace(call=0.3, pause=0.05, longest_pause=0.2)):
        await office.until(1)
        late = errors("imap-deadline")
        dovecot.pause()
        try:
            await counted("imap-deadline", more_than=late + 1)
        finally:
            dovecot.resume()
        dovecot.deliver(user, mail("After"))
        contacts = await office.until(2)
    assert [each.subject for each in contacts] == ["Before", "After"]


@pytest.mark.needs("dovecot")
async def test_a_wrong_password_is_told_and_tried_again_slowly(office: Office, account: AccountOf, dovecot: Dovecot, user: str):
    dovecot.deliver(user, mail())
    before = errors("imap-login")
    async with office.taking_in(account(password="wrong"), pace=Pace(call=3.0, longest_pause=0.1)):
        await counted("imap-login", more_than=before + 1)
    assert (await office.contacts(), dovecot.flags(user)) == ([], [""])


# --- looking first


@pytest.mark.needs("dovecot")
async def test_a_survey_says_how_many_mails_are_older_than_the_first_start_and_changes_nothing(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    for each in range(3):
        dovecot.deliver(user, mail(f"Old {each}"), internal_date=LAST_YEAR)
    found = await survey("care", account(), database=office.database, clock=office.clock)
    assert (found.reachable, found.folder_found, found.messages, found.waiting, found.older) == (True, True, 3, 3, 3)
    assert "3 messages, 3 of them not yet taken in. 3 are older than the first start" in found.sentence
    assert dovecot.flags(user) == ["", "", ""]
    assert await count(office, mailboxes) == 0


@pytest.mark.needs("dovecot")
async def test_a_survey_beside_a_ledger_counts_only_what_is_not_yet_taken_in(
    office: Office, account: AccountOf, dovecot: Dovecot, user: str
):
    dovecot.deliver(user, mail("Taken in"), internal_date=FIXED)
    async with office.taking_in(account()):
        await settled(office, 1)
    dovecot.deliver(user, mail("New"), internal_date=FIXED)
    dovecot.deliver(user, mail("Moved in by hand"), internal_date=LAST_YEAR)
    found = await survey("care", account(), database=office.database, clock=office.clock)
    assert (found.messages, found.waiting, found.older) == (3, 2, 1)


@pytest.mark.needs("dovecot")
@pytest.mark.parametrize(
    ("wrong", "reachable", "says"),
    [
        ({"password": "wrong"}, False, "Check user and password."),
        ({"folder": "Nowhere"}, True, "There is no folder Nowhere"),
        ({"host": "127.0.0.1"}, False, "Check host, or name its authority in ca_file."),
        ({"ca_file": None}, False, "Check host, or name its authority in ca_file."),
        ({"ca_file": "/nowhere.pem"}, False, "ca_file /nowhere.pem cannot be read"),
        ({"port": 1}, False, "Check host and port."),
        ({"tls": False}, False, "It is tried again."),
        ({"password": "one\r\nA1 LOGOUT"}, False, "holds a line end or NUL"),
    ],
    ids=str,
)
async def test_a_survey_says_what_is_wrong_and_what_to_do(
    office: Office, account: AccountOf, wrong: dict[str, Any], reachable: bool, says: str
):
    found = await survey("care", account(**wrong), database=office.database, clock=office.clock, pace=QUICK)
    assert (found.reachable, found.folder_found) == (reachable, False)
    assert says in found.sentence
