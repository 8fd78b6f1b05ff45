"""``ingest social``: what waits to be allocated, and saying whose it is."""

import pytest

from ingest.contract import Identifier, Person, Post, Thread
from ingest.ids import contact_id, reference, reply_token
from tests.ingest.commands.conftest import FIXED, KEY

BY = ("--by", "Sam")
SAYS = "I waited nine months for your decision and nobody told me why."
PORTAL = "urn:contact-ingest:social:portal"


def posted(text: str = SAYS, number: int = 1, **fields: object) -> dict[str, object]:
    return {
        "text": text,
        "id": contact_id("social", "portal", str(number)),
        "source": PORTAL,
        "channel": "social",
        "account": "portal",
        "sender": Person(name="Jo", identifiers=(Identifier(kind="handle", given="@jo", canonical="facebook:jo"),)),
        "thread": Thread(message_id=str(number)),
        "post": Post(network="facebook", thread_id=str(number), own_thread=True, permalink="https://facebook.example/1"),
        "needs_allocation": True,
        **fields,
    }


@pytest.fixture
def social(ingest, config):
    return lambda *arguments: ingest("social", *arguments, "--config", config)


@pytest.fixture
def review(ingest, config):
    return lambda *arguments: ingest("review", *arguments, "--config", config)


def test_what_waits_is_listed_with_what_it_leans_to_and_never_with_its_words(take_in, social):
    about, urgent = take_in(posted(), posted("I am going to kill myself tonight.", 2))
    listed = social("list", "--json")
    rows = {row["reference"]: row for row in listed.rows}
    assert set(rows) == {reference(about.id), reference(urgent.id)}
    row = rows[reference(about.id)]
    assert (row["id"], row["network"], row["leans_to"], row["urgent"]) == (str(about.id), "facebook", "feedback_record", False)
    assert (row["since"], row["due"], row["late"]) == (FIXED.isoformat(), "2026-03-03T09:30:00+00:00", True)
    assert rows[reference(urgent.id)]["urgent"] is True
    assert "nine months" not in listed.out
    assert "URGENT" in social("list").out


@pytest.mark.parametrize(("to", "became"), [("customer-care", "InviteToContact"), ("nobody", "NoAction")])
def test_a_post_is_allocated_in_somebodys_name_and_waits_no_longer(to, became, take_in, social, review, ingest, config):
    (about,) = take_in(posted())
    done = social("allocate", reference(about.id), "--to", to, "--because", "it is plain", *BY)
    assert (done.status, became in done.err) == (0, True)
    assert social("list", "--json").rows == []
    assert review("list", "--kind", "allocation", "--json").rows == []
    assert "Sam" in ingest("audit", "show", about.id, "--config", config).out


def test_what_waits_no_longer_is_refused_with_what_it_is(take_in, social):
    (about,) = take_in(posted())
    social("allocate", about.id, "--to", "nobody", *BY)
    again = social("allocate", about.id, "--to", "customer-care", *BY)
    assert again.status == 1
    assert "it is allocated: nobody" in again.err


def test_a_letter_is_not_allocated(take_in, social):
    (about,) = take_in("Hello. It is about the thing.")
    refused = social("allocate", reference(about.id), "--to", "nobody", *BY)
    assert refused.status == 1
    assert "no post on social media" in refused.err


def test_deleted_is_for_the_portal_to_say(take_in, social):
    (about,) = take_in(posted())
    assert social("allocate", about.id, "--to", "deleted", *BY).status == 2


def test_the_task_shows_where_the_post_stands(take_in, review):
    take_in(posted())
    (row,) = review("list", "--kind", "allocation", "--json").rows
    shown = review("show", row["id"]).out
    assert "facebook, everybody can read it: https://facebook.example/1" in shown
    assert "Leans to    feedback_record" in shown


def test_a_person_may_decide_on_a_post_that_waits(take_in, review, social):
    take_in(posted())
    (row,) = review("list", "--kind", "allocation", "--json").rows
    assert review("done", row["id"], "--outcome", "seen", *BY).status == 1
    assert review("decide", row["id"], "--as", "feedback", "--because", "it is plain", *BY).status == 0
    assert social("list", "--json").rows == []


def test_a_person_may_decide_that_who_wrote_it_is_invited(take_in, review, social):
    take_in(posted())
    (row,) = review("list", "--kind", "allocation", "--json").rows
    decided = review("decide", row["id"], "--as", "invite", "--because", "it is ours", *BY)
    assert (decided.status, "InviteToContact" in decided.err) == (0, True)
    assert social("list", "--json").rows == []
    (asked,) = review("list", "--kind", "letter", "--json").rows
    assert "no account of ours can answer there" in review("show", asked["id"]).out


def test_only_who_wrote_a_post_is_invited(take_in, review):
    take_in("Hello. It is about the thing.")
    (row,) = review("list", "--json").rows
    refused = review("decide", row["id"], "--as", "invite", "--because", "x", *BY)
    assert (refused.status, "social media" in refused.err) == (1, True)


def test_what_came_by_a_link_of_ours_is_shown_with_what_it_follows_and_the_other_way_round(take_in, review, ingest, config):
    from datetime import UTC, datetime, timedelta

    token = reply_token(KEY.encode(), contact_id("social", "portal", "1"), datetime.now(UTC) + timedelta(days=30))
    about, back = take_in(posted(), {"text": SAYS, "thread": Thread(reply_token=token)})
    (row,) = review("list", "--kind", "allocation", "--json").rows
    assert f"Followed    {reference(back.id)} by email" in review("show", row["id"]).out
    shown = ingest("feedback", "show", reference(back.id), "--config", config).out
    assert f"{reference(about.id)} by social" in shown
    assert "no proof of who wrote it" in shown
    assert token not in shown
