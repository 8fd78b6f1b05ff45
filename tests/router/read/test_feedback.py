"""What is made of the weights of sentences: of each rule the sentences of a contact, with what they weigh, and what it tells of them.

The weights are given here, not learned, so that a rule stays what it is whatever the model learns.
"""

import pytest

from router.read import Fact, feedback
from router.read.feedback import MODEL, Weighed
from router.read.linear import together
from router.read.phrases import find
from router.read.sentences import sentences, spoken

NOTHING = -9.0  # of a label that a sentence does not speak for


def weighed(text: str, *, subject: bool = False, rows: tuple[str, ...] = (), **weights: float) -> Weighed:
    """A sentence that weighs so much for these labels."""
    [line] = sentences(text, from_subject=subject)
    return Weighed(line, [weights.get(label, NOTHING) for label in MODEL.labels], [f"row {row}" for row in rows], 0)


def fact(name: str, value: str, words: str) -> Fact:
    return Fact(name, value, MODEL.version, words)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("Nobody rang.", spoken("nobody rang")),
        ("In 2026 or 17", spoken("in 0 or 0")),
        ("Cwyn â", spoken("cwyn â")),
        ("Zebras?", (*spoken("zebras"), "?")),
    ],
)
def test_a_sentence_is_weighed_by_its_words_any_figure_as_one_and_whether_it_asks(text, has):
    lines = sentences(text)
    told = feedback.weigh(lines, {})
    assert [tuple(each.traits) for each in told] == feedback_traits(text) == [has]
    assert [list(each.weights) for each in told] == [MODEL.weigh(has)]


def feedback_traits(text: str) -> list[tuple[str, ...]]:
    lines = sentences(text)
    return [tuple(each) for each in feedback.traits(lines, {})]


def test_a_sentence_is_weighed_by_the_rows_it_hits_and_the_subject_as_such():
    lines = sentences("Zebras", from_subject=True) + sentences("The subject", from_subject=True) + sentences("Your promise.")
    zebras, subject, promise = feedback.traits(lines, find(lines))
    assert zebras == [*spoken("zebras"), "subject"]
    assert subject == [*spoken("the subject")]
    assert promise == [*spoken("your promise"), "row promise"]


def test_two_that_follow_one_another_are_weighed_together_and_what_both_have_once():
    assert feedback.pairs([["a", "b"], ["b", "c"], ["d"]]) == [["a", "b", "c"], ["b", "c", "d"]]
    lines = sentences("You say that I agreed. You say so. I was unconscious.")
    told = feedback.weigh(lines, find(lines))
    learned = [MODEL.weigh(each) for each in feedback.pairs([one.traits for one in told])]
    assert feedback._weigh_pairs(told) == [pytest.approx(each) for each in learned]


A, B, C = "They left me waiting.", "It is all wrong.", "She was very kind."


@pytest.mark.parametrize(
    ("told", "hints", "kind", "shown"),
    [
        ([(A, {"service": 1.0}), (C, {"praise": 0.3})], [], "service", [("service", A)]),
        ([(A, {"service": 1.0}), (C, {"praise": 0.3})], ["praise"], "praise", [("praise", C)]),
        ([(A, {"service": 1.0}), (C, {"praise": -0.5})], ["praise"], "service", [("service", A)]),
        ([(A, {"service": 2.0}), (C, {"suggestion": -1.0})], [], "service", [("service", A)]),
        ([(A, {"service": 1.0}), (C, {"suggestion": 1.0, "praise": 0.5})], [], "service", [("service", A)]),
        ([(A, {"service": 1.0}), (C, {"suggestion": 1.5, "praise": 0.5})], [], "suggestion", [("suggestion", C)]),
        ([(A, {"service": 1.0}), (C, {"suggestion": 1.5, "praise": 2.0})], [], "praise", [("praise", C)]),
        ([(A, {"service": 1.0}), (C, {"praise": 1.0})], [], "service", [("service", A)]),
        ([(A, {"service": 1.0}), (B, {"decision": 0.9})], [], "service", [("service", A)]),
        ([(A, {"service": 0.9}), (B, {"decision": 1.0})], [], "decision", [("decision", B)]),
        ([(A, {"service": 2.0, "decision": 0.5}), (B, {"service": 1.9})], [], "service", [("service", A)]),
        ([(A, {"service": 2.0}), (B, {"decision": 2.0})] * 2, [], "mixed", [("service", A), ("decision", B)]),
        ([(A, {"service": 2.0}), (B, {"decision": 2.0})] * 3, [], "mixed", [("service", A), ("decision", B)]),
        ([(A, {"service": 2.0}), (B, {"decision": 2.0})] * 2 + [(A, {"service": 2.0})] * 2, [], "mixed", [("service", A), ("decision", B)]),
        ([(A, {"service": 2.0}), (B, {"decision": 2.0})] * 2 + [(A, {"service": 2.0})] * 3, [], "service", [("service", A)]),
        ([(A, {"service": 0.0})], [], "service", []),
        ([(A * 15, {"service": 0.5})], [], "service", [("service", (A * 15)[:200])]),
    ],
    ids=range(17),
)  # fmt: skip
def test_the_type_of_feedback_is_what_most_of_it_speaks_for_and_criticism_goes_before_praise(told, hints, kind, shown):
    """The form or the subject counts as much as half a point; what no sentence shows has no fact."""
    given = [weighed(text, **weights) for text, weights in told]
    assert feedback.feedback_type(given, hints=hints) == (kind, tuple(fact("feedback_type", *each) for each in shown))


FACTS, NEW, LEFT = "inaccurate_facts", "new_information", "overlooked_information"


@pytest.mark.parametrize(
    ("kind", "told", "shown"),
    [
        ("decision", [{LEFT: 0.3}], {LEFT: 0}),
        ("mixed", [{LEFT: 0.3}], {LEFT: 0}),
        ("decision", [{LEFT: 0.25}], {}),
        ("service", [{LEFT: 0.3}], {}),
        ("service", [{LEFT: 1.3}], {LEFT: 0}),
        (None, [{LEFT: 1.3}], {}),
        (None, [{LEFT: 1.8}], {LEFT: 0}),
        ("decision", [{NEW: 0.9}], {}),
        ("decision", [{NEW: 1.2, LEFT: 2.0}], {NEW: 0, LEFT: 0}),
        # What tells of a decision overlooking something sounds as if its facts were wrong too.
        ("decision", [{FACTS: 0.5}], {FACTS: 0}),
        ("decision", [{FACTS: 0.9, LEFT: 2.0}], {LEFT: 0}),
        ("decision", [{FACTS: 1.1, LEFT: 2.0}], {FACTS: 0, LEFT: 0}),
        ("decision", [{FACTS: 1.1}, {LEFT: 4.0}], {FACTS: 0, LEFT: 1}),
        ("decision", [{FACTS: 1.1, LEFT: -2.0}, {LEFT: 4.0}], {LEFT: 1}),
        ("decision", [{FACTS: 1.0}, {LEFT: 4.0}], {LEFT: 1}),
        ("decision", [{}, {LEFT: 1.0}, {}], {LEFT: 1}),
        ("decision", [], {}),
    ],
    ids=range(17),
)
def test_a_criterion_is_shown_by_what_weighs_enough_for_the_kind_of_contact_it_stands_in(kind, told, shown):
    given = [weighed(text, **weights) for text, weights in zip((A, B, C), told, strict=False)]
    criteria = tuple((name, (A, B, C)[at]) for name, at in shown.items())
    assert feedback.review_criteria(given, kind) == (criteria, tuple(fact("review_criteria", *each) for each in criteria))


def test_a_criterion_that_two_neighbours_show_together_is_told_by_the_plainer_of_them():
    heavy = 10 * together(["row wrong-facts"])
    given = [
        weighed("One.", inaccurate_facts=-4.0),
        weighed("Two.", inaccurate_facts=-5.0)._replace(weight=heavy),
        weighed("Three.", inaccurate_facts=-3.0)._replace(weight=heavy),
        weighed("Four.", inaccurate_facts=-2.0),
    ]
    assert ("inaccurate_facts", "Three.") in feedback.review_criteria(given, "decision")[0]


@pytest.mark.parametrize(
    ("label", "answer", "before", "told"),
    [
        ("have you contacted us before", "Yes: twice", True, "Yes: twice"),
        ("have you contacted us before", "NO", False, "NO"),
        ("before today", f"yes {'x' * 30}", True, f"yes {'x' * 16}"),
        ("have you contacted us before", "Not sure", None, None),
        ("have you contacted us before", "Yesterday", None, None),
        ("may we ring you", "Yes", None, None),
    ],
)
def test_the_field_of_a_form_says_whether_they_have_written_before(label, answer, before, told):
    facts = (Fact("contacted_before", told, "form field", label),) if told else ()
    assert feedback.contacted_before((), {label: answer}, "service") == (before, facts)


@pytest.mark.parametrize(
    ("what", "earlier", "first", "before"),
    [
        ("service", -2.9, NOTHING, True),
        ("service", -3.1, NOTHING, None),
        ("decision", -0.1, NOTHING, None),
        ("intake", 1.9, NOTHING, None),
        ("intake", 2.1, NOTHING, True),
        ("suggestion", 8.0, NOTHING, None),
        ("no_action", 8.9, NOTHING, None),
        ("no_action", 9.1, NOTHING, True),
        ("service", -1.0, -0.4, False),
        ("service", -1.0, -0.6, True),
        ("service", 1.0, 0.9, True),
        ("service", 1.0, 1.1, False),
    ],
)
def test_whoever_complains_of_us_has_met_us_and_whoever_complains_of_others_must_say_so(what, earlier, first, before):
    long = "They left me waiting" + " again" * 40
    given = [weighed(long, contacted_before_true=earlier, contacted_before_false=first), weighed(B)]
    facts = () if before is None else (fact("contacted_before", str(before).lower(), long[:200]),)
    assert feedback.contacted_before(given, {}, what) == (before, facts)


def test_at_most_five_promises_are_told_each_once():
    given = [weighed(f"You promised {number}.", promise_broken=-0.2) for number in (1, 1, 2, 3, 4, 5, 6)]
    broken, facts = feedback.promises_broken([weighed("You said so.", promise_broken=-0.3), *given])
    assert broken == tuple(f"You promised {number}." for number in range(1, 6))
    assert facts == tuple(fact("promises_broken", "true", each) for each in broken)
    assert [len(each.words) for each in feedback.promises_broken([weighed("on " * 150, promise_broken=1.0)])[1]] == [300]


def test_of_what_they_ask_for_the_plainest_is_first():
    given = [weighed(A, remedy=2.0), weighed(B, remedy=-1.6), weighed(C, remedy=3.0), weighed("Ring me.", remedy=-1.4)]
    assert [each.text for each in feedback.asks_for_something(given)] == [C, A, "Ring me."]
    assert feedback.asks_for_something([weighed(A, remedy=0.2), weighed(B)]) == ()


def test_key_points_are_the_five_that_tell_most_in_their_order():
    given = [weighed(f"It is number {number}.", service=1.0) for number in range(1, 7)]
    assert feedback.key_points(given, "service") == tuple(f"It is number {number}." for number in range(1, 6))
    last = [*given, weighed("It is the last.", promise_broken=2.0), weighed("It is the last.", service=2.0)]
    assert feedback.key_points(last, "service") == (*(f"It is number {number}." for number in range(1, 4)), "It is the last.")


@pytest.mark.parametrize(
    ("given", "points"),
    [
        (weighed("It is all wrong.", service=0.5), 1),
        (weighed("It is all wrong.", service=-0.5), 0),
        (weighed("It is all wrong.", service=-0.5, rows=("delay",)), 1),
        (weighed("It is all wrong.", service=-0.5, rows=("first-time",)), 0),
        (weighed("It is all wrong.", decision=0.5), 0),
        (weighed("It is wrong.", service=3.0), 0),
        (weighed("It is all wrong.", service=3.0, subject=True), 0),
    ],
    ids=["tells", "tells too little", "of a row that tells", "of another row", "of another kind", "too short", "subject"],
)
def test_a_key_point_is_a_sentence_of_the_text_that_tells_of_its_kind(given, points):
    assert len(feedback.key_points([given], "service")) == points
