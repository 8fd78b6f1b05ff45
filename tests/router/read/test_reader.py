"""A reading put together: each declared answer in its place with its evidence, needs and wishes, and what is told where."""

from typing import Any

import pytest

from ingest.contract import Criterion, DeclaredFacts, UnsafeWay
from router.read import Fact, Outcome, ReadIndividual, read, signs_in, wishes
from router.read.phrases import find
from router.read.sentences import sentences, tidy

SLOW = "I rang you four times and nobody ever rang me back."
STATEMENT = "You overlooked my statement."


def reading(text: str = SLOW, **facts: Any):
    return read("web_form", None, text, DeclaredFacts(**facts))


def declared(**facts: Any) -> list[tuple[str, str, str]]:
    return [(fact.name, fact.value, fact.words) for fact in reading(**facts).evidence if fact.rule == "declared"]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"feedback_type": "praise"}, [("feedback_type", "praise", "")]),
        (
            {"review_criteria": (Criterion(name="overlooked_information", evidence=STATEMENT),)},
            [("review_criteria", "overlooked_information", STATEMENT)],
        ),
        ({"remedy_sought": "An apology"}, [("remedy_sought", "An apology", "")]),
        ({"contacted_before": True}, [("contacted_before", "true", "")]),
        ({"contacted_before": False}, [("contacted_before", "false", "")]),
        ({"case_reference": "C2031234"}, [("case_reference", "C-2031234", "C2031234")]),
        ({"organisation_complained_of": "Elm Road Surgery"}, [("organisation_complained_of", "Elm Road Surgery", "")]),
        ({"reasonable_adjustments": ("Large print", " ")}, [("reasonable_adjustments", "large_print", "")]),
        ({"preferred_method": "letter"}, [("preferred_method", "letter", "")]),
        ({"name": "Ann Lee"}, [("own name", "Ann Lee", "")]),
        ({"postcode": "AS4 2QP"}, [("own postcode", "AS4 2QP", "")]),
        ({"phone": "07700 900123"}, [("own phone", "07700 900123", "")]),
        ({"email": "ann@example.net"}, [("own email", "ann@example.net", "")]),
        ({"date_of_birth": "1984-03-04"}, [("own date_of_birth", "1984-03-04", "")]),
        ({"address": ("4 Mill Row", "Ashmere")}, [("own address", "4 Mill Row, Ashmere", "")]),
        ({"authority": "I am his attorney."}, [("authority", "I am his attorney.", "")]),
        ({"asks_for": "feedback"}, [("outcome", "feedback_record", "feedback")]),
        ({}, []),
    ],
    ids=lambda each: next(iter(each), "nothing") if isinstance(each, dict) else "",
)
def test_each_declared_answer_is_a_fact_with_the_words_it_was_given_in(facts, told):
    assert declared(**facts) == told


def test_what_was_read_of_a_declared_thing_is_no_evidence_any_more_but_of_needs_and_cases_it_is():
    text = "My number is 07700 900123. My case is P-0456123. I need large print.\n\nRegards\nAnn Lee"
    both = reading(text, name="A. Lee", phone="07700 900124", case_reference="C-2031234", reasonable_adjustments=("Braille",))
    told = {(fact.name, fact.value, fact.rule) for fact in both.evidence}
    assert {name for name, _, rule in told if name.startswith("own ") and rule != "declared"} == set()
    assert {("case_reference", "C-2031234", "declared"), ("case_reference", "P-0456123", "form and words around")} <= told
    assert ("reasonable_adjustments", "braille", "declared") in told
    assert ("reasonable_adjustments", "large_print", "large-print") in told
    assert both.reasonable_adjustments == ("braille", "large_print")
    assert both.individual == ReadIndividual("A. Lee", phone="07700 900124")
    assert [fact.rule for fact in both.evidence[:2]] == ["declared", "declared"]


def test_where_nothing_is_declared_all_that_is_read_stands():
    text = "My case is P-0456123. Please email me. I need large print. I want an apology.\n\nAnn Lee\n4 Mill Row\nAS4 2QP\n07700 900123"
    assert reading(text) == read("web_form", None, text)


def test_an_address_is_its_lines_without_those_left_empty():
    assert reading(address=(" 4 Mill Row ", "", " ", "Ashmere")).individual.address == "4 Mill Row, Ashmere"


def test_a_reference_that_is_none_of_ours_is_kept_as_far_as_a_person_reads():
    assert reading(case_reference=f" 12{'x' * 100}").case_references == (f"12{'x' * 62}",)


def test_a_longer_text_or_longer_answers_than_are_read_say_so():
    limit = 64 * 1024
    assert reading("a " * (limit // 2)).unread == ()
    assert reading("a " * (limit // 2) + "b").unread == ("too-long",)
    assert reading(remedy_sought="An apology. " * 6000).unread == ("too-long",)


def test_what_is_declared_is_read_beside_the_words_a_line_an_answer():
    facts: dict[str, Any] = {
        "review_criteria": (Criterion(name="overlooked_information", evidence="I need braille."),),
        "remedy_sought": "I read Welsh only in large print.",
        "unsafe_ways": (UnsafeWay(method="sms", words="Please do not email me."),),
        "reasonable_adjustments": ("Please do not leave a voicemail.",),
        "authority": "My husband opens my post.",
    }
    said = reading(**facts)
    assert {"braille", "large_print"} <= set(said.reasonable_adjustments)
    assert {method for method, _ in said.restrictions} == {"sms", "email", "telephone", "letter"}


def test_a_subject_is_read_with_the_text_and_is_no_key_point():
    said = read("email", "My case is C-2031234", SLOW)
    assert said.case_references == ("C-2031234",)
    assert read("email", "Complaint about you", SLOW).key_points == (SLOW,)
    assert read("email", None, SLOW).case_references == ()
    assert read("email", "Please send it in large print", SLOW).reasonable_adjustments == ("large_print",)


@pytest.mark.parametrize(
    ("asks_for", "remedy", "before", "organisation"),
    [
        ("new_complaint", "apology", False, "Elm Road Surgery"),
        ("feedback", "apology", False, "Elm Road Surgery"),
        ("question", None, None, None),
    ],
)
def test_of_what_is_only_asked_no_remedy_and_no_body_is_told(asks_for, remedy, before, organisation):
    text = "Why do I need an MP referral?"
    if asks_for != "question":
        text = "I complain about Elm Road Surgery. I want an apology. This is the first time I have contacted you."
    said = reading(text, asks_for=asks_for)
    assert (said.remedy_sought, said.contacted_before, said.organisation_complained_of) == (remedy, before, organisation)


def test_a_question_has_its_name_only_where_it_is_answered():
    asked = reading("Why do I need an MP referral?")
    assert (asked.outcome, asked.query, asked.queries) == (Outcome.QUERY_ANSWER, "mp-referral", ("mp-referral",))
    told = reading("Why do I need an MP referral?", asks_for="feedback")
    assert (told.query, told.queries) == (None, ())


def test_of_somebody_who_writes_for_another_nothing_says_that_they_are_a_child():
    assert read("email", None, "I am 15 and nobody asks me.").under_18 == "I am 15 and nobody asks me."
    assert read("email", None, "I am 15 and nobody asks me.", for_another=True).under_18 is None


def test_feedback_that_no_sentence_tells_has_its_first_five_sentences_for_key_points():
    vague = [f"It was a bit much for {name}." for name in ("me", "Ann", "Tom", "Ruth", "Jo", "Vi")]
    assert read("web_form", "Hello", " ".join(vague), DeclaredFacts(asks_for="feedback")).key_points == tuple(vague[:5])


def asked_of(text: str):
    lines = sentences(tidy(text))
    return wishes.remedy(lines, find(lines))


@pytest.mark.parametrize(
    ("text", "wanted", "facts"),
    [
        ("I want an apology.", "apology", [("apology", "apology", "I want an apology.")]),
        (
            "I want you to give me the whole file by Friday.",
            "you to give me the whole file by Friday",
            [("you to give me the whole file by Friday", "said in their words", "I want you to give me the whole file by Friday.")],
        ),
        ("Ask for Ann.", "Ask for Ann.", [("Ask for Ann.", "the sentence that asks", "Ask for Ann.")]),
        ("Nothing. I seek the truth", "the truth", [("the truth", "said in their words", "I seek the truth")]),
        ("I want to complain. An end", "I want to complain.", [("I want to complain.", "the sentence that asks", "I want to complain.")]),
        (
            "Zoë, I need the tapes ,",
            "the tapes",
            [("the tapes", "said in their words", "Zoë, I need the tapes ,")],
        ),
        (f"I seek {'x' * 130}", "x" * 120, [("x" * 120, "said in their words", f"I seek {'x' * 130}")]),
        (f"Ann {'x' * 320}", f"Ann {'x' * 116}", [(f"Ann {'x' * 116}", "the sentence that asks", f"Ann {'x' * 296}")]),
    ],
    ids=range(8),
)  # fmt: skip
def test_what_they_want_has_a_name_or_is_told_in_their_words(text, wanted, facts):
    assert asked_of(text) == (wanted, tuple(Fact("remedy_sought", *each) for each in facts))


def test_of_many_things_wanted_three_are_told_and_of_nobody_who_asks_none():
    wanted, facts = asked_of("I want my money back. I want an apology. I want a review.")
    assert wanted == " and ".join(fact.value for fact in facts)
    assert len(facts) == 3
    assert wishes.remedy((), find(sentences("I want an apology."))) == (None, ())


@pytest.mark.parametrize(
    ("text", "method", "rule", "words"),
    [
        ("Please ring me after six.", "telephone", "asks-for-a-call", "Please ring me after six."),
        ("Please ring, but email is best.", "email", "prefers-email", "Please ring, but email is best."),
        ("Contact me by phone only. Please email me.", "telephone", "phone_only", "phone_only"),
        ("Email only please.", "email", "email_only", "email_only"),
        ("Please write by post only.", "letter", "post_only", "post_only"),
    ],
)
def test_the_method_they_prefer_is_told_with_what_shows_it(text, method, rule, words):
    said = read("email", None, text)
    assert said.preferred_method == method
    assert [fact for fact in said.evidence if fact.name == "preferred_method"] == [
        Fact("preferred_method", method, rule, words)
    ]


def test_a_call_is_no_preference_of_somebody_who_may_not_be_rung():
    assert read("email", None, "Please do not phone me. Please ring me.").preferred_method is None


@pytest.mark.parametrize(
    ("given", "need"),
    [("Large print", "large_print"), ("extra-time", "extra_time"), (" EASY  read ", "easy_read"), ("  Ring me ", "Ring me")],
)
def test_a_need_in_a_field_has_our_word_where_we_have_one(given, need):
    assert wishes.need(given) == need


def test_words_that_show_a_need_or_a_wish_are_told_as_far_as_a_person_reads():
    long = f"I need large print, do not ring me and I am 15 {'and so on ' * 40}"
    said = read("email", None, long)
    assert {len(fact.words) for fact in said.evidence if fact.name == "reasonable_adjustments"} == {300}
    assert [(method, len(words)) for method, words in said.restrictions] == [("telephone", 300)]
    assert len(said.under_18 or "") == 300


def test_an_interpreter_whose_language_is_not_named_is_the_one_who_signs():
    assert read("email", None, "I am Deaf and need an interpreter.").reasonable_adjustments == ("bsl_interpreter",)
    assert read("email", None, "I need a BSL interpreter and a Polish interpreter.").reasonable_adjustments == (
        "bsl_interpreter",
        "spoken_interpreter",
    )


COMPLAINT = (
    "I wish to make a complaint against HMRC. You have ignored the letters that I sent. They promised to ring me back and never did. "
    "I want an apology. The date in their report is wrong."
)
ADVERT = "Dear beneficiary, you have been selected to receive 2 million USD. Kindly send your bank details to claim. "


def test_only_feedback_has_a_type_key_points_promises_of_ours_and_criteria():
    said = read("letter", None, COMPLAINT)
    assert said.outcome is Outcome.INTAKE
    assert (said.feedback_type, said.key_points, said.promises_broken, said.review_criteria) == (None, (), (), ())
    assert said.contacted_before is None
    names = {fact.name for fact in said.evidence}
    assert not names & {"feedback_type", "promises_broken", "review_criteria", "contacted_before"}


def test_key_points_are_those_of_the_type_of_feedback():
    text = "I disagree with your final decision. Your website is slow to load and I had to start again. Your decision ignores my evidence."
    said = read("email", "Review of your decision", text)
    assert said.feedback_type == "decision"
    assert said.key_points == ("I disagree with your final decision.", "Your decision ignores my evidence.")


def test_a_promise_not_kept_is_told_where_they_complain_of_our_service():
    said = read("email", "Your service", "You promised to ring me on Friday and nobody did. I am fed up with waiting.")
    assert said.promises_broken == ("You promised to ring me on Friday and nobody did.",)
    decision = read(
        "email",
        "Review of your decision",
        "Your final decision is wrong. I want a review. You promised to change it and did not.",
    )
    assert (decision.feedback_type, decision.promises_broken) == ("decision", ())


def test_of_an_advert_nothing_is_taken_down_but_that_it_reads_like_one():
    asks = (
        "Elm Road Surgery. I want an apology. This is the first time I have contacted you. Large print please. Please email me."
    )
    alone = read("email", None, asks)
    assert (alone.remedy_sought, alone.contacted_before, alone.organisation_complained_of) == (
        "apology",
        False,
        "Elm Road Surgery",
    )
    assert (alone.reasonable_adjustments, alone.preferred_method) == (("large_print",), "email")
    said = read("email", "You have won", ADVERT + asks)
    assert (said.outcome, said.seems_spam) == (Outcome.NO_ACTION, True)
    assert (said.remedy_sought, said.contacted_before, said.organisation_complained_of) == (None, None, None)
    assert (said.reasonable_adjustments, said.preferred_method) == ((), None)


@pytest.mark.parametrize(
    ("words", "their_own"),
    [
        ("He wants to kill himself tonight.", False),
        ("The children are hungry and there is no food.", False),
        ("Kill myself.", True),
        ("They hit me.", True),
        ("Can my mother be beaten again?", True),
    ],
)
def test_a_sign_of_harm_in_an_advert_is_one_where_somebody_speaks_of_themselves(words, their_own):
    said = read("email", "You have won", ADVERT + words)
    assert said.seems_spam
    assert said.safeguarding is their_own


def test_a_longer_text_than_is_read_is_not_for_a_person_on_that_account():
    said = read("email", "Your service", "I have been waiting for your reply since May. Nobody rings me back. " * 1_200)
    assert (said.outcome, said.unread) == (Outcome.FEEDBACK_RECORD, ("too-long",))
    assert Fact("unread", "too-long", "language", "") in said.evidence


def test_what_cannot_be_read_is_nothing_that_we_are_sure_of_and_a_choice_stands_all_the_same():
    text = "Skarga na HMRC: nie dostałam pieniędzy, bo to jest błąd i nie jest moja wina. Complaint about HMRC."
    said = read("letter", None, text)
    assert (said.outcome, said.leaning, said.confidence, said.unread) == (Outcome.REVIEW, Outcome.REVIEW, 0.0, ("language",))
    assert Fact("unread", "language", "language", "") in said.evidence
    assert reading(text, asks_for="new_complaint").outcome is Outcome.INTAKE


@pytest.mark.parametrize(
    ("text", "otherwise"),
    [
        (COMPLAINT, [Fact("outcome", "intake", "reads as intake", "")]),
        ("It was all a bit much for me.", []),
        (SLOW, []),
    ],
)
def test_a_choice_is_told_first_and_also_what_the_words_say_instead(text, otherwise):
    evidence = reading(text, asks_for="feedback", name="Ann Lee").evidence
    assert evidence[0] == Fact("outcome", "feedback_record", "declared", "feedback")
    assert [fact for fact in evidence if fact.rule.startswith("reads as")] == otherwise


def test_a_question_that_the_words_leave_open_is_answered_where_it_has_a_name():
    assert read("web_form", None, "Opening hours.").outcome is Outcome.REVIEW
    asked = reading("Opening hours.", asks_for="question")
    assert (asked.outcome, asked.query, asked.confidence) == (Outcome.QUERY_ANSWER, "opening-hours", 1.0)


def test_a_type_that_nothing_shows_stays_open_only_where_they_chose_to_give_feedback():
    assert read("web_form", None, SLOW, DeclaredFacts(name="Ann Lee")).feedback_type == "service"
    assert reading("It is as it is.", asks_for="feedback").feedback_type is None


def test_signs_alone_are_those_of_a_whole_reading_and_none_where_all_is_calm():
    risk = "I want to kill myself."
    assert signs_in("sms", risk) == read("sms", None, risk).signs != ()
    assert signs_in("sms", "What are your opening hours?") == ()


def test_by_what_right_they_write_is_what_they_declare_or_what_the_words_say():
    assert reading("I write on behalf of my mum.").authority == "I write on behalf of my mum."
    assert reading(authority="I am his attorney.").authority == "I am his attorney."
    assert reading("I write on behalf of my mum.", authority="I am his attorney.").authority == "I am his attorney."


def test_a_way_ticked_as_unsafe_of_which_nothing_is_said_has_no_words():
    assert reading(unsafe_ways=(UnsafeWay(method="sms"),)).restrictions == (("sms", ""),)
