"""The register's one writer: all of a batch or nothing, and only while the partition is ours."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import IntegrityError

from ingest import state
from ingest.contract import DeclaredFacts, Identifier, OutgoingState, OutgoingStatus, Person, Record, Task, TaskKind
from ingest.ids import digest
from ingest.log import Delivery, Partition
from router.consequences import Standing
from router.read import Outcome, Reading, Sign
from router.register import tables
from router.store import Batch, Dead, Fenced, Store, Variant

CONTACTS = Partition("the-log", "contacts", 0)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STATUSES = Partition("the-log", "outgoing.status", 0)
URGENT = Reading(Outcome.REVIEW, 0.5, signs=(Sign("harm", "suicide", "words"),))


@pytest.fixture
async def ours(store: Store) -> Partition:
    await store.assume([CONTACTS, STATUSES])
    return CONTACTS


@pytest.fixture
async def everything(database):
    """All rows of all tables but the positions' epochs: what a batch may have left."""

    async def look() -> dict[str, list]:
        async with database.read() as connection:
            return {
                table.name: sorted(map(repr, (await connection.execute(select(table))).all()))
                for table in (*tables.metadata.sorted_tables, *state.metadata.sorted_tables)
            }

    return look


async def test_a_batch_writes_contacts_decisions_records_messages_audit_outbox_and_position_together(
    store, ours, decided, contact, rows
):
    one, urgent = decided(), decided(URGENT, of=contact(sender="someone@else.example"))
    await store.commit(Batch(ours, 0, 2, (one, urgent)))
    assert {row.id for row in await rows(tables.contacts)} == {one.contact.id, urgent.contact.id}
    assert len(await rows(state.receipts)) == 2
    assert {row.kind for row in await rows(tables.dispositions)} == {"RecordFeedback", "HoldForReview"}
    assert len(await rows(tables.feedback_records)) == 1
    assert {row.kind for row in await rows(tables.tasks)} == {"urgent", "review"}
    assert len(await rows(tables.audit)) == len(one.entries) + len(urgent.entries)
    topics = {row.topic for row in await rows(tables.outbox)}
    assert topics == {"records.feedback", "tasks", "outgoing"}
    (position,) = await rows(tables.positions, tables.positions.c.topic == "contacts")
    assert position.next == 2


async def test_a_fault_midway_leaves_nothing_and_the_position_unmoved(store, ours, decided, refuse, everything):
    before = await everything()
    await refuse("outbox")
    with pytest.raises(IntegrityError):
        await store.commit(Batch(ours, 0, 2, (decided(), decided(URGENT))))
    assert await everything() == before


async def test_whoever_lost_the_partition_writes_nothing(store, ours, decided, database, house, clock, everything):
    usurper = Store(database, house, clock)
    await usurper.assume([ours])
    before = await everything()
    with pytest.raises(Fenced):
        await store.commit(Batch(ours, 0, 1, (decided(),)))
    assert await everything() == before
    await usurper.commit(Batch(ours, 0, 1, (decided(),)))


async def test_a_position_that_moved_meanwhile_fences_too(store, ours, decided, everything):
    await store.commit(Batch(ours, 0, 1, (decided(),)))
    before = await everything()
    with pytest.raises(Fenced):
        await store.commit(Batch(ours, 0, 1, (decided(),)))
    assert await everything() == before


async def test_a_partition_that_was_let_go_is_no_longer_ours(store, ours, decided):
    await store.release([ours])
    with pytest.raises(Fenced):
        await store.commit(Batch(ours, 0, 1, (decided(),)))


async def test_a_partition_taken_again_goes_on_where_the_register_stands(store, ours, decided, database, house, clock):
    await store.commit(Batch(ours, 0, 1, (decided(),)))
    assert await Store(database, house, clock).assume([ours]) == {ours: 1}


async def test_a_contact_that_comes_again_changes_nothing_but_the_position(store, ours, decided, everything):
    urgent = decided(URGENT)
    await store.commit(Batch(ours, 0, 1, (urgent,)))
    before = await everything()
    await store.commit(Batch(ours, 1, 2, (urgent,)))
    after = await everything()
    assert before.pop("positions") != after.pop("positions")
    assert after == before


async def test_of_a_batch_with_one_that_is_there_already_only_the_others_consequences_are_written(store, ours, decided, rows):
    known, new = decided(URGENT), decided(URGENT)
    await store.commit(Batch(ours, 0, 1, (known,)))
    published = len(await rows(tables.outbox))
    await store.commit(Batch(ours, 1, 3, (known, new)))
    assert len(await rows(tables.outbox)) == 2 * published
    for table in (tables.dispositions, tables.tasks, tables.outgoing, tables.audit):
        mine = await rows(table, table.c.contact_id == known.contact.id)
        assert len(mine) == len(await rows(table, table.c.contact_id == new.contact.id)) > 0


async def test_a_batch_of_any_size_is_one_statement_on_postgresql_and_one_for_each_table_on_sqlite(
    store, ours, decided, contact, database
):
    asked: list[str] = []
    event.listen(Engine, "before_cursor_execute", note := lambda *given: asked.append(given[2]))
    try:
        await store.commit(Batch(ours, 0, 1, (decided(),)))
        of_one = len(asked)
        await store.commit(Batch(ours, 1, 41, tuple(decided(of=contact(sender=f"{each}@example.com")) for each in range(40))))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 2 * of_one
    assert of_one <= (1 if database.url.startswith("postgresql") else 13)


async def test_51_the_same_id_with_other_content_keeps_both_and_asks_a_person_once(store, ours, decided, rows):
    first = decided()
    other = first.contact.model_copy(update={"text": "other words"})
    variant = Variant(other, first.reference, digest(b"other words"))
    await store.commit(Batch(ours, 0, 2, (first,), variants=(variant,)))
    await store.commit(Batch(ours, 2, 3, variants=(variant,)))
    (kept,) = await rows(tables.contacts)
    assert "A few words." in kept.body
    (beside,) = await rows(tables.variants)
    assert "other words" in beside.body
    (task,) = await rows(tables.tasks, tables.tasks.c.body.contains("came again with other content"))
    assert (task.kind, task.contact_id) == ("review", first.contact.id)


async def test_what_is_due_goes_to_the_outbox_and_spends_its_addresss_budget_and_what_is_held_does_not(
    store, ours, decided, rows
):
    await store.commit(Batch(ours, 0, 2, (decided(), decided(standing=Standing(urgent_waits=True)))))
    (spent,) = await rows(tables.budgets)
    assert (spent.recipient, spent.spent) == ("jo@example.com", 1)
    assert [row.topic for row in await rows(tables.outbox)].count("outgoing") == 1
    await store.commit(Batch(ours, 2, 3, (decided(),)))
    (spent,) = await rows(tables.budgets)
    assert spent.spent == 2


async def test_an_urgent_contact_holds_everything_already_due_to_its_address_and_nothing_elsewhere(
    store, ours, decided, contact, rows
):
    earlier, elsewhere = decided(), decided(of=contact(sender="someone@else.example"))
    await store.commit(Batch(ours, 0, 2, (earlier, elsewhere)))
    await store.commit(Batch(ours, 2, 3, (decided(URGENT),)))
    people = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert {(row.recipient, row.state, row.reason) for row in people} == {
        ("jo@example.com", "held", "urgent"),
        ("jo@example.com", "held", "urgent-earlier"),
        ("someone@else.example", "due", None),
    }
    (cancelled,) = await rows(state.sends)
    assert (cancelled.outgoing_id, cancelled.state) == (earlier.messages[0].id, "cancelled")


async def test_a_wish_not_to_be_mailed_holds_what_is_due_and_is_remembered(store, ours, decided, rows):
    wish = Reading(Outcome.FEEDBACK_RECORD, 0.9, restrictions=(("email", "He reads my mail."),))
    await store.commit(Batch(ours, 0, 1, (decided(),)))
    await store.commit(Batch(ours, 1, 2, (decided(wish),)))
    due = await rows(tables.outgoing, tables.outgoing.c.kind == "acknowledgement", tables.outgoing.c.state != "impossible")
    assert [(row.state, row.reason) for row in due] == [("held", "wish")]
    (kept,) = await rows(tables.restrictions)
    assert (kept.sender, kept.method, kept.words) == ("jo@example.com", "email", "He reads my mail.")


async def test_a_wish_about_the_telephone_holds_no_mail(store, ours, decided, rows):
    wish = Reading(Outcome.FEEDBACK_RECORD, 0.9, restrictions=(("telephone", "Do not ring."),))
    await store.commit(Batch(ours, 0, 2, (decided(), decided(wish))))
    assert {row.state for row in await rows(tables.outgoing, tables.outgoing.c.audience == "person")} == {"due"}


@pytest.fixture
def texted(decided, contact, house):
    """What comes of a text from a number, and of one that says so and so."""
    phone = Identifier(kind="phone", given="07700 900123", canonical="+447700900123")

    def make(reading: Reading | None = None, **fields):
        about = contact(channel="sms", account="text").model_copy(update={"sender": Person(identifiers=(phone,))})
        return decided(reading, of=about, in_house=replace(house, accounts={"sms": ("text",)}), **fields)

    return make


@pytest.mark.parametrize(("method", "standing"), [("sms", ("held", "wish")), ("email", ("due", None))], ids=["texts", "mail"])
async def test_a_text_on_its_way_is_held_by_a_wish_about(store, ours, texted, rows, method, standing):
    wish = Reading(Outcome.FEEDBACK_RECORD, 0.9, restrictions=((method, "He reads my phone."),))
    earlier = texted()
    await store.commit(Batch(ours, 0, 1, (earlier,)))
    await store.commit(Batch(ours, 1, 2, (texted(wish),)))
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == earlier.messages[0].id)
    assert (row.recipient, row.state, row.reason) == ("+447700900123", *standing)
    assert {row.outgoing_id for row in await rows(state.sends)} == ({earlier.messages[0].id} if method == "sms" else set())


async def test_a_wish_on_a_form_holds_what_is_on_its_way_to_the_number_given_there(store, ours, texted, decided, contact, rows):
    earlier = texted()
    declared = DeclaredFacts(phone="07700900123")
    wish = Reading(Outcome.FEEDBACK_RECORD, 0.9, restrictions=(("sms", "He reads my phone."),))
    await store.commit(Batch(ours, 0, 2, (earlier, decided(wish, of=contact(declared=declared)))))
    people = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert {(row.recipient, row.state) for row in people} == {("+447700900123", "held"), ("jo@example.com", "due")}


async def test_an_urgent_text_holds_what_is_due_to_its_number(store, ours, texted, rows):
    earlier = texted()
    await store.commit(Batch(ours, 0, 1, (earlier,)))
    await store.commit(Batch(ours, 1, 2, (texted(URGENT),)))
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == earlier.messages[0].id)
    assert (row.state, row.reason) == ("held", "urgent-earlier")


def dead(number: int, id_: UUID, position: int) -> Dead:
    delivery = Delivery(CONTACTS, position, NINE, Record("k", b"\xff\x00", (("h", b"\xe9"),)))
    return Dead(delivery, "not-json", f"number {number}", id_, "email", NINE)


async def test_a_dead_letter_keeps_its_bytes_is_published_untouched_and_is_looked_at_before_ordinary_tasks(store, ours, rows):
    await store.commit(Batch(ours, 0, 1, dead=(dead(1, UUID(int=7), 0),)))
    (kept,) = await rows(tables.dead_letters)
    assert (kept.value, kept.headers, kept.state) == (b"\xff\x00", [["h", "é"]], "open")
    copy = next(row for row in await rows(tables.outbox) if row.topic == "contacts.dead-letter")
    assert copy.value == b"\xff\x00"
    assert copy.headers[0] == ["h", "é"]
    assert {name for name, _ in copy.headers[1:]} == {
        f"dead_letter_{each}" for each in ("id", "reason", "detail", "origin", "tries")
    }
    (task,) = await rows(tables.tasks)
    assert task.kind == TaskKind.NOT_READ_FOR_RISK.value


async def test_a_dead_letter_read_again_from_the_log_changes_nothing(store, ours, everything):
    await store.commit(Batch(ours, 0, 1, dead=(dead(1, UUID(int=7), 0),)))
    before = await everything()
    await store.realign(ours, 0)
    await store.commit(Batch(ours, 0, 1, dead=(dead(1, UUID(int=7), 0),)))
    assert await everything() == before


async def test_a_dead_letter_put_back_that_is_dead_again_is_open_again(store, ours, database, rows):
    await store.commit(Batch(ours, 0, 1, dead=(dead(1, UUID(int=7), 0),)))
    async with database.write() as connection:
        await connection.execute(update(tables.dead_letters).values(state="replayed", settled_by="Sam"))
    await store.commit(Batch(ours, 1, 2, dead=(dead(2, UUID(int=7), 1),)))
    (kept,) = await rows(tables.dead_letters)
    assert (kept.state, kept.settled_by, kept.position, kept.detail) == ("open", None, 1, "number 2")
    assert len(await rows(tables.tasks)) == 2


@pytest.fixture
async def sent(store, ours, decided, contact, clock):
    """An acknowledgement by mail to somebody who also has a telephone, and how to say what became of it."""
    identifiers = (
        Identifier(kind="email", given="jo@example.com", canonical="jo@example.com"),
        Identifier(kind="phone", given="01632 960114", canonical="+441632960114"),
    )
    written = decided(of=contact().model_copy(update={"sender": Person(identifiers=identifiers)}))
    await store.commit(Batch(ours, 0, 1, (written,)))
    reply = next(each for each in written.messages if each.audience.value == "person")
    positions = iter(range(100))

    async def tell(became: OutgoingState, reason: str | None = None):
        at = next(positions)
        status = OutgoingStatus(outgoing_id=reply.id, state=became, at=clock(), attempts=at + 1, reason=reason)
        return await store.commit_statuses(Batch(STATUSES, at, at + 1), [status])

    return reply.id, tell


async def test_what_became_of_a_message_is_noted_once(sent, rows):
    id_, tell = sent
    assert len(await tell(OutgoingState.ACCEPTED)) == 1
    assert await tell(OutgoingState.ACCEPTED) == []
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == id_)
    assert (row.state, row.attempts) == ("accepted", 1)


async def test_what_became_of_a_message_stands_on_the_audit_trail(sent, rows):
    id_, tell = sent
    for became in (OutgoingState.ACCEPTED, OutgoingState.ACCEPTED, OutgoingState.BOUNCED):
        await tell(became)
    entries = sorted(await rows(tables.audit, tables.audit.c.action == "sent"), key=lambda row: row.id)
    assert [(each.actor, each.evidence["state"]) for each in entries] == [("dispatcher", "accepted"), ("router", "bounced")]
    assert {each.evidence["outgoing"] for each in entries} == {str(id_)}
    assert all(each.contact_id for each in entries)


@pytest.mark.parametrize("ways", [[OutgoingState.FAILED], [OutgoingState.ACCEPTED, OutgoingState.BOUNCED]], ids=str)
async def test_an_acknowledgement_that_does_not_arrive_becomes_a_letter_task(sent, rows, ways):
    for way in ways:
        await sent[1](way, "550 no such user")
    (task,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    assert task.state == "open"


A = OutgoingState


@pytest.mark.parametrize(
    ("told", "stands", "attempts"),
    [
        ([A.ACCEPTED, A.DELIVERED], "delivered", 1),
        ([A.DELIVERED, A.ACCEPTED], "delivered", 2),
        ([A.ACCEPTED, A.DELIVERED, A.DELIVERED, A.ACCEPTED], "delivered", 1),
        ([A.ACCEPTED, A.FAILED], "failed", 1),
        ([A.FAILED, A.ACCEPTED], "failed", 1),
        ([A.ACCEPTED, A.FAILED, A.DELIVERED], "failed", 1),
        ([A.ACCEPTED, A.DELIVERED, A.FAILED], "delivered", 1),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
async def test_receipts_come_in_any_order_and_more_than_once(sent, rows, told, stands, attempts):
    id_, tell = sent
    for each in told:
        await tell(each, "30003" if each is A.FAILED else None)
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == id_)
    assert (row.state, row.attempts) == (stands, attempts)
    assert len(await rows(tables.tasks, tables.tasks.c.kind == "letter")) == (stands == "failed")


async def test_acceptance_is_news_once_even_where_a_receipt_has_overtaken_it(sent):
    _, tell = sent
    assert len(await tell(A.DELIVERED)) == 1
    assert [each.state for each in await tell(A.ACCEPTED)] == [A.ACCEPTED]
    assert await tell(A.ACCEPTED) == []


async def test_a_receipt_and_what_it_follows_may_come_in_one_batch(store, sent, rows, clock):
    id_, _ = sent
    statuses = [OutgoingStatus(outgoing_id=id_, state=each, at=clock(), attempts=1) for each in (A.ACCEPTED, A.DELIVERED)]
    assert await store.commit_statuses(Batch(STATUSES, 0, 2), statuses) == statuses
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == id_)
    assert row.state == "delivered"


async def test_a_text_that_did_not_arrive_is_not_called_mail(store, ours, texted, rows, clock):
    written = texted()
    await store.commit(Batch(ours, 0, 1, (written,)))
    for number, (became, reason) in enumerate([(A.ACCEPTED, None), (A.FAILED, "undelivered: 30003")]):
        status = OutgoingStatus(outgoing_id=written.messages[0].id, state=became, at=clock(), attempts=1, reason=reason)
        await store.commit_statuses(Batch(STATUSES, number, number + 1), [status])
    (task,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    reasons = Task.model_validate_json(task.body).reasons
    assert reasons[0].startswith("A text message to them did not arrive")
    assert reasons[1] == "The provider said: undelivered: 30003"


async def test_being_told_that_a_held_message_was_not_sent_does_not_end_it(sent, rows, store, ours, decided):
    id_, tell = sent
    await store.commit(Batch(ours, 1, 2, (decided(URGENT),)))
    assert await tell(OutgoingState.CANCELLED) == []
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == id_)
    assert row.state == "held"


async def test_a_message_that_was_sent_before_it_could_be_held_is_accepted(sent, rows, store, ours, decided):
    id_, tell = sent
    await store.commit(Batch(ours, 1, 2, (decided(URGENT),)))
    await tell(OutgoingState.ACCEPTED)
    (row,) = await rows(tables.outgoing, tables.outgoing.c.id == id_)
    assert row.state == "accepted"


async def test_a_moment_long_ago_or_far_off_is_kept_and_read_as_it_was(store, ours, decided, contact, rows):
    moments = [datetime(1, 1, 2, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)]
    await store.commit(Batch(ours, 0, 3, tuple(decided(of=contact(received_at=each)) for each in moments)))
    assert sorted(row.received_at for row in await rows(state.receipts)) == moments
