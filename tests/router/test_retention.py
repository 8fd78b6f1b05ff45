"""What is past its time goes and what is open stays; the trail verifies, the ledger balances, and nothing comes back."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from ingest import state
from ingest.contract import Attachment, OutgoingState, ReceiptState, Record
from ingest.ids import reference
from ingest.originals import Originals
from ingest.settings import RetentionSettings
from router import desk, duties, handoffs, holds, ledger, outbox, removal, retention
from router.keeping import Kind, Why
from router.register import tables
from router.shelves import SETTINGS, Times
from tests.router.conftest import KEY, written

YEAR = timedelta(days=365)
DAYS = RetentionSettings.model_fields.keys() - {"apply"}
RUDE = "I want to complain about your service. Nobody called me back and your staff were rude on the telephone."
ABOUT_ANOTHER = "I want to complain about my council. They have not repaired my roof for two years and it leaks."
URGENT = "I am going to kill myself tonight."


def settings(**times: timedelta) -> RetentionSettings:
    return RetentionSettings.model_validate(times)


def chosen(contact_id: UUID, individual_id: str, at: datetime) -> dict[str, Any]:
    """The row of a link that a person made."""
    told = {"grade": "chosen", "score": None, "evidence": [], "at": at, "by": "Sam"}
    return {"contact_id": contact_id, "individual_id": individual_id, **told}


@pytest.fixture
def originals(tmp_path) -> Originals:
    return Originals(f"file:///{tmp_path}/originals")


@pytest.fixture
def holding(database, store, log, originals):
    """All that is kept, with these times."""

    def make(**times: timedelta) -> retention.Holding:
        return retention.Holding(
            database, store, log, originals, Times(settings(**times), timedelta(hours=24), timedelta(hours=24), KEY)
        )

    return make


@pytest.fixture
def took_in(database, contact, append, route, originals):
    """Contacts at our edge, with their original kept and their receipt noted, and routed."""

    async def take(*texts: str, **fields):
        made = []
        for text in texts:
            (digest,) = await originals.put([f"{text} {fields.get('sender')} {len(made)}".encode()])
            made.append(contact(text, original=digest, **fields))
        await append(*made)
        rows = [
            {"contact_id": each.id, "channel": each.channel, "account": each.account, "received_at": each.received_at, "original": each.original}
            for each in made
        ]  # fmt: skip
        async with database.write() as connection:
            await connection.execute(state.receipts.insert(), rows)
        await route()
        return made

    return take


@pytest.fixture
def end_all(database, store, house, clock, rows, log):
    """Do everything that people and teams have to do, so that nothing is open any more; then seal the trail."""

    async def end() -> None:
        for task in await rows(tables.tasks, tables.tasks.c.state != "done"):
            await desk.finish(database, store, task.id, "seen to", "Sam", clock)
        for each in await rows(tables.handoffs, tables.handoffs.c.state.in_(("sent", "overdue"))):
            await handoffs.say(database, store, house, each.id, ReceiptState.SETTLED, "Kim", None, clock)
        for record in await rows(tables.feedback_records, tables.feedback_records.c.settled.is_(False)):
            await desk.settle(database, store, record.id, "Sam", clock)
        await outbox.publish(log, database)
        async with database.write() as connection:
            sent = tables.outgoing
            unsent = sent.c.state.in_(("due", "held"))
            await connection.execute(update(sent).where(unsent).values(state=OutgoingState.ACCEPTED.value, changed_at=clock()))
            await connection.execute(update(state.sends).values(told=True))  # as the dispatcher would
        await duties.seal(database, clock, back=None)

    return end


@pytest.fixture
def whole(log, database, clock):
    """That the trail verifies and the ledger balances."""

    async def look() -> None:
        await duties.seal(database, clock, back=None)
        verdict = await duties.verify_audit(database)
        assert (verdict.faults, verdict.unsealed) == ((), 0)
        for line in await ledger.entries(log, database, clock()):
            assert line.unaccounted == 0
            assert line.received == sum(line.dispositions.values()) + line.dead_lettered + line.waiting

    return look


async def tallied(it: retention.Holding, now) -> dict[Kind, tuple[int, int, dict[Why, int]]]:
    """Of each kind that is past its time: how many, how many of them would go, and why the rest stays."""
    return {each.kind: (each.past, each.goes, dict(each.stays)) for each in await retention.look(it, now) if each.past}


async def test_where_no_time_is_set_everything_stays_for_good(took_in, end_all, holding, clock, rows):
    await took_in(RUDE, URGENT)
    await end_all()
    clock.forward(days=40_000)
    it = holding()
    assert await tallied(it, clock()) == {}
    before = [len(await rows(each)) for each in (*tables.metadata.sorted_tables, *state.metadata.sorted_tables)]
    turn = await retention.remove(it, "Sam", clock)
    assert turn.removed == Counter()
    after = [len(await rows(each)) for each in (*tables.metadata.sorted_tables, *state.metadata.sorted_tables)]
    assert sum(after) - sum(before) == 3  # the turn, and its beginning and end on the trail


async def test_a_contact_past_its_time_goes_with_all_that_was_made_of_it_and_its_original(
    took_in, end_all, holding, clock, rows, originals, whole
):
    old, newer = (await took_in(RUDE))[0], None
    await end_all()
    clock.forward(days=300)
    (newer,) = await took_in(ABOUT_ANOTHER, sender="ravi@example.com")
    await end_all()
    clock.forward(days=65)
    it = holding(contacts=YEAR)
    (tally,) = [each for each in await retention.look(it, clock()) if each.past]
    assert (tally.kind, tally.goes, tally.held) == (Kind.CONTACTS, 1, 2)
    assert tally.size == len(await originals.get(old.original))
    turn = await retention.remove(it, "Sam", clock)
    assert turn.removed == {"contacts": 1}
    assert turn.freed_bytes == tally.size
    for table in (tables.contacts, tables.dispositions, tables.outgoing, state.receipts):
        column = table.c.id if table is tables.contacts else table.c.contact_id
        assert {getattr(row, column.name) for row in await rows(table)} - {None} == {newer.id}, table.name
    assert await rows(tables.feedback_records) == []
    with pytest.raises(KeyError):
        await originals.get(old.original)
    assert await originals.get(newer.original)
    await whole()


async def test_a_contact_that_went_does_not_come_back_when_the_log_is_read_again(
    took_in, end_all, holding, clock, rows, database, append, route, whole
):
    (old,) = await took_in(RUDE)
    await end_all()
    clock.forward(days=400)
    await retention.remove(holding(contacts=YEAR), "Sam", clock)
    await append(old)
    await route()
    assert await rows(tables.contacts) == []
    assert await rows(tables.outgoing, tables.outgoing.c.contact_id == old.id) == []
    await whole()


async def test_what_is_acted_on_begins_its_time_anew(took_in, end_all, holding, clock, rows, database, store):
    await took_in(RUDE)
    clock.forward(days=360)
    await end_all()
    clock.forward(days=10)
    assert await tallied(holding(contacts=YEAR), clock()) == {}
    clock.forward(days=355)
    assert (await tallied(holding(contacts=YEAR), clock()))[Kind.CONTACTS][1] == 1


async def keeps(it: retention.Holding, now) -> dict[Why, int]:
    return (await tallied(it, now)).get(Kind.CONTACTS, (0, 0, {}))[2]


async def test_what_is_urgent_unsent_untaken_or_unsettled_stays_and_the_look_says_why(
    took_in, end_all, holding, clock, rows, database, store, house
):
    await took_in(URGENT, sender="a@example.com")
    await took_in(RUDE, sender="b@example.com")
    await took_in(ABOUT_ANOTHER, sender="c@example.com")
    await duties.seal(database, clock, back=None)
    clock.forward(days=4_000)
    it = holding(contacts=YEAR, tasks=YEAR, messages=YEAR, handoffs=YEAR, feedback=YEAR)
    found = await tallied(it, clock())
    assert {kind for kind, (_, goes, _) in found.items() if goes} == {Kind.BUDGETS}
    assert found[Kind.CONTACTS][2][Why.URGENT] == 1
    assert found[Kind.HANDOFFS][2] == {Why.UNTAKEN: 1}
    assert found[Kind.FEEDBACK][2] == {Why.UNSETTLED: 1}
    assert set(found[Kind.MESSAGES][2]) == {Why.UNSENT}
    assert set((await retention.remove(it, "Sam", clock)).removed) == {"budgets"}
    await end_all()
    clock.forward(days=366)
    assert (await retention.remove(it, "Sam", clock)).removed["contacts"] == 3


async def test_what_is_not_sealed_yet_stays(took_in, end_all, holding, clock, database, store):
    await took_in(RUDE)
    await end_all()
    async with database.write() as connection:
        await connection.execute(delete(tables.audit_leaves))
    clock.forward(days=366)
    assert await keeps(holding(contacts=YEAR), clock()) == {Why.UNSEALED: 1}


async def test_while_its_case_is_open_a_contact_stays(took_in, end_all, holding, clock, database, rows):
    about_it, _, about_a_closed_one = await took_in(RUDE, ABOUT_ANOTHER, "Hello. It is about the thing.")
    await end_all()
    async with database.write() as connection:
        for number, status, one in (("P-0123456", "open", about_it), ("P-0123457", "closed", about_a_closed_one)):
            case = {"reference": number, "status": status, "owner_active": True}
            await connection.execute(insert(tables.cases).values(case))
            theirs = tables.dispositions.c.contact_id == one.id
            await connection.execute(update(tables.dispositions).where(theirs).values(case_reference=number))
    clock.forward(days=366)
    it = holding(contacts=YEAR)
    assert (await tallied(it, clock()))[Kind.CONTACTS] == (3, 2, {Why.CASE_OPEN: 1})
    await retention.remove(it, "Sam", clock)
    assert [row.id for row in await rows(tables.contacts)] == [about_it.id]
    async with database.write() as connection:
        await connection.execute(update(tables.cases).values(status="closed"))
    assert (await tallied(it, clock()))[Kind.CONTACTS] == (1, 1, {})


async def test_a_legal_hold_keeps_a_contact_and_all_its_parts_until_it_is_lifted(
    took_in, end_all, holding, clock, database, store, rows, whole
):
    one, _ = await took_in(RUDE, RUDE + " Again.", sender="a@example.com")
    (other,) = await took_in(ABOUT_ANOTHER, sender="b@example.com")
    await end_all()
    placed = await holds.place(database, store, "judicial review", "Kim", clock, contact=one.id)
    await end_all()
    clock.forward(days=366)
    it = holding(**dict.fromkeys(("contacts", "tasks", "messages", "feedback", "receipts", "originals", "audit"), YEAR))
    assert {why for _, _, stays in (await tallied(it, clock())).values() for why in stays} >= {Why.ON_HOLD}
    await retention.remove(it, "Sam", clock)
    assert {row.id for row in await rows(tables.contacts)} & {one.id, other.id} == {one.id}
    assert {row.contact_id for row in await rows(state.receipts)} >= {one.id}
    assert [row.stripped_at for row in await rows(tables.contacts, tables.contacts.c.id == one.id)] == [None]
    await holds.lift(database, store, placed, "it is over", "Kim", clock)
    await end_all()
    await retention.remove(it, "Sam", clock)
    assert await rows(tables.contacts) == []
    await whole()


@pytest.mark.parametrize("on", ["individual", "case", "merged"])
async def test_a_hold_on_an_individual_or_a_case_keeps_what_is_theirs(
    took_in, end_all, holding, clock, database, store, rows, person, on
):
    (one,) = await took_in(RUDE, sender="joan@example.com")
    await took_in(ABOUT_ANOTHER, sender="b@example.com")
    await end_all()
    await person("R1", ("Joan", "Pettifer"), "other@example.com")
    await person("R2", ("Joan", "Pettifer"), "another@example.com")
    async with database.write() as connection:
        await connection.execute(delete(tables.links))
        await connection.execute(insert(tables.links).values(chosen(one.id, "R1", clock())))
        theirs = tables.dispositions.c.contact_id == one.id
        await connection.execute(update(tables.dispositions).where(theirs).values(case_reference="P-0123456"))
        if on == "merged":
            await connection.execute(update(tables.individuals).where(tables.individuals.c.id == "R1").values(merged_into="R2"))
    whom, case = {"individual": ("R1", None), "merged": ("R2", None), "case": (None, "P-0123456")}[on]
    await holds.place(database, store, "an inquiry", "Kim", clock, individual=whom, case=case)
    clock.forward(days=366)
    it = holding(contacts=YEAR)
    assert await keeps(it, clock()) == {Why.ON_HOLD: 1}
    await retention.remove(it, "Sam", clock)
    assert [row.id for row in await rows(tables.contacts)] == [one.id]


async def test_contacts_of_one_matter_go_together_or_not_at_all(took_in, end_all, holding, clock, database, rows):
    first, second, _ = await took_in(RUDE, RUDE + " Again.", RUDE + " Once more.", sender="a@example.com")
    await end_all()
    record = next(row for row in await rows(tables.feedback_records) if row.contact_id == first.id)
    async with database.write() as connection:
        await connection.execute(insert(tables.additions).values(contact_id=second.id, added_to=record.id, at=clock()))
    clock.forward(days=300)
    async with database.write() as connection:  # somebody has looked at the second since
        told = desk.entry(clock(), "Sam", "looked-at", second.id)
        await connection.execute(
            insert(tables.audit).values(
                id=told.id, at=told.at, contact_id=second.id, action=told.action, actor="Sam", evidence={}
            )
        )
    await end_all()
    clock.forward(days=66)
    it = holding(contacts=YEAR)
    assert await tallied(it, clock()) == {Kind.CONTACTS: (2, 1, {Why.SAME_MATTER: 1})}
    assert (await retention.remove(it, "Sam", clock)).removed == {"contacts": 1}
    clock.forward(days=300)
    assert (await retention.remove(it, "Sam", clock)).removed == {"contacts": 2}


async def test_originals_go_before_their_contact_and_not_those_that_another_contact_has(
    took_in, end_all, holding, clock, rows, originals, whole, database, contact, append, route
):
    (shared,) = await originals.put([b"a logo"])
    logo = Attachment(digest=shared, name="logo.png", content_type="image/png", size=6)
    (old,) = await took_in(RUDE, sender="a@example.com", attachments=(logo,))
    await end_all()
    clock.forward(days=360)
    (newer,) = await took_in(ABOUT_ANOTHER, sender="b@example.com", attachments=(logo,))
    await end_all()
    clock.forward(days=10)
    it = holding(originals=YEAR)
    turn = await retention.remove(it, "Sam", clock)
    assert turn.removed == {"originals": 1}
    with pytest.raises(KeyError):
        await originals.get(old.original)
    assert await originals.get(shared) == b"a logo"
    assert await originals.get(newer.original)
    assert [row.id for row in await rows(tables.contacts, tables.contacts.c.stripped_at.is_not(None))] == [old.id]
    assert (await retention.remove(it, "Sam", clock)).removed == Counter()
    clock.forward(days=360)
    assert (await retention.remove(it, "Sam", clock)).removed == {"originals": 1}
    with pytest.raises(KeyError):
        await originals.get(shared)
    await whole()


async def test_parts_go_before_their_contact_each_by_its_own_time(took_in, end_all, holding, clock, rows, database, whole):
    await took_in(RUDE, ABOUT_ANOTHER, URGENT, sender="a@example.com")
    await end_all()
    clock.forward(days=366)
    turn = await retention.remove(
        holding(contacts=2 * YEAR, messages=YEAR, tasks=YEAR, handoffs=YEAR, feedback=YEAR), "Sam", clock
    )
    assert set(turn.removed) >= {"messages", "tasks", "handoffs", "feedback"}
    for table in (tables.outgoing, tables.tasks, tables.handoffs, tables.feedback_records, tables.budgets, state.sends):
        assert await rows(table) == [], table.name
    assert len(await rows(tables.contacts)) == 3
    await whole()


async def test_receipts_go_once_their_contact_is_decided_and_the_ledger_balances_without_them(
    took_in, end_all, holding, clock, rows, database, whole, append, contact
):
    await took_in(RUDE)
    await end_all()
    waiting = contact(RUDE)
    row = {
        "contact_id": waiting.id,
        "channel": "email",
        "account": "care",
        "received_at": clock(),
        "original": waiting.original,
    }
    async with database.write() as connection:
        await connection.execute(insert(state.receipts).values(row))
    clock.forward(days=366)
    it = holding(receipts=YEAR)
    assert await tallied(it, clock()) == {Kind.RECEIPTS: (2, 1, {Why.WAITING: 1})}
    await retention.remove(it, "Sam", clock)
    assert [row.contact_id for row in await rows(state.receipts)] == [waiting.id]


async def test_a_dead_letter_goes_once_somebody_has_discarded_it_and_the_ledger_balances(
    append, route, holding, clock, rows, database, store, house, whole
):
    await append(Record("k", b"no event"), Record("k", b"no event either"))
    await route()
    one, other = await rows(tables.dead_letters)
    await desk.discard(database, store, one.id, "nothing in it", "Sam", clock)
    clock.forward(days=366)
    it = holding(dead_letters=YEAR)
    past, goes, stays = (await tallied(it, clock()))[Kind.DEAD_LETTERS]
    assert (past, goes, sum(stays.values())) == (2, 0, 2)
    for task in await rows(tables.tasks, tables.tasks.c.contact_id == one.id):
        await desk.finish(database, store, task.id, "read", "Sam", clock)
    for task in await rows(tables.tasks, tables.tasks.c.contact_id.is_(None)):
        await desk.finish(database, store, task.id, "read", "Sam", clock)
    assert (await retention.remove(it, "Sam", clock)).removed == {"dead_letters": 1}
    assert [row.id for row in await rows(tables.dead_letters)] == [other.id]
    await whole()


async def test_what_audit_entries_say_goes_and_the_trail_verifies(took_in, end_all, holding, clock, rows, whole):
    await took_in(RUDE)
    await end_all()
    clock.forward(days=366)
    it = holding(audit=YEAR)
    before = await rows(tables.audit)
    turn = await retention.remove(it, "Sam", clock)
    assert turn.removed["audit"] > 0
    after = {row.id: row for row in await rows(tables.audit)}
    for row in before:
        left = after[row.id]
        assert (left.at, left.action, left.actor, left.rule, left.contact_id) == (
            row.at,
            row.action,
            row.actor,
            row.rule,
            row.contact_id,
        )
        assert left.evidence == {}
    await whole()
    clock.forward(days=366)
    assert (await retention.remove(it, "Sam", clock)).removed == Counter()
    await whole()


async def test_an_individual_of_the_routers_goes_once_nothing_of_theirs_is_left(
    took_in, end_all, holding, clock, rows, person, database
):
    await person("R9", ("Ravi", "Chatterjee"), "ravi@example.com")
    await took_in(RUDE, sender=None, name="Joan Pettifer")
    await took_in(RUDE, sender="joan@example.com", name="Joan Pettifer")
    made = [row.id for row in await rows(tables.individuals, tables.individuals.c.made_from.is_not(None))]
    assert made
    await end_all()
    clock.forward(days=300)
    it = holding(individuals=timedelta(days=30))
    found = (await tallied(it, clock()))[Kind.INDIVIDUALS]
    assert found == (len(made), 0, {Why.REFERRED_TO: len(made)})
    clock.forward(days=66)
    turn = await retention.remove(holding(contacts=YEAR, individuals=timedelta(days=30)), "Sam", clock)
    assert turn.removed["individuals"] == len(made)
    assert [row.id for row in await rows(tables.individuals)] == ["R9"]
    assert {row.individual_id for row in await rows(tables.individual_keys)} == {"R9"}
    assert {row.individual_id for row in await rows(tables.identifiers)} == {"R9"}


async def test_what_somebody_needs_keeps_the_contact_in_which_they_asked_for_it_while_they_write_to_us(
    took_in, end_all, holding, clock, rows, database
):
    (asked,) = await took_in(RUDE, sender="joan@example.com", name="Joan Pettifer")
    await end_all()
    (whom,) = {row.individual_id for row in await rows(tables.links)}
    async with database.write() as connection:
        await connection.execute(insert(tables.needs).values(contact_id=asked.id, kind="large_print", since=clock()))
    clock.forward(days=300)
    (newer,) = await took_in(ABOUT_ANOTHER, sender="joan@example.com", name="Joan Pettifer")
    await end_all()
    async with database.write() as connection:
        await connection.execute(delete(tables.links).where(tables.links.c.contact_id == newer.id))
        await connection.execute(insert(tables.links).values(chosen(newer.id, whom, clock())))
        await connection.execute(delete(tables.additions))
    clock.forward(days=66)
    it = holding(contacts=YEAR)
    assert await keeps(it, clock()) == {Why.NEEDED: 1}
    clock.forward(days=300)
    assert (await retention.remove(it, "Sam", clock)).removed == {"contacts": 2}


async def test_repeats_are_forgotten_but_for_mails_that_may_lie_in_their_mailbox_still(
    took_in, end_all, holding, clock, rows, database
):
    (one,) = await took_in(RUDE)
    await end_all()
    async with database.write() as connection:
        await connection.execute(insert(state.claims).values(contact_id=one.id, fingerprint="f", received_at=clock()))
        await connection.execute(insert(state.mails).values(fingerprint="g", contact_id=one.id))
        box = {"account": "care", "folder": "INBOX", "first_seen_at": clock(), "uid_validity": 2, "next_uid": 9}
        await connection.execute(insert(state.mailboxes).values(box))
        for validity in (1, 2):
            mail = {
                "account": "care",
                "folder": "INBOX",
                "uid_validity": validity,
                "uid": 1,
                "contact_id": one.id,
                "taken_at": clock(),
                "settled": True,
            }
            await connection.execute(insert(state.mail_ledger).values(mail))
    clock.forward(days=366)
    it = holding(repeats=YEAR, receipts=YEAR)
    assert (await tallied(it, clock()))[Kind.MAIL_LEDGER] == (2, 1, {Why.IN_A_MAILBOX: 1})
    turn = await retention.remove(it, "Sam", clock)
    assert turn.removed == {"claims": 1, "mails": 1, "mail_ledger": 1, "receipts": 1}
    assert [row.uid_validity for row in await rows(state.mail_ledger)] == [2]


async def test_drafts_and_files_that_were_never_sent_go_by_their_own_settings(holding, clock, rows, database):
    async with database.write() as connection:
        await connection.execute(insert(state.drafts).values(session="s", sealed=b"x", at=clock()))
        upload = {"owner": "o", "digest": "d", "label": "l", "content_type": "c", "size": 1, "verdict": "clean", "at": clock()}
        await connection.execute(insert(state.uploads).values(upload))
    clock.forward(hours=23)
    assert await tallied(holding(), clock()) == {}
    clock.forward(hours=2)
    assert (await retention.remove(holding(), "Sam", clock)).removed == {"drafts": 1, "uploads": 1}


async def test_a_turn_that_was_cut_short_goes_on_where_it_was_and_both_are_on_the_trail(
    took_in, end_all, holding, clock, rows, monkeypatch, whole, database
):
    await took_in(*(f"{RUDE} {number}" for number in range(6)))
    await end_all()
    clock.forward(days=366)
    it, real, calls = holding(contacts=YEAR), removal.remove_contacts, 0
    shelves = [replace(each, at_once=2) for each in retention.shelves(it.times, clock())]
    monkeypatch.setattr(retention, "shelves", lambda *_: shelves)

    class Killed(Exception):
        pass

    async def killed(connection, *args):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Killed
        return await real(connection, *args)

    monkeypatch.setattr("router.shelves.remove_contacts", killed)
    with pytest.raises(Killed):
        await retention.remove(it, "Sam", clock)
    async with database.read() as connection:
        cut_short = await retention.last_turn(connection)
        assert await retention.last_turn(connection, whole=True) is None
    assert cut_short is not None
    assert (cut_short.removed, cut_short.ended_at, cut_short.whole) == ({"contacts": 4}, None, False)
    assert len(await rows(tables.contacts)) == 2
    clock.forward(minutes=11)
    assert (await retention.remove(it, "Sam", clock)).removed == {"contacts": 2}
    ended = [row.evidence for row in await rows(tables.audit, tables.audit.c.action == retention.ENDED)]
    assert [(each["removed"], each.get("cut_short", False)) for each in ended] == [
        ({"contacts": 4}, True),
        ({"contacts": 2}, False),
    ]
    await whole()


async def test_what_somebody_opens_between_the_look_and_the_removal_stays(
    took_in, end_all, holding, clock, rows, monkeypatch, database, store
):
    (one,) = await took_in(RUDE)
    await end_all()
    clock.forward(days=366)
    real = retention._remove

    async def later(*args):
        await holds.place(database, store, "just now", "Kim", clock, contact=one.id)
        await real(*args)

    monkeypatch.setattr(retention, "_remove", later)
    assert (await retention.remove(holding(contacts=YEAR), "Sam", clock)).removed == Counter()
    assert len(await rows(tables.contacts)) == 1


@pytest.mark.parametrize("apply", [False, True])
async def test_once_a_day_what_is_due_is_counted_and_removed_only_where_the_settings_say_so(
    took_in, end_all, holding, clock, rows, apply
):
    await took_in(RUDE)
    await end_all()
    clock.forward(days=366)
    it = holding(contacts=YEAR)
    it = replace(it, times=replace(it.times, chosen=it.times.chosen.model_copy(update={"apply": apply})))
    stopping = asyncio.Event()
    looked = await retention._day(it, None, clock, stopping)
    assert retention.RETENTION_DUE.labels("contacts")._value.get() == (0 if apply else 1)
    assert len(await rows(tables.contacts)) == (0 if apply else 1)
    assert len(await rows(tables.retention_turns)) == (1 if apply else 0)
    clock.forward(hours=23)
    assert await retention._day(it, looked, clock, stopping) == looked
    assert len(await rows(tables.retention_turns)) == (1 if apply else 0)
    clock.forward(hours=2)
    assert await retention._day(it, looked, clock, stopping) == clock()
    assert len(await rows(tables.retention_turns)) == (2 if apply else 0)
    if apply:
        assert retention.RETENTION_LAST._value.get() == clock().timestamp()


async def test_told_to_stop_the_daily_turn_ends(holding, clock):
    stopping = asyncio.Event()
    running = asyncio.create_task(retention.daily(holding(), clock, stopping))
    await asyncio.sleep(0.1)
    stopping.set()
    await asyncio.wait_for(running, 5)


OPEN = {
    tables.tasks: tables.tasks.c.state != "done",
    tables.outgoing: tables.outgoing.c.state.in_(("due", "held", "sending")),
    tables.handoffs: tables.handoffs.c.state.in_(("sent", "overdue")),
    tables.feedback_records: tables.feedback_records.c.settled.is_(False),
    tables.dead_letters: tables.dead_letters.c.state == "open",
    tables.posts: tables.posts.c.outcome.is_(None),
    tables.parked: tables.parked.c.reason.is_not(None),
}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_has_happened_nothing_that_is_open_ever_goes(
    seed, took_in, append, route, holding, clock, rows, database, store, house, contact, whole, log
):
    """Some of what people do, done to some of it at random; then a turn of all kinds by the shortest time there is."""
    random = Random(seed)
    texts = [RUDE, ABOUT_ANOTHER, URGENT, "Hello. It is about the thing.", "Thank you for your help, you were kind."]
    for number in range(9):
        await took_in(f"{random.choice(texts)} {number}", sender=f"{random.choice('abcd')}@example.com")
        clock.forward(days=random.randrange(0, 60))
    await append(Record("k", b"no event"), written(contact(), ce_type="contact-ingest.contact.v2"))
    await route()
    for task in await rows(tables.tasks, tables.tasks.c.state != "done"):
        if random.random() < 0.7:
            await desk.finish(database, store, task.id, "seen to", "Sam", clock)
    for each in await rows(tables.handoffs):
        if random.random() < 0.7:
            said = random.choice([ReceiptState.TAKEN, ReceiptState.SETTLED, ReceiptState.RETURNED])
            await handoffs.say(database, store, house, each.id, said, "Kim", "because", clock)
    for record in await rows(tables.feedback_records):
        if random.random() < 0.7:
            await desk.settle(database, store, record.id, "Sam", clock)
    async with database.write() as connection:
        for message in (await connection.execute(select(tables.outgoing))).all():
            if random.random() < 0.8:
                ends = random.choice(["accepted", "delivered", "failed", "cancelled"])
                which = tables.outgoing.c.id == message.id
                await connection.execute(update(tables.outgoing).where(which).values(state=ends, changed_at=clock()))
    held = random.choice(await rows(tables.contacts))
    await holds.place(database, store, "a court", "Kim", clock, contact=held.id)
    await outbox.publish(log, database)
    await duties.seal(database, clock, back=None)
    clock.forward(days=400)
    before = {
        table: {tuple(getattr(row, c.name) for c in table.primary_key) for row in await rows(table, is_open)}
        for table, is_open in OPEN.items()
    }
    open_ = {row.contact_id for table, is_open in OPEN.items() for row in await rows(table, is_open)}
    must_stay = {row.id for row in await rows(tables.contacts)} & {held.id, *open_}
    it = holding(**dict.fromkeys(DAYS, timedelta(days=31)))
    said = {each.kind: each.goes for each in await retention.look(it, clock())}
    turn = await retention.remove(it, "Sam", clock)
    for table, keys in before.items():
        assert keys <= {tuple(getattr(row, c.name) for c in table.primary_key) for row in await rows(table)}, table.name
    assert must_stay <= {row.id for row in await rows(tables.contacts)}
    assert turn.removed["contacts"] == said[Kind.CONTACTS]
    await whole()


def test_every_setting_keeps_some_kind_and_every_kind_has_a_setting():
    named = {each.removeprefix("retention.") for each in SETTINGS.values() if each.startswith("retention.")}
    assert named == set(DAYS)
    assert SETTINGS.keys() == set(Kind)


async def test_a_reference_of_a_contact_that_went_names_nothing(took_in, end_all, holding, clock, database):
    (one,) = await took_in(RUDE)
    await end_all()
    clock.forward(days=366)
    await retention.remove(holding(contacts=YEAR), "Sam", clock)
    async with database.read() as connection:
        assert await desk.ids_of(connection, tables.contacts, reference(one.id)) == []
