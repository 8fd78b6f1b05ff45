"""Mail from its bytes to what becomes of it: who is answered, what a person must read, and that nothing in it joins a case of somebody else's."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from channels.email.send import compose
from channels.email.settings import EmailAccount
from channels.email.translate import translate
from ingest.contract import Contact, Outgoing
from ingest.ids import reply_token
from router.register import tables
from tests.router.conftest import KEY

SAMPLES = Path(__file__).parents[1] / "channels" / "email" / "samples"
ACCOUNT = EmailAccount(
    host="localhost", user="care", password=SecretStr("secret"), smtp="localhost:25", smtp_security="none", smtp_login=False,
    sender="care@ombudsman.example", plus_addresses=True,
)  # fmt: skip
COMMENTS = "These are my comments on the draft report on my case. Paragraph 14 is wrong: I rang twice. Please correct it."


@pytest.fixture
def house(house):
    return replace(house, key=KEY)


@pytest.fixture
def taken_in(clock) -> Callable[..., Contact]:
    """A mail as the channel takes it in."""

    def make(raw: bytes, own: str = "care@ombudsman.example") -> Contact:
        return translate(raw, account="care", received_at=clock(), backfill=False, authserv_id="mx.example.net", own=(own,))[0]

    return make


@pytest.fixture
def letter(taken_in) -> Callable[..., Contact]:
    """A mail of somebody's, each another one."""
    made: list[bytes] = []

    def make(words: str = "Here is more about it.", sender: str = "Bryn Rees <bryn@example.org>", **headers: str) -> Contact:
        given = {"To": "care@ombudsman.example", "Subject": "Re: My complaint", "Message-ID": f"<m{len(made)}@example.org>"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = "\n".join((f"From: {sender}", *(f"{name}: {value}" for name, value in given.items()), "", words)).encode()
        made.append(raw)
        return taken_in(raw)

    return make


@pytest.fixture
async def joan(person, case, letter, append, route) -> Contact:
    """A letter of Joan's, who is a party to a case, and whom we have answered."""
    await case()
    await person(cases=[("C-2034655", "complainant", "none")])
    first = letter(COMMENTS, "Joan Pettifer <joan@example.com>", Authentication_Results=VERIFIED)
    await append(first)
    await route()
    return first


VERIFIED = "mx.example.net; dmarc=pass header.from=example.com"


@pytest.fixture
def answered(rows) -> Callable[[Contact], Awaitable[Outgoing]]:
    """What we sent to whoever wrote a contact."""

    async def find(about: Contact) -> Outgoing:
        (row,) = await rows(tables.outgoing, tables.outgoing.c.contact_id == about.id, tables.outgoing.c.audience == "person")
        return Outgoing.model_validate_json(row.body)

    return find


@pytest.fixture
def ties(rows):
    """Which contact came after which."""

    async def find() -> list[tuple[Any, Any]]:
        return [(each.contact_id, each.earlier) for each in await rows(tables.ties)]

    return find


@pytest.fixture
def becomes(append, route, rows):
    """What the router makes of a mail: the rule, the individual, and the case."""

    async def find(about: Contact) -> tuple[str, str | None, str | None]:
        await append(about)
        await route()
        (row,) = await rows(tables.dispositions, tables.dispositions.c.contact_id == about.id)
        return row.rule, row.individual_id, row.case_reference

    return find


# Threads.


async def test_an_answer_to_the_address_we_gave_is_tied_to_what_it_answers(joan, letter, becomes, answered, ties, clock):
    given = compose(await answered(joan), ACCOUNT, clock())["Reply-To"]
    back = letter(sender="Joan Pettifer <joan@example.com>", To=str(given))
    await becomes(back)
    assert await ties() == [(back.id, joan.id)]


async def test_an_answer_whose_subject_still_has_our_token_is_tied_to_what_it_answers(
    joan, letter, becomes, answered, ties, clock
):
    given = compose(await answered(joan), ACCOUNT.model_copy(update={"plus_addresses": False}), clock())
    assert given["Reply-To"] is None
    back = letter(sender="Joan Pettifer <joan@example.com>", Subject=f"Re: {given['Subject']}")
    await becomes(back)
    assert await ties() == [(back.id, joan.id)]


async def test_an_answer_to_our_message_id_is_tied_to_what_it_answers(joan, letter, becomes, answered, ties):
    ours = (await answered(joan)).message_id
    one = letter(sender="Joan Pettifer <joan@example.com>", In_Reply_To=ours)
    other = letter(sender="Joan Pettifer <joan@example.com>", References=f"<x@example.org> {ours} <y@example.org>")
    await becomes(one)
    await becomes(other)
    assert await ties() == [(one.id, joan.id), (other.id, joan.id)]


async def test_a_party_who_answers_comes_to_their_own_case_by_what_proves_them_and_not_by_the_thread(joan, letter, becomes):
    alone = letter(COMMENTS, "Joan Pettifer <joan@example.com>", Authentication_Results=VERIFIED)
    assert await becomes(alone) == ("draft-comments", "R1", "C-2034655")


@pytest.mark.parametrize("way", ["token", "message-id", "reference", "copy", "all"])
async def test_whoever_else_answers_our_mail_to_somebody_joins_nothing_of_theirs(
    way, joan, letter, becomes, answered, ties, rows, clock
):
    sent = await answered(joan)
    headers = {
        "token": {"To": str(compose(sent, ACCOUNT, clock())["Reply-To"])},
        "message-id": {"In_Reply_To": sent.message_id, "References": f"{joan.thread.message_id} {sent.message_id}"},
        "reference": {"Subject": "Re: Draft report on C-2034655"},
        "copy": {"Cc": "Joan Pettifer <joan@example.com>", "To": "care@ombudsman.example, joan@example.com"},
    }
    headers["all"] = {name: value for each in headers.values() for name, value in each.items()}
    bryns = letter(COMMENTS, **headers[way])
    rule, individual, _ = await becomes(bryns)
    assert individual is None
    assert rule in {"no-case-found", "unsure-who"}
    assert [each.contact_id for each in await rows(tables.links)] == [joan.id]
    assert [each.contact_id for each in await rows(tables.handoffs)] == [joan.id]
    assert await ties() == ([(bryns.id, joan.id)] if way in {"token", "message-id", "all"} else [])
    told = (await answered(bryns)).body
    assert "Pettifer" not in told
    assert "C-2034655" not in told


def _altered(token: str) -> str:
    return ("B" if token[0] != "B" else "C") + token[1:]


@pytest.mark.parametrize(
    "made",
    [
        lambda of, now: _altered(reply_token(KEY, of, now + timedelta(days=30))),
        lambda of, now: reply_token(b"another key", of, now + timedelta(days=30)),
        lambda of, now: reply_token(KEY, of, now),
        lambda of, now: reply_token(KEY, of, now + timedelta(days=30)).lower(),
        lambda of, now: reply_token(KEY, of, now + timedelta(days=30))[:-1],
    ],
    ids=["altered", "forged", "expired", "in small letters", "cut"],
)
async def test_what_is_no_token_of_ours_ties_nothing_wherever_it_stands(
    made, letter, becomes, append, route, rows, ties, clock
):
    first = letter(COMMENTS, "Joan Pettifer <joan@example.com>")
    await becomes(first)
    token = made(first.id, clock())
    tagged = f"care+{token}@ombudsman.example"
    await append(*(letter(**{header: tagged}) for header in ("To", "Cc", "Delivered-To", "X-Original-To")))
    await append(letter(Subject=f"Re: My complaint [{token}]"))
    await route()
    assert len(await rows(tables.contacts)) == 6
    assert await ties() == []


async def test_a_token_of_a_mail_ends_after_half_a_year(joan, letter, becomes, answered, ties, clock):
    given = str(compose(await answered(joan), ACCOUNT, clock())["Reply-To"])
    clock.forward(days=179)
    in_time = letter(To=given)
    await becomes(in_time)
    clock.forward(days=1)
    await becomes(letter(To=given))
    assert await ties() == [(in_time.id, joan.id)]


@pytest.mark.parametrize("message_id", ["<>", "", "<same@example.org>"])
async def test_an_empty_or_repeated_message_id_threads_nothing(message_id, letter, becomes, ties, rows):
    one = letter("Nobody rang me.", "Joan Pettifer <joan@example.com>", Message_ID=message_id)
    other = letter("My bin was not emptied.", Message_ID=message_id, In_Reply_To=message_id, References=message_id)
    await becomes(one)
    await becomes(other)
    assert one.id != other.id
    assert await ties() == []
    assert len(await rows(tables.contacts)) == 2


async def test_a_robot_that_answers_follows_nothing(joan, letter, becomes, answered, ties, clock):
    given = str(compose(await answered(joan), ACCOUNT, clock())["Reply-To"])
    assert (await becomes(letter("I am away.", To=given, Auto_Submitted="auto-replied")))[0] == "robot"
    assert await ties() == []


async def test_a_notice_to_our_own_people_carries_no_token(joan, rows):
    notices = await rows(tables.outgoing, tables.outgoing.c.audience == "staff")
    assert notices
    assert [Outgoing.model_validate_json(each.body).reply_token for each in notices] == [None] * len(notices)


# What a person must look at, and who is answered.

NOBODY = None
GWEN = "gwen.pryce@example.org"


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("sample", "rule", "answered_at"),
    [
        ("two-from-headers", "sender-not-told", NOBODY),
        ("no-sender", "sender-not-told", NOBODY),
        ("unclosed-address", "sender-not-told", GWEN),
        ("group-in-from", "sender-not-told", NOBODY),
        ("address-that-takes-no-answers", "sender-not-told", NOBODY),
        ("form-that-names-two-people", "sender-not-told", NOBODY),
        ("list-that-does-not-tell-who-wrote", "sender-not-told", NOBODY),
        ("form-of-a-website", None, GWEN),
        ("form-as-a-table", None, GWEN),
        ("form-from-our-own-address", None, GWEN),
        ("form-that-says-a-program-sent-it", None, GWEN),
        ("list-of-our-own", None, GWEN),
        ("list-that-puts-its-address-in-from", None, GWEN),
        ("reply-to-is-nobody", None, GWEN),
        ("sent-by-a-delegate", None, GWEN),
        ("passed-on-unchanged", None, GWEN),
        ("on-behalf-of-in-the-name", None, "ann@example.org"),
        ("encrypted", "not-read", GWEN),
        ("encrypted-inline", "not-read", GWEN),
        ("encrypted-as-one-file", "not-read", GWEN),
        ("encrypted-by-a-mail-server", "not-read", GWEN),
        ("encrypted-and-taken-apart-on-its-way", "not-read", GWEN),
        ("signed-in-two-parts", None, GWEN),
        ("signed-as-one-file", None, GWEN),
        ("calendar-accepts", "robot", NOBODY),
        ("calendar-accepts-in-googles-words", "robot", NOBODY),
        ("calendar-accepts-with-words", None, GWEN),
        ("calendar-declines", None, GWEN),
        ("calendar-declines-with-a-comment", None, GWEN),
        ("calendar-asks-for-another-time", None, GWEN),
        ("calendar-invites", None, GWEN),
    ],
)
async def test_who_wrote_is_answered_and_what_nobody_could_read_or_tell_goes_to_a_person(
    sample, rule, answered_at, taken_in, becomes, rows
):
    about = taken_in((SAMPLES / f"{sample}.eml").read_bytes(), own="care@example.net")
    decided, _, _ = await becomes(about)
    assert decided == rule if rule else decided not in {"robot", "our-own-mail", "sender-not-told", "not-read"}
    sent = [each.recipient for each in await rows(tables.outgoing, tables.outgoing.c.audience == "person")]
    assert [each for each in sent if each] == ([answered_at] if answered_at else [])
    tasks = {each.kind for each in await rows(tables.tasks)}
    if rule == "not-read":
        assert "not-read-for-risk" in tasks
    elif rule == "sender-not-told":
        assert "review" in tasks
    individuals = await rows(tables.individuals)
    assert all(each.given_name in {"Gwen", "Ann"} for each in individuals)


async def test_nobody_is_made_of_to_and_cc(letter, becomes, rows):
    about = letter(
        "I want to complain about your service. Nobody called me back.",
        To="Ann Vaughan <ann@example.org>, care@ombudsman.example",
        Cc="Emrys Rees <emrys@example.org>",
    )
    await becomes(about)
    made = await rows(tables.identifiers)
    assert {each.canonical for each in made} <= {"bryn@example.org"}
    told = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert [each.recipient for each in told] == ["bryn@example.org"]


async def test_what_a_form_or_a_list_says_of_who_wrote_proves_nobody(person, taken_in, becomes, rows):
    await person("R9", ("Gwen", "Pryce"), "gwen.pryce@example.org")
    for sample in ("form-of-a-website", "list-that-puts-its-address-in-from"):
        about = taken_in((SAMPLES / f"{sample}.eml").read_bytes(), own="care@example.net")
        await becomes(about)
        assert [each.verified_by for each in about.sender.identifiers] == [None]
    assert {each.grade for each in await rows(tables.links)} <= {"probable"}


async def test_our_own_acknowledgement_that_comes_back_is_ours_still(joan, answered, taken_in, becomes, clock):
    looped = taken_in(compose(await answered(joan), ACCOUNT, clock()).as_bytes())
    assert parseaddr(str(compose(await answered(joan), ACCOUNT, clock())["Reply-To"]))[1].startswith("care+")
    assert (await becomes(looped))[0] == "our-own-mail"
