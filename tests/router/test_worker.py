"""Contacts off the log: what may be published and by whom, and what one bad record does to its neighbours (nothing)."""

import asyncio
import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from ingest import state
from ingest.contract import (
    Criterion,
    DeclaredFacts,
    Event,
    FeedbackRecord,
    Identifier,
    OutgoingState,
    OutgoingStatus,
    Person,
    Record,
    UnsafeWay,
    encode,
    encode_structured,
)
from ingest.database import Database
from ingest.errors import Halted, Unreadable
from ingest.ids import MARK, mark, published_contact_id
from ingest.receive import record_of
from ingest.settings import Publisher, RouterSettings
from router.decide import RecordFeedback
from router.desk import Ruling, rule
from router.opening import UnknownVersion, contact_of
from router.readers import Readers
from router.register import tables
from router.register.index import build
from router.store import Store
from router.worker import Worker, follow_statuses

CRM = "urn:example:crm"
TYPE = "contact-ingest.contact.v1"
KEY = b"a key that only these tests know of"


def event_of(about, *, source: str | None = None, ce_id: str = "42", ce_type: str = TYPE, **changed) -> Event:
    """A contact as somebody publishes it; what is named is changed in its JSON."""
    body = {**json.loads(about.model_dump_json()), "source": source or about.source, **changed}
    return Event(ce_id if source else str(about.id), source or about.source, ce_type, json.dumps(body).encode())


def published(about, key: str | None = "k", **changed) -> Record:
    return encode(marked(event_of(about, **changed)), key)


def marked(event: Event) -> Event:
    """As our own channels and nobody else can."""
    return replace(event, extensions={MARK: mark(KEY, event.id, event.source, event.type, event.data)})


async def states(rows) -> list[tuple[str, str]]:
    return [(row.reason, row.state) for row in await rows(tables.dead_letters)]


# What cannot be read.


@pytest.fixture
def bad_records(contact):
    """Each kind of record that must become a dead letter, and its reason."""
    good = event_of(contact())
    return {
        "46 not json": (encode(marked(replace(good, data=b"{not json")), "k"), "breaks-the-contract"),
        "46 a structured event that is not json": (
            Record("k", b"{not json", (("content-type", b"application/cloudevents+json"),)),
            "not-json",
        ),
        "46 no event at all": (Record("k", b"hello"), "missing-attribute"),
        "46 a header that is not utf-8": (Record("k", b"{}", (("ce_id", b"\xff"),)), "not-a-cloudevent"),
        "46 another type": (published(contact(), ce_type="com.example.order.v1"), "unknown-type"),
        "46 a type without a version": (published(contact(), ce_type="contact-ingest.contact"), "unknown-type"),
        "46 wrong schema": (published(contact(), channel="pigeon"), "breaks-the-contract"),
        "46 a source that is not the event's": (
            encode(marked(replace(event_of(contact()), source="urn:contact-ingest:sms:main")), "k"),
            "claims-another-source",
        ),
        "48 unknown publisher": (published(contact(), source="urn:example:nobody"), "unknown-publisher"),
        "48 unknown publisher of an unknown version": (
            published(contact(), source="urn:example:nobody", ce_type="contact-ingest.contact.v9"),
            "unknown-publisher",
        ),
        "48 our name without our mark": (encode(good, "k"), "not-ours"),
        "48 our mark on other words": (replace_value(published(contact()), good.data), "not-ours"),
        "50 tombstone": (Record("k", None), "tombstone"),
    }


def replace_value(record: Record, value: bytes) -> Record:
    return Record(record.key, value, record.headers)


BAD = [
    "46 not json", "46 a structured event that is not json", "46 no event at all", "46 a header that is not utf-8", "46 another type",
    "46 a type without a version", "46 wrong schema", "46 a source that is not the event's", "48 unknown publisher",
    "48 unknown publisher of an unknown version", "48 our name without our mark", "48 our mark on other words", "50 tombstone",
]  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
async def test_is_dead_lettered_and_its_neighbours_proceed(kind, bad_records, contact, append, route, rows):
    record, reason = bad_records[kind]
    before, after = contact(), contact()
    await append(before, record, after)
    await route()
    assert await states(rows) == [(reason, "open")]
    assert {row.id for row in await rows(tables.contacts)} == {before.id, after.id}
    (kept,) = await rows(tables.dead_letters)
    assert kept.value == record.value
    (position,) = await rows(tables.positions)
    assert position.next == 3


def test_46_what_breaks_the_contract_names_the_field(contact):
    with pytest.raises(Unreadable, match=r"^sender\.identifiers\.0\.kind: ") as caught:
        contact_of(published(contact(), sender={"identifiers": [{"kind": "pigeon", "given": "x", "canonical": "x"}]}), {}, KEY)
    assert caught.value.reason == "breaks-the-contract"


def test_46_what_a_stranger_wrote_is_not_in_the_reason(contact):
    with pytest.raises(Unreadable) as caught:
        contact_of(published(contact(), channel="Zyxwvut"), {}, KEY)
    assert "Zyxwvut" not in caught.value.sentence


async def test_the_whole_topic_in_one_batch_of_every_bad_record(bad_records, contact, append, route, rows, worker):
    worker.house = replace(worker.house, router=RouterSettings(dead_letters_in_a_row=50))
    good = [contact() for _ in bad_records]
    await append(*(each for pair in zip((record for record, _ in bad_records.values()), good, strict=True) for each in pair))
    await route()
    assert sorted(reason for reason, _ in await states(rows)) == sorted(reason for _, reason in bad_records.values())
    assert len(await rows(tables.contacts)) == len(good)


async def test_48_what_only_says_that_it_is_ours_takes_nobodys_id_and_no_channels_count(contact, append, route, rows):
    jo = contact()
    await append(jo, encode(event_of(jo, text="Pay me instead."), "k"))
    await route()
    (dead,) = await rows(tables.dead_letters)
    assert (dead.reason, dead.channel) == ("not-ours", "published")
    assert dead.contact_id != jo.id
    (kept,) = await rows(tables.contacts)
    assert "instead" not in kept.body


async def test_several_that_a_publisher_gives_one_id_are_all_kept(contact, append, route, rows):
    nobody = "urn:example:nobody"
    await append(*(published(contact(f"letter {number}"), source=nobody, ce_id="1") for number in range(3)))
    await route()
    assert {row.reason for row in await rows(tables.dead_letters)} == {"unknown-publisher"}
    assert len(await rows(tables.dead_letters)) == len(await rows(tables.tasks)) == len(await rows(state.receipts)) == 3


@pytest.mark.parametrize("year", [1970, 2100])
async def test_52_a_timestamp_of_another_century_is_accepted_and_the_logs_order_rules(year, contact, append, route, rows):
    odd = contact(received_at=datetime(year, 1, 1, tzinfo=UTC), sent_at=datetime(year, 1, 1, tzinfo=UTC))
    await append(odd, contact())
    await route()
    assert await states(rows) == []
    kept = await rows(tables.contacts)
    assert {row.received_at.year for row in kept} == {year, 2026}
    decided = sorted(await rows(tables.audit, tables.audit.c.action == "decided"), key=lambda row: row.id)
    assert next(row.contact_id for row in decided) == odd.id


async def test_a_moment_that_no_due_time_can_follow_is_a_poison_of_its_own(contact, append, route, rows):
    await append(contact(), published(contact(), received_at="9999-12-31T23:00:00Z"), contact())
    await route()
    assert await states(rows) == [("poison", "open")]
    assert len(await rows(tables.contacts)) == 2


async def test_data_that_the_database_refuses_is_isolated_by_halving(contact, append, route, rows, refuse):
    await refuse("contacts", "the register will not have this")
    contacts = [contact("the register will not have this" if number in (3, 8) else "fine") for number in range(12)]
    await append(*contacts)
    await route()
    assert await states(rows) == [("register-refuses-it", "open")] * 2
    refused = {contacts[3].id, contacts[8].id}
    assert {row.id for row in await rows(tables.dead_letters)} == refused
    assert {row.id for row in await rows(tables.contacts)} == {each.id for each in contacts} - refused
    assert sorted(row.next for row in await rows(tables.positions)) == [12]


async def test_past_the_limit_in_a_row_the_router_stops_and_the_rest_stay_on_the_log(contact, append, route, rows, log):
    await append(contact(), *(Record("k", b"no event") for _ in range(9)), contact())
    with pytest.raises(Halted) as caught:
        await route()
    assert caught.value.reason == "too-many-dead-letters"
    assert len(await rows(tables.dead_letters)) == 5
    (position,) = await rows(tables.positions)
    assert position.next == 6
    assert len(await log.read("contacts", after={0: position.next}, most=100)) == 5


async def test_the_limit_is_of_dead_letters_in_a_row(contact, append, route, rows):
    for _ in range(3):
        await append(*(Record("k", b"no event") for _ in range(5)), contact())
    await route()
    assert len(await rows(tables.dead_letters)) == 15


async def test_the_limit_holds_for_what_the_register_refuses_as_well(contact, append, route, rows, refuse):
    await refuse("contacts")
    await append(*(contact() for _ in range(9)))
    with pytest.raises(Halted):
        await route()
    assert len(await rows(tables.dead_letters)) == 5


# Once.


async def test_what_comes_again_is_decided_once(contact, append, route, rows):
    one = contact()
    await append(one, one)
    await append(one)
    await route()
    assert len(await rows(tables.contacts)) == len(await rows(tables.dispositions)) == 1
    assert await rows(tables.variants) == []


async def test_the_same_letter_taken_in_again_as_back_fill_or_by_another_release_changes_nothing(contact, append, route, rows):
    one = contact()
    await append(one, one.model_copy(update={"backfill": True, "text": "the same words, trimmed otherwise"}))
    await route()
    assert len(await rows(tables.contacts)) == 1
    assert not await rows(tables.variants)


async def test_51_the_same_id_with_other_content_is_kept_beside_it_and_a_person_is_asked(contact, append, route, rows):
    one = contact()
    await append(one, one.model_copy(update={"text": "other words", "full_text": "other words", "original": "b" * 64}))
    await route()
    assert len(await rows(tables.contacts)) == len(await rows(tables.variants)) == 1
    assert len(await rows(tables.tasks, tables.tasks.c.body.contains("came again with other content"))) == 1


async def test_51_of_two_with_one_id_the_first_is_not_taken_for_the_second_ones_sender(contact, person, append, route, rows):
    await person("R1", ("Joan", "Pettifer"), "joan@example.com")
    stranger = contact(sender="stranger@example.net", name="A Stranger")
    joan = Identifier(kind="email", given="joan@example.com", canonical="joan@example.com", verified_by="dmarc")
    await append(stranger, stranger.model_copy(update={"sender": Person(name="Joan Pettifer", identifiers=(joan,))}))
    await route()
    assert await rows(tables.links) == []


async def test_a_router_that_begins_anew_goes_on_where_the_register_stands(
    contact, append, route, rows, log, database, store, house, clock
):
    await append(contact())
    await route()
    await append(contact())
    await route(Worker(log, database, Store(database, house, clock), house, {}, clock, asyncio.Event(), KEY, Readers(0)))
    assert len(await rows(tables.contacts)) == 2
    (position,) = await rows(tables.positions)
    assert (position.epoch, position.next) == (2, 2)


async def test_a_router_that_lost_its_place_takes_it_up_again_and_decides_nothing_twice(
    contact, append, route, rows, worker, database
):
    await append(contact())
    await route()
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(epoch=99))
    await append(contact())
    await route()
    assert len(await rows(tables.contacts)) == len(await rows(tables.dispositions)) == 2


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
async def test_a_register_that_knows_less_than_the_log_routes_the_rest_again_and_says_so(
    contact, append, route, rows, log, house, clock, tmp_path, empty_register
):
    await append(contact(), contact())
    await route()
    saved = shutil.copy(tmp_path / "register.db", tmp_path / "saved.db")
    await append(contact(), contact())
    await route()
    ids = {row.id for row in await rows(tables.contacts)}
    for copy, stood in ((saved, 2), (shutil.copy(empty_register, tmp_path / "new.db"), 0)):
        put_back = Database(f"sqlite:///{copy}")
        store = Store(put_back, house, clock)
        again = Worker(log, put_back, store, house, {}, clock, asyncio.Event(), KEY, Readers(0))
        routing = asyncio.create_task(again.run())
        async with asyncio.timeout(30):
            while list(again.expected.values()) != [4]:
                await asyncio.sleep(0.01)
        again.stopping.set()
        await routing
        async with put_back.read() as connection:
            assert {row.id for row in await connection.execute(select(tables.contacts.c.id))} == ids
            told = select(tables.audit.c.evidence).where(tables.audit.c.action == "put-back")
            assert list(await connection.scalars(told)) == [{"topic": "contacts", "partitions": {"0": [stood, 4]}}]
        await put_back.close()


# A version that this release does not know.


async def test_47_a_newer_major_version_is_parked_and_holds_back_later_ones_of_its_key_only(
    contact, append, route, rows, worker
):
    jo, jo_later, other = contact(), contact(), contact(sender="someone@else.example")
    key = record_of(jo, KEY).key
    await append(published(jo, key, ce_type="contact-ingest.contact.v2"), jo_later, other)
    await route()
    assert {row.id for row in await rows(tables.contacts)} == {other.id}
    assert [(row.contact_id, row.reason) for row in await rows(tables.parked)] == [
        (jo.id, "unknown-version: contact-ingest.contact.v2"),
        (jo_later.id, "behind-an-unknown-version"),
    ]
    even_later = contact()
    await append(even_later)
    await route()
    assert len(await rows(tables.parked)) == 3
    assert await states(rows) == []


async def test_47_a_newer_version_without_a_key_holds_nobody_back(contact, append, route, rows):
    keyless = published(contact(), None, ce_type="contact-ingest.contact.v2")
    await append(keyless, replace_key(record_of(contact(), KEY), None), keyless)
    await route()
    assert len(await rows(tables.contacts)) == 1
    assert len(await rows(tables.parked)) == 2


def replace_key(record: Record, key: str | None) -> Record:
    return Record(key, record.value, record.headers)


async def test_47_what_was_parked_is_routed_in_order_by_the_release_that_knows_it(
    contact, append, route, rows, database, clock
):
    first, second, stuck, behind = contact(), contact(), contact(sender="b@example.com"), contact(sender="b@example.com")
    key, other = record_of(first, KEY).key, record_of(stuck, KEY).key
    v2 = "contact-ingest.contact.v2"
    await append(published(first, key, ce_type=v2), second, published(stuck, other, ce_type=v2), behind)
    await route()
    assert len(await rows(tables.parked)) == 4
    # The next release: the same bytes, under a type that is known.
    async with database.write() as connection:
        known = published(first, key).headers
        await connection.execute(
            update(tables.parked)
            .where(tables.parked.c.contact_id == first.id)
            .values(headers=[[name, raw.decode("latin-1")] for name, raw in known])
        )
    later = contact()
    await append(later)
    await route()
    decided = await rows(tables.dispositions)
    assert {row.contact_id for row in decided} == {first.id, second.id, later.id}
    entries = await rows(tables.audit, tables.audit.c.action == "decided")
    assert [row.contact_id for row in sorted(entries, key=lambda row: row.id)] == [first.id, second.id, later.id]
    assert {row.contact_id for row in await rows(tables.parked)} == {stuck.id, behind.id}


async def test_47_a_parked_record_that_turns_out_unreadable_is_a_dead_letter_and_the_router_starts(
    contact, append, route, rows, database
):
    jo, when = contact(), "9999-12-31T23:00:00Z"
    await append(published(jo, ce_type="contact-ingest.contact.v2", received_at=when))
    await route()
    async with database.write() as connection:
        headers = [[name, raw.decode("latin-1")] for name, raw in published(jo, received_at=when).headers]
        await connection.execute(update(tables.parked).values(headers=headers))
    await route()
    assert await states(rows) == [("poison", "open")]
    assert await rows(tables.parked) == []


# Publishers.


def vouched(about):
    email = Identifier(kind="email", given="a@example.com", canonical="a@example.com", verified_by="sign-in")
    return about.model_copy(update={"sender": Person(identifiers=(email,)), "acknowledged": True, "backfill": True})


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("mode", [encode, encode_structured], ids=["binary", "structured"])
def test_a_publisher_is_believed_only_where_the_settings_let_it(contact, allowed, mode):
    publisher = Publisher(may_vouch=allowed, may_acknowledge=allowed, may_backfill=allowed)
    found, _ = contact_of(mode(event_of(vouched(contact()), source=CRM), "k"), {CRM: publisher}, KEY)
    assert found.id == published_contact_id(CRM, "42")
    assert found.sender.identifiers[0].verified_by == ("sign-in" if allowed else None)
    assert (found.acknowledged, found.backfill) == (allowed, allowed)


def test_a_publishers_contact_can_take_nobody_elses_id(contact):
    victim = contact()
    found, _ = contact_of(published(victim, source=CRM, ce_id=str(victim.id)), {CRM: Publisher()}, KEY)
    assert found.id not in (victim.id, UUID(int=0))


def test_an_unknown_version_tells_the_id_that_the_contact_will_have(contact):
    with pytest.raises(UnknownVersion) as caught:
        contact_of(published(contact(), source=CRM, ce_type="contact-ingest.contact.v2"), {CRM: Publisher()}, KEY)
    assert caught.value.contact_id == published_contact_id(CRM, "42")


def test_fields_that_a_newer_publisher_adds_are_passed_over(contact):
    found, _ = contact_of(published(contact(), mood="cheerful"), {}, KEY)
    assert not hasattr(found, "mood")


# Who it is, over batches and within one.


async def test_a_wish_is_remembered_for_the_next_contact_from_that_address(contact, append, route, rows):
    wish = "Please do not email me. Write to me by post only at 14 Quarry Lane, DE80 4PT."
    await append(contact(wish))
    await route()
    await append(contact("Thank you for your help, 14 Quarry Lane DE80 4PT."))
    await route()
    assert "email" in {row.method for row in await rows(tables.restrictions)}
    assert await rows(tables.outgoing, tables.outgoing.c.audience == "person", tables.outgoing.c.state == "due") == []


async def test_after_an_urgent_contact_the_next_one_in_the_same_batch_waits_too(contact, append, route, rows):
    await append(contact("Before."), contact("I am going to kill myself tonight."), contact("After."))
    await route()
    replies = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert sorted(row.reason for row in replies) == ["urgent", "urgent-earlier", "urgent-earlier"]
    assert {row.state for row in replies} == {"held"}


async def test_a_proven_partys_comments_go_to_the_cases_owner_and_a_strangers_do_not(
    contact, person, case, append, route, rows
):
    await case(owner_email="owner@example.org")
    await person(cases=[("C-2034655", "complainant", "none")])
    words = "Please find my comments on the draft report for case C-2034655. Paragraph 12 is wrong."
    joan = contact(words, sender="joan@example.com", name="Joan Pettifer", verified_by="dmarc")
    stranger = contact(words, sender="stranger@example.net", name="A Stranger")
    await append(joan, stranger)
    await route()
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.contact_id, handoff.mailbox, handoff.case_reference) == (joan.id, "owner@example.org", "C-2034655")
    (held,) = await rows(tables.dispositions, tables.dispositions.c.contact_id == stranger.id)
    assert (held.kind, held.individual_id) == ("HoldForReview", None)
    assert {row.contact_id for row in await rows(tables.links)} == {joan.id}


async def test_a_further_comment_in_the_same_batch_is_added_to_the_first_ones_handoff(
    contact, person, case, append, route, rows
):
    await case(owner_email="owner@example.org")
    await person(cases=[("C-2034655", "complainant", "none")])
    words = "Please find my comments on the draft report for case C-2034655. Paragraph {} is wrong."
    both = [
        contact(words.format(number), sender="joan@example.com", name="Joan Pettifer", verified_by="dmarc")
        for number in (12, 13)
    ]
    await append(*both)
    await route()
    (handoff,) = await rows(tables.handoffs)
    (added,) = await rows(tables.additions)
    assert (added.contact_id, added.added_to) == (both[1].id, handoff.id)


PLACES = {
    "to whoever works on it": ("open", True, "owner@example.org"),
    "to its last owner where it is closed": ("closed", True, "owner@example.org"),
    "to Customer Care where that person has left": ("closed", False, "care-team@example.org"),
}


@pytest.mark.parametrize("channel", ["email", "web_form"])
@pytest.mark.parametrize(("status", "active", "mailbox"), PLACES.values(), ids=PLACES)
async def test_what_a_party_writes_about_a_case_of_theirs_goes(
    status, active, mailbox, channel, contact, person, case, append, route, rows
):
    await case(status=status, owner_email="owner@example.org", owner_active=active)
    await person(cases=[("C-2034655", "complainant", "none")])
    declared = DeclaredFacts(asks_for="open_case", case_reference="C-2034655") if channel == "web_form" else None
    words = "My case is C-2034655. I have moved house, and my new address is 4 Mill Lane. Please tell my investigator."
    await append(contact(words, sender="joan@example.com", name="Joan Pettifer", channel=channel, declared=declared))
    await route()
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.mailbox, handoff.individual_id, handoff.case_reference) == (mailbox, "R1", "C-2034655")
    assert await rows(tables.feedback_records) == []


async def test_a_mail_becomes_a_feedback_record_with_what_customer_care_writes_down(contact, person, append, route, rows):
    await person()
    words = (
        "I complain about your service. Your adviser promised to ring me back by Friday, and nobody rang. I wrote to you about it "
        "in May. I would like an apology.\n\nKind regards\nJoan Pettifer\n14 Quarry Lane\nDE80 4PT"
    )
    await append(contact(words, sender="joan@example.com"))
    await route()
    (kept,) = await rows(tables.feedback_records)
    record = FeedbackRecord.model_validate_json(kept.body)
    assert (record.individual_id, record.name_given, record.name_held) == ("R1", "Joan Pettifer", "Joan Pettifer")
    assert record.address_given == "14 Quarry Lane, DE80 4PT"
    assert record.address_held == "14 Quarry Lane, DE80 4PT"
    assert (record.type, record.contacted_before_said, record.contacted_before_held) == ("service", True, False)
    assert "apology" in (record.remedy_sought or "")
    assert record.key_points
    assert all(each in words for each in (*record.key_points, *record.promises_broken))
    assert record.missing == ()


# The register away, and what became of messages.


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
async def test_a_register_that_is_away_is_waited_for_and_nothing_is_skipped(contact, append, route, rows, tmp_path):
    import sqlite3

    await append(contact(), contact())
    lock = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    routing = asyncio.create_task(route())
    await asyncio.sleep(0.1)
    lock.execute("COMMIT")
    lock.close()
    await routing
    assert len(await rows(tables.contacts)) == 2


async def test_while_a_pages_last_contact_is_committed_the_next_page_is_read(
    contact, append, route, worker, rows, monkeypatch: pytest.MonkeyPatch
):
    worker.house = replace(worker.house, router=RouterSettings(batch=1))  # so that four are taken at once
    asked = 0
    fifth = asyncio.Event()
    read, commit = worker.readers.open, worker.store.commit

    async def reading(records, terms):
        nonlocal asked
        asked += len(records)
        if asked == 5:
            fifth.set()
        return await read(records, terms)

    async def committing(batch):
        if batch.following == 4:
            await asyncio.wait_for(fifth.wait(), 10)
        await commit(batch)

    monkeypatch.setattr(worker.readers, "open", reading)
    monkeypatch.setattr(worker.store, "commit", committing)
    await append(*(contact() for _ in range(6)))
    await route()
    assert len(await rows(tables.contacts)) == 6


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
async def test_while_peoples_keys_are_not_whole_the_router_waits_rather_than_take_them_for_strangers(
    contact, append, worker, rows, person, database
):
    await person()
    async with database.write() as connection:
        await connection.execute(tables.key_versions.delete())
    await append(contact())
    routing = asyncio.create_task(worker.run())
    async with asyncio.timeout(90):
        while worker.turns < 2:
            await asyncio.sleep(0.05)
        assert await rows(tables.contacts) == []
        await build(database)
        while not await rows(tables.contacts):
            await asyncio.sleep(0.05)
    worker.stopping.set()
    await routing


async def test_where_contacts_wait_and_nothing_says_why_the_router_ends_to_be_started_again(contact, append, worker, clock):
    await append(contact())
    watching = asyncio.create_task(worker.watch(timedelta(milliseconds=5)))
    await asyncio.sleep(0.2)
    clock.forward(minutes=4)
    await asyncio.sleep(0.2)
    assert not watching.done()
    clock.forward(minutes=2)
    with pytest.raises(Halted) as halted:
        async with asyncio.timeout(10):
            await watching
    assert halted.value.reason == "stuck"


@pytest.mark.parametrize("register_url", ["sqlite"], indirect=True)
async def test_a_router_with_nothing_before_it_or_a_reason_to_wait_is_not_stuck(
    contact, append, worker, clock, rows, tmp_path, monkeypatch, register_url, house
):
    import sqlite3

    monkeypatch.setattr("ingest.database._WAIT_SECONDS", 0.2)
    worker.database = Database(register_url)
    worker.store = Store(worker.database, house, clock)
    watching = asyncio.create_task(worker.watch(timedelta(milliseconds=5)))
    routing = asyncio.create_task(worker.run())

    async def an_hour() -> None:
        for _ in range(10):
            clock.forward(minutes=6)
            await asyncio.sleep(0.1)
        assert not watching.done()

    await an_hour()
    lock = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    await append(contact())
    before = worker.turns
    async with asyncio.timeout(30):
        while worker.turns < before + 2:
            await asyncio.sleep(0.05)
    lock.execute("COMMIT")
    lock.close()
    async with asyncio.timeout(30):
        while not await rows(tables.contacts):
            await asyncio.sleep(0.05)
    await an_hour()
    worker.stopping.set()
    await asyncio.gather(routing, watching)
    await worker.database.close()


async def test_statuses_off_the_log_reach_the_register_and_an_unreadable_one_holds_up_nobody(
    contact, append, route, rows, log, database, store, clock, worker
):
    await append(contact())
    await route()
    (reply,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    status = OutgoingStatus(outgoing_id=reply.id, state=OutgoingState.ACCEPTED, at=clock(), attempts=1)
    told = Event("1", "urn:contact-ingest:dispatcher", "contact-ingest.outgoing-status.v1", status.model_dump_json().encode())
    await log.append("outgoing.status", [Record("k", b"hello"), encode(told, "k")])
    stopping = asyncio.Event()
    following = asyncio.create_task(follow_statuses(log, database, store, stopping))
    async with asyncio.timeout(30):
        while (await rows(tables.outgoing, tables.outgoing.c.id == reply.id))[0].state != "accepted":
            await asyncio.sleep(0.02)
    stopping.set()
    await following


# What people declare on a form.

EVERYTHING = DeclaredFacts(
    asks_for="feedback",
    feedback_type="mixed",
    review_criteria=(
        Criterion(name="inaccurate_facts", evidence="My operation was in May."),
        Criterion(name="overlooked_information", evidence="Nobody looked at the photographs."),
    ),
    name="Siân Prosser",
    address=("1 Heol Fawr", "Aberystwyth"),
    postcode="SY23 1AA",
    date_of_birth="1971-04-30",
    email="sian@example.com",
    phone="01632 960114",
    case_reference="C-2034655",
    contacted_before=True,
    organisation_complained_of="Elm Road Surgery",
    remedy_sought="A new decision",
    preferred_method="email",
    unsafe_ways=(UnsafeWay(method="telephone", words="Somebody else answers it."),),
    reasonable_adjustments=("large_print", "More breaks in a meeting"),
    authority="I hold a lasting power of attorney.",
)


async def test_a_form_becomes_a_feedback_record_with_every_answer_in_its_field(
    contact, append, route, rows, person, case, house
):
    await case("C-2034655")
    await person(
        "R1", ("Siân", "Prosser"), "sian@example.com", cases=[("C-2034655", "complainant", "none")], born=date(1971, 4, 30)
    )
    mother = Person(name="Gwen Prosser")
    form = contact(
        "You promised to ring me by Friday and nobody rang. The letter was rude.",
        sender="sian@example.com",
        name="Siân Prosser",
        channel="web_form",
        account="feedback",
        source="urn:contact-ingest:web_form:feedback",
        subject=None,
        on_behalf_of=mother,
        declared=EVERYTHING,
    )
    await append(form)
    await route()
    (kept,) = await rows(tables.feedback_records)
    record = FeedbackRecord.model_validate_json(kept.body)
    assert (kept.type, kept.case_reference, kept.individual_id) == ("mixed", "C-2034655", "R1")
    assert record.model_dump(exclude={"id", "reference", "recorded_at", "contact_ids", "received_at"}) == {
        "channel": "web_form",
        "individual_id": "R1",
        "name_given": "Siân Prosser",
        "name_held": "Siân Prosser",
        "address_given": "1 Heol Fawr, Aberystwyth, SY23 1AA",
        "address_held": "14 Quarry Lane, DE80 4PT",
        "phone_given": EVERYTHING.phone,
        "email_given": EVERYTHING.email,
        "date_of_birth_given": EVERYTHING.date_of_birth,
        "type": "mixed",
        "key_points": ("You promised to ring me by Friday and nobody rang.", "The letter was rude."),
        "review_criteria": tuple(each.model_dump() for each in EVERYTHING.review_criteria),
        "remedy_sought": "A new decision",
        "contacted_before_said": True,
        "contacted_before_held": False,
        "case_reference": "C-2034655",
        "organisation_complained_of": "Elm Road Surgery",
        "reasonable_adjustments": ("large_print", "More breaks in a meeting"),
        "agreed_method": "email",
        "unsafe_ways": ({"method": "telephone", "words": "Somebody else answers it."},),
        "on_behalf_of": mother.model_dump(),
        "represented": None,
        "authority": "I hold a lasting power of attorney.",
        "under_18": None,
        "legal_clock": None,
        "promises_broken": ("You promised to ring me by Friday and nobody rang.",),
        "missing": (),
    }
    (sent,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert (sent.state, sent.recipient) == ("due", "sian@example.com")
    wishes = {(row.sender, row.method) for row in await rows(tables.restrictions)}
    assert wishes == {("sian@example.com", "telephone"), ("+441632960114", "telephone")}


async def test_a_way_that_is_not_safe_holds_back_what_a_later_form_of_theirs_would_have_sent(contact, append, route, rows):
    def form(**facts):
        return contact("Your service was slow.", channel="web_form", account="feedback", declared=DeclaredFacts(**facts))

    await append(form(unsafe_ways=(UnsafeWay(method="email"),), phone="01632 960114"), form(asks_for="feedback"))
    await route()
    assert await rows(tables.outgoing, tables.outgoing.c.audience == "person", tables.outgoing.c.state == "due") == []


@pytest.mark.parametrize("given", ["C-9999999", "C-12345"], ids=["one that the register has not", "a malformed one"])
async def test_a_declared_reference_is_looked_at_by_a_person_where_it_is(given, contact, append, route, rows):
    await append(contact("Your service was slow.", declared=DeclaredFacts(asks_for="feedback", case_reference=given)))
    await route()
    (decided,) = await rows(tables.dispositions)
    assert (decided.kind, decided.rule) == ("HoldForReview", "reference-unknown")


async def test_a_form_that_a_person_clears_of_being_a_robots_becomes_its_record_and_is_acknowledged(
    contact, append, route, rows, database, store, house, clock
):
    robot = ("suspected-robot: a field that nobody sees was filled in.",)
    await append(contact("Your letter is wrong.", channel="web_form", account="feedback", declared=EVERYTHING, warnings=robot))
    await route()
    (task,) = await rows(tables.tasks)
    assert await rows(tables.feedback_records) == []
    ruling = Ruling(RecordFeedback(), None, None, "a real person")
    await rule(database, store, house, task.id, [ruling], "Sam", clock)
    (kept,) = await rows(tables.feedback_records)
    assert FeedbackRecord.model_validate_json(kept.body).review_criteria == EVERYTHING.review_criteria
    (sent,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    assert sent.state == "due"
