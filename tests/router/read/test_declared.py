"""What people declare in fields of their own: it stands over their words, and harm, needs and wishes are read in all of it."""

import pytest

from ingest.contract import Criterion, DeclaredFacts, UnsafeWay
from router.read import Outcome, ReadIndividual, read

VAGUE = "It was all a bit much."
HOSPITAL = "The hospital lost my notes and the ward was filthy. I want to complain about St Mary's Hospital."
SLOW = "I rang you four times and nobody ever rang me back."


def reading(text: str = VAGUE, **facts):
    return read("web_form", None, text, DeclaredFacts(**facts))


@pytest.mark.parametrize(
    ("asks_for", "outcome"),
    [
        ("feedback", Outcome.FEEDBACK_RECORD),
        ("new_complaint", Outcome.INTAKE),
        ("open_case", Outcome.INVESTIGATORS),
    ],
)
def test_what_they_chose_decides_and_needs_no_reading(asks_for, outcome):
    chosen = reading(asks_for=asks_for)
    assert (chosen.outcome, chosen.confidence) == (outcome, 1.0)
    assert (chosen.evidence[0].value, chosen.evidence[0].rule) == (outcome.value, "declared")
    assert reading().outcome is Outcome.REVIEW


def test_a_choice_that_the_words_contradict_stands_and_the_evidence_says_that_they_do():
    assert reading(HOSPITAL).outcome is Outcome.INTAKE
    chosen = reading(HOSPITAL, asks_for="feedback")
    assert (chosen.outcome, chosen.confidence) == (Outcome.FEEDBACK_RECORD, 1.0)
    assert [each.rule for each in chosen.evidence[:2]] == ["declared", "reads as intake"]


@pytest.mark.parametrize(
    "text",
    [
        "Please send me a copy of all the data you hold on me.",
        "I want my comments on the draft report considered. As a separate matter I also want to complain about your service.",
    ],
    ids=["a clock of the law runs", "two requests, plainly"],
)
def test_a_person_decides_whatever_they_chose_where(text):
    assert reading(text, asks_for="feedback").outcome is Outcome.REVIEW


@pytest.mark.parametrize(
    ("text", "outcome", "query"),
    [
        ("Why do I need an MP referral?", Outcome.QUERY_ANSWER, "mp-referral"),
        ("I wonder about the MP referral thing.", Outcome.QUERY_ANSWER, "mp-referral"),
        (VAGUE, Outcome.REVIEW, None),
        (HOSPITAL, Outcome.INTAKE, None),
        ("This is an automatic reply. I am out of the office until Monday.", Outcome.REVIEW, None),
    ],
    ids=[
        "one that has a name",
        "one that has a name, vaguely put",
        "about nothing known",
        "which is a complaint",
        "which is none",
    ],
)
def test_a_question_is_answered_only_where_it_is_one_we_have_a_name_for(text, outcome, query):
    asked = reading(text, asks_for="question")
    assert (asked.outcome, asked.query) == (outcome, query)


ANSWERS = {
    "feedback_type": "decision",
    "contacted_before": True,
    "organisation_complained_of": "Elm Road Surgery",
    "remedy_sought": "A new decision",
    "preferred_method": "letter",
    "reasonable_adjustments": ("Large print", "Ring on a Tuesday"),
    "review_criteria": (Criterion(name="new_information", evidence="The discharge letter."),),
}


def test_each_answer_stands_over_what_the_words_suggest():
    text = (
        "I have never contacted you before. Your service was slow, and nobody rang. I want an apology from you. Please email me. "
        "The decision overlooked my statement. My complaint was about St Mary's Hospital."
    )
    read_only, declared = reading(text, asks_for="feedback"), reading(text, asks_for="feedback", **ANSWERS)
    assert declared.feedback_type == "decision"
    assert (read_only.contacted_before, declared.contacted_before) == (False, True)
    assert (read_only.organisation_complained_of, declared.organisation_complained_of) == (
        "St Mary's Hospital",
        "Elm Road Surgery",
    )
    assert declared.remedy_sought == "A new decision" != read_only.remedy_sought
    assert (read_only.preferred_method, declared.preferred_method) == ("email", "letter")
    assert declared.review_criteria == (("new_information", "The discharge letter."),)
    assert declared.reasonable_adjustments == ("large_print", "Ring on a Tuesday")
    assert {each.name for each in declared.evidence if each.rule == "declared"} == {"outcome", *ANSWERS}


def test_who_they_say_they_are_stands_over_the_words_and_what_they_left_empty_is_read():
    text = "My number is 01632 960111.\n\nKind regards\nHelen Marsh\nborn 3 March 1984"
    who = reading(
        text, name="H. Marsh-Jones", postcode="NR40 8TE", email="h@example.net", date_of_birth="1984-03-04"
    ).individual
    assert who == ReadIndividual("H. Marsh-Jones", "NR40 8TE", "01632 960111", "h@example.net", "1984-03-04")


def test_what_kind_of_feedback_it_is_and_by_what_right_they_write_they_know_best_themselves():
    text = "I write on behalf of my mother. Your adviser was rude to me and nobody rang me back."
    read_only = reading(text)
    declared = reading(text, feedback_type="praise", authority="I am her attorney.")
    assert (read_only.feedback_type, declared.feedback_type) == ("service", "praise")
    assert read_only.authority == "I write on behalf of my mother."
    assert declared.authority == "I am her attorney."


def test_of_somebody_who_writes_for_another_only_what_they_declare_tells_who_they_are():
    text = "Date of birth: 3 March 1931. Her number is 01632 960111 and her postcode NR40 8TE.\n\nKind regards\nHelen Marsh"
    facts = DeclaredFacts(name="Helen Marsh", phone="07700 900123")
    assert read("web_form", None, text, facts, for_another=True).individual == ReadIndividual(
        "Helen Marsh", phone="07700 900123"
    )
    assert read("web_form", None, text, for_another=True).individual == ReadIndividual()


@pytest.mark.parametrize(
    ("given", "references"),
    [
        ("C-2034655", ("C-2034655",)),
        (" c 203 4655", ("C-2034655",)),
        ("P0456123", ("P-0456123",)),
        ("C-2034655 and P-0456123", ("C-2034655", "P-0456123")),
        ("C-12345", ("C-12345",)),
        ("hospital number C-2034655", ("hospital number C-2034655",)),
        ("I am not sure", ()),
        ("", ()),
    ],
)
def test_a_declared_reference_is_taken_in_any_spelling_and_never_guessed(given, references):
    """What has figures and is none of ours goes on as it was given: the register does not have it, so a person looks."""
    assert reading(case_reference=given).case_references == references


def test_a_case_in_the_words_is_another_case_beside_the_declared_one():
    assert reading("My case is P-0456123.", case_reference="C-2034655").case_references == ("C-2034655", "P-0456123")


def test_a_way_that_is_not_safe_is_a_wish_to_be_obeyed_beside_those_in_the_words():
    declared = reading(
        "Do not write to my house, he opens my post.",
        unsafe_ways=(UnsafeWay(method="telephone", words="Somebody else has it."), UnsafeWay(method="email")),
    )
    assert dict(declared.restrictions)["telephone"] == "Somebody else has it."
    assert {method for method, _ in declared.restrictions} == {"telephone", "email", "letter"}


def test_a_way_only_ticked_as_not_safe_keeps_what_their_words_say_of_it():
    words = "Do not write to my house, he opens my post."
    assert reading(words, unsafe_ways=(UnsafeWay(method="letter"),)).restrictions == (("letter", words),)


def test_a_need_typed_into_a_field_is_known_as_if_it_stood_in_the_text():
    needs = reading(reasonable_adjustments=("Please only write by post", "Extra-time")).reasonable_adjustments
    assert needs == ("Please only write by post", "extra_time", "post_only")


def test_by_what_right_they_write_for_another_is_no_need_of_theirs():
    right = "I act for my mother under a lasting power of attorney."
    assert reading(right).reasonable_adjustments == ("advocate_or_representative",)
    assert reading(VAGUE, authority=right).reasonable_adjustments == ()


HARM = "I am going to kill myself tonight."


@pytest.mark.parametrize(
    "facts",
    [
        {"review_criteria": (Criterion(name="new_information", evidence=HARM),)},
        {"remedy_sought": HARM},
        {"unsafe_ways": (UnsafeWay(method="sms", words=HARM),)},
        {"reasonable_adjustments": (HARM,)},
        {"authority": HARM},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_signs_of_harm_are_read_in_every_answer(facts):
    assert reading(asks_for="feedback", **facts).safeguarding
    assert not reading(asks_for="feedback").safeguarding


def test_an_answer_in_a_language_we_cannot_read_is_not_read_for_risk():
    polish = "Nie zgadzam się z tą decyzją, ponieważ nie było tam mowy o tym, co się stało."
    assert reading(SLOW, review_criteria=(Criterion(name="new_information", evidence=polish),)).unread == ("language",)


def test_an_empty_text_is_nothing_amiss_where_an_answer_beside_it_is_not_empty():
    assert reading("", asks_for="feedback", remedy_sought="An apology for the delay.").unread == ()
    assert reading("", asks_for="feedback").unread == ("empty",)


ADVERT = "Buy cheap followers now! Click here for SEO services and rank first on Google. Limited offer, unsubscribe here."


def test_a_form_that_reads_like_spam_still_reads_like_spam_whatever_it_chose_and_its_signs_of_harm_stand():
    spam = reading(f"{ADVERT} Somebody will kill himself tonight.", asks_for="feedback")
    assert (spam.seems_spam, spam.outcome, spam.safeguarding) == (True, Outcome.FEEDBACK_RECORD, True)


def test_key_points_are_their_own_sentences_of_the_text_and_no_answers():
    criterion = Criterion(name="overlooked_information", evidence="You overlooked my statement about your service.")
    declared = reading(f"Hello. {SLOW}", asks_for="feedback", review_criteria=(criterion,))
    assert declared.key_points == (SLOW,)


def test_where_no_sentence_stands_out_what_they_wrote_as_feedback_is_its_own_key_points():
    assert reading("It was all a bit much. We left.", asks_for="feedback").key_points == (VAGUE, "We left.")
    assert reading("It was all a bit much. We left.").key_points == ()


def test_a_type_of_feedback_that_nothing_shows_is_left_to_be_asked():
    assert reading(VAGUE, asks_for="feedback").feedback_type is None
    assert reading(SLOW, asks_for="feedback").feedback_type == "service"
