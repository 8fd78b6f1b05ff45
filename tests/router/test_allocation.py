"""Social media waits until it is allocated, whichever comes first; then its writer is invited once, or nothing comes of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.contract import (
    Allocation,
    AllocationOutcome,
    Contact,
    Event,
    Identifier,
    Outgoing,
    Person,
    Post,
    Thread,
    encode,
)
from ingest.errors import Refused
from ingest.ids import MARK, contact_id, mark, replies_to, reply_token
from ingest.reports import allocation_record
from ingest.settings import Publisher
from ingest.telemetry import ERRORS, UNALLOCATED, UNALLOCATED_OLDEST
from router import allocation, desk, duties, ledger
from router.decide import Allocated, InviteToContact, RecordFeedback
from router.desk import Ruling
from router.match import Matched
from router.match.register_view import IndividualView
from router.register import tables
from router.replay import Which, replay
from router.store import Store
from router.worker import follow_allocations
from tests.router.conftest import KEY

CUSTOMER_CARE, NOBODY, DELETED = AllocationOutcome
PORTAL = "urn:contact-ingest:social:portal"
NEWSROOM = "urn:example:newsroom"
SAYS = "I waited nine months for your decision and nobody told me why."


@pytest.fixture
def house(house):
    teams = house.teams.model_copy(update={"external_affairs": "affairs@example.org"})
    words = house.acknowledgement.model_copy(update={"telephone": "01632 960000", "text_number": "07700 900000"})
    return replace(
        house,
        teams=teams,
        acknowledgement=words,
        accounts={"social": ("portal",)},
        form="https://contact.example.org",
        key=KEY,
    )


@pytest.fixture
def post(contact, clock):
    """A post on social media, each another one; what is named is as it is named."""
    numbers = count(1)

    def make(text: str = SAYS, handle: str = "@jo", **fields: Any) -> Contact:
        number = next(numbers)
        where: dict[str, Any] = {"network": "facebook", "thread_id": f"thread-{number}", "own_thread": True}
        identifier = Identifier(kind="handle", given=handle, canonical=f"facebook:{handle.lstrip('@')}")
        made: dict[str, Any] = {
            "id": contact_id("social", "portal", f"post-{number}"),
            "source": PORTAL,
            "channel": "social",
            "account": "portal",
            "subject": None,
            "sender": Person(name="Jo", identifiers=(identifier,)),
            "needs_allocation": True,
            "thread": Thread(message_id=f"post-{number}"),
        }
        made["post"] = Post(**{**where, **fields.pop("post", {})})
        return contact(text, None).model_copy(update={**made, **fields})

    return make


@pytest.fixture
def edit(post):
    """A later version of a post, as the channel makes one."""

    def make(of: Contact, text: str, version: str = "2") -> Contact:
        assert of.post
        id_ = contact_id("social", "portal", f"{of.thread.message_id}:{version}")
        where = of.post.model_copy(update={"first": of.id, "version": version}).model_dump()
        return post(text, id=id_, thread=of.thread, post=where)

    return make


Told = Callable[..., Awaitable[Allocation]]


@pytest.fixture
def tell(log, store, clock, rows) -> Told:
    """What External Affairs & Strategy has decided, put on its topic and followed there."""

    async def told(
        about: Contact | UUID, outcome: AllocationOutcome = CUSTOMER_CARE, *, record: Any = None, publishers: Any = None
    ) -> Allocation:
        clock.forward(seconds=1)
        first = about if isinstance(about, UUID) else about.id
        said = Allocation(id=uuid4(), contact_id=first, outcome=outcome, by="the portal", at=clock())
        await log.append("allocations", [record(said) if record else allocation_record(PORTAL, said, KEY)])
        stopping = asyncio.Event()
        following = asyncio.create_task(follow_allocations(log, store, publishers or {}, KEY, stopping))
        async with asyncio.timeout(30):
            while (await log.lag("allocations", "router")).records:
                await asyncio.sleep(0.01)
        stopping.set()
        await following
        return said

    return told


@pytest.fixture
def apply(database, store, house, clock):
    async def due() -> int:
        return await allocation.apply(database, store, house, clock)

    return due


@pytest.fixture
def current(rows):
    async def find(about: Contact) -> Any:
        versions = tables.dispositions
        (row,) = await rows(versions, versions.c.contact_id == about.id, versions.c.current)
        return row

    return find


@pytest.fixture
def sent(rows):
    """What goes to people."""

    async def find() -> list[Any]:
        return list(await rows(tables.outgoing, tables.outgoing.c.audience == "person"))

    return find


@pytest.fixture
def tasks(rows):
    async def find(kind: str) -> list[Any]:
        return list(await rows(tables.tasks, tables.tasks.c.kind == kind))

    return find


@pytest.fixture
def actions(rows):
    async def find(about: Contact) -> list[str]:
        entries = await rows(tables.audit, tables.audit.c.contact_id == about.id)
        return [each.action for each in sorted(entries, key=lambda each: each.id)]

    return find


# Waiting.


async def test_a_post_waits_with_one_task_for_whoever_allocates_and_nothing_is_sent(
    post, append, route, current, sent, tasks, house, clock
):
    about = post()
    await append(about)
    await route()
    now = await current(about)
    assert (now.kind, now.rule) == ("HoldForReview", "waits-for-allocation")
    (task,) = await tasks("allocation")
    asked = json.loads(task.body)
    assert task.mailbox == "affairs@example.org"
    assert task.due == about.received_at + timedelta(hours=24)
    assert asked["suggestion"] == "feedback_record"
    assert not any("nine months" in each for each in asked["reasons"])
    assert await sent() == []
    assert await tasks("letter") == await tasks("review") == []


async def test_where_nobody_is_named_for_it_customer_care_is_asked(post, append, route, tasks, worker, house):
    worker.house = replace(house, teams=house.teams.model_copy(update={"external_affairs": None}))
    await append(post())
    await route()
    assert [each.mailbox for each in await tasks("allocation")] == ["care-team@example.org"]


async def test_signs_of_serious_harm_do_not_wait(post, append, route, tasks, sent):
    await append(post("I cannot go on. I am going to kill myself tonight."))
    await route()
    (urgent,) = await tasks("urgent")
    assert urgent.mailbox == "duty@example.org"
    assert len(await tasks("allocation")) == 1
    assert await sent() == []


async def test_what_cannot_be_read_is_looked_at_for_risk_and_allocated_all_the_same(post, append, route, tasks):
    await append(post("", warnings=("not-read: it is a picture",)))
    await route()
    (unread,), (asked,) = await tasks("not-read-for-risk"), await tasks("allocation")
    assert (unread.mailbox, asked.mailbox) == ("care-team@example.org", "affairs@example.org")


# Allocation, before and after.


async def test_once_allocated_its_writer_is_invited_and_the_task_is_done(
    post, append, route, tell, apply, current, sent, tasks, actions, rows
):
    about = post()
    await append(about)
    await route()
    said = await tell(about)
    assert await apply() == 1
    now = await current(about)
    assert (now.version, now.kind, now.rule, now.by) == (2, "InviteToContact", "allocated", "router")
    (message,) = await sent()
    assert (message.kind, message.state, message.recipient) == ("invitation", "due", "facebook:jo")
    assert message.due == about.received_at + timedelta(hours=48)
    (task,) = await tasks("allocation")
    assert (task.state, task.done_by, task.outcome) == ("done", "the portal", "customer-care")
    assert [each for each in await actions(about) if each != "task-raised"] == ["decided", "allocated", "decided", "invitation"]
    (told,) = await rows(tables.audit, tables.audit.c.action == "allocated")
    assert (told.actor, told.evidence) == ("the portal", {"allocation": str(said.id), "outcome": "customer-care"})
    assert await apply() == 0


async def test_a_person_may_have_its_writer_invited_and_what_is_said_of_it_later_invites_nobody_again(
    post, append, route, tell, apply, current, sent, tasks, database, store, house, clock
):
    about = post()
    await append(about)
    await route()
    (task,) = await tasks("allocation")
    await desk.rule(database, store, house, task.id, [Ruling(InviteToContact(), None, None, "it is ours")], "Sam", clock)
    (message,) = await sent()
    assert (message.kind, message.state) == ("invitation", "due")
    assert ((await current(about)).kind, (await current(about)).by) == ("InviteToContact", "Sam")
    await tell(about)
    await apply()
    assert [each.id for each in await sent()] == [message.id]


async def test_31_an_allocation_that_came_before_its_post_is_applied_when_that_comes_and_nobody_is_asked(
    post, append, route, tell, apply, current, sent, tasks
):
    about = post()
    await tell(about)
    assert await apply() == 0
    await append(about)
    await route()
    assert await tasks("allocation") == []
    assert await apply() == 1
    assert (await current(about)).kind == "InviteToContact"
    assert len(await sent()) == 1


async def test_31_an_edit_may_come_before_what_it_edits_and_both_end_with_one_invitation(
    post, edit, append, route, tell, apply, current, sent
):
    first = post()
    later = edit(first, "I waited nine months for your decision, and nobody will say why.")
    await append(later)
    await route()
    await append(first)
    await route()
    await tell(first)
    await apply()
    assert [(await current(each)).kind for each in (first, later)] == ["InviteToContact", "InviteToContact"]
    (message,) = await sent()
    assert message.contact_id == first.id


async def test_an_edit_of_a_post_that_was_allocated_is_kept_and_not_answered_again(
    post, edit, append, route, tell, apply, current, sent, tasks
):
    first = post()
    await append(first)
    await route()
    await tell(first)
    await apply()
    later = edit(first, "I waited nine months for your decision, and nobody will tell me why.")
    await append(later)
    await route()
    assert await apply() == 1
    now = await current(later)
    assert (now.kind, now.rule) == ("NoAction", "later-version")
    assert len(await sent()) == len(await tasks("allocation")) == 1
    assert await tasks("review") == []


async def test_an_edit_that_says_something_else_is_looked_at_and_one_that_shows_harm_is_urgent(
    post, edit, append, route, tell, apply, current, sent, tasks
):
    first = post()
    await append(first)
    await route()
    await tell(first)
    await apply()
    query = edit(first, "Why do I need an MP referral to complain to you?", "2")
    harm = edit(first, "I waited nine months for your decision. I am going to kill myself tonight.", "3")
    await append(query, harm)
    await route()
    await apply()
    assert query.id in {each.contact_id for each in await tasks("review")}
    assert [each.contact_id for each in await tasks("urgent")] == [harm.id]
    assert [(await current(each)).kind for each in (query, harm)] == ["NoAction", "NoAction"]
    assert len([each for each in await sent() if each.kind == "invitation"]) == 1


async def test_what_is_nobodys_ends_without_a_word(post, append, route, tell, apply, current, sent, tasks):
    about = post()
    await append(about)
    await route()
    await tell(about, NOBODY)
    await apply()
    now = await current(about)
    assert (now.kind, now.rule) == ("NoAction", "allocated-to-nobody")
    assert await sent() == []
    assert [each.outcome for each in await tasks("allocation")] == ["nobody"]


async def test_whoever_changes_their_mind_is_heard_as_long_as_nothing_has_gone(post, append, route, tell, apply, current, sent):
    about = post()
    await append(about)
    await route()
    await tell(about, NOBODY)
    await apply()
    await tell(about, CUSTOMER_CARE)
    await apply()
    assert (await current(about)).kind == "InviteToContact"
    await tell(about, NOBODY)
    await apply()
    assert (await current(about)).kind == "NoAction"
    (message,) = await sent()
    assert (message.state, message.reason) == ("cancelled", "post-nobody")


async def test_a_reply_that_was_cancelled_and_is_wanted_again_is_for_a_person(post, append, route, tell, apply, sent, tasks):
    about = post()
    await append(about)
    await route()
    for outcome in (CUSTOMER_CARE, NOBODY, CUSTOMER_CARE):
        await tell(about, outcome)
        await apply()
    (message,) = await sent()
    assert message.state == "cancelled"
    (by_hand,) = await tasks("letter")
    assert "was cancelled" in json.loads(by_hand.body)["reasons"][0]


@pytest.mark.parametrize("allocated_before", [False, True])
async def test_32_what_its_writer_deletes_is_not_answered_and_a_person_decides_whether_it_is_kept(
    allocated_before, post, append, route, tell, apply, current, sent, tasks
):
    about = post()
    await append(about)
    await route()
    if allocated_before:
        await tell(about)
        await apply()
    await tell(about, DELETED)
    await tell(about, DELETED)
    await apply()
    now = await current(about)
    assert (now.kind, now.rule) == ("NoAction", "post-deleted")
    assert [(each.state, each.reason) for each in await sent()] == [("cancelled", "post-deleted")] * allocated_before
    (asked,) = await tasks("review")
    assert "decide whether it is kept" in json.loads(asked.body)["reasons"][0]
    await tell(about, CUSTOMER_CARE)
    await apply()
    assert (await current(about)).kind == "NoAction"


async def test_one_that_breaks_whatever_decides_on_it_keeps_no_other_waiting(
    post, append, route, tell, apply, current, database
):
    broken, whole = post(), post()
    await append(broken, whole)
    await route()
    async with database.write() as connection:
        await connection.execute(tables.contacts.update().where(tables.contacts.c.id == broken.id).values(body="{}"))
    await tell(broken)
    await tell(whole)
    before = ERRORS.labels("allocations", "not-applied")._value.get()
    await apply()
    assert (await current(whole)).kind == "InviteToContact"
    assert ERRORS.labels("allocations", "not-applied")._value.get() == before + 1


async def test_the_duties_see_to_it(post, append, route, tell, current, log, database, store, house, clock):
    about = post()
    await append(about)
    await route()
    await tell(about)
    stopping = asyncio.Event()
    stopping.set()
    await duties.run(log, database, store, house, clock, stopping)
    assert (await current(about)).kind == "InviteToContact"


# Whose word counts.


async def test_a_record_that_only_says_that_it_is_ours_allocates_nothing_and_is_told_of(
    post, append, route, tell, apply, current
):
    about = post()
    await append(about)
    await route()
    before = ERRORS.labels("allocations", "not-ours")._value.get()
    await tell(about, record=lambda said: allocation_record(PORTAL, said, b"another key, which anybody may have"))
    assert await apply() == 0
    assert (await current(about)).kind == "HoldForReview"
    assert ERRORS.labels("allocations", "not-ours")._value.get() == before + 1


def from_newsroom(said: Allocation):
    event = Event(str(said.id), NEWSROOM, "contact-ingest.allocation.v1", said.model_dump_json().encode(), said.at)
    return encode(event, str(said.contact_id))


@pytest.mark.parametrize(("allowed", "becomes"), [(True, "InviteToContact"), (False, "HoldForReview")])
async def test_a_publisher_allocates_only_where_the_settings_let_it(
    allowed, becomes, post, append, route, tell, apply, current, rows
):
    about = post()
    await append(about)
    await route()
    await tell(about, record=from_newsroom, publishers={NEWSROOM: Publisher(may_allocate=allowed)})
    await apply()
    assert (await current(about)).kind == becomes
    assert [each.by for each in await rows(tables.allocations)] == [f"the portal ({NEWSROOM})"] * allowed


async def test_what_cannot_be_read_holds_up_no_allocation_behind_it(post, append, route, log, tell, apply, current):
    about = post()
    await append(about)
    await route()
    await log.append("allocations", [encode(Event("1", PORTAL, "contact-ingest.allocation.v1", b"{"), "k")])
    event = Event(
        "2",
        PORTAL,
        "contact-ingest.allocation.v1",
        b"{}",
        extensions={MARK: mark(KEY, "2", PORTAL, "contact-ingest.allocation.v1", b"{}")},
    )
    await log.append("allocations", [encode(event, "k")])
    await tell(about)
    await apply()
    assert (await current(about)).kind == "InviteToContact"


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_publishers_post_is_allocated_by_its_own_word_only_where_that_counts(
    allowed, contact, append, route, apply, current, tasks, worker, rows
):
    worker.publishers = {NEWSROOM: Publisher(may_allocate=allowed)}
    about = contact(SAYS, source=NEWSROOM, channel="social", account="desk", needs_allocation=False)
    body = about.model_dump_json().encode()
    await append(encode(Event("7", NEWSROOM, "contact-ingest.contact.v1", body), "k"))
    await route()
    (kept,) = await rows(tables.contacts)
    about = about.model_copy(update={"id": kept.id})
    assert (await current(about)).kind == "HoldForReview"
    assert len(await tasks("allocation")) == (not allowed)
    assert await apply() == allowed
    assert (await current(about)).kind == ("InviteToContact" if allowed else "HoldForReview")
    assert len(await tasks("letter")) == allowed  # its publisher cannot say where it would be answered
    assert [each.by for each in await rows(tables.allocations)] == [NEWSROOM] * allowed


# The invitation.


async def test_where_everybody_can_read_it_the_reply_is_the_one_approved_text_and_nothing_else(
    post, append, route, tell, apply, sent, house
):
    about = post(f"{SAYS} My name is Joan Pettifer and my case is C-2034655.", handle="@Jo")
    await append(about)
    await route()
    await tell(about)
    await apply()
    (message,) = await sent()
    outgoing = Outgoing.model_validate_json(message.body)
    assert outgoing.body == house.acknowledgement.public_reply
    assert (outgoing.channel, outgoing.account, outgoing.recipient, outgoing.subject) == ("social", "portal", "@Jo", "")
    assert (outgoing.in_reply_to, outgoing.private, outgoing.language) == (about.thread.message_id, False, "en")
    assert outgoing.post == about.post
    assert outgoing.message_id == str(outgoing.id)


async def test_where_only_they_see_it_it_names_every_way_and_carries_a_link_that_ties_what_comes_back(
    post, append, route, tell, apply, sent, clock, rows
):
    about = post(language="cy", post={"private_way": True, "own_thread": False})
    await append(about)
    await route()
    await tell(about)
    await apply()
    (message,) = await sent()
    outgoing = Outgoing.model_validate_json(message.body)
    assert (outgoing.private, outgoing.language) == (True, "cy")
    (kept,) = await rows(tables.contacts)
    link = "https://contact.example.org/cy?reply="
    for said in ("01632 960000", "07700 900000", "care@ombudsman.example", kept.reference, "999", "Gofal Cwsmeriaid", link):
        assert said in outgoing.body
    token = outgoing.body.partition("?reply=")[2].split()[0]
    assert replies_to(KEY, token, clock()) == about.id


async def test_a_thread_has_one_public_reply_however_many_posts_of_it_are_allocated(
    post, append, route, tell, apply, current, sent, actions
):
    one, two = post(post={"thread_id": "t"}), post(post={"thread_id": "t"})
    await append(one, two)
    await route()
    for each in (one, two):
        await tell(each)
        await apply()
    assert [(await current(each)).kind for each in (one, two)] == ["InviteToContact", "InviteToContact"]
    (message,) = await sent()
    assert message.contact_id == one.id
    assert "invited-already" in await actions(two)


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"post": {"own_thread": False}}, "under another person's post"),
        ({"account": "elsewhere"}, "no account of ours"),
        ({"thread": Thread()}, "not told where"),
        ({"sender": Person(name="Jo")}, "nobody told us who"),
    ],
)
async def test_where_it_cannot_go_by_itself_a_person_is_asked_to_invite_them(
    fields, because, post, append, route, tell, apply, sent, tasks
):
    about = post(**fields)
    await append(about)
    await route()
    await tell(about)
    await apply()
    assert await sent() == []
    (by_hand,) = await tasks("letter")
    assert because in json.loads(by_hand.body)["reasons"][0]
    assert by_hand.due == about.received_at + timedelta(hours=48)


async def test_who_may_be_in_danger_is_sent_nothing_until_a_person_releases_it(post, append, route, tell, apply, sent):
    about = post("I cannot go on. I am going to kill myself tonight.")
    await append(about)
    await route()
    await tell(about)
    await apply()
    (message,) = await sent()
    assert (message.state, message.reason) == ("held", "urgent")


@pytest.mark.parametrize("mode", ["off", "review"])
async def test_while_sending_is_off_the_invitation_waits(mode, post, append, route, tell, database, store, house, clock, sent):
    about = post()
    await append(about)
    await route()
    await tell(about)
    still = replace(house, outgoing=house.outgoing.model_copy(update={"mode": mode}))
    await allocation.apply(database, Store(database, still, clock), still, clock)
    assert [each.state for each in await sent()] == ["held"]


async def test_one_handle_is_not_sent_more_than_an_address_is_in_a_day(post, append, route, tell, apply, sent, house):
    about = [post() for _ in range(house.outgoing.sender_budget + 1)]
    await append(*about)
    await route()
    for each in about:
        await tell(each)
        await apply()
    assert sorted(each.state for each in await sent()) == [*["due"] * house.outgoing.sender_budget, "held"]


@pytest.mark.parametrize(
    "person",
    [
        IndividualView("R1", "Joan Pettifer", died_on=date(2025, 1, 1)),
        IndividualView("R1", "Joan Pettifer", arrangement="only by way of her son"),
        IndividualView("R1", "Joan Pettifer", safe_contact_note="only by day"),
    ],
    ids=["died", "arrangement", "safe-contact"],
)
def test_what_the_register_says_of_somebody_holds_it(person, decided, post, house):
    about, who = post(post={"private": True}), Matched("R1", 1.0, ())
    made = decided(of=about, allocation=Allocated(CUSTOMER_CARE, "Sam"), individual=person, match=who, in_house=house)
    assert [each.state for each in made.messages if each.audience == "person"] == ["held"]


def test_an_old_post_that_is_taken_in_later_is_sent_nothing(decided, post, house):
    made = decided(of=post(backfill=True), allocation=Allocated(CUSTOMER_CARE, "Sam"), in_house=house)
    assert made.messages == made.tasks == ()


# A person allocates, or decides.


@pytest.fixture
def allocate(database, store, house, clock):
    async def act(about: Contact, outcome: AllocationOutcome = CUSTOMER_CARE, by: str = "Sam") -> list[str]:
        return await allocation.allocate(database, store, house, about.id, outcome, by, "it is plain", clock)

    return act


async def test_a_person_allocates_a_post_with_every_version_of_it_at_once(
    post, edit, append, route, allocate, current, sent, tasks, rows
):
    first = post()
    later = edit(first, "I waited nine months.")
    await append(first, later)
    await route()
    assert await allocate(later) == ["InviteToContact", "InviteToContact"]
    assert {each.state for each in await tasks("allocation")} == {"done"}
    assert len(await sent()) == 1
    (told,) = await rows(tables.audit, tables.audit.c.action == "allocated")
    assert (told.actor, told.evidence["because"]) == ("Sam", "it is plain")


async def test_of_two_who_allocate_together_one_is_told_that_it_waits_no_longer(post, append, route, allocate, rows):
    about = post()
    await append(about)
    await route()
    outcomes = await asyncio.gather(allocate(about, CUSTOMER_CARE), allocate(about, NOBODY, by="Alex"), return_exceptions=True)
    assert [each.reason for each in outcomes if isinstance(each, Refused)] == ["not-waiting"]
    assert len(await rows(tables.allocations)) == 1


async def test_what_is_no_post_is_not_allocated(contact, append, route, allocate):
    about = contact()
    await append(about)
    await route()
    with pytest.raises(Refused) as refused:
        await allocate(about)
    assert refused.value.reason == "not-a-post"


@pytest.mark.parametrize("of", ["allocation", "not-read-for-risk"])
async def test_what_a_person_decides_on_a_post_ends_its_waiting_and_stands(
    of, post, append, route, database, store, house, clock, tasks, current, sent, tell, apply
):
    about = post(warnings=("not-read: it is a picture",))
    await append(about)
    await route()
    (task,) = await tasks(of)
    await desk.rule(database, store, house, task.id, [Ruling(RecordFeedback(), None, None, "it is plain")], "Sam", clock)
    (asked,) = await tasks("allocation")
    assert asked.state == "done"
    await tell(about)
    await apply()
    now = await current(about)
    assert (now.kind, now.by) == ("RecordFeedback", "Sam")
    assert await sent() == []


async def test_a_task_to_allocate_is_not_done_by_saying_so(post, append, route, database, store, clock, tasks):
    await append(post())
    await route()
    (task,) = await tasks("allocation")
    with pytest.raises(Refused) as refused:
        await desk.finish(database, store, task.id, "seen", "Sam", clock)
    assert refused.value.reason == "not-allocated"


# The alarm.


async def test_what_nobody_allocates_in_time_is_told_once_again_and_counted(
    post, append, route, database, store, house, clock, rows
):
    about = post()
    await append(about)
    await route()
    clock.forward(hours=23)
    assert await allocation.alarm(database, store, house, clock()) == 0
    clock.forward(hours=2)
    before = ERRORS.labels("duties", "unallocated")._value.get()
    assert await allocation.alarm(database, store, house, clock()) == 1
    assert await allocation.alarm(database, store, house, clock()) == 0
    assert ERRORS.labels("duties", "unallocated")._value.get() == before + 1
    notices = await rows(tables.outgoing, tables.outgoing.c.recipient == "affairs@example.org")
    subjects = sorted(Outgoing.model_validate_json(each.body).subject[:13] for each in notices)
    assert subjects == ["NOT ALLOCATED", "a post on soc"]


async def test_the_gauges_say_how_many_wait_and_since_when(post, append, route, database, clock, allocate):
    about, since = post(), clock()
    await append(about)
    clock.forward(hours=1)
    await append(post())
    await route()

    async def gauges() -> tuple[float, float]:
        async with database.read() as connection:
            await allocation.measure(connection)
        return UNALLOCATED._value.get(), UNALLOCATED_OLDEST._value.get()

    assert await gauges() == (2, since.timestamp())
    await allocate(about, NOBODY)
    assert await gauges() == (1, (since + timedelta(hours=1)).timestamp())


async def test_what_waits_to_be_allocated_is_waiting_in_the_ledger_until_it_is(
    post, append, route, log, database, clock, allocate
):
    about = post()
    await append(about)
    await route()

    async def counted() -> tuple[int, int, dict[str, int]]:
        (line,) = await ledger.entries(log, database, clock())
        return line.waiting, line.unaccounted, line.dispositions

    assert await counted() == (1, 0, {})
    await allocate(about, NOBODY)
    assert await counted() == (0, 0, {"NoAction": 1})


# What comes back.


@pytest.mark.parametrize(
    ("made", "tied"),
    [
        (lambda of, now: reply_token(KEY, of, now + timedelta(days=30)), True),
        (lambda of, now: reply_token(b"another key", of, now + timedelta(days=30)), False),
        (lambda of, now: reply_token(KEY, of, now), False),
        (lambda of, now: "x" * 50, False),
        (lambda of, now: "", False),
    ],
    ids=["ours", "forged", "stale", "nonsense", "empty"],
)
async def test_what_comes_back_by_a_link_of_ours_is_tied_to_the_post_and_to_nobody(
    made, tied, post, contact, append, route, rows, clock, actions
):
    about = post()
    back = contact("It is me again.", thread=Thread(reply_token=made(about.id, clock())))
    await append(about, back)
    await route()
    assert [(each.contact_id, each.earlier) for each in await rows(tables.ties)] == [(back.id, about.id)] * tied
    assert ("tied-to" in await actions(back)) is tied
    assert await rows(tables.links) == []


async def test_looked_at_anew_a_post_and_its_edits_come_to_what_they_came_to(
    post, edit, append, route, tell, apply, database, house, clock
):
    first, nobodys, waits = post(), post(), post()
    await append(first, nobodys, waits)
    await route()
    await tell(first)
    await tell(nobodys, NOBODY)
    await apply()
    clock.forward(hours=1)
    await append(edit(first, "I waited nine months for your decision, and nobody will say why."))
    await route()
    await apply()
    found = [each async for page in replay(database, house, clock(), Which(), 10) for each in page]
    assert [each.differs_in for each in found] == [()] * 4
    assert sorted(each.was.rule for each in found) == [
        "allocated",
        "allocated-to-nobody",
        "later-version",
        "waits-for-allocation",
    ]
