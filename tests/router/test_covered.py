"""One acknowledgement in 48 hours for what somebody writes on one matter: the rest are covered by it, and say so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ingest.contract import Audience, Identifier, OutgoingState, Person
from router.consequences import Standing, Told
from router.match import Matched
from router.match.register_view import CaseView, IndividualView, PartyView
from router.read import Outcome, Reading, Sign
from router.register import tables

FEEDBACK = Reading(Outcome.FEEDBACK_RECORD, 0.9, feedback_type="service")
JOAN = IndividualView("R1", "Joan Pettifer", cases=("C-2034655",))
OPEN = CaseView("C-2034655", "open", parties=(PartyView("R1", "complainant", "none"),))
AS_JOAN: dict[str, Any] = {"match": Matched("R1", 0.99, ()), "individual": JOAN}
WORDS = "You promised to ring me back about your delay and nobody from your office ever rang me. I want an apology for your service."
EARLIER, OF = UUID(int=1), UUID(int=2)


@pytest.fixture
def told(clock: Any) -> Any:
    """An acknowledgement by mail of feedback by mail without a case, an hour ago; what is named is otherwise."""
    usual = Told(EARLIER, OF, clock() - timedelta(hours=1), "email", "email", "RecordFeedback")
    return lambda **fields: replace(usual, **fields)


def reply(written: Any) -> Any:
    (only,) = [each for each in written.messages if each.audience is Audience.PERSON]
    return only


def test_a_further_contact_on_the_same_matter_is_covered_and_the_trail_says_by_what(decided: Any, told: Any):
    written = decided(FEEDBACK, standing=Standing(told=(told(),)))
    assert (reply(written).state, reply(written).reason, reply(written).body) == (
        OutgoingState.COVERED, f"covered-by:{EARLIER}", None,
    )  # fmt: skip
    assert written.feedback is not None
    (entry,) = [each for each in written.entries if each.action == "covered"]
    assert entry.evidence["reason"] == f"covered-by:{EARLIER}"
    assert not [each for each in written.entries if each.action == "acknowledgement"]


def test_the_same_case_is_the_same_matter_whatever_becomes_of_the_contact(decided: Any, told: Any):
    comments = Reading(Outcome.INVESTIGATORS, 0.9)
    written = decided(comments, standing=Standing(told=(told(matter="C-2034655"),)), named=(OPEN,), **AS_JOAN)
    assert reply(written).state is OutgoingState.COVERED


NOT_COVERED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the earlier one is of another case": ({"matter": "C-9999999"}, {}),
    "the earlier one came to another end": ({"matter": "HandOff"}, {}),
    "the earlier one is of a case and this one of none": ({"matter": "C-2034655"}, {}),
    "the earlier one came by another channel": ({"channel": "web_form"}, {}),
    "the earlier one was told by another way": ({"method": "sms"}, {}),
    "this one is urgent": ({}, {"reading": replace(FEEDBACK, signs=(Sign("harm", "suicide", "words"),))}),
    "an urgent one of theirs waits": ({}, {"urgent_waits": True}),
    "this one reads like spam": ({"matter": "HoldForReview"}, {"reading": Reading(Outcome.NO_ACTION, 0.9)}),
}


@pytest.mark.parametrize(("earlier", "this"), NOT_COVERED.values(), ids=NOT_COVERED)
def test_it_is_not_covered_where(decided: Any, told: Any, earlier: dict[str, Any], this: dict[str, Any]):
    standing = Standing(urgent_waits=this.get("urgent_waits", False), told=(told(**earlier),))
    written = decided(this.get("reading", FEEDBACK), standing=standing)
    assert reply(written).state is not OutgoingState.COVERED


@pytest.mark.parametrize(("hours", "covered"), [(47.9, True), (48, False), (-47.9, True), (-48, False)])
def test_it_is_covered_within_48_hours_in_whichever_order_they_come(
    decided: Any, contact: Any, told: Any, clock: Any, hours: float, covered: bool
):
    earlier = told(received_at=clock() - timedelta(hours=hours))
    assert (reply(decided(FEEDBACK, standing=Standing(told=(earlier,)))).state is OutgoingState.COVERED) is covered


def test_an_answer_is_never_covered(decided: Any, house: Any, approved: Any, told: Any):
    query = Reading(Outcome.QUERY_ANSWER, 0.9, query="mp-referral")
    standing = Standing(told=(told(matter="AnswerQuery"),))
    assert reply(decided(query, standing=standing, in_house=replace(house, answers=approved(en="One.")))).body is not None
    assert reply(decided(query, standing=standing)).state is OutgoingState.COVERED


def test_what_is_covered_is_no_reason_to_hold_it_for_its_senders_budget(decided: Any, told: Any):
    written = decided(FEEDBACK, standing=Standing(told=(told(),), budget_spent=3))
    assert reply(written).state is OutgoingState.COVERED


def test_no_contact_covers_itself(decided: Any, contact: Any, told: Any):
    about = contact()
    written = decided(FEEDBACK, of=about, standing=Standing(told=(told(contact_id=about.id),)))
    assert reply(written).state is OutgoingState.DUE


# Through the router and the register.


async def replies(rows: Any) -> list[tuple[str, str | None]]:
    sent = sorted(await rows(tables.outgoing, tables.outgoing.c.audience == "person"), key=lambda row: (row.state, row.id))
    return [(row.state, row.reason) for row in sent]


async def test_of_three_in_one_batch_the_first_is_acknowledged_and_covers_the_others(contact, append, route, rows):
    await append(contact(WORDS), contact(WORDS), contact(WORDS))
    await route()
    first, *others = sorted(
        await rows(tables.outgoing, tables.outgoing.c.audience == "person"), key=lambda row: row.state, reverse=True
    )
    assert first.state == "due"
    assert [(each.state, each.reason) for each in others] == [("covered", f"covered-by:{first.id}")] * 2
    assert len([row for row in await rows(tables.outbox) if row.topic == "outgoing" and b'"person"' in row.value]) == 1
    (spent,) = await rows(tables.budgets)
    assert spent.spent == 1
    assert len(await rows(tables.audit, tables.audit.c.action == "covered")) == 2


async def test_of_two_in_two_batches_the_second_is_covered_until_48_hours_are_over(contact, append, route, rows, clock):
    await append(contact(WORDS))
    await route()
    clock.forward(hours=47)
    await append(contact(WORDS))
    await route()
    assert [state for state, _ in await replies(rows)] == ["covered", "due"]
    clock.forward(hours=1)
    await append(contact(WORDS))
    await route()
    assert [state for state, _ in await replies(rows)] == ["covered", "due", "due"]


async def test_another_address_of_the_same_person_is_covered_as_well(contact, append, route, rows, person, database, clock):
    await person("R1", ("Joan", "Pettifer"), "joan@example.com")
    async with database.write() as connection:
        await connection.execute(
            tables.identifiers.insert().values(
                individual_id="R1", kind="email", canonical="joan@work.example", given="joan@work.example", since=clock()
            )
        )
    for address in ("joan@example.com", "joan@work.example", "someone@else.example"):
        await append(contact(WORDS, sender=address, name="Joan Pettifer", verified_by="dmarc"))
        await route()
    assert [row.individual_id for row in await rows(tables.links)] == ["R1", "R1"]
    assert [state for state, _ in await replies(rows)] == ["covered", "due", "due"]


@pytest.mark.parametrize("state", ["held", "failed", "bounced", "cancelled"])
async def test_an_acknowledgement_that_does_not_reach_them_covers_nothing(contact, append, route, rows, database, state):
    await append(contact(WORDS))
    await route()
    async with database.write() as connection:
        await connection.execute(tables.outgoing.update().values(state=state))
    await append(contact(WORDS))
    await route()
    assert [each for each, _ in await replies(rows)] == sorted([state, "due"])


async def test_by_text_a_further_text_is_covered_and_mail_is_not(contact, append, route, rows, worker, house):
    worker.house = replace(house, accounts={"sms": ("first",)}, numbers=frozenset({"+441632960111"}))
    phone = Identifier(kind="phone", given="07700 900123", canonical="+447700900123")

    def text() -> Any:
        made = contact(WORDS, channel="sms", account="first", source="urn:contact-ingest:sms:first")
        return made.model_copy(update={"sender": Person(identifiers=(phone,)), "subject": None})

    await append(text(), text(), contact(WORDS))
    await route()
    assert [state for state, _ in await replies(rows)] == ["covered", "due", "due"]
