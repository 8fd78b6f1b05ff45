"""Who is who, over time: made of what they write, found again, counted as one, taken apart, and every step on the audit trail."""

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.contract import FeedbackRecord, Handoff, Person, Task, TaskKind, Team
from ingest.database import Database
from ingest.errors import Refused
from ingest.log import Partition
from router import desk as at_the_desk
from router import individuals
from router.decide import HandOff, RecordFeedback
from router.desk import Ruling
from router.individuals import Desk
from router.match import Matched
from router.match.register_view import IndividualView
from router.register import search, tables
from router.store import Batch, Store
from router.writer import MADE

CONTACTS = Partition("the-log", "contacts", 0)
FEEDBACK = (
    "I want to complain about your service. Nobody from your office called me back and your staff were rude on the telephone."
)
ENQUIRY = "I want to complain about the hospital. My father waited nine hours at St Aldwyn's Infirmary."
QUERY = "Why do I need a Member of Parliament to refer my complaint to you?"


@pytest.fixture
def desk(database, store, house, clock):
    """Sam's."""
    return Desk(database, store, house, clock, "Sam", "her sister wrote")


@pytest.fixture
def write(append, route, contact):
    """Let somebody write, and the router see to it; answers with the contact."""

    async def put(
        words: str = FEEDBACK, name: str | None = "Joan Pettifer", sender: str | None = "joan@example.com", **fields: Any
    ):
        about = contact(words, name=name, sender=sender, **fields)
        await append(about)
        await route()
        return about

    return put


@pytest.fixture
def linked(rows):
    """Whose a contact is; None where it is nobody's."""

    async def find(about):
        found = await rows(tables.links, tables.links.c.contact_id == about.id, tables.links.c.undone_at.is_(None))
        assert len(found) <= 1
        return found[0].individual_id if found else None

    return find


@pytest.fixture
def view(database):
    async def find(id_):
        async with database.read() as connection:
            return (await search.people(connection, {id_})).get(id_)

    return find


async def test_who_gives_feedback_is_made_an_individual_whom_the_second_letter_finds(write, rows, linked, view):
    first = await write()
    (made,) = await rows(tables.individuals)
    assert (made.id[:5], made.given_name, made.surname, made.made_from) == (MADE, "Joan", "Pettifer", first.id)
    assert await linked(first) == made.id
    (record,) = await rows(tables.feedback_records)
    assert record.individual_id == made.id
    assert FeedbackRecord.model_validate_json(record.body).individual_id == made.id
    second = await write("Your service is still poor. I have had no answer to my complaint about your staff.")
    assert await linked(second) == made.id
    assert len(await rows(tables.individuals)) == 1
    links = {row.contact_id: (row.grade, row.by) for row in await rows(tables.links)}
    assert links == {first.id: ("first", "router"), second.id: ("probable", "router")}
    assert (await view(made.id)).written_before


async def test_so_is_who_is_handed_on_and_nobody_else(write, rows):
    await write(ENQUIRY, "Ruth Abernethy", "ruth@example.com")
    await write(QUERY, "Graham Pellew", "graham@example.com")
    await write("Hello. It is about the thing.", "Arthur Pettifer", "arthur@example.com")
    await write(
        "Dear friend, you have won the lottery prize. Click the link to claim your crypto bitcoin casino offer.",
        "Kit Spam",
        "k@example.com",
    )
    mother = Person(name="Gwen Prosser")
    await write(FEEDBACK, "Siân Prosser", "sian@example.com", on_behalf_of=mother)
    names = {(row.given_name, row.surname) for row in await rows(tables.individuals)}
    assert names == {("Ruth", "Abernethy"), ("Siân", "Prosser")}


async def test_two_letters_of_one_unknown_person_in_one_batch_make_one(contact, append, route, rows):
    await append(
        *(contact(f"{FEEDBACK} {number}", name="Joan Pettifer", sender="joan@example.com") for number in range(3)),
        contact(FEEDBACK, name="Ruth Abernethy", sender="ruth@example.com"),
    )
    await route()
    assert len(await rows(tables.individuals)) == 2
    assert sorted(row.grade for row in await rows(tables.links)) == ["first", "first", "probable", "probable"]
    held = await rows(tables.feedback_records)
    assert sum(FeedbackRecord.model_validate_json(row.body).contacted_before_held for row in held) == 2


async def test_two_routers_that_decide_on_them_at_once_make_one_too(contact, decided, register_url, house, clock, rows):
    beside = [Database(register_url) for _ in range(4)]
    stores = [Store(each, house, clock) for each in beside]
    parts = [Partition("the-log", "contacts", number) for number in range(4)]
    for store, part in zip(stores, parts, strict=True):
        await store.assume([part])
    letters = [decided(of=contact(f"{number}", name="Joan Pettifer")) for number in range(4)]
    await asyncio.gather(
        *(store.commit(Batch(part, 0, 1, (letter,))) for store, part, letter in zip(stores, parts, letters, strict=True))
    )
    (made,) = await rows(tables.individuals)
    assert {row.individual_id for row in await rows(tables.links)} == {made.id}
    assert len(await rows(tables.identifiers)) == 1
    for each in beside:
        await each.close()


async def test_what_is_ambiguous_makes_nobody_and_asks_about_no_more_than_five(write, person, rows):
    for number in range(7):
        await person(f"R{number}", email=f"joan{number}@example.com", postcode=None)
    about = await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    assert len(await rows(tables.individuals)) == 7
    (task,) = await rows(tables.tasks)
    asked = Task.model_validate_json(task.body).candidates
    stored = sorted(await rows(tables.candidates), key=lambda row: row.rank)
    assert [row.individual_id for row in stored] == list(asked)
    assert len(asked) == 5
    assert all(row.contact_id == about.id and row.evidence and row.same is None for row in stored)


async def test_an_import_of_the_same_person_is_merged_by_nobody_but_a_person(write, person, rows, linked, desk, view, case):
    first = await write()
    (made,) = await rows(tables.individuals)
    await case()
    await person(cases=[("C-2034655", "complainant", "none")])
    again = await write(FEEDBACK + " Again.")
    assert await linked(again) is None, "two of the register fit"
    (task,) = await rows(tables.tasks, tables.tasks.c.contact_id == again.id)
    assert set(Task.model_validate_json(task.body).candidates) == {"R1", made.id}
    with pytest.raises(Refused) as refused:
        await individuals.merge(desk, made.id, "R1")
    assert refused.value.reason == "keep-the-case-systems"
    await individuals.merge(desk, "R1", made.id)
    joan = await view("R1")
    assert (joan.also, joan.written_before, joan.cases) == ((made.id,), True, ("C-2034655",))
    assert await view(made.id) is None
    third = await write(FEEDBACK + " Once more.")
    assert await linked(third) == "R1"
    assert await linked(first) == made.id, "the link is to whom it was made, who counts as R1"


async def test_merged_individuals_count_together_for_what_is_held_of_them(write, person, desk, view, rows, database, clock):
    await person("R1", email="joan@example.com", agreed_methods=["letter"])
    await person("R2", ("Joan", "Pettifer"), "joan@work.example", forbidden_methods=["telephone"], postcode="LE50 1QN")
    async with database.write() as connection:
        need = {"individual_id": "R2", "kind": "large_print", "since": clock(), "source": "register"}
        await connection.execute(tables.adjustments.insert().values(need))
    await individuals.merge(desk, "R1", "R2")
    joan = await view("R1")
    assert joan.emails == ("joan@example.com", "joan@work.example")
    assert (joan.adjustments, joan.agreed_methods, joan.forbidden_methods) == (("large_print",), ("letter",), ("telephone",))
    await individuals.split(desk, "R2")
    assert (await view("R1")).adjustments == ()
    assert (await view("R2")).adjustments == ("large_print",)


async def test_a_merged_partys_proof_is_that_of_whom_they_count_as(write, person, case, desk, rows):
    await case(owner_email="owner@example.org")
    await person("R1", email="joan@example.com")
    await person("R2", email="other@example.com", postcode=None, cases=[("C-2034655", "complainant", "none")])
    await individuals.merge(desk, "R1", "R2")
    await write("Please find my comments on the draft report for case C-2034655. Paragraph 12 is wrong.", verified_by="dmarc")
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.individual_id, handoff.case_reference) == ("R1", "C-2034655")


async def test_who_was_merged_brings_whoever_was_merged_into_them(person, desk, rows):
    for number in (1, 2, 3):
        await person(f"R{number}", email=f"{number}@example.com")
    await individuals.merge(desk, "R2", "R3")
    await individuals.merge(desk, "R1", "R2")
    assert {row.id: row.merged_into for row in await rows(tables.individuals)} == {"R1": None, "R2": "R1", "R3": "R1"}
    for wrong, reason in (
        (("R2", "R1"), "merged"),
        (("R1", "R1"), "the-same"),
        (("R1", "R9"), "no-such-individual"),
        (("R1", "R3"), "merged"),
    ):
        with pytest.raises(Refused) as refused:
            await individuals.merge(desk, *wrong)
        assert refused.value.reason == reason


async def test_a_link_undone_holds_the_contact_takes_the_name_off_its_record_and_asks_once(
    write, desk, rows, linked, clock, person
):
    await person()
    about = await write()
    assert await linked(about) == "R1"
    said = await individuals.unlink(desk, about.id)
    assert any("The feedback record" in each for each in said)
    assert await linked(about) is None
    (link,) = await rows(tables.links)
    assert (link.undone_by, link.undone_at) == ("Sam", clock())
    (now,) = await rows(tables.dispositions, tables.dispositions.c.current)
    assert (now.version, now.kind, now.individual_id) == (2, "HoldForReview", None)
    (record,) = await rows(tables.feedback_records)
    body = FeedbackRecord.model_validate_json(record.body)
    assert (record.individual_id, body.individual_id, body.name_held, body.address_held) == (None, None, None, None)
    assert body.name_given == "Joan Pettifer", "what was given stands"
    published = [row for row in await rows(tables.outbox) if row.topic == "records.feedback"]
    assert len({dict(row.headers)["ce_id"] for row in published}) == 2, "a reader that drops repeats has the correction"
    wrong = [row for row in await rows(tables.tasks) if "wrong name" in row.body or "in their name" in row.body]
    assert len(wrong) == 1
    (entry,) = await rows(tables.audit, tables.audit.c.action == "held-for-review")
    assert (entry.actor, entry.evidence["because"], entry.evidence["individual"]) == ("Sam", "her sister wrote", "R1")
    with pytest.raises(Refused) as refused:
        await individuals.unlink(desk, about.id)
    assert refused.value.reason == "not-linked"
    assert len([row for row in await rows(tables.tasks) if "in their name" in row.body]) == 1


async def test_a_handoff_in_the_wrong_name_is_corrected_and_its_team_is_to_be_told(write, desk, rows, person):
    await person()
    await write(ENQUIRY)
    await individuals.unlink(desk, (await rows(tables.contacts))[0].id)
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.individual_id, Handoff.model_validate_json(handoff.body).individual_id) == (None, None)
    (task,) = [row for row in await rows(tables.tasks) if "in their name" in row.body]
    assert "It was handed to intake (intake@example.org)" in task.body
    assert len([row for row in await rows(tables.outbox) if row.topic == "handoffs.intake"]) == 2


async def test_undoing_a_link_leaves_an_urgent_contact_urgent(write, desk, rows, person):
    await person()
    about = await write("I want to kill myself.")
    await individuals.unlink(desk, about.id)
    (now,) = await rows(tables.dispositions, tables.dispositions.c.current)
    assert now.urgent


async def test_what_is_only_rehearsed_changes_nothing_and_says_the_same(write, desk, rows, person):
    await person("R1")
    await person("R2", ("Ruth", "Abernethy"), "two@example.com")
    about = await write()
    every = (
        tables.links,
        tables.individuals,
        tables.tasks,
        tables.audit,
        tables.outbox,
        tables.dispositions,
        tables.feedback_records,
    )
    before = [await rows(each) for each in every]
    rehearsed = replace(desk, rehearse=True)
    would = [
        await individuals.unlink(rehearsed, about.id),
        await individuals.merge(rehearsed, "R1", "R2"),
        await individuals.split(rehearsed, "R1", [about.id]),
    ]
    assert [await rows(each) for each in every] == before
    did = await individuals.unlink(desk, about.id)
    assert len(did) == len(would[0])
    assert would[1][0] == (await individuals.merge(desk, "R1", "R2"))[0]


async def test_contacts_of_somebody_else_are_made_another_individual(write, desk, rows, linked, person):
    await person()
    one, other = await write(), await write(FEEDBACK + " Again.")
    said = await individuals.split(desk, "R1", [other.id])
    (made,) = await rows(tables.individuals, tables.individuals.c.made_from.is_not(None))
    assert made.id in said[0]
    assert (await linked(one), await linked(other)) == ("R1", made.id)
    (link,) = await rows(tables.links, tables.links.c.individual_id == made.id)
    assert (link.grade, link.by) == ("chosen", "Sam")
    (record,) = await rows(tables.feedback_records, tables.feedback_records.c.contact_id == other.id)
    assert record.individual_id == made.id
    (now,) = await rows(tables.dispositions, tables.dispositions.c.current, tables.dispositions.c.contact_id == other.id)
    assert (now.kind, now.individual_id, now.by) == ("RecordFeedback", made.id, "Sam")
    with pytest.raises(Refused) as refused:
        await individuals.split(desk, "R1", [other.id])
    assert refused.value.reason == "not-theirs"
    with pytest.raises(Refused) as refused:
        await individuals.split(desk, "R1")
    assert refused.value.reason == "not-merged"


async def test_taken_apart_again_each_has_their_own_and_of_what_came_meanwhile_a_person_is_asked(
    write, desk, rows, linked, person, clock
):
    await person()
    mine = await write()
    await person("R2", email="two@example.com", postcode=None)
    theirs = await write(sender="two@example.com")
    assert (await linked(mine), await linked(theirs)) == ("R1", "R2")
    clock.forward(hours=1)
    await individuals.merge(desk, "R1", "R2")
    clock.forward(hours=1)
    meanwhile = await write(FEEDBACK + " Meanwhile.", sender="two@example.com")
    assert await linked(meanwhile) == "R1"
    await individuals.split(desk, "R2")
    (asked,) = [Task.model_validate_json(row.body) for row in await rows(tables.tasks) if "counted as one" in row.body]
    assert (asked.contact_id, asked.candidates) == (meanwhile.id, ("R1", "R2"))
    later = await write(FEEDBACK + " Later.", sender="two@example.com")
    assert await linked(later) == "R2"


async def test_what_is_unsettled_is_theirs_only_where_the_link_stands(write, desk, rows, person, case, linked):
    await case()
    await person(cases=[("C-2034655", "complainant", "none")])
    words = "Please find my comments on the draft report for case C-2034655. Paragraph {} is wrong."
    one = await write(words.format(1), verified_by="dmarc")
    await individuals.unlink(desk, one.id)
    await write(words.format(2), verified_by="dmarc")
    assert len(await rows(tables.handoffs)) == 2, "the first is not theirs any more, and nothing is added to it"


async def test_a_persons_choice_is_applied_everywhere(write, rows, person, database, store, house, clock, linked):
    await person("R1", email="joan1@example.com", postcode=None)
    await person("R2", ("Joan", "Pettifer"), "joan2@example.com", postcode=None)
    about = await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    (task,) = await rows(tables.tasks)
    ruling = [Ruling(RecordFeedback(), "R2", None, "she gave her birth date")]
    await at_the_desk.rule(database, store, house, task.id, ruling, "Sam", clock)
    assert await linked(about) == "R2"
    (record,) = await rows(tables.feedback_records)
    assert FeedbackRecord.model_validate_json(record.body).name_held == "Joan Pettifer"
    assert {row.individual_id: row.same for row in await rows(tables.candidates)} == {"R1": False, "R2": True}
    (link,) = await rows(tables.links)
    assert link.grade == "chosen"
    assert link.evidence, "what spoke for them stands beside the choice"
    with pytest.raises(Refused) as refused:
        await at_the_desk.rule(database, store, house, task.id, ruling, "Alex", clock)
    assert refused.value.reason == "done-already"


async def test_naming_another_later_corrects_what_was_made_and_asks_what_went_out_in_the_wrong_name(
    write, rows, person, database, store, house, clock, linked
):
    await person("R1")
    await person("R2", ("Ruth", "Abernethy"), "ruth@example.com")
    about = await write(ENQUIRY)
    assert await linked(about) == "R1"
    raised = at_the_desk.task(
        about.id, "email", TaskKind.REVIEW, "care-team@example.org", clock(), clock(), ("look",), purpose="again"
    )
    async with database.write() as connection:
        await store.raise_tasks(connection, (raised,), clock())
    ruled = await at_the_desk.rule(
        database, store, house, raised.id, [Ruling(HandOff(Team.INTAKE), "R2", None, "it is Ruth")], "Sam", clock
    )
    assert ruled.unseen == ()
    (handoff,) = await rows(tables.handoffs)
    assert (handoff.individual_id, Handoff.model_validate_json(handoff.body).individual_id) == ("R2", "R2")
    assert len([row for row in await rows(tables.tasks) if "in their name" in row.body]) == 1
    assert len(await rows(tables.audit, tables.audit.c.action == "handoff-corrected")) == 1


async def test_nobody_of_the_register_makes_a_new_one_apart_from_their_namesake(
    write, rows, person, database, store, house, clock, linked
):
    await person("R1", email="joan1@example.com", postcode=None)
    about = await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    (task,) = await rows(tables.tasks)
    ruled = await at_the_desk.rule(
        database, store, house, task.id, [Ruling(RecordFeedback(), None, None, "another Joan", nobody=True)], "Sam", clock
    )
    (made,) = await rows(tables.individuals, tables.individuals.c.made_from == about.id)
    assert await linked(about) == made.id
    assert ruled.written[0].newcomer is not None
    (asked,) = await rows(tables.candidates)
    assert asked.same is False


async def test_who_it_is_left_open_makes_nobody(write, rows, person, database, store, house, clock, linked):
    await person("R1", email="joan1@example.com", postcode=None)
    about = await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    (task,) = await rows(tables.tasks)
    await at_the_desk.rule(database, store, house, task.id, [Ruling(RecordFeedback(), None, None, "whoever")], "Sam", clock)
    assert await linked(about) is None
    assert len(await rows(tables.individuals)) == 1
    (asked,) = await rows(tables.candidates)
    assert asked.same is None


async def test_whoever_came_near_since_they_were_asked_is_named(write, rows, person, database, store, house, clock):
    await person("R1", email="joan1@example.com", postcode=None)
    await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    await person("R2", email="new@example.com", postcode=None)
    (task,) = await rows(tables.tasks)
    ruled = await at_the_desk.rule(
        database, store, house, task.id, [Ruling(RecordFeedback(), "R1", None, "her voice")], "Sam", clock
    )
    assert ruled.unseen == ("R2",)
    (done,) = await rows(tables.audit, tables.audit.c.action == "task-done")
    assert done.evidence["unseen"] == ["R2"]


async def test_whoever_was_merged_cannot_be_named(write, rows, person, desk, database, store, house, clock):
    await person("R1", email="joan1@example.com", postcode=None)
    await person("R2", email="joan2@example.com", postcode=None)
    await write(FEEDBACK, "Joan Pettifer", "new@example.com")
    await individuals.merge(desk, "R1", "R2")
    (task,) = await rows(tables.tasks)
    with pytest.raises(Refused, match="name R1"):
        await at_the_desk.rule(database, store, house, task.id, [Ruling(RecordFeedback(), "R2", None, "x")], "Sam", clock)
    await at_the_desk.rule(database, store, house, task.id, [Ruling(RecordFeedback(), "R1", None, "x")], "Sam", clock)
    assert {row.individual_id: row.same for row in await rows(tables.candidates)} == {"R1": True, "R2": True}


LARGE_PRINT = f"{FEEDBACK} Please write to me in large print."


async def test_what_somebody_needs_is_held_from_their_first_letter_on(write, rows, view, desk, person):
    first = await write(LARGE_PRINT)
    (made,) = await rows(tables.individuals)
    assert (await view(made.id)).adjustments == ("large_print",)
    second = await write("Your staff were rude to me again. I want to complain about your service.")
    (record,) = [row for row in await rows(tables.feedback_records) if row.contact_id == second.id]
    assert FeedbackRecord.model_validate_json(record.body).reasonable_adjustments == ("large_print",)
    letters = [row for row in await rows(tables.tasks) if row.kind == TaskKind.LETTER]
    assert second.id in {row.contact_id for row in letters}
    assert not [row for row in await rows(tables.outgoing) if row.audience == "person"]
    (joan,) = [await person("R1", email="other@example.com")]
    await individuals.merge(desk, joan, made.id)
    assert (await view(joan)).adjustments == ("large_print",)
    await individuals.split(desk, made.id)
    assert (await view(joan)).adjustments == ()
    await individuals.unlink(desk, first.id)
    assert (await view(made.id)).adjustments == ()


async def test_the_second_letter_of_one_batch_knows_what_the_first_asked_for(contact, append, route, rows):
    await append(
        contact(LARGE_PRINT, name="Joan Pettifer", sender="joan@example.com"),
        contact(f"{FEEDBACK} It is the second time.", name="Joan Pettifer", sender="joan@example.com"),
    )
    await route()
    records = [FeedbackRecord.model_validate_json(row.body) for row in await rows(tables.feedback_records)]
    assert [each.reasonable_adjustments for each in records] == [("large_print",)] * 2


async def test_an_adjustment_that_is_needed_no_more_is_withdrawn_until_it_is_asked_for_again(write, rows, view, desk, clock):
    first = await write(LARGE_PRINT)
    (made,) = await rows(tables.individuals)
    (said,) = await individuals.withdraw(desk, made.id, "large_print")
    (stored,) = await rows(tables.contacts)
    assert said == f"large_print, asked for in {stored.reference}, is no longer held on {made.id}."
    assert (await view(made.id)).adjustments == ()
    (trail,) = [row for row in await rows(tables.audit) if row.action == "adjustment-withdrawn"]
    assert (trail.contact_id, trail.actor) == (first.id, "Sam")
    assert trail.evidence == {"individual": made.id, "kind": "large_print", "because": "her sister wrote"}
    with pytest.raises(Refused, match="not held"):
        await individuals.withdraw(desk, made.id, "large_print")
    await write(f"{LARGE_PRINT} I said so before.")
    assert (await view(made.id)).adjustments == ("large_print",)


async def test_what_the_case_system_holds_is_not_withdrawn_here(person, database, desk, clock, view):
    await person("R1")
    held = tables.adjustments.insert().values(individual_id="R1", kind="braille", words=None, since=clock(), source="register")
    async with database.write() as connection:
        await connection.execute(held)
    with pytest.raises(Refused) as refused:
        await individuals.withdraw(desk, "R1", "braille")
    assert refused.value.reason == "case-systems-own"
    assert (await view("R1")).adjustments == ("braille",)


_TURNS = count()
_WHO = st.integers(0, 3)
_ACTS = st.lists(
    st.tuples(st.just("link"), _WHO, _WHO)
    | st.tuples(st.just("unlink"), _WHO, st.just(0))
    | st.tuples(st.just("merge"), _WHO, _WHO)
    | st.tuples(st.just("split"), _WHO, _WHO)
    | st.tuples(st.just("apart"), _WHO, st.just(0)),
    min_size=1, max_size=10,
)  # fmt: skip


@given(acts=_ACTS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_after_any_sequence_of_acts_each_contact_has_one_link_at_most_and_the_trail_tells_the_history(
    acts, database, store, house, desk, contact, decided, clock, rows, person
):
    """Each example has people and contacts of its own in the one register."""
    turn = next(_TURNS)
    people = [
        await person(f"P{turn}-{number}", ("Joan", f"Name{number}"), f"{turn}-{number}@example.com") for number in range(4)
    ]
    part = Partition("the-log", "contacts", turn)
    await store.assume([part])
    abouts = [contact(FEEDBACK, name="Joan Pettifer", sender=f"w{turn}-{number}@example.com") for number in range(4)]
    found = [
        decided(of=about, match=Matched(who, 0.99, ()), individual=IndividualView(who, "Joan"))
        for about, who in zip(abouts, people, strict=True)
    ]
    await store.commit(Batch(part, 0, len(found), tuple(found)))
    for step, (act, one, other) in enumerate(acts):
        clock.forward(seconds=1)
        try:
            match act:
                case "link":
                    await _choose(database, store, house, clock, abouts[one], people[other], step)
                case "unlink":
                    await individuals.unlink(desk, abouts[one].id)
                case "merge":
                    await individuals.merge(desk, people[one], people[other])
                case "split":
                    await individuals.split(desk, people[one], [abouts[other].id])
                case _:
                    await individuals.split(desk, people[one])
        except Refused:
            continue
    trail = sorted(await rows(tables.audit), key=lambda row: row.id)
    merged = {row.id: row.merged_into for row in await rows(tables.individuals)}
    assert all(whom is None or merged[whom] is None for whom in merged.values()), (
        "nobody counts as somebody who counts as another"
    )
    told: dict[str, str | None] = {}
    for row in trail:
        if row.action == "individuals-merged":
            told[row.evidence["merged"]] = row.evidence["individual"]
        elif row.action == "individuals-split":
            told[row.evidence["individual"]] = None
    assert {who: told.get(who) for who in merged} == merged
    for about in abouts:
        links = await rows(tables.links, tables.links.c.contact_id == about.id, tables.links.c.undone_at.is_(None))
        assert len(links) <= 1
        whose = None
        for row in trail:
            if row.contact_id == about.id and row.action == "linked":
                whose = row.evidence["individual"]
            elif row.contact_id == about.id and row.action == "link-undone" and row.evidence["individual"] == whose:
                whose = None
        assert whose == (links[0].individual_id if links else None)
        (current,) = await rows(
            tables.dispositions, tables.dispositions.c.contact_id == about.id, tables.dispositions.c.current
        )
        assert current.individual_id == whose
        (record,) = await rows(tables.feedback_records, tables.feedback_records.c.contact_id == about.id)
        assert record.individual_id == whose == FeedbackRecord.model_validate_json(record.body).individual_id


async def _choose(database, store, house, clock, about, who: str, step: int) -> None:
    raised = at_the_desk.task(
        about.id, "email", TaskKind.REVIEW, "care-team@example.org", clock(), clock(), ("look",), purpose=f"step {step}"
    )
    async with database.write() as connection:
        await store.raise_tasks(connection, (raised,), clock())
    await at_the_desk.rule(database, store, house, raised.id, [Ruling(RecordFeedback(), who, None, "it is")], "Sam", clock)
