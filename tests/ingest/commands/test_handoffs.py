"""``ingest handoffs``: what was handed on, in the order to look at it, and taken, returned and settled in somebody's name."""

import pytest

from ingest.contract import DeclaredFacts, Identifier, Person
from ingest.ids import reference

ENQUIRY = (
    "I want to complain about St Elsewhere Hospital. They lost my mother's notes and cancelled her operation three times.\n"
    "Can you look into this for me?\n\nGwen Pryce"
)
BY = ("--by", "Sam")


@pytest.fixture
def handoffs(ingest, config):
    return lambda *arguments: ingest("handoffs", *arguments, "--config", config)


@pytest.fixture
def review(ingest, config):
    return lambda *arguments: ingest("review", *arguments, "--config", config)


@pytest.fixture
def handed(take_in):
    """A contact that was handed to Intake."""

    def make(text: str = ENQUIRY):
        (about,) = take_in({"text": text, "declared": DeclaredFacts(asks_for="new_complaint")})
        return about

    return make


def test_handoffs_are_listed_with_when_they_are_due_and_without_words(handed, handoffs):
    about = handed()
    listed = handoffs("list", "--json")
    (row,) = listed.rows
    assert (row["reference"], row["team"], row["mailbox"]) == (reference(about.id), "intake", "intake@example.org")
    assert (row["state"], row["by"]) == ("sent", None)
    assert "Elsewhere" not in listed.out
    assert reference(about.id) in handoffs("list").out
    assert handoffs("list", "--team", "investigators", "--json").rows == []


def test_one_is_shown_as_its_team_has_it_and_what_could_steer_a_terminal_is_taken_out(handed, handoffs):
    about = handed(f"{ENQUIRY}\x1b]0;owned\x07\nTask        00000000")
    shown = handoffs("show", reference(about.id))
    assert shown.status == 0
    for said in ("to intake, at intake@example.org", "State:          sent", "jo@example.com", "Why it is yours:",
                 "  | Task        00000000", "  | I want to complain"):  # fmt: skip
        assert said in shown.out
    assert not any(each in shown.out for each in "\x1b\x07")
    assert "Writes for" not in shown.out
    (whole,) = handoffs("show", reference(about.id), "--json").rows
    assert whole["contact_id"] == str(about.id)


def test_whom_they_write_for_is_shown_and_by_what_right(take_in, handoffs):
    declared = DeclaredFacts(asks_for="new_complaint", authority="I am her solicitor.")
    (about,) = take_in({"text": ENQUIRY, "declared": declared, "on_behalf_of": Person(name="Gwen Prosser")})
    shown = handoffs("show", reference(about.id)).out
    assert "For, declared:  Gwen Prosser" in shown
    assert "By what right:  I am her solicitor." in shown


def test_one_is_taken_and_settled_in_somebodys_name_and_listed_no_more(handed, handoffs):
    about = handed()
    assert handoffs("take", reference(about.id), *BY).status == 0
    (row,) = handoffs("list", "--json").rows
    assert (row["state"], row["by"], row["late"]) == ("taken", "Sam", False)
    second = handoffs("take", reference(about.id), "--by", "Alex")
    assert (second.status, "Sam has taken it already" in second.err) == (1, True)
    assert handoffs("settle", reference(about.id), *BY).status == 0
    assert handoffs("list", "--json").rows == []
    assert handoffs("list", "--all", "--json").rows[0]["state"] == "settled"
    assert "settled" in handoffs("show", reference(about.id)).out


def test_what_is_returned_is_a_task_to_decide_anew(handed, handoffs, review, ingest, config):
    about = handed()
    done = handoffs("return", reference(about.id), "--because", "it is about your decision", *BY)
    assert done.status == 0
    (task,) = review("list", "--json").rows
    assert task["kind"] == "review"
    assert "Sam has returned it, which was handed to intake: it is about your decision" in review("show", task["id"]).out
    assert "it is about your decision" in handoffs("show", reference(about.id)).out
    assert review("decide", task["id"], "--as", "feedback", "--because", "they are right", *BY).status == 0
    assert ingest("feedback", "list", "--json", "--config", config).rows[0]["reference"] == reference(about.id)
    assert "handoff-returned" in ingest("audit", "show", about.id, "--config", config).out


@pytest.mark.parametrize("arguments", [["take", "abcdef"], ["return", "abcdef"], ["settle", "abcdef"]], ids=str)
def test_whoever_acts_says_who_they_are(take_in, handoffs, arguments):
    take_in()
    assert handoffs(*arguments).status == 2


@pytest.mark.parametrize("given", ["abcdef", "CC-00000-00000"])
def test_a_handoff_that_is_not_there_is_a_sentence_and_exit_status_1(take_in, handoffs, given):
    take_in()
    gone = handoffs("show", given)
    assert (gone.status, given in gone.err) == (1, True)


def test_a_team_has_another_mailbox_for_what_is_new_and_what_was_handed_on_before_stays_with_the_old_one(
    take_in, handed, handoffs, config
):
    before = handed()
    config.write_text(config.read_text().replace("intake@example.org", "new.team@example.org"))
    other = Person(name="Ann", identifiers=(Identifier(kind="email", given="ann@example.net", canonical="ann@example.net"),))
    (after,) = take_in({"text": ENQUIRY, "declared": DeclaredFacts(asks_for="new_complaint"), "sender": other})
    listed = {row["reference"]: row["mailbox"] for row in handoffs("list", "--team", "intake", "--json").rows}
    assert listed == {reference(before.id): "intake@example.org", reference(after.id): "new.team@example.org"}


def test_where_nothing_was_handed_on_it_says_so(take_in, handoffs):
    take_in()
    assert "there are none" in handoffs("list").err
