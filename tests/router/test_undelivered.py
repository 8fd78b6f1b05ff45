"""A message that does not reach its person is made up for once: by the next way that is theirs, by a letter or call, or by an end that says why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ingest.contract import Automatic, DeclaredFacts, Identifier, Outgoing, OutgoingState, OutgoingStatus, Person, Returned
from ingest.database import Database
from ingest.ids import bounce_token
from ingest.log import Partition
from ingest.promise import acknowledgement_due
from router.register import tables
from router.store import Batch, Store

KEY = b"a key that only these tests know of"
WORDS = "I am Joan Pettifer. Please tell me what happens with my complaint about your service. Nobody rang me back."
MOBILE, OURS = "+447700900123", "+441632960111"
PERSON = tables.outgoing.c.audience == "person"


@pytest.fixture
def house(house: Any) -> Any:
    """One that sends text messages too."""
    return replace(house, key=KEY, accounts={"email": ("care",), "sms": ("first",)}, numbers=frozenset({OURS}))


def writer(*points: tuple[Any, str]) -> Person:
    identifiers = [Identifier(kind=kind, given=point, canonical=point, verified_by="dmarc") for kind, point in points]
    return Person(name="Joan Pettifer", identifiers=tuple(identifiers))


@pytest.fixture
def joan(person: Any, database: Database, clock: Any) -> Any:
    """Joan in the register, with a mobile telephone and what is agreed with her."""

    async def put(**fields: Any) -> None:
        await person(**fields)
        phone = {"individual_id": "R1", "kind": "phone", "canonical": MOBILE, "given": MOBILE, "since": clock()}
        async with database.write() as connection:
            await connection.execute(tables.identifiers.insert().values(phone))

    return put


@pytest.fixture
def acknowledged(contact: Any, append: Any, route: Any, rows: Any, database: Database) -> Any:
    """Take a contact in, and answer with its acknowledgement, which the mail server has accepted."""

    async def make(text: str = WORDS, **fields: Any) -> Any:
        await append(contact(text, **{"sender": "joan@example.com", "verified_by": "dmarc", "name": "Joan Pettifer", **fields}))
        await route()
        (sent,) = await rows(tables.outgoing, PERSON)
        assert sent.state == "due"
        async with database.write() as connection:
            await connection.execute(tables.outgoing.update().where(PERSON).values(state="accepted"))
        return sent

    return make


@pytest.fixture
def bounce(contact: Any, append: Any, route: Any) -> Any:
    """What a mail system says comes in, each time in other words."""

    async def come(returned: Returned, times: int = 1) -> None:
        await append(*(contact(f"{each}", sender=None, automatic=Automatic.BOUNCE, returned=returned) for each in range(times)))
        await route()

    return come


def by_token(sent: Any, **fields: Any) -> Returned:
    return Returned(token=bounce_token(KEY, sent.id), code="5.1.1", **fields)


def by_message_id(sent: Any, *addresses: str) -> Returned:
    return Returned(message_id=Outgoing.model_validate_json(sent.body).message_id, addresses=addresses)


async def instead(rows: Any, sent: Any) -> Any:
    """What went, or did not, in the place of a message."""
    (became,) = await rows(tables.outgoing, tables.outgoing.c.id == sent.id)
    assert became.state == "bounced"
    return [each for each in await rows(tables.outgoing, PERSON) if each.id != sent.id]


@pytest.mark.parametrize("proof", [by_token, lambda sent: by_message_id(sent, "joan@example.com")], ids=["token", "message-id"])
async def test_an_acknowledgement_that_bounces_goes_by_text_where_that_is_agreed(
    joan, acknowledged, bounce, rows, clock, house, proof
):
    await joan(agreed_methods=["email", "sms"])
    sent = await acknowledged()
    clock.forward(hours=5)
    await bounce(proof(sent))
    (text,) = await instead(rows, sent)
    body = Outgoing.model_validate_json(text.body)
    assert (text.state, text.kind, text.recipient, body.channel, body.account) == (
        "due",
        "acknowledgement",
        MOBILE,
        "sms",
        "first",
    )
    assert "We have your message." in body.body
    due = acknowledgement_due(clock() - timedelta(hours=5), house.acknowledgement).at
    assert text.due == sent.due == due, "the promise runs on from when they wrote"
    assert not await rows(tables.tasks, tables.tasks.c.kind == "letter")
    (spent,) = await rows(tables.budgets, tables.budgets.c.recipient == MOBILE)
    assert spent.spent == 1
    trail = [each.evidence for each in await rows(tables.audit, tables.audit.c.contact_id == sent.contact_id)]
    (said,) = [each for each in trail if "instead_of" in each]
    assert (said["outgoing"], said["instead_of"]) == (str(text.id), str(sent.id))


async def test_however_many_bounces_come_it_is_made_up_for_once(joan, acknowledged, bounce, rows):
    await joan(agreed_methods=["email", "sms"])
    sent = await acknowledged()
    await bounce(by_token(sent), times=3)
    await bounce(by_message_id(sent, "joan@example.com"), times=3)
    assert len(await instead(rows, sent)) == 1
    assert len(await rows(tables.audit, tables.audit.c.action == "sent")) == 1


@pytest.mark.parametrize(
    "held",
    [
        {"agreed_methods": ["email"]}, {"agreed_methods": []}, {"agreed_methods": ["email", "sms"], "forbidden_methods": ["sms"]},
    ],
    ids=["only mail is agreed", "nothing is agreed", "texts are forbidden"],
)  # fmt: skip
async def test_where_nothing_else_is_agreed_a_person_writes_a_letter_in_time(joan, acknowledged, bounce, rows, held):
    await joan(**held)
    sent = await acknowledged()
    await bounce(by_token(sent), times=2)
    assert await instead(rows, sent) == []
    (letter,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    assert (letter.contact_id, letter.due, letter.state) == (sent.contact_id, sent.due, "open")
    assert "bounced: 5.1.1" in letter.body


async def test_a_wish_that_is_said_with_it_is_obeyed(joan, acknowledged, bounce, rows):
    await joan(agreed_methods=["email", "sms"])
    sent = await acknowledged(f"{WORDS} Do not text me, my husband reads my phone.")
    await bounce(by_token(sent))
    assert await instead(rows, sent) == []
    assert len(await rows(tables.tasks, tables.tasks.c.kind == "letter")) == 1


async def test_where_there_is_no_address_either_it_is_said_to_be_impossible(acknowledged, bounce, rows):
    sent = await acknowledged("Nobody answered me. Your service is slow.", name=None, verified_by=None)
    await bounce(by_token(sent), times=2)
    (end,) = await instead(rows, sent)
    assert (end.state, end.recipient, end.due) == ("impossible", None, sent.due)
    assert not await rows(tables.tasks, tables.tasks.c.kind == "letter")


async def test_a_text_that_fails_goes_by_mail_where_they_gave_an_address(contact, append, route, rows, store: Store, clock):
    form = DeclaredFacts(name="Joan Pettifer", phone="07700 900123", email="joan@example.com", preferred_method="sms")
    await append(contact(WORDS, sender=None, channel="web_form", declared=form))
    await route()
    (text,) = await rows(tables.outgoing, PERSON)
    assert Outgoing.model_validate_json(text.body).channel == "sms"

    async def fails(id_: UUID, at: int) -> None:
        failed = OutgoingStatus(outgoing_id=id_, state=OutgoingState.FAILED, at=clock(), attempts=1, reason="unreachable")
        await store.commit_statuses(Batch(statuses, at, at + 1), [failed])

    statuses = Partition("log", "outgoing.status", 0)
    await store.assume([statuses])
    await store.realign(statuses, 0)
    await fails(text.id, 0)
    (mail,) = [each for each in await rows(tables.outgoing, PERSON) if each.id != text.id]
    assert (mail.recipient, mail.state) == ("joan@example.com", "due")
    await fails(mail.id, 1)
    assert len(await rows(tables.outgoing, PERSON)) == 2, "what failed once is not tried again"
    (letter,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    assert letter.due == text.due


FORGED = {
    "a token of another's key": lambda sent: Returned(token=bounce_token(b"guessed", sent.id)),
    "a Message-ID and nobody's address": by_message_id,
    "a Message-ID and another's address": lambda sent: by_message_id(sent, "mallory@example.net", "care@ombudsman.example"),
    "a Message-ID of nothing that we sent": lambda _: Returned(message_id=f"<{UUID(int=9)}@ombudsman.example>", addresses=("joan@example.com",)),
    "an address alone": lambda _: Returned(addresses=("joan@example.com",)),
}  # fmt: skip


@pytest.mark.parametrize("returned", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_bounce_changes_nothing_and_stops_no_mail(
    acknowledged, bounce, rows, contact, append, route, clock, returned
):
    sent = await acknowledged()
    await bounce(returned(sent))
    (same,) = await rows(tables.outgoing, PERSON)
    assert (same.id, same.state) == (sent.id, "accepted")
    clock.forward(hours=49)
    await append(contact(WORDS, sender="joan@example.com", verified_by="dmarc", name="Joan Pettifer"))
    await route()
    assert sorted(each.state for each in await rows(tables.outgoing, PERSON)) == ["accepted", "due"]


@pytest.mark.parametrize("outcome", ["delayed", "delivered"])
async def test_what_is_only_late_is_only_counted(acknowledged, bounce, rows, outcome):
    sent = await acknowledged()
    await bounce(by_token(sent, outcome=outcome))
    (same,) = await rows(tables.outgoing, PERSON)
    assert same.state == "accepted"
    assert not await rows(tables.tasks, tables.tasks.c.kind == "letter")
