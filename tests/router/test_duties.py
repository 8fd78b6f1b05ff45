"""What must happen by the clock, once: escalation, the morning's digest, the ledger, and gauges that tell the truth."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest import state
from ingest.contract import Outgoing, OutgoingKind, Record
from ingest.ids import reference
from ingest.log import Partition
from ingest.settings import AcknowledgementSettings
from ingest.telemetry import DUE_SOON, EARLIEST_DUE, ERRORS, HELD, LATE, TASKS, TASKS_OLDEST
from router import desk, duties
from router.read import Outcome, Reading, Sign
from router.register import tables
from router.store import Batch, Store

CONTACTS = Partition("the-log", "contacts", 0)
URGENT = Reading(Outcome.REVIEW, 0.5, signs=(Sign("harm", "suicide", "words"),))


@pytest.fixture
async def take(store, decided, contact):
    await store.assume([CONTACTS])
    position = 0

    async def commit(reading: Reading, in_house=None, **fields):
        nonlocal position
        about = contact(**fields)
        await store.commit(Batch(CONTACTS, position, position + 1, (decided(reading, of=about, in_house=in_house),)))
        position += 1
        return about

    return commit


async def notices(rows, kind: OutgoingKind):
    return [(row.recipient, row.body) for row in await rows(tables.outgoing, tables.outgoing.c.kind == kind.value)]


async def test_an_urgent_task_that_nobody_claims_goes_to_the_second_duty_mailbox_after_30_minutes_once(
    take, database, store, house, clock, rows
):
    await take(URGENT)
    clock.forward(minutes=29, seconds=59)
    assert await duties.escalate(database, store, house, clock()) == 0
    clock.forward(seconds=1)
    assert await duties.escalate(database, store, house, clock()) == 1
    clock.forward(hours=5)
    assert await duties.escalate(database, store, house, clock()) == 0
    (second,) = [body for to, body in await notices(rows, OutgoingKind.TASK) if to == "duty-second@example.org"]
    assert "UNCLAIMED URGENT" in second
    assert [row.action for row in await rows(tables.audit)].count("escalated") == 1


async def test_a_claimed_urgent_task_and_an_ordinary_one_escalate_to_nobody(take, database, store, house, clock, rows):
    await take(URGENT)
    (urgent,) = await rows(tables.tasks, tables.tasks.c.kind == "urgent")
    await desk.claim(database, store, urgent.id, "Sam", clock)
    clock.forward(days=3)
    assert await duties.escalate(database, store, house, clock()) == 0


NOT_READ = {"warnings": ("not-read: it is a picture",)}


async def test_what_nobody_has_read_for_risk_is_told_to_the_duty_mailbox_after_4_hours_once(
    take, database, store, house, clock, rows
):
    await take(Reading(Outcome.REVIEW, 0.5), **NOT_READ)
    (task,) = await rows(tables.tasks)
    assert (task.kind, task.due) == ("not-read-for-risk", clock() + timedelta(hours=4))
    before = ERRORS.labels("duties", "not-read-for-risk")._value.get()
    clock.forward(hours=3, minutes=59, seconds=59)
    assert await duties.escalate(database, store, house, clock()) == 0
    clock.forward(seconds=1)
    assert await duties.escalate(database, store, house, clock()) == 1
    clock.forward(days=3)
    assert await duties.escalate(database, store, house, clock()) == 0
    (told,) = [body for to, body in await notices(rows, OutgoingKind.TASK) if to == "duty@example.org"]
    assert "UNCLAIMED not read for risk" in told
    assert ERRORS.labels("duties", "not-read-for-risk")._value.get() == before + 1


async def test_how_long_it_may_wait_is_a_setting_and_who_has_claimed_it_is_left_alone(
    take, database, store, house, clock, rows
):
    await take(Reading(Outcome.REVIEW, 0.5), **NOT_READ)
    await take(Reading(Outcome.REVIEW, 0.5), **NOT_READ)
    claimed, _ = await rows(tables.tasks)
    await desk.claim(database, store, claimed.id, "Sam", clock)
    quick = replace(house, router=house.router.model_copy(update={"not_read_within": timedelta(minutes=10)}))
    clock.forward(minutes=10)
    assert await duties.escalate(database, store, quick, clock()) == 1


async def test_a_dead_letter_is_not_read_for_risk_either(append, route, database, store, house, clock, rows):
    await append(Record("k", b"no event"))
    await route()
    (task,) = await rows(tables.tasks)
    assert (task.kind, task.due) == ("not-read-for-risk", clock() + timedelta(hours=4))
    clock.forward(hours=4)
    assert await duties.escalate(database, store, house, clock()) == 1
    assert "duty@example.org" in {to for to, _ in await notices(rows, OutgoingKind.TASK)}


STARTED = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 1, 12, 59, tzinfo=UTC), True),
        (datetime(2026, 7, 1, 13, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 8, 0, tzinfo=UTC), True),
    ],
    ids=str,
)
async def test_the_digest_goes_out_at_eight_by_the_clock_on_the_wall(take, database, store, house, at, sent):
    await take(Reading(Outcome.REVIEW, 0.5))
    assert await duties.send_digest(database, store, house, at, STARTED) == int(sent)


async def test_the_digest_goes_out_once_a_day_to_each_mailbox_that_has_something_unsettled(take, database, store, house, rows):
    await take(URGENT)
    await take(Reading(Outcome.INTAKE, 0.9))
    eight = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    assert await duties.send_digest(database, store, house, eight, STARTED) == 3
    assert await duties.send_digest(database, store, house, eight + timedelta(minutes=5), STARTED) == 0
    assert await duties.send_digest(database, store, house, eight + timedelta(days=1), STARTED) == 3
    told = await notices(rows, OutgoingKind.DIGEST)
    assert {to for to, _ in told} == {"duty@example.org", "care-team@example.org", "intake@example.org"}


async def test_the_digest_lists_what_is_most_overdue_and_counts_the_rest(take, database, store, house, rows, monkeypatch):
    monkeypatch.setattr(duties, "_MOST_IN_A_NOTICE", 2)
    for _ in range(3):
        await take(Reading(Outcome.REVIEW, 0.5))
    eight = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    assert await duties.send_digest(database, store, house, eight, STARTED) == 1
    (row,) = await rows(tables.outgoing, tables.outgoing.c.kind == "digest")
    told = Outgoing.model_validate_json(row.body)
    assert told.subject == "This morning: 3 not settled, 3 late"
    assert told.body.count("LATE ") == 2
    assert "And 1 more" in told.body


async def test_a_service_started_after_eight_sends_no_digest_that_day(take, database, store, house):
    await take(Reading(Outcome.REVIEW, 0.5))
    nine = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    assert await duties.send_digest(database, store, house, nine, nine) == 0


async def test_no_digest_where_everything_is_settled(database, store, house, rows):
    assert await duties.send_digest(database, store, house, datetime(2026, 7, 1, 7, 0, tzinfo=UTC), STARTED) == 0


async def test_the_gauges_say_what_is_held_late_and_unclaimed(take, log, database, house, clock):
    await take(URGENT)
    await take(Reading(Outcome.FEEDBACK_RECORD, 0.9), sender="someone@else.example")
    await duties.measure(log, database, house, clock())
    assert (HELD._value.get(), LATE._value.get(), DUE_SOON._value.get()) == (1, 0, 0)
    assert TASKS.labels("urgent")._value.get() == 1
    assert TASKS_OLDEST.labels("urgent")._value.get() == clock().timestamp()
    assert TASKS_OLDEST.labels("letter")._value.get() == 0
    due = clock() + timedelta(hours=48)
    assert EARLIEST_DUE._value.get() == due.timestamp()
    clock.forward(hours=42)
    await duties.measure(log, database, house, clock())
    assert (LATE._value.get(), DUE_SOON._value.get()) == (0, 2)
    clock.forward(hours=6, seconds=1)
    await duties.measure(log, database, house, clock())
    assert (LATE._value.get(), DUE_SOON._value.get(), EARLIEST_DUE._value.get()) == (2, 0, due.timestamp())


async def test_where_nobody_is_owed_anything_no_due_time_is_shown(log, database, house, clock):
    await duties.measure(log, database, house, clock())
    assert (LATE._value.get(), DUE_SOON._value.get(), EARLIEST_DUE._value.get()) == (0, 0, 0)


async def test_a_letter_that_nobody_has_written_is_owed_as_a_message_is(take, log, database, house, clock, rows):
    await take(Reading(Outcome.FEEDBACK_RECORD, 0.9, reasonable_adjustments=("braille",)))
    await duties.measure(log, database, house, clock())
    assert EARLIEST_DUE._value.get() == (clock() + timedelta(hours=48)).timestamp()
    (task,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    store = Store(database, house, clock)
    await desk.finish(database, store, task.id, "posted", "Sam", clock)
    await duties.measure(log, database, house, clock())
    assert EARLIEST_DUE._value.get() == 0


def errors(reason: str) -> float:
    return ERRORS.labels("duties", reason)._value.get()


async def test_customer_care_are_warned_six_hours_before_an_acknowledgement_is_due_and_told_once_it_is_late_once_each(
    take, database, store, house, clock, rows
):
    urgent, letter = await take(URGENT), await take(Reading(Outcome.FEEDBACK_RECORD, 0.9, reasonable_adjustments=("braille",)))
    warned, late = errors("acknowledgement-due-soon"), errors("acknowledgement-late")

    async def told() -> list[tuple[str, str, str]]:
        sent = await rows(tables.outgoing, tables.outgoing.c.contact_id.is_(None))
        bodies = [Outgoing.model_validate_json(row.body) for row in sorted(sent, key=lambda row: row.created_at)]
        return [(each.recipient, each.subject, each.body) for each in bodies]

    clock.forward(hours=41, minutes=59)
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    clock.forward(minutes=1)
    assert await duties.tell_of_owed(database, store, house, clock()) == 2
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    ((mailbox, subject, body),) = await told()
    assert (mailbox, subject.partition(",")[0]) == ("care-team@example.org", "DUE SOON: 2 acknowledgements")
    for about, how in ((urgent, "held: urgent"), (letter, "a letter or call")):
        assert f"Wed 04 Mar 2026 09:30  {reference(about.id)}  {how}" in body
    clock.forward(hours=6)
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    clock.forward(seconds=1)
    assert await duties.tell_of_owed(database, store, house, clock()) == 2
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    assert [subject.partition(",")[0] for _, subject, _ in await told()] == [
        "DUE SOON: 2 acknowledgements", "LATE: 2 acknowledgements",
    ]  # fmt: skip
    assert (errors("acknowledgement-due-soon") - warned, errors("acknowledgement-late") - late) == (2, 2)
    entries = await rows(tables.audit, tables.audit.c.action.in_(("acknowledgement-due-soon", "acknowledgement-late")))
    assert sorted((row.action, row.contact_id) for row in entries) == sorted(
        (action, about.id) for action in ("acknowledgement-due-soon", "acknowledgement-late") for about in (urgent, letter)
    )


async def test_however_many_are_late_each_is_told_of_once_in_notices_that_can_be_read(
    take, database, store, house, clock, rows, monkeypatch
):
    monkeypatch.setattr(duties, "_MOST_IN_A_NOTICE", 2)
    abouts = [await take(Reading(Outcome.FEEDBACK_RECORD, 0.9, reasonable_adjustments=("braille",))) for _ in range(5)]
    clock.forward(hours=49)
    assert await duties.tell_of_owed(database, store, house, clock()) == 5
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    notices = await rows(tables.outgoing, tables.outgoing.c.contact_id.is_(None))
    subjects = [Outgoing.model_validate_json(row.body).subject.partition(",")[0] for row in notices]
    assert sorted(subjects) == ["LATE: 1 acknowledgement", "LATE: 2 acknowledgements", "LATE: 2 acknowledgements"]
    entries = await rows(tables.audit, tables.audit.c.action == "acknowledgement-late")
    assert sorted(row.contact_id for row in entries) == sorted(about.id for about in abouts)


async def test_what_was_acknowledged_in_time_is_warned_of_to_nobody(take, database, store, house, clock):
    await take(Reading(Outcome.FEEDBACK_RECORD, 0.9))
    async with database.write() as connection:
        await connection.execute(tables.outgoing.update().values(state="accepted"))
    clock.forward(hours=72)
    assert await duties.tell_of_owed(database, store, house, clock()) == 0


async def test_where_working_hours_are_counted_the_warning_is_too(take, database, store, house, clock):
    working = AcknowledgementSettings(calendar="working", within=timedelta(hours=16))
    house = replace(house, acknowledgement=working)
    await take(URGENT, in_house=house)
    clock.moment = datetime(2026, 3, 3, 11, 29, tzinfo=UTC)  # due on Wednesday at 9:30, half an hour after that day's beginning
    assert await duties.tell_of_owed(database, store, house, clock()) == 0
    clock.forward(minutes=1)
    assert await duties.tell_of_owed(database, store, house, clock()) == 1


async def test_the_ledger_of_an_hour_is_published_once_it_is_over_and_again_only_where_it_changed(
    take, log, database, store, house, clock, rows
):
    await take(Reading(Outcome.REVIEW, 0.5))
    assert await duties.publish_ledger(log, database, store, house, clock()) == 0
    clock.forward(hours=1)
    assert await duties.publish_ledger(log, database, store, house, clock()) == 1
    clock.forward(minutes=1)
    assert await duties.publish_ledger(log, database, store, house, clock()) == 0
    (task,) = await rows(tables.tasks)
    await desk.rule(database, store, house, task.id, [desk.Ruling(desk.NoAction(), None, None, "nothing to do")], "Sam", clock)
    assert await duties.publish_ledger(log, database, store, house, clock()) == 1
    published = [row for row in await rows(tables.outbox) if row.topic == "ledger"]
    assert len({dict(map(tuple, row.headers))["ce_id"] for row in published}) == len(published) == 2


@pytest.fixture
def lose(log, database, store, house, clock, contact):
    """Have our edge note some that never reached the log, and count the ledger every minute for a while."""

    async def noted(*received: datetime) -> None:
        async with database.write() as connection:
            for at in received:
                about = contact()
                row = {"contact_id": about.id, "channel": "email", "account": "care", "received_at": at, "original": ""}
                await connection.execute(state.receipts.insert().values(row))

    async def pass_(minutes: int) -> None:
        for _ in range(minutes):
            clock.forward(minutes=1)
            await duties.publish_ledger(log, database, store, house, clock())

    return noted, pass_


async def gaps(rows):
    return [body for _, body in await notices(rows, OutgoingKind.TASK) if "does not balance" in body]


async def test_a_gap_in_the_ledger_for_a_quarter_of_an_hour_is_told_to_customer_care_once_a_line(lose, rows, clock):
    noted, pass_ = lose
    before = ERRORS.labels("duties", "ledger-gap")._value.get()
    await noted(clock(), clock(), clock() - timedelta(hours=1))
    await pass_(15)
    assert await gaps(rows) == []
    await pass_(1)
    one, two = sorted(await gaps(rows), key=len)
    assert all("ingest ledger --since" in each for each in (one, two))
    assert any("2 of them are in no disposition" in each for each in (one, two))
    await pass_(200)
    assert len(await gaps(rows)) == 2
    assert ERRORS.labels("duties", "ledger-gap")._value.get() == before + 2
    assert len(await rows(tables.audit, tables.audit.c.action == "ledger-gap")) == 2


async def test_a_gap_that_closes_in_time_is_no_alarm_and_one_that_opens_again_begins_anew(lose, rows, clock, database):
    noted, pass_ = lose
    await noted(clock())
    await pass_(10)
    async with database.write() as connection:
        kept = (await connection.execute(state.receipts.select())).one()
        await connection.execute(state.receipts.delete())
    await pass_(1)
    assert await rows(tables.ledger_gaps) == []
    async with database.write() as connection:
        await connection.execute(state.receipts.insert().values(**kept._mapping))
    await pass_(15)
    assert await gaps(rows) == []
    await pass_(1)
    assert len(await gaps(rows)) == 1


async def test_an_hour_on_the_edge_of_the_three_days_is_counted_whole(take, log, database, store, house, clock):
    clock.moment = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
    await take(Reading(Outcome.REVIEW, 0.5))
    clock.moment = datetime(2026, 3, 2, 9, 50, tzinfo=UTC)
    await take(Reading(Outcome.REVIEW, 0.5))
    clock.moment = datetime(2026, 3, 5, 9, 4, tzinfo=UTC)
    assert await duties.publish_ledger(log, database, store, house, clock()) == 1
    clock.moment = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
    assert await duties.publish_ledger(log, database, store, house, clock()) == 0


async def test_what_is_audited_last_is_sealed_before_the_end(take, log, database, store, house, clock):
    stopping = asyncio.Event()
    stopping.set()
    await take(URGENT)
    await duties.run(log, database, store, house, clock, stopping)
    verdict = await duties.verify_audit(database)
    assert verdict.holds
    assert verdict.sealed > 0
    assert verdict.unsealed == 0


async def test_the_trail_of_one_contact_is_told_in_order(take, database):
    first = await take(URGENT)
    await take(Reading(Outcome.REVIEW, 0.5))
    told = await duties.audit_trail(database, first.id, 100)
    assert next(row.action for row in told) == "decided"
    assert {row.contact_id for row in told} == {first.id}
    assert [row.id for row in told] == sorted(row.id for row in told)
    assert len(await duties.audit_trail(database, None, 3)) == 3


async def test_whatever_is_done_about_a_contact_is_found_by_it(take, database, store, house, clock, rows):
    urgent, plain = await take(URGENT), await take(Reading(Outcome.FEEDBACK_RECORD, 0.9))
    clock.forward(minutes=31)
    await duties.escalate(database, store, house, clock())
    (task,) = await rows(tables.tasks, tables.tasks.c.kind == "urgent")
    await desk.claim(database, store, task.id, "Sam", clock)
    await desk.finish(database, store, task.id, "rang them", "Sam", clock)
    (message,) = await rows(tables.outgoing, tables.outgoing.c.contact_id == plain.id, tables.outgoing.c.audience == "person")
    await desk.hold(database, store, message.id, "Sam", clock)
    (record,) = await rows(tables.feedback_records, tables.feedback_records.c.contact_id == plain.id)
    await desk.settle(database, store, record.id, "Sam", clock)
    assert [row.action for row in await duties.audit_trail(database, urgent.id, 100)][-3:] == [
        "escalated",
        "task-claimed",
        "task-done",
    ]
    assert [row.action for row in await duties.audit_trail(database, plain.id, 100)][-2:] == ["held", "feedback-settled"]
