"""What people do at the desk: each act one transaction, in the name of whoever acts, and the second of two is told by whom."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ingest import state
from ingest.contract import OutgoingState, Record, TaskKind, Team
from ingest.database import Database
from ingest.errors import Refused
from ingest.log import Delivery, Partition
from ingest.settings import OutgoingSettings
from router import consequences, desk
from router.decide import AnswerQuery, HandOff, InviteToContact, NoAction, RecordFeedback
from router.desk import Ruling
from router.match import Matched
from router.match.register_view import IndividualView
from router.read import Outcome, Reading, Sign
from router.register import tables
from router.store import Batch, Dead, Store

CONTACTS = Partition("the-log", "contacts", 0)
REVIEW = Reading(Outcome.REVIEW, 0.5)
URGENT = Reading(Outcome.REVIEW, 0.5, signs=(Sign("harm", "suicide", "words"),))
NOT_FOUND = UUID(int=404)


@pytest.fixture
async def take(store, decided, contact):
    """Take in a contact that is read so; answers with it."""
    await store.assume([CONTACTS])
    position = 0

    async def commit(reading: Reading = REVIEW, *, of=None, **fields):
        nonlocal position
        about = of or contact()
        await store.commit(Batch(CONTACTS, position, position + 1, (decided(reading, of=about, **fields),)))
        position += 1
        return about

    return commit


@pytest.fixture
def task_of(rows):
    async def find(about, kind: str = "review"):
        (task,) = await rows(tables.tasks, tables.tasks.c.contact_id == about.id, tables.tasks.c.kind == kind)
        return task

    return find


@pytest.fixture
def rule(database, store, house, clock, task_of):
    """Decide a contact's review, as Sam."""

    async def decide(about, *dispositions, individual=None, case=None, by="Sam"):
        task = await task_of(about)
        rulings = [Ruling(each, individual, case, "it is plain") for each in dispositions]
        return await desk.rule(database, store, house, task.id, rulings, by, clock)

    return decide


@pytest.fixture
def current(rows):
    async def find(about):
        versions = tables.dispositions
        (row,) = await rows(versions, versions.c.contact_id == about.id, versions.c.current)
        return row

    return find


async def actions(rows, actor: str) -> list[str]:
    return [row.action for row in sorted(await rows(tables.audit, tables.audit.c.actor == actor), key=lambda row: row.id)]


async def test_of_two_who_claim_together_one_wins_and_the_other_is_told_by_whom(take, task_of, database, store, clock, rows):
    task = await task_of(await take())
    people = [f"Person {number}" for number in range(8)]
    outcomes = await asyncio.gather(
        *(desk.claim(database, store, task.id, each, clock) for each in people), return_exceptions=True
    )
    (winner,) = [name for name, each in zip(people, outcomes, strict=True) if each is None]
    refusals = [each for each in outcomes if each is not None]
    assert {each.reason for each in refusals if isinstance(each, Refused)} == {"claimed-already"}
    assert all(winner in str(each) for each in refusals)
    assert len(await rows(tables.audit, tables.audit.c.action == "task-claimed")) == 1


async def test_53_of_two_who_decide_together_one_wins_and_the_other_is_told(take, rule, rows):
    about = await take()
    outcomes = await asyncio.gather(
        rule(about, RecordFeedback(), by="Sam"), rule(about, NoAction(), by="Alex"), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert [each.reason for each in refused] == ["done-already"]
    assert len(await rows(tables.dispositions)) == 2


@pytest.mark.parametrize("one", [RecordFeedback(), HandOff(Team.INTAKE)], ids=["as a record", "as a handoff"])
async def test_53_of_two_processes_that_decide_together_one_wins_and_the_other_is_told_by_whom(
    take, task_of, register_url, house, clock, rows, one
):
    task = await task_of(await take())
    beside = [Database(register_url) for _ in range(4)]
    ruling = [Ruling(one, None, None, "it is plain")]
    outcomes = await asyncio.gather(
        *(desk.rule(each, Store(each, house, clock), house, task.id, ruling, f"Person {number}", clock)
          for number, each in enumerate(beside)),
        return_exceptions=True,
    )  # fmt: skip
    (winner,) = [number for number, each in enumerate(outcomes) if not isinstance(each, BaseException)]
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert [each.reason for each in refused if isinstance(each, Refused)] == ["done-already"] * 3
    assert all(f"Person {winner} has done it already" in str(each) for each in refused)
    assert len(await rows(tables.dispositions)) == 2
    assert len(await rows(tables.feedback_records)) + len(await rows(tables.handoffs)) == 1
    for each in beside:
        await each.close()


async def test_two_tasks_of_one_contact_decided_at_once_leave_one_current_version(
    take, register_url, house, clock, rows, database, store
):
    about = await take()
    raised = consequences.task(
        about.id, "email", TaskKind.REVIEW, "care-team@example.org", clock(), clock(), ("again",), purpose="again"
    )
    async with database.write() as connection:
        await store.raise_tasks(connection, (raised,), clock())
    beside = [Database(register_url) for _ in range(2)]
    await asyncio.gather(
        *(desk.rule(each, Store(each, house, clock), house, task.id, [Ruling(RecordFeedback(), None, None, "x")], "Sam", clock)
          for each, task in zip(beside, await rows(tables.tasks), strict=True))
    )  # fmt: skip
    versions = await rows(tables.dispositions)
    assert sorted((each.version, each.current) for each in versions) == [(1, False), (2, False), (3, True)]
    for each in beside:
        await each.close()


async def test_who_did_not_write_on_social_media_is_not_invited(take, rule, task_of):
    about = await take()
    with pytest.raises(Refused) as refused:
        await rule(about, InviteToContact())
    assert refused.value.reason == "not-a-post"
    assert (await task_of(about)).state == "open"


async def test_what_turns_out_to_be_no_feedback_is_asked_about_no_more(take, database, store, house, clock, rows):
    about = await take(Reading(Outcome.FEEDBACK_RECORD, 0.9))
    raised = consequences.task(
        about.id, "email", TaskKind.REVIEW, "care-team@example.org", clock(), clock(), ("again",), purpose="again"
    )
    async with database.write() as connection:
        await store.raise_tasks(connection, (raised,), clock())
    await desk.rule(database, store, house, raised.id, [Ruling(HandOff(Team.INTAKE), None, None, "x")], "Sam", clock)
    assert {each.state for each in await rows(tables.tasks)} == {"done"}


async def test_settling_a_record_ends_the_task_to_ask_for_what_it_lacks(take, database, store, clock, rows):
    await take(Reading(Outcome.FEEDBACK_RECORD, 0.9))
    (asked,) = await rows(tables.tasks)
    (record,) = await rows(tables.feedback_records)
    await desk.settle(database, store, record.id, "Sam", clock)
    (now,) = await rows(tables.tasks)
    assert (asked.state, now.state, now.done_by, now.outcome) == ("open", "done", "Sam", "settled")


async def test_a_decision_is_a_new_version_with_its_record_and_the_first_one_stays(take, rule, current, rows):
    about = await take()
    await rule(about, RecordFeedback())
    now = await current(about)
    assert (now.version, now.kind, now.rule, now.by) == (2, "RecordFeedback", desk.DECIDED, "Sam")
    assert now.because == ["Sam: it is plain"]
    (first,) = await rows(tables.dispositions, tables.dispositions.c.version == 1)
    assert (first.kind, first.current, first.by) == ("HoldForReview", False, "router")
    (record,) = await rows(tables.feedback_records)
    assert record.contact_id == about.id
    assert "records.feedback" in {row.topic for row in await rows(tables.outbox)}


async def test_every_entry_of_a_decision_is_in_the_name_of_whoever_decided(take, rule, rows):
    about = await take()
    await rule(about, RecordFeedback())
    assert await actions(rows, "Sam") == ["decided", "feedback-recorded", "task-raised", "task-done"]


async def test_one_letter_may_become_a_record_and_a_handoff(take, rule, current, rows):
    about = await take()
    await rule(about, RecordFeedback(), HandOff(Team.INTAKE))
    assert (await current(about)).kind == "RecordFeedback"
    assert len(await rows(tables.feedback_records)) == 1
    (handoff,) = await rows(tables.handoffs)
    assert handoff.mailbox == "intake@example.org"


async def test_a_handoff_by_a_person_goes_to_the_owner_of_the_case_they_name(take, rule, person, case, rows):
    await person(cases=[("C-2034655", "complainant", "none")])
    await case(owner_email="owner@example.org")
    about = await take()
    await rule(about, HandOff(Team.INVESTIGATORS), individual="R1", case="C-2034655")
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.mailbox, handoff.individual_id, handoff.case_reference) == ("owner@example.org", "R1", "C-2034655")
    (link,) = await rows(tables.links)
    assert (link.individual_id, link.by, link.undone_at) == ("R1", "Sam", None)


async def test_naming_another_person_undoes_the_link_that_was_and_says_so(take, rule, person, rows):
    await person("R1")
    await person("R2", ("Ruth", "Abernethy"), "ruth@example.com")
    joan = IndividualView("R1", "Joan Pettifer")
    about = await take(match=Matched("R1", 0.9, ()), individual=joan)
    await rule(about, RecordFeedback(), individual="R2")
    links = {row.individual_id: row.undone_by for row in await rows(tables.links)}
    assert links == {"R1": "Sam", "R2": None}
    assert "link-undone" in await actions(rows, "Sam")


async def test_the_acknowledgement_stands_as_it_was_and_nothing_is_sent_twice(take, rule, rows):
    about = await take()
    before = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    await rule(about, RecordFeedback())
    assert await rows(tables.outgoing, tables.outgoing.c.audience == "person") == before
    (spent,) = await rows(tables.budgets)
    assert spent.spent == 1


async def test_deciding_an_urgent_contact_releases_nothing_and_leaves_its_urgent_task(take, rule, task_of, rows):
    about = await take(URGENT)
    await rule(about, RecordFeedback())
    (reply,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert (reply.state, reply.reason) == ("held", "urgent")
    assert (await task_of(about, "urgent")).state == "open"
    published = [row for row in await rows(tables.outbox) if row.topic == "tasks"]
    assert len(published) == 3, "urgent, to be decided, and what the record lacks"


async def test_deciding_that_an_answer_is_due_asks_nobody_again(take, rule, rows):
    about = await take()
    await rule(about, AnswerQuery(None))
    assert {row.state for row in await rows(tables.tasks)} == {"done"}


async def test_what_only_read_like_spam_is_acknowledged_once_a_person_says_it_is_none(take, rule, rows):
    about = await take(Reading(Outcome.NO_ACTION, 0.9))
    await rule(about, RecordFeedback())
    (reply,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert reply.state == "due"
    assert "outgoing" in {row.topic for row in await rows(tables.outbox)}


async def test_what_is_spam_to_a_person_too_is_never_acknowledged_and_never_counted_as_late(take, rule, rows):
    about = await take(Reading(Outcome.NO_ACTION, 0.9))
    await rule(about, NoAction())
    (reply,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert (reply.state, reply.reason) == ("cancelled", "no-action")
    assert await actions(rows, "Sam") == ["decided", "task-done", "cancelled"]


@pytest.mark.parametrize(
    ("fields", "reason"), [({"individual": "R404"}, "no-such-individual"), ({"case": "C-4040404"}, "no-such-case")]
)
async def test_a_decision_that_names_what_is_not_there_changes_nothing(take, rule, task_of, rows, fields, reason):
    about = await take()
    with pytest.raises(Refused) as caught:
        await rule(about, RecordFeedback(), **fields)
    assert caught.value.reason == reason
    assert (await task_of(about)).state == "open"
    assert len(await rows(tables.dispositions)) == 1


async def test_a_task_that_somebody_else_claimed_is_theirs_to_decide(take, rule, task_of, database, store, clock):
    about = await take()
    await desk.claim(database, store, (await task_of(about)).id, "Alex", clock)
    with pytest.raises(Refused, match="Alex has claimed it") as caught:
        await rule(about, RecordFeedback(), by="Sam")
    assert caught.value.reason == "claimed-already"
    await rule(about, RecordFeedback(), by="Alex")


async def test_a_task_that_decides_nothing_is_done_with_its_outcome(take, task_of, database, store, clock):
    about = await take(URGENT)
    task = await task_of(about, "urgent")
    await desk.finish(database, store, task.id, "rang her; she is safe", "Sam", clock)
    done = await task_of(about, "urgent")
    assert (done.state, done.done_by, done.outcome) == ("done", "Sam", "rang her; she is safe")
    with pytest.raises(Refused, match="Sam has done it already: rang her; she is safe"):
        await desk.finish(database, store, task.id, "again", "Alex", clock)


@pytest.mark.parametrize("act", ["claim", "finish", "rule"])
async def test_a_task_that_is_not_there_is_refused(act, database, store, house, clock):
    work = {
        "claim": lambda: desk.claim(database, store, NOT_FOUND, "Sam", clock),
        "finish": lambda: desk.finish(database, store, NOT_FOUND, "done", "Sam", clock),
        "rule": lambda: desk.rule(database, store, house, NOT_FOUND, [Ruling(NoAction(), None, None, "")], "Sam", clock),
    }
    with pytest.raises(Refused) as caught:
        await work[act]()
    assert caught.value.reason == "no-such-task"


async def reply_of(rows):
    (reply,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    return reply


async def test_what_is_released_is_published_again_and_may_be_sent(take, database, store, clock, rows):
    await take(URGENT)
    reply = await reply_of(rows)
    before = len(await rows(tables.outbox))
    await desk.release(database, store, reply.id, "Sam", clock)
    assert (await reply_of(rows)).state == "due"
    (row,) = [each for each in await rows(tables.outbox) if each.number > before and each.topic == "outgoing"]
    headers = dict(map(tuple, row.headers))
    assert headers["ce_id"].startswith(f"{reply.id}:")
    assert await rows(state.sends) == []
    assert await actions(rows, "Sam") == ["released"]
    with pytest.raises(Refused) as caught:
        await desk.release(database, store, reply.id, "Sam", clock)
    assert caught.value.reason == "not-held"


async def test_what_is_held_by_hand_is_not_sent_until_it_is_released(take, database, store, clock, rows):
    await take()
    reply = await reply_of(rows)
    await desk.hold(database, store, reply.id, "Sam", clock)
    assert ((await reply_of(rows)).state, (await reply_of(rows)).reason) == ("held", "by-hand")
    (cancelled,) = await rows(state.sends)
    assert (cancelled.outgoing_id, cancelled.state) == (reply.id, "cancelled")
    with pytest.raises(Refused) as caught:
        await desk.hold(database, store, reply.id, "Sam", clock)
    assert caught.value.reason == "not-due"
    await desk.release(database, store, reply.id, "Sam", clock)
    assert await rows(state.sends) == []


async def test_what_is_impossible_cannot_be_released(take, database, store, clock, rows, contact):
    await take(of=contact(sender=None))
    reply = await reply_of(rows)
    assert reply.state == OutgoingState.IMPOSSIBLE.value
    with pytest.raises(Refused) as caught:
        await desk.release(database, store, reply.id, "Sam", clock)
    assert caught.value.reason == "no-such-message"


@pytest.fixture
async def dead(store, clock):
    """A dead letter, and its id."""
    id_ = UUID(int=7)
    record = Record("k", b"\xff\x00", (("h", b"\xe9"),))
    await store.assume([CONTACTS])
    letter = Dead(Delivery(CONTACTS, 0, clock(), record), "not-json", "no", id_, "email", clock())
    await store.commit(Batch(CONTACTS, 0, 1, dead=(letter,)))
    return id_, record


async def test_a_dead_letter_put_back_is_the_same_bytes_on_the_same_topic(dead, database, store, clock, rows):
    id_, record = dead
    await desk.replay(database, store, id_, "Sam", clock)
    row = [each for each in await rows(tables.outbox) if each.topic == "contacts"][-1]
    assert (row.key, row.value, row.headers) == (record.key, record.value, [["h", "é"]])
    (kept,) = await rows(tables.dead_letters)
    assert (kept.state, kept.settled_by) == ("replayed", "Sam")
    with pytest.raises(Refused, match="Sam has replayed it already") as caught:
        await desk.discard(database, store, id_, "no use", "Alex", clock)
    assert caught.value.reason == "settled-already"


async def test_a_dead_letter_set_aside_keeps_its_bytes_and_the_reason_is_on_the_trail(dead, database, store, clock, rows):
    await desk.discard(database, store, dead[0], "a test of theirs", "Sam", clock)
    (kept,) = await rows(tables.dead_letters)
    assert (kept.state, kept.value) == ("discarded", b"\xff\x00")
    (entry,) = await rows(tables.audit, tables.audit.c.actor == "Sam")
    assert entry.evidence["because"] == "a test of theirs"


async def test_an_id_may_be_given_by_its_beginning_or_by_the_contacts_reference(take, task_of, database):
    task = await task_of(about := await take())
    async with database.read() as connection:
        for given in (str(task.id), str(task.id)[:8], str(task.id)[:13].upper(), str(task.id).replace("-", "")[:6]):
            assert await desk.id_of(connection, tables.tasks, given) == task.id
        from ingest.ids import reference

        assert await desk.id_of(connection, tables.tasks, reference(about.id).lower()) == task.id


@pytest.mark.parametrize("given", ["000000", "12345", "CC-00000-00000", "", "%", "' OR 1=1"])
async def test_an_id_that_is_nobodys_is_refused(given, take, database):
    await take()
    async with database.read() as connection:
        with pytest.raises(Refused) as caught:
            await desk.id_of(connection, tables.tasks, given)
    assert caught.value.reason == "no-such-id"


async def test_a_reference_with_two_tasks_is_answered_with_both_ids(take, database, rows):
    from ingest.ids import reference

    about = await take(URGENT)
    async with database.read() as connection:
        with pytest.raises(Refused) as caught:
            await desk.id_of(connection, tables.tasks, reference(about.id))
    assert caught.value.reason == "several-ids"
    assert all(str(row.id) in caught.value.sentence for row in await rows(tables.tasks))


async def test_a_dead_letters_task_is_found_by_its_reference(dead, database, rows):
    from ingest.ids import reference

    async with database.read() as connection:
        found = await desk.id_of(connection, tables.tasks, reference(dead[0]))
    assert found == (await rows(tables.tasks))[0].id


async def test_nothing_is_late_before_its_time(take, task_of, clock):
    task = await task_of(await take())
    assert task.due == clock() + timedelta(hours=24)


async def test_a_settled_record_takes_no_more_additions_and_is_settled_once(database, store, clock, take, rows):
    about = await take(Reading(Outcome.FEEDBACK_RECORD, 0.9, feedback_type="praise"))
    (record,) = await rows(tables.feedback_records, tables.feedback_records.c.contact_id == about.id)
    await desk.settle(database, store, record.id, "Sam", clock)
    (record,) = await rows(tables.feedback_records, tables.feedback_records.c.id == record.id)
    assert record.settled
    with pytest.raises(Refused, match="settled already"):
        await desk.settle(database, store, record.id, "Alex", clock)
    with pytest.raises(Refused, match="no feedback record"):
        await desk.settle(database, store, NOT_FOUND, "Sam", clock)
    assert [entry.actor for entry in await rows(tables.audit, tables.audit.c.action == "feedback-settled")] == ["Sam"]


async def test_stopping_all_sending_by_hand_stands_on_the_audit_trail(database, store, clock, rows):
    await desk.turn(database, store, "Sam", clock, stopped=True)
    assert (await state.stopped(database)).stopped
    await desk.turn(database, store, "Sam", clock, stopped=False)
    assert not (await state.stopped(database)).stopped
    actions = [entry.action for entry in await rows(tables.audit)]
    assert actions == ["sending-stopped", "sending-let-go-on"]


async def test_a_held_reply_that_is_needed_no_more_is_cancelled_with_its_reason(take, database, store, clock, rows):
    await take(URGENT)
    reply = await reply_of(rows)
    await desk.cancel(database, store, reply.id, "rung her at noon", "Sam", clock)
    ended = await reply_of(rows)
    assert (ended.state, ended.reason) == ("cancelled", "rung her at noon")
    assert await actions(rows, "Sam") == ["cancelled"]
    for gone in (reply.id, NOT_FOUND):
        with pytest.raises(Refused) as caught:
            await desk.cancel(database, store, gone, "again", "Sam", clock)
        assert caught.value.reason == ("no-such-message" if gone == NOT_FOUND else "not-held")


# Answers that a person sends.

QUERY = Reading(Outcome.QUERY_ANSWER, 0.9, query="mp-referral")


@pytest.fixture
def answering(monkeypatch, house, approved):
    """A house with an approved answer that a person sends."""
    monkeypatch.setitem(house.answers, "mp-referral", approved(en="Some bodies need one.", use="suggested")["mp-referral"])
    return house


async def sent_to_them(rows):
    found = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    return {row.kind: (row.state, row.reason) for row in found}


async def test_deciding_that_it_is_answered_sends_the_approved_answer_besides_the_acknowledgement(answering, take, rule, rows):
    about = await take(QUERY)
    assert await sent_to_them(rows) == {"acknowledgement": ("due", None)}
    await rule(about, AnswerQuery("mp-referral"))
    assert await sent_to_them(rows) == {"acknowledgement": ("due", None), "answer": ("due", None)}
    (answer,) = await rows(tables.outgoing, tables.outgoing.c.kind == "answer")
    assert "Some bodies need one." in answer.body
    assert len([row for row in await rows(tables.outbox) if row.topic == "outgoing" and row.key == str(answer.id)]) == 1
    (entry,) = await rows(tables.audit, tables.audit.c.action == "answered")
    assert (entry.actor, entry.evidence["query"], len(entry.evidence["answers"][0]["sha256"])) == ("Sam", "mp-referral", 64)
    assert {row.state for row in await rows(tables.tasks)} == {"done"}


async def test_an_answer_takes_the_place_of_an_acknowledgement_that_is_held(answering, take, rule, rows, house):
    held = replace(house, outgoing=OutgoingSettings(mode="review"))
    about = await take(QUERY, in_house=held)
    await rule(about, AnswerQuery("mp-referral"))
    assert {kind: state for kind, (state, _) in (await sent_to_them(rows)).items()} == {
        "acknowledgement": "cancelled", "answer": "due",
    }  # fmt: skip


async def test_an_answer_to_what_is_urgent_waits_to_be_released_as_anything_does(answering, take, rule, rows, contact):
    about = await take(URGENT, of=contact("I am going to kill myself tonight."))
    await rule(about, AnswerQuery("mp-referral"))
    assert await sent_to_them(rows) == {"acknowledgement": ("held", "urgent"), "answer": ("held", "urgent")}


async def test_an_answer_that_cannot_go_by_itself_is_a_task_to_bring_it_to_them(answering, take, rule, rows, contact):
    about = await take(replace(QUERY, reasonable_adjustments=("braille",)), of=contact("I need everything in Braille, please."))
    await rule(about, AnswerQuery("mp-referral"))
    assert await sent_to_them(rows) == {}
    reasons = [row.body for row in await rows(tables.tasks, tables.tasks.c.state == "open", tables.tasks.c.kind == "letter")]
    assert len([each for each in reasons if "The approved answer mp-referral is to reach them" in each]) == 1
    assert all("A person writes in Braille." in each for each in reasons)


async def test_the_same_answer_is_not_sent_twice(answering, take, rule, rows, contact, database, store, house, clock, current):
    about = await take(QUERY)
    await rule(about, AnswerQuery("mp-referral"))
    async with database.write() as connection:
        await connection.execute(tables.tasks.update().values(state="open"))
    await rule(about, AnswerQuery("mp-referral"))
    assert len(await rows(tables.outgoing, tables.outgoing.c.kind == "answer")) == 1
    assert len(await rows(tables.audit, tables.audit.c.action == "answered")) == 1
