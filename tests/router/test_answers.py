"""Approved answers: what a file must say, what is wrong with one by file and line, and when one may be sent without a person."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import (
    Attachment,
    Audience,
    DeclaredFacts,
    Identifier,
    OutgoingKind,
    OutgoingState,
    Person,
    TaskKind,
)
from ingest.ids import digest
from ingest.settings import OutgoingSettings
from router.answers import NEVER_AUTOMATIC, Answer, Fault, holding, library, parse
from router.consequences import Standing
from router.match import Ambiguous, Matched
from router.match.register_view import CaseView, IndividualView
from router.read import Outcome, ReadIndividual, Reading, Sign, read

SAMPLES = Path(__file__).parents[2] / "ingest" / "commands" / "samples" / "answers"
WHOLE = """\
+++
query = "mp-referral"
language = "en"
title = "Why you need an MP"
approved_by = "A. Morgan"
approved_on = 2026-01-05
valid_until = 2026-12-31
use = "automatic"
+++
Some bodies need one.
"""


def faults(text: str) -> list[str]:
    found = parse("a.md", text)
    return [] if isinstance(found, Answer) else [str(each) for each in found]


def test_a_file_says_what_it_answers_who_approved_it_and_until_when():
    answer = parse("mp-referral.en.md", WHOLE)
    assert answer == Answer(
        "mp-referral.en.md", "mp-referral", "en", "Why you need an MP", "Some bodies need one.", "A. Morgan", date(2026, 1, 5),
        date(2026, 12, 31), automatic=True, digest=digest(WHOLE.encode()),
    )  # fmt: skip


def test_an_answer_is_for_a_person_to_send_unless_it_says_otherwise():
    answer = parse("a.md", WHOLE.replace('use = "automatic"\n', ""))
    assert isinstance(answer, Answer)
    assert not answer.automatic


def test_another_word_of_it_is_another_version():
    first, second = parse("a.md", WHOLE), parse("a.md", WHOLE.replace("Some", "Many"))
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.digest != second.digest


WRONG: dict[str, tuple[str, str, int, str]] = {
    "no front matter": ("+++\n", "", 1, "it must begin with a front matter between two lines of +++."),
    "no end of it": ("+++\nSome", "Some", 1, "it must begin with a front matter between two lines of +++."),
    "no TOML": ('"mp-referral"', '"mp-referral', 2, "this is not TOML: Illegal character '\\n'."),
    "an unknown key": ('title = "', 'titel = "', 4, "there is no key titel; there are query, language, title, approved_by,"),
    "a key that is missing": ('approved_by = "A. Morgan"\n', "", 1, "approved_by is missing."),
    "nobody's name": ('"A. Morgan"', '" "', 5, "approved_by: "),
    "a day in quotes": ("2026-12-31", '"2026-12-31"', 7, "valid_until must be a day, written without quotes as 2027-09-30."),
    "a moment for a day": ("2026-12-31", "2026-12-31T10:00:00", 7, "valid_until must be a day"),
    "days the wrong way round": ("2026-12-31", "2025-12-31", 7, "valid_until is before approved_on."),
    "another language": ('"en"', '"fr"', 3, "language: "),
    "a query that is none": ('"mp-referral"', '"MP referral"', 2, "query must be small letters, figures and hyphens"),
    "another use": ('"automatic"', '"always"', 8, "use: "),
    "no words": ("Some bodies need one.\n", "", 9, "there is nothing below the front matter."),
    "HTML": ("need one.", "need <b>one</b>.", 10, "HTML cannot be sent as plain text."),
    "a picture": ("need one.", "need one.\n\n![one](one.png)", 12, "a picture cannot be sent as plain text."),
    "code": ("need one.", "need one.\n\n    one", 12, "code cannot be sent as plain text."),
}  # fmt: skip


@pytest.mark.parametrize(("there", "instead", "line", "sentence"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_named_by_its_line(there: str, instead: str, line: int, sentence: str):
    changed = WHOLE.replace(there, instead, 1) if there != "+++\nSome" else WHOLE.replace(there, instead)
    assert any(each.startswith(f"a.md, line {line}: {sentence}") for each in faults(changed))


def test_everything_that_is_wrong_is_named_at_once():
    said = faults(WHOLE.replace('"en"', '"fr"').replace('"automatic"', '"always"'))
    assert [each.split(":")[0] for each in said] == ["a.md, line 3", "a.md, line 8"]


@pytest.mark.parametrize("query", sorted(NEVER_AUTOMATIC))
def test_an_answer_on_time_limits_or_remit_never_goes_by_itself(query: str):
    text = WHOLE.replace("mp-referral", query)
    assert faults(text) == [
        'a.md, line 8: an answer on time limits or on what we may look at is never sent by itself; write use = "suggested".'
    ]
    assert faults(text.replace('"automatic"', '"suggested"')) == []


def test_two_files_do_not_answer_the_same_query_in_one_language():
    _, found = library({"a.md": WHOLE, "b.md": WHOLE})
    assert found == (Fault("b.md", 2, "a.md answers mp-referral in that language already."),)


def test_an_answer_in_welsh_has_one_in_english_beside_it():
    _, found = library({"a.md": WHOLE.replace('"en"', '"cy"')})
    assert found == (Fault("a.md", 3, "there is no answer to mp-referral in English beside it."),)


def test_markdown_is_sent_as_it_is_read():
    body = (
        "# Three *ways*\n\nThere are\n**three**:\n\n- our form, <https://a.example>\n- [mail](mailto:b@a.example)\n"
        "- by [post](https://a.example/post)\n\nDo this:\n\n1. write\n2. sign\n   - here\n   - there\n3. send\n"
    )
    answer = parse("a.md", WHOLE.replace("Some bodies need one.\n", body))
    assert isinstance(answer, Answer)
    assert answer.text == (
        "Three ways\n\nThere are three:\n\n- our form, https://a.example\n- mail (b@a.example)\n- by post (https://a.example/post)\n\n"
        "Do this:\n\n1. write\n2. sign\n  - here\n  - there\n3. send"
    )


@pytest.mark.parametrize(
    ("day", "holds"), [("2026-01-04", False), ("2026-01-05", True), ("2026-12-31", True), ("2027-01-01", False)]
)
def test_an_answer_holds_from_the_day_it_is_approved_to_its_last(approved: Any, day: str, holds: bool):
    assert bool(holding(approved(en="One."), "mp-referral", date.fromisoformat(day))) is holds


def test_where_the_answer_in_english_has_run_out_the_one_in_welsh_is_not_used_alone(approved: Any):
    kept = approved(en="One.", until="2026-02-01")["mp-referral"] | {"cy": approved(en="One.", cy="Un.")["mp-referral"]["cy"]}
    assert holding({"mp-referral": kept}, "mp-referral", date(2026, 3, 2)) == {}


def test_the_answers_that_are_shipped_are_sound_and_in_both_languages():
    answers, found = library({path.name: path.read_text("utf-8") for path in SAMPLES.glob("*.md")})
    assert found == ()
    assert {"mp-referral", "opening-hours", "large-print-form", "form", "how-long", "cost"} <= set(answers)
    assert all(set(each) == {"en", "cy"} for each in answers.values())


# Which of them a person sends.

QUERY = Reading(Outcome.QUERY_ANSWER, 0.9, query="mp-referral", queries=("mp-referral",))
JOAN = IndividualView("R1", "Joan Pettifer", cases=("C-2034655",))
OPEN = CaseView("C-2034655", "open")
CLOSED = CaseView("C-2034655", "closed")
AS_JOAN: dict[str, Any] = {"match": Matched("R1", 0.99, ()), "individual": JOAN}
FILE = Attachment(digest="1" * 64, name="a.pdf", content_type="application/pdf", size=1)


def outcome_of(written: Any) -> tuple[str, str | None]:
    """The kind of what is sent to them, and why a person is asked."""
    (sent,) = [each for each in written.messages if each.audience is Audience.PERSON]
    asked = [each for each in written.tasks if each.kind is TaskKind.REVIEW]
    return sent.kind.value, asked[0].reasons[0].removeprefix("A general query, and ").rstrip(".") if asked else None


@pytest.fixture
def answering(house: Any, approved: Any) -> Any:
    return replace(house, answers=approved(en="Some bodies need one.", cy="Mae angen un ar rai."))


BY_A_PERSON: dict[str, tuple[dict[str, Any], str]] = {
    "asks two things": (
        {"reading": replace(QUERY, queries=("cost", "mp-referral"))}, "more than one thing is asked",
    ),
    "asks something that has no name besides": (
        {"reading": replace(QUERY, queries=("mp-referral", ""))}, "more than one thing is asked",
    ),
    "has an open case": ({**AS_JOAN, "theirs": (OPEN,)}, "they have an open case"),
    "names a case": ({"named": (CLOSED,)}, "it names a case"),
    "names a case that is not ours": ({"unknown_references": ("C-9999999",)}, "it names a case"),
    "may be somebody in the register": (
        {"match": Ambiguous(("R1", "R2"), ("two fit",))}, "it may be from somebody in the register",
    ),
    "is urgent": (
        {"reading": replace(QUERY, signs=(Sign("harm", "suicide", "words"),))}, "it is urgent, or another contact of theirs is",
    ),
    "has an urgent contact that waits": ({"standing": Standing(urgent_waits=True)}, "it is urgent, or another contact of theirs is"),
    "says that they need something": (
        {"reading": replace(QUERY, reasonable_adjustments=("extra_time",))}, "they need something done differently",
    ),
    "is known to need something": (
        {**AS_JOAN, "individual": replace(JOAN, adjustments=("extra_time",))}, "they need something done differently",
    ),
    "writes for somebody": ({"of": {"on_behalf_of": Person(name="Aunt")}}, "they write for somebody else"),
    "reads as writing for somebody": (
        {"reading": replace(QUERY, represented=ReadIndividual())}, "they write for somebody else",
    ),
    "may be a child": ({"reading": replace(QUERY, under_18="I am 15.")}, "the writer may be a child"),
    "has something attached": ({"of": {"attachments": (FILE,)}}, "something is attached to it"),
    "was acknowledged by another system": ({"of": {"acknowledged": True}}, "nothing goes to them by itself"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "because"), BY_A_PERSON.values(), ids=BY_A_PERSON)
def test_an_automatic_answer_is_for_a_person_to_send_where_whoever_asks(
    decided: Any, contact: Any, answering: Any, given: dict[str, Any], because: str
):
    given = {"reading": QUERY, **given}
    written = decided(given.pop("reading"), of=contact(**given.pop("of", {})), in_house=answering, **given)
    assert not [each for each in written.messages if each.kind is OutgoingKind.ANSWER]
    (asked,) = [each for each in written.tasks if each.kind is TaskKind.REVIEW]
    assert asked.reasons[0] == f"A general query, and {because}."
    assert asked.suggestion == "answer: mp-referral"
    assert "The answer is “About mp-referral”, approved by A. Morgan until 31 December 2026." in asked.reasons


def test_with_none_of_that_it_goes_by_itself_and_counts_as_the_acknowledgement(decided: Any, answering: Any):
    assert outcome_of(decided(QUERY, in_house=answering, **AS_JOAN, theirs=(CLOSED,))) == ("answer", None)


def test_a_suggested_answer_is_acknowledged_and_a_person_sends_it(decided: Any, house: Any, approved: Any):
    written = decided(QUERY, in_house=replace(house, answers=approved(en="One.", use="suggested")))
    assert outcome_of(written) == ("acknowledgement", "its approved answer is one that a person sends")


def test_an_answer_that_has_run_out_is_not_used_and_the_task_says_so(decided: Any, house: Any, approved: Any):
    written = decided(QUERY, in_house=replace(house, answers=approved(en="One.", until="2026-03-01")))
    assert outcome_of(written) == ("acknowledgement", "its approved answer ran out on 01 March 2026")


def test_whoever_writes_in_welsh_is_not_answered_in_english_alone(decided: Any, contact: Any, house: Any, approved: Any):
    written = decided(QUERY, of=contact(language="cy"), in_house=replace(house, answers=approved(en="One.")))
    assert outcome_of(written) == ("acknowledgement", "no approved answer to it is kept in their language")


def test_the_audit_trail_says_which_answer_was_sent_in_which_version_and_by_whose_leave(decided: Any, answering: Any):
    written = decided(QUERY, in_house=answering)
    (entry,) = [each for each in written.entries if each.action == "answered"]
    answers = answering.answers["mp-referral"]
    assert entry.evidence["query"] == "mp-referral"
    assert entry.evidence["outgoing"] == str(written.messages[0].id)
    assert [(each["language"], each["sha256"], each["approved_by"]) for each in entry.evidence["answers"]] == [
        ("en", answers["en"].digest, "A. Morgan"), ("cy", answers["cy"].digest, "A. Morgan"),
    ]  # fmt: skip


def test_in_review_mode_an_answer_is_held_as_any_message_is(decided: Any, answering: Any):
    written = decided(QUERY, in_house=replace(answering, outgoing=OutgoingSettings(mode="review")))
    assert (written.messages[0].state, written.messages[0].reason) == (OutgoingState.HELD, "review-mode")


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("Why do I need an MP referral?", ("mp-referral",)),
        ("Hello. Why do I need an MP? Why must my MP sign it?", ("mp-referral",)),
        ("Why do I need an MP referral? And what are your opening hours?", ("mp-referral", "opening-hours")),
        ("What does it cost and what are your opening hours?", ("cost", "opening-hours")),
        ("Can I get the form in large print?", ("large-print-form",)),
        ("R u open bank holiday monday?", ("opening-hours",)),
        ("Why do I need an MP referral? And tell me what it costs please.", ("mp-referral", "cost")),
        ("Why do I need an MP referral? What has become of my brother?", ("mp-referral", "")),
    ],
)
def test_every_question_of_a_query_is_counted(text: str, queries: tuple[str, ...]):
    found = read("email", None, text, DeclaredFacts(asks_for="question"))
    assert found.outcome is Outcome.QUERY_ANSWER
    assert found.queries == queries


def test_mail_to_them_holds_the_answer_in_both_languages(decided: Any, contact: Any, answering: Any):
    phone = Identifier(kind="phone", given="07700 900123", canonical="+447700900123")
    about = contact().model_copy(update={"sender": Person(identifiers=(*contact().sender.identifiers, phone))})
    body = decided(QUERY, of=about, in_house=answering).messages[0].body.body
    assert "Some bodies need one." in body
    assert "Mae angen un ar rai." in body
