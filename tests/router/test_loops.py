"""Two machines that answer each other come to an end, and a person is told: a robot that hides itself, and our own mail come back."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.contract import Audience, Outgoing, Thread
from ingest.telemetry import ERRORS
from router.register import tables

TO_PEOPLE = tables.outgoing.c.audience == Audience.PERSON.value
ANSWERS = (
    "Thank you for your feedback. I want to complain about your service: you never rang me back as you promised.",
    "I want to complain about my GP surgery, Elm Road, who would not see my mother. This is a new complaint.",
    "Why do I need an MP referral?",
    "Lorem ipsum dolor, ticket 4711.",
)
"""What a robot writes below our words, which every time come to something else, so that no acknowledgement covers the next."""


@pytest.fixture
def house(house: Any) -> Any:
    return replace(house, outgoing=house.outgoing.model_copy(update={"sender_budget": 2}))


def counted(reason: str) -> float:
    return ERRORS.labels("router", reason)._value.get()


async def test_an_echo_that_hides_what_it_is_gets_no_more_than_its_budget_and_one_alarm_is_raised(
    contact, append, route, rows, clock
):
    before, answered = counted("over-budget"), set[Any]()
    await append(contact(ANSWERS[0], sender="robot@example.net"))
    for turn in range(12):
        clock.forward(minutes=1)
        await route()
        going = [
            each for each in await rows(tables.outgoing, TO_PEOPLE, tables.outgoing.c.state == "due") if each.id not in answered
        ]
        answered.update(each.id for each in going)
        if turn < 4:  # a robot that answers at once, and goes on for a while when it is not answered
            said = ANSWERS[(turn + 1) % len(ANSWERS)]
            await append(*(contact(f"{turn} {said}", sender="robot@example.net") for _ in range(2)))
        elif not going:
            break
    sent = await rows(tables.outgoing, TO_PEOPLE, tables.outgoing.c.state == "due")
    assert [each.recipient for each in sent] == ["robot@example.net"] * 2
    held = await rows(tables.outgoing, TO_PEOPLE, tables.outgoing.c.state == "held")
    assert {each.reason for each in held} == {"over-budget"}
    assert len(held) > 1
    notices = [Outgoing.model_validate_json(each.body) for each in await rows(tables.outgoing, ~TO_PEOPLE)]
    (alarm,) = [each for each in notices if each.subject.startswith("Held: too many messages to one address")]
    assert alarm.recipient == "care-team@example.org"
    assert "robot@example.net" not in alarm.subject + alarm.body
    assert counted("over-budget") - before == len(held)


async def test_a_new_day_has_an_alarm_of_its_own(contact, append, route, rows, clock):
    for _ in range(2):
        for each in ANSWERS:
            await append(contact(each, sender="robot@example.net"))
        await route()
        clock.forward(days=3)
    notices = [Outgoing.model_validate_json(each.body) for each in await rows(tables.outgoing, ~TO_PEOPLE)]
    assert len([each for each in notices if each.subject.startswith("Held: too many")]) == 2


async def test_our_own_acknowledgement_that_comes_back_is_answered_by_nobody_and_one_alarm_is_raised(
    contact, append, route, rows
):
    before = counted("own-mail-came-back")
    await append(contact(ANSWERS[0]))
    await route()
    (sent,) = await rows(tables.outgoing, TO_PEOPLE)
    ours = Outgoing.model_validate_json(sent.body)
    back = [
        contact(f"{times} {ours.body}", sender="care@ombudsman.example", thread=Thread(message_id=ours.message_id))
        for times in range(3)
    ]
    await append(*back, back[0])
    await route()
    assert [each.id for each in await rows(tables.outgoing, TO_PEOPLE)] == [sent.id]
    rules = await rows(tables.dispositions, tables.dispositions.c.contact_id.in_([each.id for each in back]))
    assert [(each.kind, each.rule) for each in rules] == [("NoAction", "our-own-mail")] * 3
    notices = [Outgoing.model_validate_json(each.body) for each in await rows(tables.outgoing, ~TO_PEOPLE)]
    assert len([each for each in notices if each.subject.startswith("Our own mail comes back")]) == 1
    assert counted("own-mail-came-back") - before == 1


async def test_a_notice_of_ours_that_is_read_again_raises_no_alarm(contact, append, route, rows):
    await append(contact("Lorem ipsum dolor, ticket 4711."))
    await route()
    notice, *_ = [Outgoing.model_validate_json(each.body) for each in await rows(tables.outgoing, ~TO_PEOPLE)]
    again = contact(notice.body, sender="care@ombudsman.example", thread=Thread(message_id=notice.message_id))
    await append(again)
    await route()
    notices = [Outgoing.model_validate_json(each.body) for each in await rows(tables.outgoing, ~TO_PEOPLE)]
    assert not [each for each in notices if each.subject.startswith("Our own mail")]
