"""What is weighed of a contact, to the trait, and what is asked by it: the learned and the reading find the same."""

import pytest

from router.read import Fact, Outcome, outcome, read
from router.read.phrases import find
from router.read.sentences import sentences, spoken
from router.read.traits import WHOLE, traits


def test_a_contact_is_weighed_by_its_words_their_kinds_and_its_make_up_each_with_the_first_sentence_that_has_it():
    lines = sentences("Us", from_subject=True) + sentences("Zebras rang in 2026. Why us?")
    assert traits("sms", lines, ["a-row"], references=3, named=4) == {
        "^": 0, "$": 0, "us": 0, "^ us": 0, "us $": 0, "=us": 0, "^ =us": 0, "=us $": 0, "^ =us $": 0, "s us": 0,
        "zebras": 1, "rang": 1, "in": 1, "2026": 1, "^ zebras": 1, "zebras rang": 1, "rang in": 1, "in 2026": 1, "2026 $": 1, "zebra-": 1,
        "=CONTACT": 1, "=in": 1, "=#": 1, "^ =CONTACT": 1, "=CONTACT =in": 1, "=in =#": 1, "=# $": 1,
        "^ =CONTACT =in": 1, "=CONTACT =in =#": 1, "=in =# $": 1,
        "why": 2, "^ why": 2, "why us": 2, "=ASKING": 2, "^ =ASKING": 2, "=ASKING =us": 2, "^ =ASKING =us": 2, "=ASKING =us $": 2,
        "?^": 2, "?=ASKING": 2, "?=us": 2, "?$": 2,
        "channel sms": WHOLE, "length 1": WHOLE, "references 2": WHOLE, "bodies 3": WHOLE, "asks also": WHOLE, "row a-row": WHOLE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "asks"), [("Nobody rang.", "nothing"), ("Why? Who?", "only"), ("Why? Nobody rang.", "also"), ("", "nothing")]
)
def test_it_is_weighed_whether_it_only_asks(text, asks):
    assert f"asks {asks}" in traits("sms", sentences(text), [], references=0, named=0)


@pytest.mark.parametrize(
    ("words", "length"), [(4, 0), (5, 1), (8, 1), (9, 2), (15, 2), (16, 3), (31, 4), (61, 5), (111, 6), (200, 6), (201, 7)]
)
def test_it_is_weighed_how_long_it_is(words, length):
    lines = sentences(" ".join(f"w{each}" for each in range(words)))
    assert f"length {length}" in traits("sms", lines, [], references=0, named=0)


@pytest.mark.parametrize(("count", "references", "bodies"), [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 2, 3), (9, 2, 3)])
def test_it_is_weighed_whether_it_names_none_one_or_several(count, references, bodies):
    there = traits("sms", sentences("No"), [], references=count, named=count)
    assert {f"references {references}", f"bodies {bodies}"} <= set(there)


def test_a_longer_word_is_weighed_by_how_it_begins_too():
    assert [each for each in spoken("a hospi hospital") if each.endswith("-")] == ["hospi-"]


@pytest.mark.parametrize(
    ("text", "first", "all_of_them"),
    [
        ("Why do I need my MP to sign the form?", "mp-referral", ("mp-referral",)),
        (
            "What are your opening hours? How do I get a form? What is the moon?",
            "opening-hours",
            ("opening-hours", "form", ""),
        ),
        ("Tell me your opening hours.", "opening-hours", ("opening-hours",)),
        ("I wonder about your opening hours. Is there a time limit?", "time-limits", ("opening-hours", "time-limits")),
        ("Is there a time limit and how long does it take?", "time-limits", ("time-limits",)),
        ("Can I get your complaint form in large print?", "large-print-form", ("large-print-form",)),
        ("Nobody rang.", None, ()),
    ],
)
def test_a_question_that_has_a_name_is_told_by_it_and_one_that_has_none_is_counted(text, first, all_of_them):
    lines = sentences(text)
    found = find(lines)
    assert (outcome.query(found), outcome.queries(lines, found)) == (first, all_of_them)


@pytest.mark.parametrize(
    ("text", "clock", "law"),
    [
        (
            "This is a subject access request. Please send me all you hold.",
            "subject-access",
            "subject access: within one month (UK GDPR article 12)",
        ),
        (
            "Under the Freedom of Information Act please say how many you closed.",
            "freedom-of-information",
            "freedom of information: within 20 working days (FOI Act 2000 section 10)",
        ),
        (
            "You sent my letter to the wrong address, that is a data breach by your office.",
            "data-protection",
            "data protection complaint: acknowledged within 30 days (Data (Use and Access) Act 2025)",
        ),
    ],
)
def test_a_clock_of_the_law_is_told_first_with_the_law_and_the_sentence_that_starts_it(text, clock, law):
    said = read("email", None, text)
    starts = sentences(text)[0].text
    assert (said.outcome, said.leaning, said.legal_clock) == (Outcome.REVIEW, Outcome.REVIEW, clock)
    assert said.evidence[:2] == (Fact("outcome", "review", clock, starts), Fact("legal_clock", law, clock, starts))
    assert 0.7 <= said.confidence < 1.0


def test_of_several_clocks_one_is_named_and_a_person_sees_the_rest():
    said = read("email", None, "This is a subject access request and a Freedom of Information request.")
    assert [fact.rule for fact in said.evidence if fact.name == "legal_clock"] == ["subject-access"]


def test_the_words_of_a_clock_are_told_as_far_as_a_person_reads():
    said = read("email", None, f"This is a subject access request {'and so on ' * 40}")
    assert [len(fact.words) for fact in said.evidence[:2]] == [200, 200]


@pytest.mark.parametrize(("likelihood", "least"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.9)])
def test_nothing_that_is_read_is_ever_quite_sure(likelihood, least):
    assert least <= outcome.sureness(likelihood) <= 0.995


def test_what_is_likelier_is_never_less_sure():
    sure = [outcome.sureness(each / 50) for each in range(51)]
    assert sure == sorted(sure)
    assert sure[-1] == 0.995
