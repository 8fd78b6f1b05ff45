"""``ingest decide``: what becomes of one contact, rule by rule, with nothing stored."""

import json
import sqlite3

import pytest

from ingest.ids import reference
from router.decide import RULES

FEEDBACK = "I waited nine months for your decision and nobody told me why."
UNCLEAR = "Hello. It is about the thing."
ROBOT = "Its headers say that no person wrote it."


@pytest.fixture
def decide(ingest, config):
    return lambda *arguments: ingest("decide", *arguments, "--config", config)


@pytest.fixture
def one_in_a_file(contact, tmp_path):
    """The least contact as its publisher would send it, in a file over several lines."""

    def write(**changed):
        path = tmp_path / "contact.json"
        path.write_text(json.dumps(contact(**{"source": "urn:example:crm", **changed}), indent=2), encoding="utf-8")
        return path

    return write


def contents(config) -> list[str]:
    with sqlite3.connect(config.with_name("register.db")) as register:
        return list(register.iterdump())


def test_a_stored_contact_is_decided_by_its_reference_or_the_beginning_of_its_id(take_in, decide):
    (about,) = take_in(FEEDBACK)
    done = decide(reference(about.id))
    assert done.status == 0
    assert "Becomes     RecordFeedback" in done.out
    assert "Rule        feedback v" in done.out
    assert "Stands as   RecordFeedback, by router, rule feedback" in done.out
    assert "It applies where" not in done.out
    assert decide(str(about.id)[:13]).out == done.out


def test_explained_each_rule_says_whether_it_was_tried_and_applied_and_what_it_saw(take_in, decide, config):
    (about,) = take_in(FEEDBACK)
    before = contents(config)
    told = decide(reference(about.id), "--explain")
    for rule in RULES:
        assert rule.name in told.out
    assert "No header says that a program wrote it." in told.out
    assert "not tried" in told.out
    assert "Would be written" in told.out
    assert "feedback record" in told.out
    assert "acknowledgement" in told.out
    assert contents(config) == before, "nothing is stored"


def test_as_json_the_rules_are_in_order_and_one_applies(take_in, decide):
    (about,) = take_in(UNCLEAR)
    ((row),) = decide(reference(about.id), "--explain", "--json").rows
    assert row["id"] == str(about.id)
    assert (row["disposition"], row["details"], row["rule"]) == ("HoldForReview", ["review"], "unsure-what")
    assert [each["rule"] for each in row["rules"]] == [each.name for each in RULES]
    at = [each["rule"] for each in row["rules"]].index("unsure-what")
    assert [each["applies"] for each in row["rules"]] == [False] * at + [True] + [None] * (len(RULES) - at - 1)
    assert [each["tried"] for each in row["rules"]] == [True] * (at + 1) + [False] * (len(RULES) - at - 1)
    assert row["rules"][1]["when"] == ROBOT
    assert row["rules"][1]["saw"] == ["No header says that a program wrote it."]
    assert row["match"] == ["Nobody in the register comes near to what the contact gives."]
    assert {each["what"] for each in row["would_be_written"]} == {"task, review", "notice", "acknowledgement"}
    assert "rules" not in decide(reference(about.id), "--json").rows[0]


def test_an_urgent_one_says_on_which_words(take_in, decide):
    (about,) = take_in("I am going to kill myself tonight.")
    (row,) = decide(reference(about.id), "--explain", "--json").rows
    assert row["urgent"][0]["kind"] == "harm"
    written = {each["what"]: each["how_it_stands"] for each in row["would_be_written"]}
    assert written["acknowledgement"] == "held: urgent"
    assert "task, urgent" in written
    assert "kill myself" in decide(reference(about.id)).out


def test_one_in_a_file_is_decided_as_its_publisher_would_be_believed_and_not_stored(take_in, decide, one_in_a_file, config):
    take_in()
    before = contents(config)
    done = decide("--file", one_in_a_file(text=UNCLEAR, full_text=UNCLEAR), "--explain")
    assert done.status == 0
    assert "the register does not have it" in done.out
    assert "HoldForReview" in done.out
    assert contents(config) == before


def test_one_in_a_file_by_nobody_whom_the_settings_name_would_be_a_dead_letter(take_in, decide, one_in_a_file):
    take_in()
    done = decide("--file", one_in_a_file(source="urn:example:stranger"))
    assert (done.status, done.out) == (1, "")
    assert "dead letter (unknown-publisher)" in done.err


def test_what_is_no_contact_is_told_by_its_fields(take_in, decide, one_in_a_file):
    take_in()
    done = decide("--file", one_in_a_file(channel="pigeon"))
    assert done.status == 1
    assert "channel" in done.out
    assert "holds no contact" in done.err


@pytest.mark.parametrize("arguments", [[], ["CC-00000-00000", "--file"]])
def test_it_wants_one_contact(take_in, decide, one_in_a_file, arguments):
    take_in()
    done = decide(*arguments, *([one_in_a_file()] if arguments else []))
    assert done.status == 2
    assert "one contact" in done.err


def test_one_that_the_register_has_not_is_a_sentence(take_in, decide):
    take_in()
    done = decide("CC-00000-00000")
    assert (done.status, "Nothing has the id or reference" in done.err) == (1, True)


def test_of_a_post_a_handoff_an_answer_and_a_list_it_tells_what_tells_them_apart(take_in, decide):
    texts = (
        "The hospital lost my mother's notes and will not reply to my complaint. Please can you investigate the Trust?",
        "Why do I need an MP referral to complain to you?",
    )
    contacts = take_in(*texts, {"text": FEEDBACK, "channel": "social", "account": "portal", "needs_allocation": True})
    rows = [decide(reference(each.id), "--json").rows[0] for each in contacts]
    assert [(row["disposition"], row["details"]) for row in rows] == [
        ("HandOff", ["intake"]),
        ("AnswerQuery", ["mp-referral"]),
        ("HoldForReview", ["allocation"]),
    ]
