"""What becomes of a handoff: taken, returned, settled or overdue, whoever says so, and of two who act at once the first wins."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from ingest.contract import Event, Handoff, HandoffReceipt, ReceiptState, Team, encode, topic_of
from ingest.database import Database
from ingest.errors import Refused
from ingest.ids import MARK, mark, reference
from ingest.log import Partition
from ingest.settings import Publisher
from ingest.telemetry import ERRORS, HANDOFFS_OVERDUE
from router import desk, duties, handoffs
from router.decide import HandOff, RecordFeedback
from router.desk import Ruling
from router.match import Matched
from router.match.register_view import CaseView, IndividualView, PartyView
from router.read import Outcome, Reading
from router.register import tables
from router.store import Batch, Store
from tests.router.conftest import KEY

CONTACTS = Partition("the-log", "contacts", 0)
TAKEN, RETURNED, SETTLED = ReceiptState
ENQUIRY = Reading(Outcome.INTAKE, 0.9)
INTAKES = "urn:example:intake"
RECEIPTS = topic_of("handoffs.receipts")


@pytest.fixture
async def hand(store, decided, contact, rows):
    """Hand a contact to Intake, or as it is read; answers with its handoff's row."""
    await store.assume([CONTACTS])
    position = 0

    async def commit(reading: Reading = ENQUIRY, **fields):
        nonlocal position
        about = fields.pop("of", None) or contact()
        await store.commit(Batch(CONTACTS, position, position + 1, (decided(reading, of=about, **fields),)))
        position += 1
        (row,) = await rows(tables.handoffs, tables.handoffs.c.contact_id == about.id)
        return row

    return commit


@pytest.fixture
def say(database, store, house, clock):
    async def put(row, state: ReceiptState, by: str = "Sam", because: str | None = None, *, at: Database | None = None):
        its_store = store if at is None else Store(at, house, clock)
        await handoffs.say(at or database, its_store, house, row.id, state, by, because, clock)

    return put


@pytest.fixture
def tell(log, store, house, clock):
    """What a team's system says on the topic, followed there."""
    publishers = {INTAKES: Publisher(may_take=("intake",)), "urn:example:crm": Publisher()}

    async def told(handoff_id: UUID, state: ReceiptState, because: str | None = None, *, source: str = INTAKES, **other):
        said = HandoffReceipt(handoff_id=handoff_id, state=state, by="Intake", at=clock(), because=because)
        body = other.pop("data", said.model_dump_json().encode())
        event = Event(
            other.pop("ce_id", str(uuid4())),
            source,
            other.pop("type", RECEIPTS.ce_type),
            body,
            extensions=other.pop("extensions", {}),
        )
        await log.append(RECEIPTS.name, [encode(event, str(handoff_id))] * other.pop("times", 1))
        stopping = asyncio.Event()
        following = asyncio.create_task(handoffs.follow_receipts(log, store, house, publishers, KEY, clock, stopping))
        async with asyncio.timeout(30):
            while (await log.lag(RECEIPTS.name, "router")).records:
                await asyncio.sleep(0.01)
        stopping.set()
        await following

    return told


@pytest.fixture
def again(rows):
    """A handoff as it stands now."""

    async def look(row):
        (found,) = await rows(tables.handoffs, tables.handoffs.c.id == row.id)
        return found

    return look


@pytest.fixture
def current(rows):
    async def find(row):
        versions = tables.dispositions
        (found,) = await rows(versions, versions.c.contact_id == row.contact_id, versions.c.current)
        return found

    return find


def errors(reason: str, stage: str = "handoffs") -> float:
    return ERRORS.labels(stage, reason)._value.get()


# By a person.


async def test_a_handoff_is_sent_with_a_time_by_which_it_is_taken(hand, clock):
    row = await hand()
    assert (row.state, row.due) == ("sent", clock() + timedelta(hours=48))
    assert Handoff.model_validate_json(row.body).due == row.due


async def test_a_handoff_is_taken_in_somebodys_name(hand, say, again, clock, rows):
    row = await hand()
    clock.forward(hours=1)
    await say(row, TAKEN)
    now = await again(row)
    assert (now.state, now.taken_by, now.taken_at) == ("taken", "Sam", clock())
    (entry,) = await rows(tables.audit, tables.audit.c.action == "handoff-taken")
    assert (entry.actor, entry.evidence["handoff"], entry.contact_id) == ("Sam", str(row.id), row.contact_id)


@pytest.mark.parametrize("apart", [False, True], ids=["in one process", "in two"])
async def test_of_many_who_take_together_one_wins_and_the_others_are_told_by_whom(hand, say, register_url, rows, apart):
    row = await hand()
    beside = [Database(register_url) for _ in range(4)] if apart else [None] * 4
    outcomes = await asyncio.gather(
        *(say(row, TAKEN, f"Person {number}", at=at) for number, at in enumerate(beside)), return_exceptions=True
    )
    (winner,) = [number for number, each in enumerate(outcomes) if each is None]
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert [each.reason for each in refusals] == ["taken-already"] * 3
    assert all(f"Person {winner} has taken it" in str(each) for each in refusals)
    assert len(await rows(tables.audit, tables.audit.c.action == "handoff-taken")) == 1
    for each in beside:
        if each is not None:
            await each.close()


async def test_what_is_returned_is_held_again_with_the_reason_in_a_task(hand, say, again, current, rows, clock):
    row = await hand()
    await say(row, RETURNED, because="it is about our own decision")
    assert (await again(row)).state == "returned"
    now = await current(row)
    assert (now.version, now.kind, now.rule, now.by) == (2, "HoldForReview", handoffs.RETURNED, "Sam")
    (task,) = await rows(tables.tasks)
    asked = json.loads(task.body)
    assert (task.kind, task.mailbox, task.due) == ("review", "care-team@example.org", clock() + timedelta(hours=24))
    assert "Sam has returned it, which was handed to intake: it is about our own decision" in asked["reasons"]
    assert asked["suggestion"] is None
    actions = [each.action for each in sorted(await rows(tables.audit, tables.audit.c.actor == "Sam"), key=lambda e: e.id)]
    assert actions == ["handoff-returned", "task-raised"]


async def test_what_came_back_keeps_whom_and_which_case_it_was_found_to_be_about(hand, say, current, rows, person):
    await person()
    case = CaseView("C-2034655", "open", parties=(PartyView("R1", "complainant", "none"),))
    joan = {"match": Matched("R1", 0.99, ()), "individual": IndividualView("R1", "Joan Pettifer", cases=("C-2034655",))}
    row = await hand(Reading(Outcome.INVESTIGATORS, 0.9), named=(case,), **joan)
    await say(row, RETURNED)
    now = await current(row)
    assert (now.individual_id, now.case_reference) == ("R1", "C-2034655")
    (task,) = await rows(tables.tasks)
    assert (json.loads(task.body)["candidates"], json.loads(task.body)["case_reference"]) == (["R1"], "C-2034655")


async def test_what_had_been_added_to_it_comes_back_with_it(hand, say, contact, decided, store, database, rows, clock):
    row, further = await hand(), contact()
    async with database.write() as connection:
        written = decided(of=further)
        await connection.execute(
            tables.contacts.insert().values(
                id=further.id, reference=written.reference, channel="email", account="care", received_at=clock(), fingerprint="f",
                body=further.model_dump_json(), routed_at=clock(),
            )
        )  # fmt: skip
        await connection.execute(tables.additions.insert().values(contact_id=further.id, added_to=row.id, at=clock()))
    await say(row, RETURNED)
    (task,) = await rows(tables.tasks)
    assert reference(further.id) in json.loads(task.body)["reasons"][1]


async def test_it_goes_to_another_team_or_is_recorded_once_a_person_has_decided_anew(
    hand, say, database, store, house, clock, current, rows
):
    row = await hand()
    await say(row, RETURNED, because="not ours")
    (task,) = await rows(tables.tasks)
    await desk.rule(database, store, house, task.id, [Ruling(RecordFeedback(), None, None, "plain")], "Alex", clock)
    assert (await current(row)).kind == "RecordFeedback"
    assert len(await rows(tables.feedback_records)) == 1


async def test_what_goes_to_the_same_team_again_is_another_handoff_and_the_team_is_told_again(
    hand, say, again, database, store, house, clock, rows
):
    row = await hand()
    await say(row, RETURNED, because="no NHS body is named")
    (task,) = await rows(tables.tasks)
    await desk.rule(
        database, store, house, task.id, [Ruling(HandOff(Team.INTAKE), None, None, "it is on page 2")], "Alex", clock
    )
    first, second = sorted(await rows(tables.handoffs), key=lambda each: each.id != row.id)
    assert (first.state, second.state) == ("returned", "sent")
    told = await rows(tables.outgoing, tables.outgoing.c.kind == "handoff", tables.outgoing.c.recipient == "intake@example.org")
    assert len(told) == 2
    published = [each for each in await rows(tables.outbox) if each.topic == "handoffs.intake"]
    assert {each.key for each in published} == {str(first.id), str(second.id)}


@pytest.mark.parametrize(
    ("first", "then", "reason"),
    [
        ((TAKEN, "Sam"), (RETURNED, "Alex"), "taken-already"),
        ((TAKEN, "Sam"), (TAKEN, "Sam"), "taken-already"),
        ((RETURNED, "Sam"), (TAKEN, "Alex"), "returned-already"),
        ((RETURNED, "Sam"), (RETURNED, "Alex"), "returned-already"),
        ((SETTLED, "Sam"), (RETURNED, "Sam"), "settled-already"),
    ],
    ids=str,
)
async def test_whoever_comes_second_is_told(hand, say, again, rows, first, then, reason):
    row = await hand()
    await say(row, *first, "the first")
    before = await again(row), len(await rows(tables.tasks))
    with pytest.raises(Refused, match="Sam has") as refused:
        await say(row, *then, "the second")
    assert refused.value.reason == reason
    assert (await again(row), len(await rows(tables.tasks))) == before


async def test_who_took_it_may_return_or_settle_it(hand, say, again):
    row, other = await hand(), await hand()
    for each in (row, other):
        await say(each, TAKEN)
    await say(row, RETURNED, because="it is not ours after all")
    await say(other, SETTLED)
    assert ((await again(row)).state, (await again(other)).state) == ("returned", "settled")


async def test_a_handoff_that_is_not_there_is_a_sentence(say):
    with pytest.raises(Refused) as refused:
        await say(SimpleNamespace(id=UUID(int=404)), TAKEN)
    assert refused.value.reason == "no-such-handoff"


async def test_what_is_settled_is_added_to_no_more(hand, say, database, clock, contact, person, case, append, route, rows):
    """And what is only taken still is."""
    await person(cases=[("C-2034655", "complainant", "none")])
    await case(owner_email="owner@example.org")
    comments = "I am Joan Pettifer, DE80 4PT. My comments on the draft report in C-2034655: paragraph 12 is wrong, the date was in May."

    def letter(number: int):
        return contact(f"{comments} {number}", "joan@example.com", name="Joan Pettifer", verified_by="dmarc")

    await append(letter(1))
    await route()
    (row,) = await rows(tables.handoffs)
    await say(row, TAKEN)
    await append(letter(2))
    await route()
    assert (len(await rows(tables.handoffs)), len(await rows(tables.additions))) == (1, 1)
    await say(row, SETTLED)
    await append(letter(3))
    await route()
    assert (len(await rows(tables.contacts)), len(await rows(tables.additions))) == (3, 1)


# By a system of the team's.


@pytest.mark.parametrize("times", [1, 3])
async def test_what_a_teams_system_says_is_done_once_in_its_name(hand, tell, again, rows, times):
    row = await hand()
    await tell(row.id, TAKEN, times=times)
    assert ((await again(row)).state, (await again(row)).taken_by) == ("taken", f"Intake ({INTAKES})")
    await tell(row.id, RETURNED, "not a body that we look into", times=times)
    assert ((await again(row)).state, (await again(row)).because) == ("returned", "not a body that we look into")
    assert len(await rows(tables.tasks)) == 1
    assert len(await rows(tables.dispositions)) == 2
    (position,) = await rows(tables.positions, tables.positions.c.topic == RECEIPTS.name)
    assert position.next == 2 * times


async def test_a_teams_system_may_return_what_one_of_its_people_took(hand, say, tell, again):
    row = await hand()
    await say(row, TAKEN, "Sam")
    await tell(row.id, RETURNED)
    assert (await again(row)).state == "returned"


async def test_what_is_said_too_late_changes_nothing_and_stops_nothing(hand, tell, again):
    row, other = await hand(), await hand()
    await tell(row.id, RETURNED)
    await tell(row.id, TAKEN)
    await tell(other.id, SETTLED)
    assert ((await again(row)).state, (await again(other)).state) == ("returned", "settled")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"source": "urn:example:crm"}, "may-not-take"),
        ({"source": "urn:example:nobody"}, "not-ours"),
        ({"source": "urn:contact-ingest:router"}, "not-ours"),
        ({"type": "contact-ingest.allocation.v1"}, "unknown-type"),
        ({"data": b'{"state": "eaten"}'}, "breaks-the-contract"),
    ],
    ids=str,
)
async def test_what_is_not_to_be_believed_changes_nothing_and_is_counted(hand, tell, again, other, reason):
    row, before = await hand(), errors(reason)
    await tell(row.id, TAKEN, **other)
    assert ((await again(row)).state, errors(reason)) == ("sent", before + 1)


async def test_a_system_speaks_for_its_own_team_only(hand, tell, again, person):
    await person()
    case = CaseView("C-2034655", "open", parties=(PartyView("R1", "complainant", "none"),))
    joan = {"match": Matched("R1", 0.99, ()), "individual": IndividualView("R1", "Joan Pettifer", cases=("C-2034655",))}
    row, before = await hand(Reading(Outcome.INVESTIGATORS, 0.9), named=(case,), **joan), errors("another-teams")
    await tell(row.id, TAKEN)
    assert ((await again(row)).state, errors("another-teams")) == ("sent", before + 1)


async def test_a_handoff_that_we_never_made_is_counted_and_passed_over(tell):
    before = errors("unknown-handoff")
    await tell(UUID(int=404), TAKEN)
    assert errors("unknown-handoff") == before + 1


@pytest.mark.parametrize(("ce_id", "state"), [("of-the-mark", "taken"), ("another", "sent")])
async def test_what_has_our_own_mark_is_believed_and_under_another_id_it_has_none(hand, tell, again, clock, ce_id, state):
    row, ours = await hand(), "urn:contact-ingest:desk"
    said = HandoffReceipt(handoff_id=row.id, state=TAKEN, by="the desk", at=clock()).model_dump_json().encode()
    marked = {MARK: mark(KEY, "of-the-mark", ours, RECEIPTS.ce_type, said)}
    await tell(row.id, TAKEN, source=ours, data=said, ce_id=ce_id, extensions=marked)
    assert (await again(row)).state == state


# Past its time.


async def test_what_nobody_has_taken_in_48_hours_is_an_alarm_once(hand, database, store, house, clock, again, rows):
    row, before = await hand(), errors("handoff-overdue", "duties")
    clock.forward(hours=47, minutes=59)
    assert await handoffs.alarm(database, store, house, clock()) == 0
    clock.forward(minutes=1)
    assert await handoffs.alarm(database, store, house, clock()) == 1
    clock.forward(days=9)
    assert await handoffs.alarm(database, store, house, clock()) == 0
    now = await again(row)
    assert (now.state, now.escalated_at) == ("overdue", row.due)
    told = [each for each in await rows(tables.outgoing, tables.outgoing.c.kind == "handoff") if "NOT TAKEN" in each.body]
    assert {each.recipient for each in told} == {"intake@example.org", "care-team@example.org"}
    assert not any("A few words." in each.body for each in told)
    assert errors("handoff-overdue", "duties") == before + 1
    assert len(await rows(tables.audit, tables.audit.c.action == "handoff-overdue")) == 1


async def test_of_two_processes_one_tells(hand, database, register_url, house, clock, rows):
    await hand()
    clock.forward(days=3)
    beside = [Database(register_url) for _ in range(3)]
    await asyncio.gather(*(handoffs.alarm(each, Store(each, house, clock), house, clock()) for each in beside))
    assert len(await rows(tables.audit, tables.audit.c.action == "handoff-overdue")) == 1
    for each in beside:
        await each.close()


@pytest.mark.parametrize("state", [TAKEN, RETURNED, SETTLED])
async def test_what_was_answered_in_time_is_no_alarm_and_what_is_answered_late_is_overdue_no_more(
    hand, say, database, store, house, clock, again, log, state
):
    early, late = await hand(), await hand()
    await say(early, state)
    clock.forward(days=3)
    assert await handoffs.alarm(database, store, house, clock()) == 1
    await duties.measure(log, database, house, clock())
    assert HANDOFFS_OVERDUE.labels("intake")._value.get() == 1
    await say(late, state)
    assert (await again(late)).state == state
    await duties.measure(log, database, house, clock())
    assert HANDOFFS_OVERDUE.labels("intake")._value.get() == 0


async def test_how_long_a_team_has_is_a_setting(hand, store, database, clock, house, decided, contact, rows):
    quick = replace(house, router=house.router.model_copy(update={"handoff_within": timedelta(hours=2)}))
    assert (await hand(in_house=quick)).due == clock() + timedelta(hours=2)


async def test_the_digest_names_what_nobody_has_taken_and_since_when_it_is_late(hand, say, database, store, house, clock, rows):
    await hand()
    await say(await hand(), TAKEN)
    clock.forward(days=3)
    clock.moment = clock.moment.replace(hour=8, minute=0)
    assert await duties.send_digest(database, store, house, clock(), clock() - timedelta(days=1)) == 1
    (told,) = await rows(tables.outgoing, tables.outgoing.c.kind == "digest")
    assert told.recipient == "intake@example.org"
    assert "This morning: 1 not settled, 1 late" in told.body
