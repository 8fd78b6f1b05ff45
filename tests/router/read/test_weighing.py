"""What is weighed of a contact, to the trait, and what is asked by it: the learned and the reading find the same."""

from math import exp, log, sqrt

import pytest

from router.read import Fact, Outcome, needs, outcome, read, risk
from router.read.linear import Linear, together
from router.read.phrases import find
from router.read.sentences import Sentence, sentences, spoken
from router.read.traits import WHOLE, traits
from tests.router.read.measure import SAMPLES, contacts


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


def test_how_sure_it_is_is_what_was_measured_of_such_likelihoods_to_a_thousandth():
    slope, shift = Linear("outcome.json").sureness
    assert outcome.sureness(0.5) == round(1 / (1 + exp(-shift)), 3)
    assert outcome.sureness(0.75) == round(1 / (1 + exp(-shift - slope * log(3))), 3)


def test_what_is_likelier_is_never_less_sure():
    sure = [outcome.sureness(each / 50) for each in range(51)]
    assert sure == sorted(sure)
    assert sure[-1] == 0.995


@pytest.mark.parametrize(
    ("subject", "hints"),
    [
        ("Complaint about us", ("service",)),
        ("Your service", ("service",)),
        ("A compliment", ("praise",)),
        ("In praise of Ann", ("praise",)),
        ("Thank you", ("praise",)),
        ("A suggestion", ("suggestion",)),
        ("Review please", ("decision",)),
        ("Your decision: a review", ("decision",)),
        ("That decision", ("decision",)),
        ("Thank you for your service", ("service", "praise")),
        ("My case", ()),
    ],
)
def test_the_subject_of_a_letter_or_a_form_hints_at_the_type_of_feedback(subject, hints):
    lines = sentences(subject, from_subject=True) + sentences("I praise nobody.")
    found = find(lines)
    there = outcome.traits_of("web_form", lines, found, references=0, named=0)
    assert outcome.weigh(there, lines, found, at_risk=False, automatic_at=0.8).hints == hints


def test_what_speaks_for_an_outcome_is_six_sentences_at_most_each_once_and_with_the_row_that_knows_it():
    text = (
        "I have been waiting for your reply since May. Nobody rings me back. You promised to ring on Friday. Your investigator was rude. "
        "Your service is poor. I am unhappy with your staff. Your decision is wrong. I want a review of your decision. Nobody answers."
    )
    said = read("email", None, text)
    facts = [fact for fact in said.evidence if fact.name == "outcome"]
    written = [each.text for each in sentences(text)]
    assert {fact.value for fact in facts} == {Outcome.FEEDBACK_RECORD}
    assert len(facts) == 6 == len({fact.words for fact in facts})
    assert {fact.words for fact in facts} <= set(written)
    rows = {hit.row.name: hit.sentence.text for hit in reversed(find(sentences(text))[outcome._CLUES])}
    by_row = [fact for fact in facts if fact.rule in rows]
    assert by_row
    assert all(fact.words == rows[fact.rule] for fact in by_row)


def test_words_that_speak_for_an_outcome_are_told_as_far_as_a_person_reads():
    said = read("email", None, f"I am unhappy with your investigator who was rude {'and so on ' * 30}")
    assert {len(fact.words) for fact in said.evidence if fact.name == "outcome"} == {200}


def test_only_what_is_surer_than_all_else_is_left_where_nobody_looks_for_a_person():
    held = []
    for row in contacts([SAMPLES]):
        said = read(row["channel"], row["subject"], row["text"], automatic_at=0.0)
        if said.leaning is Outcome.NO_ACTION:
            assert (said.outcome is Outcome.NO_ACTION) == (said.confidence >= 0.95)
        elif said.leaning is not Outcome.REVIEW and not said.unread:
            held += [said.confidence] if said.outcome is Outcome.REVIEW else []
    assert held == []


def test_a_risk_of_which_a_body_that_is_not_ours_is_to_hear_goes_to_a_person_by_a_rule_of_no_one_sentence():
    text = "My landlord has cut off the electric and my baby is on a nebuliser. I want to complain about him"
    said = read("sms", None, text)
    assert said.evidence[0] == Fact("outcome", "review", "wrong-organisation-with-risk", "")
    assert said.confidence > 0.9


def test_what_a_rule_keeps_for_a_person_is_as_sure_as_the_rule_where_the_model_thinks_otherwise():
    text = "Your investigator was rude to me, nobody rings me back and I have been waiting for a reply since May."
    assert read("email", "Your service", text).outcome is Outcome.FEEDBACK_RECORD
    assert read("email", "Your service", f"{text} This is a subject access request.").confidence == 0.7


def test_a_need_is_weighed_by_the_kinds_of_words_that_stand_together():
    assert needs.kinds("large print please") == [
        "BIG", "PRINT", "ASK", "BIG>PRINT", "PRINT>ASK", "BIG>>ASK", "ASK+BIG", "ASK+PRINT", "BIG+PRINT",
    ]  # fmt: skip
    assert needs.kinds("18 zebra 18pt 13 9am") == [
        "SIZE",
        "FIGURE",
        "SIZE>SIZE",
        "SIZE>FIGURE",
        "FIGURE>FIGURE",
        "SIZE>>FIGURE",
        "FIGURE+SIZE",
    ]
    assert needs.kinds("one two three") == []


def test_of_each_need_the_sentence_that_sounds_most_like_it_is_heard_wherever_it_stands():
    lines = sentences("It rained on Ann. Large print. Please send me all of it in large print. It rained on Tom.")
    wanted = lines[2]
    heard = needs.hear(lines)["large_print"]
    weight = MODEL_OF_NEEDS.weigh(wanted.weight + together(needs.kinds(wanted.plain)))[
        MODEL_OF_NEEDS.labels.index("large_print")
    ]
    assert heard.sentence == wanted
    assert heard.odds == pytest.approx(risk.evened(weight, 9) + needs.of_length(4))
    again = [wanted, wanted._replace(text="again")]
    assert needs.hear(again)["large_print"].sentence == wanted
    assert needs.hear(lines[:1]) == {}


def test_among_many_sentences_one_will_sound_like_a_need():
    assert needs.of_length(1) == needs.of_length(0) == 0.0
    assert needs.of_length(2) == pytest.approx(needs.OF_LENGTH * log(2))


MODEL_OF_NEEDS = Linear("adjustments.json")
HARM = Linear("harm.json")
HEAVY = max((HARM.odds(together([word])), word) for word in ("die", "kill", "myself", "knife"))[1]


def said(text: str, weight: int) -> Sentence:
    """A sentence whose words speak so often for a risk, or against it."""
    return sentences(text)[0]._replace(weight=weight * together([HEAVY]))


def test_a_risk_is_told_in_the_sentence_or_the_two_neighbours_that_sound_most_like_it():
    calm, risky = said("It rained on Ann.", -9), said("The dog has a new home.", 9)
    assert risk.hear([]) is None
    assert told_by(risk.hear([calm, risky, calm])) == risky.text
    assert told_by(risk.hear([calm, risky, risky._replace(text="again"), calm])) == f"{risky.text} again"
    assert told_by(risk.hear([risky, calm])) == risky.text


def told_by(heard: risk.Heard | None) -> str:
    assert heard
    return heard.words


@pytest.mark.parametrize(("words", "evened"), [(1, 6), (6, 6), (7, 7), (24, 24)])
def test_a_long_sentence_compares_with_a_short_one(words, evened):
    line = said(" ".join(f"w{each}" for each in range(words)), 9)
    weight = HARM.odds(line.weight)
    heard = risk.hear([line])
    assert heard
    assert heard.odds == pytest.approx(risk.odds(weight / sqrt(evened), [weight / sqrt(evened)]))
    both = risk.hear([line, line])
    assert both
    assert both.odds == pytest.approx(risk.odds(2 * weight / sqrt(max(6, 2 * words)), [weight / sqrt(evened)] * 2))


def test_one_sentence_may_chance_to_sound_like_a_risk_and_three_seldom_do():
    alone, two, three = (risk.odds(1.0, [1.0] * count) for count in (1, 2, 3))
    assert alone == two == risk.odds(1.0, [1.0, 1.0, -9.0])
    assert three == pytest.approx(two + risk.OF_THIRD * (1.0 - risk.SILENCE))
    assert risk.odds(1.0, [1.0, 1.0, 1.0, -9.0]) == three
    assert risk.odds(1.0, [1.0] * 10) == pytest.approx(three + risk.OF_LENGTH * log(2))
