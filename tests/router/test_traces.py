"""What comes of a contact stays in the trace that it came in, whenever it comes of it."""

from collections.abc import Mapping

import pytest

from ingest.contract import Contact, Record, Task, Trace, in_trace, trace_of
from ingest.receive import record_of
from router import desk, outbox
from router.register import tables
from tests.router.conftest import KEY

TRACE = Trace(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate="congo=t61rcWkgMzE")
ENQUIRY = "I want to make a new complaint about Wexcombe General Hospital. They lost my notes. Please look into this for me."
FEEDBACK = "I complain about your service. You promised to ring me back by Friday and nobody rang. I would like an apology."
HARM = "I cannot go on. I am going to kill myself tonight because of how you treated me."


@pytest.fixture
def published(log, database):
    """The traces of what has come onto each topic since it was last asked."""
    seen: dict[str, int] = {}

    async def look(*topics: str) -> Mapping[str, list[Trace | None]]:
        while await outbox.publish(log, database):
            pass
        found: dict[str, list[Trace | None]] = {}
        for topic in topics:
            records = await log.read(topic, after={0: seen.get(topic, 0)}, most=1000)
            seen[topic] = seen.get(topic, 0) + len(records)
            if records:
                found[topic] = [trace_of(each.record) for each in records]
        return found

    return look


def within(contact: Contact) -> Record:
    return in_trace(record_of(contact, KEY), TRACE)


async def test_all_that_is_decided_is_of_the_contacts_trace_and_of_none_where_it_had_none(append, route, contact, published):
    await append(within(contact(ENQUIRY)), within(contact(FEEDBACK, "ann@example.com")))
    await route()
    found = await published("handoffs.intake", "records.feedback", "outgoing")
    assert set(found) == {"handoffs.intake", "records.feedback", "outgoing"}
    assert all(each == TRACE for traces in found.values() for each in traces)
    await append(contact(ENQUIRY, "kim@example.com"), contact(FEEDBACK, "sam@example.com"))
    await route()
    found = await published("handoffs.intake", "records.feedback", "outgoing")
    assert all(each is None for traces in found.values() for each in traces)


async def test_so_is_what_a_person_does_about_it_later(append, route, contact, published, database, store, clock, rows):
    await append(within(contact(HARM)))
    await route()
    assert all(each == TRACE for each in (await published("tasks", "outgoing"))["tasks"])
    clock.forward(days=7)
    (held,) = [row for row in await rows(tables.outgoing) if row.state == "held"]
    await desk.release(database, store, held.id, "Sam", clock)
    assert await published("outgoing") == {"outgoing": [TRACE]}


async def test_a_notice_that_only_knows_the_contacts_id_is_of_its_trace_too(
    append, route, contact, published, database, store, clock, rows
):
    await append(within(contact(HARM)))
    await route()
    await published("tasks", "outgoing")
    raised, *_ = await rows(tables.tasks)
    again = Task.model_validate_json(raised.body).model_copy(update={"id": raised.contact_id})
    async with database.write() as connection:
        await store.raise_tasks(connection, [again], clock())
    found = await published("tasks", "outgoing")
    assert all(each == TRACE for traces in found.values() for each in traces)


async def test_a_dead_letter_and_its_task_are_of_the_trace_that_it_came_in(append, route, contact, published):
    whole = within(contact())
    await append(Record(whole.key, b"no JSON", whole.headers))
    await route()
    found = await published("contacts.dead-letter", "tasks")
    assert found == {"contacts.dead-letter": [TRACE], "tasks": [TRACE]}


async def test_a_malformed_trace_is_none_and_the_contact_is_routed(append, route, contact, published, rows):
    whole = record_of(contact(FEEDBACK), KEY)
    await append(Record(whole.key, whole.value, (*whole.headers, ("ce_traceparent", b"Jane"), ("traceparent", b"Jane"))))
    await append(Record(whole.key, whole.value, (*whole.headers, ("traceparent", b"\xff\xfe"))))
    await route()
    assert await published("records.feedback") == {"records.feedback": [None]}
