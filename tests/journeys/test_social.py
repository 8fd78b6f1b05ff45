"""A post by way of a portal: in through the public port, held until it is allocated, answered once where it was posted, and known to be read.

On one box and on Kafka with PostgreSQL; signs of harm wait for nobody, and a dispatcher that dies amid a reply makes no second one.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from ingest.ids import contact_id
from tests.journeys.house import Installation, Process
from tests.servers.kafka import Kafka
from tests.servers.portal import Portal, running_portal
from tests.servers.postgres import Postgres

ROLES = ("web", "router", "dispatcher")
SAID = "I complain about your service. You promised to ring me back by Friday and nobody rang. I would like an apology."
HARM = "I cannot go on. I am going to kill myself tonight because of how you treated me."
TELEPHONE = "0300 123 4567"
SETTINGS = """
[acknowledgement]
telephone = "{telephone}"

[channels.social.portal]
secret_file = "social-secret"
replies = "{replies}"
own_handles = ["x:@OmbudsmanCare"]
"""
PERSON = "SELECT count(*) FROM outgoing WHERE audience = 'person'"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

ON_ONE_BOX = "on one box"
wherever_it_runs = pytest.mark.parametrize(
    "it",
    [
        ON_ONE_BOX,
        pytest.param(
            "apart",
            marks=[pytest.mark.needs("kafka"), pytest.mark.needs("postgres"), pytest.mark.xdist_group("journeys-on-kafka")],
        ),
    ],
    indirect=True,
)


def post(id_: str, text: str = SAID, **more: Any) -> dict[str, Any]:
    """What somebody wrote on a network, in a thread of their own."""
    return {
        "id": id_, "network": "x", "thread_id": id_, "text": text, "sender": {"handle": "@GwenPryce", "name": "Gwen Pryce"},
        "sent_at": "2026-03-02T09:12:00Z", "private_way": False, **more,
    }  # fmt: skip


def id_of(post_id: str) -> str:
    return str(contact_id("social", "portal", post_id))


@pytest.fixture
def portal() -> Generator[Portal]:
    with running_portal() as it:
        yield it


@pytest.fixture
async def it(request: pytest.FixtureRequest, portal: Portal, tmp_path: Path) -> AsyncGenerator[Installation]:
    """An installation that the portal calls, not started."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "social-secret").write_text(portal.secret)
    more = SETTINGS.format(telephone=TELEPHONE, replies=portal.replies)
    if getattr(request, "param", ON_ONE_BOX) == ON_ONE_BOX:
        made = Installation.without_mail(folder, ROLES, more)
        yield made
        made.stop()
        return
    kafka: Kafka = request.getfixturevalue("kafka")
    postgres: Postgres = request.getfixturevalue("postgres")
    made = Installation.apart_without_mail(folder, kafka, postgres, (*ROLES, "web-2"), more)
    yield made
    made.stop()


async def started(it: Installation) -> None:
    it.start()
    await asyncio.to_thread(it.ready)


async def told(it: Installation, portal: Portal, kind: str, data: Any, door: int = 0) -> int:
    """What the portal is answered by one process of ours."""
    return await asyncio.to_thread(portal.tell, f"{it.doors[door]}/social/portal", kind, data)


async def seen(it: Installation, query: str, wanted: int, within: float = 60) -> None:
    await asyncio.to_thread(it.wait_for, query, wanted, within)


@wherever_it_runs
async def test_a_post_waits_until_it_is_allocated_and_is_then_answered_once_and_known_to_be_delivered(
    it: Installation, portal: Portal
) -> None:
    await started(it)
    assert await told(it, portal, "post.created", post("1790001")) == 200
    await seen(it, "SELECT count(*) FROM tasks WHERE kind = 'allocation' AND state = 'open'", 1)
    assert it.rows("SELECT kind, rule FROM dispositions WHERE current") == [("HoldForReview", "waits-for-allocation")]
    assert it.number(PERSON) == 0
    assert portal.posted == []

    assert await told(it, portal, "post.allocated", {"id": "1790001", "to": "customer-care"}, door=-1) == 200
    await seen(it, f"{PERSON} AND state = 'accepted'", 1)
    (reply,) = portal.posted
    assert (reply["post_id"], reply["thread_id"], reply["network"], reply["handle"]) == (
        "1790001",
        "1790001",
        "x",
        "@GwenPryce",
    )
    assert reply["private"] is False
    for personal in ("Gwen", "CC-", "reply=", "complain", "rang"):
        assert personal not in reply["text"], "a public reply says something of whom it answers"
    assert it.rows("SELECT kind FROM dispositions WHERE current") == [("InviteToContact",)]

    assert await asyncio.to_thread(portal.report, f"{it.doors[-1]}/social/portal", reply, "delivered") == 200
    await seen(it, f"{PERSON} AND state = 'delivered'", 1)

    # The network's own echo of it, everything once more, and a change of words that came late.
    echo = post("1790002", reply["text"], in_reply_to="1790001", sender={"handle": "@ombudsmancare"})
    assert await told(it, portal, "post.created", echo) == 200
    for door in range(len(it.doors)):
        assert await told(it, portal, "post.created", post("1790001"), door) == 200
        assert await told(it, portal, "post.allocated", {"id": "1790001", "to": "customer-care"}, door) == 200
    assert await told(it, portal, "post.edited", post("1790001", "Nobody rang, again.", version="2")) == 200
    await seen(it, "SELECT count(*) FROM dispositions WHERE current AND rule = 'later-version'", 1)
    await seen(it, "SELECT count(*) FROM outbox", 0)
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()
    assert it.number("SELECT count(*) FROM contacts") == 2
    assert it.number("SELECT count(*) FROM variants") == 0
    assert it.number(PERSON) == 1
    assert len(portal.posted) == 1
    assert portal.refused == 0


async def test_one_that_came_allocated_is_answered_where_only_its_writer_sees_it_and_told_every_way_to_reach_us(
    it: Installation, portal: Portal
) -> None:
    await started(it)
    allocated = post("1790003", private_way=True, allocated_at="2026-03-02T09:20:00Z", allocated_by="External Affairs")
    assert await told(it, portal, "post.created", allocated) == 200
    await seen(it, f"{PERSON} AND state = 'accepted'", 1)
    (reply,) = portal.posted
    assert reply["private"] is True
    assert TELEPHONE in reply["text"]
    assert "CC-" in reply["text"]
    assert "rang" not in reply["text"], "what they wrote is sent back to them"


async def test_signs_of_harm_are_raised_before_anybody_has_allocated_the_post_and_nothing_is_sent_by_itself(
    it: Installation, portal: Portal
) -> None:
    await started(it)
    assert await told(it, portal, "post.created", post("1790004", HARM)) == 200
    await seen(it, "SELECT count(*) FROM tasks WHERE kind = 'urgent'", 1)
    assert it.number("SELECT count(*) FROM dispositions WHERE current AND urgent AND rule = 'waits-for-allocation'") == 1
    assert await told(it, portal, "post.allocated", {"id": "1790004"}) == 200
    await seen(it, "SELECT count(*) FROM dispositions WHERE current AND rule = 'allocated'", 1)
    await seen(it, f"{PERSON} AND state = 'held'", 1)
    await asyncio.sleep(2)
    assert it.number(f"{PERSON} AND state <> 'held'") == 0
    assert portal.posted == []


async def test_a_bad_item_among_good_ones_and_a_deletion_end_as_they_should(it: Installation, portal: Portal) -> None:
    await started(it)
    batch = [post("1"), {"network": "x", "text": "Who am I?"}, post("2"), post("3")]
    assert await told(it, portal, "post.created", batch) == 200
    await seen(it, "SELECT count(*) FROM contacts", 4)
    assert await told(it, portal, "post.deleted", {"id": "2"}) == 200
    await seen(it, "SELECT count(*) FROM dispositions WHERE current AND rule = 'post-deleted'", 1)
    assert (
        await told(it, portal, "post.allocated", [{"id": "1", "to": "nobody"}, {"id": "2"}, {"id": "3", "to": "nobody"}]) == 200
    )
    await seen(it, "SELECT count(*) FROM dispositions WHERE current AND rule = 'allocated-to-nobody'", 2)
    deleted = it.rows("SELECT contact_id FROM dispositions WHERE current AND rule = 'post-deleted'")
    assert [str(each).replace("-", "") for (each,) in deleted] == [id_of("2").replace("-", "")]
    assert it.number(PERSON) == 0
    ledger = await asyncio.to_thread(it.command, "ledger")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr


async def test_a_reply_that_the_portal_had_when_the_dispatcher_died_is_posted_once(it: Installation, portal: Portal) -> None:
    dispatcher = next(each for each in it.processes.values() if "dispatcher" in each.roles)

    def die() -> None:
        portal.on_taken = lambda: None
        dispatcher.kill()

    portal.on_taken = die
    await started(it)
    assert await told(it, portal, "post.created", post("1790005", allocated_at="2026-03-02T09:20:00Z")) == 200
    await asyncio.to_thread(ended, dispatcher)
    assert len(portal.posted) == 1
    dispatcher.start()
    await seen(it, f"{PERSON} AND state = 'accepted'", 1)
    assert len(portal.posted) == 1
    assert len(portal.requests) == 2, "it was not sent once more: nobody had said that the portal had it"


def ended(process: Process) -> None:
    assert process.running is not None
    process.running.wait(60)
