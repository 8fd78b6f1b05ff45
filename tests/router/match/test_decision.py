"""Nobody's contact is filed under somebody else in silence (DESIGN promise 3), trap by trap of notes on record linkage."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.match import Ambiguous, Candidate, Matched, Query, Unmatched, match
from router.match.statistics import Statistics
from router.match.weights import shipped

JOAN = Candidate(
    "R1001",
    "Joan",
    "Pettifer",
    date(1944, 2, 19),
    emails=("joan.pettifer@example.org",),
    phones=("+441632960114",),
    postcodes=("DE80 4PT",),
    addresses=("14 Quarry Lane, Alderwick, DE80 4PT",),
    cases=("P-0412377",),
)
RUTH = Candidate(
    "R1002",
    "Ruth",
    "Abernethy",
    date(1989, 10, 5),
    emails=("ruth@example.com",),
    phones=("+447700900322",),
    postcodes=("LE50 1QN",),
)
EMAIL, PHONE, PLACE, BORN = JOAN.emails, JOAN.phones, JOAN.postcodes, JOAN.date_of_birth


def asking(*names: str, **given: object) -> Query:
    return replace(Query(names=names), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "query",
    [
        asking("Joan Pettifer", emails=EMAIL),
        asking("Joan Pettifer", phones=PHONE),
        asking("Joan Pettifer", postcodes=PLACE),
        asking("Joan Pettifer", postcodes=PLACE, address="14 Quarry Lane"),
        asking("joan pettifer", emails=EMAIL, verified_emails=frozenset(EMAIL)),
        asking("Joan Pettifer", postcodes=PLACE, emails=("new@example.net",), date_of_birth=BORN),
        asking("J. Pettifer", phones=PHONE, date_of_birth=BORN),
        asking("J. Pettifer", phones=PHONE, emails=EMAIL, date_of_birth=BORN),
        asking("Pettifer Joan", emails=EMAIL),
        asking("Pettifer Joan", phones=PHONE, postcodes=PLACE),
        asking("Joan", "Joan Pettifer", emails=EMAIL),
    ],
)
def test_the_name_with_something_that_is_theirs_alone_is_a_match(query: Query) -> None:
    found = match(query, [RUTH, JOAN])
    assert isinstance(found, Matched)
    assert found.individual_id == "R1001"


@pytest.mark.parametrize(
    ("query", "because"),
    [
        (asking("Joan Pettifer"), "A name alone proves nothing."),
        (asking("Joan Pettifer", date_of_birth=BORN), "Only the name and the birth date agree."),
        (asking(emails=EMAIL), "An email alone proves nothing."),
        (asking(phones=PHONE), "A phone alone proves nothing."),
        (asking(emails=EMAIL, verified_emails=frozenset(EMAIL)), "An email alone proves nothing."),
        (asking(emails=EMAIL, phones=PHONE), "There is no name to compare."),
        (asking(case_references=JOAN.cases), "A case reference alone proves nothing."),
        (asking("Joan Pettifer", case_references=JOAN.cases), "A case reference is no proof."),
        (asking("J. Pettifer", phones=PHONE), "The name agrees only in part, and too little else does."),
        (asking("Pettifer", emails=EMAIL), "The name agrees only in part, and too little else does."),
        (
            asking("J. Pettifer", postcodes=PLACE, date_of_birth=BORN),
            "The name agrees only in part, and twins have the birth date and the address in common.",
        ),
        (asking("Joan Marchbank", phones=PHONE), "The forename agrees and the surname does not."),
        (asking("Joan Pettifer", emails=EMAIL, date_of_birth=date(1971, 2, 19)), "The birth dates are in conflict."),
        (asking("Joan Pettifer Jnr", emails=EMAIL), "Only one of them is called junior or senior."),
        (
            asking("John Pettifer", postcodes=PLACE, emails=("new@example.net",)),
            "Only the name and the address agree, which father and son may share; the email, phone or birth date given is new.",
        ),
    ],
)
def test_what_falls_short_is_left_to_a_person_with_the_reason(query: Query, because: str) -> None:
    held = replace(JOAN, given_name="John") if "John Pettifer" in query.names else JOAN
    found = match(query, [held])
    assert isinstance(found, Ambiguous)
    assert found.candidates == ("R1001",)
    assert because in found.reasons


@pytest.mark.parametrize(
    "point", [{"emails": EMAIL}, {"phones": PHONE}, {"emails": EMAIL, "phones": PHONE, "postcodes": PLACE}]
)
def test_another_of_the_household_is_never_matched_however_much_they_share(point: dict[str, object]) -> None:
    found = match(asking("Arthur Pettifer", **point), [JOAN])
    assert isinstance(found, Ambiguous)
    assert any(reason.startswith("conflict:") for reason in found.reasons)


def test_a_woman_who_writes_from_a_mans_address_is_somebody_else_and_nobody_need_look() -> None:
    arthur = replace(JOAN, given_name="Arthur")
    assert isinstance(match(asking("Joan Pettifer", postcodes=PLACE, address="14 Quarry Lane"), [arthur]), Unmatched)
    for looked_at in ({"phones": PHONE}, {"date_of_birth": BORN}, {"case_references": JOAN.cases}):
        found = match(asking("Joan Pettifer", postcodes=PLACE, address="14 Quarry Lane", **looked_at), [arthur])
        assert isinstance(found, Ambiguous)
    beside = match(
        asking("Joan Pettifer", postcodes=PLACE, address="14 Quarry Lane"), [arthur, replace(JOAN, individual_id="R2003")]
    )
    assert isinstance(beside, Matched)
    assert beside.individual_id == "R2003"


def test_whoever_is_held_beside_them_makes_the_one_who_agrees_no_less_likely() -> None:
    asked = asking("Joan Pettifer", postcodes=PLACE, address="14 Quarry Lane")
    arthur, mary = (replace(JOAN, individual_id=each, given_name=each) for each in ("Arthur", "Mary"))
    alone, together = match(asked, [JOAN]), match(asked, [JOAN, arthur, mary])
    assert isinstance(alone, Matched)
    assert isinstance(together, Matched)
    assert alone.score - together.score < 0.001


def test_a_woman_who_gives_a_new_email_is_left_to_a_person_where_another_is_held() -> None:
    asked = asking("Joan Pettifer", postcodes=PLACE, emails=("new@example.net",))
    assert isinstance(match(asked, [replace(JOAN, emails=(), phones=())]), Matched)
    found = match(asked, [JOAN])
    assert isinstance(found, Ambiguous)
    assert any("father and son" in reason for reason in found.reasons)


@pytest.mark.parametrize(("forename", "matched"), [("John", False), ("Joan", True)])
def test_a_mans_name_and_address_must_be_surer_than_the_rest(forename: str, matched: bool) -> None:
    asked, held = asking(f"{forename} Pettifer", postcodes=PLACE, address="14 Quarry Lane"), replace(JOAN, given_name=forename)
    doubt = 1 - score(asked, held)
    barely = replace(shipped(), automatic=1 - 1.5 * doubt)
    assert isinstance(match(asked, [held], weights=barely), Matched) is matched
    assert isinstance(match(replace(asked, emails=EMAIL), [held], weights=barely), Matched)


def test_a_mans_name_is_no_slip_for_a_womans_however_like_they_sound() -> None:
    found = match(asking("Daniella Pettifer", emails=EMAIL), [replace(JOAN, given_name="Daniel")])
    assert isinstance(found, Ambiguous)
    assert "The forenames are alike, and are two names: it may be a twin or another of the household." in found.reasons


def test_what_several_people_share_counts_for_nothing() -> None:
    shared = replace(JOAN, holders=dict.fromkeys(EMAIL, 2))
    found = match(asking("Joan Pettifer", emails=EMAIL), [shared])
    assert isinstance(found, Ambiguous)
    assert "Several people share the email, so it proves nothing." in found.reasons
    assert isinstance(match(asking("Helen Marchbank", emails=EMAIL), [shared]), Unmatched)


def test_a_representatives_address_does_not_make_a_stranger_known() -> None:
    advice = "office@advice.example.org"
    clients = [replace(each, emails=(advice,), holders={advice: 2}) for each in (JOAN, RUTH)]
    assert isinstance(match(asking("Iqbal Nawaz", emails=(advice,)), clients), Unmatched)


def test_the_email_of_one_and_the_name_of_another_is_a_conflict() -> None:
    found = match(asking("Joan Pettifer", emails=RUTH.emails, postcodes=PLACE, date_of_birth=BORN), [JOAN, RUTH])
    assert isinstance(found, Ambiguous)
    assert found.candidates == ("R1001", "R1002")
    assert found.reasons == ("conflict: the email is held for one person and the name given is somebody else's.",)


def test_two_names_that_contradict_each_other_match_nobody() -> None:
    found = match(asking("Joan Pettifer", "Arthur Pettifer", emails=EMAIL), [JOAN])
    assert isinstance(found, Ambiguous)


def test_twins_are_told_apart_by_their_forenames() -> None:
    twin = replace(JOAN, individual_id="R2001", given_name="Mary", emails=("mary@example.org",), phones=(), cases=())
    found = match(asking("Mary Pettifer", postcodes=PLACE, date_of_birth=BORN), [JOAN, twin])
    assert isinstance(found, Matched)
    assert found.individual_id == "R2001"
    alike = replace(twin, given_name="Jean")
    near = match(asking("Jean Pettifer", postcodes=PLACE, date_of_birth=BORN), [JOAN, alike])
    assert isinstance(near, Ambiguous)
    assert near.candidates == ("R2001", "R1001")


def test_a_twin_with_a_like_name_is_left_to_a_person() -> None:
    jane = replace(JOAN, given_name="Jane")
    for agreeing in ({"emails": EMAIL, "phones": PHONE}, {"postcodes": PLACE, "date_of_birth": BORN, "phones": PHONE}):
        found = match(asking("Jade Pettifer", **agreeing), [jane])
        assert isinstance(found, Ambiguous)
        assert "The forenames are alike, and are two names: it may be a twin or another of the household." in found.reasons


def test_a_namesake_elsewhere_is_not_matched() -> None:
    found = match(asking("Joan Pettifer", postcodes=("CW20 6HQ",), emails=("joanp@example.net",)), [JOAN])
    assert isinstance(found, Ambiguous)
    born_later = match(asking("Joan Pettifer", date_of_birth=date(1990, 1, 1)), [JOAN])
    assert isinstance(born_later, Ambiguous)
    assert "The birth dates are in conflict." in born_later.reasons


def test_father_and_son_of_one_name_and_address_are_left_to_a_person() -> None:
    son = replace(JOAN, individual_id="R2002", date_of_birth=date(1970, 5, 1), emails=("j2@example.org",), phones=(), cases=())
    both = match(asking("Joan Pettifer", postcodes=PLACE), [JOAN, son])
    assert isinstance(both, Ambiguous)
    assert both.reasons == ("More than one person fits.",)
    one_email = match(asking("Joan Pettifer", emails=EMAIL), [JOAN, son])
    assert isinstance(one_email, Ambiguous)
    born = match(asking("Joan Pettifer", postcodes=PLACE, date_of_birth=BORN), [JOAN, son])
    assert isinstance(born, Matched)


def test_two_who_both_fit_are_both_named() -> None:
    again = replace(JOAN, individual_id="R9001")
    found = match(asking("Joan Pettifer", emails=EMAIL), [again, JOAN])
    assert isinstance(found, Ambiguous)
    assert found.candidates == ("R1001", "R9001")
    assert found.reasons == ("More than one person fits.",)


def test_candidates_stand_likeliest_first() -> None:
    found = match(asking("Joan Pettifer", case_references=("C-2030001",)), [replace(RUTH, cases=("C-2030001",)), JOAN])
    assert isinstance(found, Ambiguous)
    assert found.candidates == ("R1001", "R1002")
    assert list(found.scores) == sorted(found.scores, reverse=True)


def test_nobody_near_is_nobody() -> None:
    assert isinstance(match(asking("Joan Pettifer", emails=EMAIL), []), Unmatched)
    assert isinstance(match(asking("Helen Marchbank", emails=("h@example.org",)), [JOAN, RUTH]), Unmatched)


def test_a_verified_identifier_is_told_apart_in_the_evidence() -> None:
    found = match(asking("Joan Pettifer", emails=EMAIL, verified_emails=frozenset(EMAIL)), [JOAN])
    assert isinstance(found, Matched)
    assert [each.verified for each in found.evidence if each.group == "email"] == [True]


ANSWERS = {
    "names": [(), ("Joan Pettifer",), ("J Pettifer",), ("Arthur Pettifer",), ("Ruth Abernethy",), ("Joan", "Ruth Abernethy")],
    "emails": [(), EMAIL, RUTH.emails, ("new@example.net",)],
    "phones": [(), PHONE, RUTH.phones],
    "postcodes": [(), PLACE, ("LE50 1QN",)],
    "address": [None, "14 Quarry Lane", "16 Quarry Lane"],
    "date_of_birth": [None, BORN, RUTH.date_of_birth],
    "case_references": [(), JOAN.cases],
}
QUERIES = st.builds(Query, **{name: st.sampled_from(values) for name, values in ANSWERS.items()})


@given(QUERIES, st.sets(st.sampled_from([*EMAIL, *PHONE, *RUTH.emails])))
def test_a_match_always_has_the_person_and_one_thing_more_and_no_ones_words_in_it(query: Query, shared: set[str]) -> None:
    people = [replace(each, holders=dict.fromkeys(shared, 2)) for each in (JOAN, RUTH)]
    found = match(query, people)
    if isinstance(found, Matched):
        agreeing = {each.group for each in found.evidence if each.agrees}
        assert "person" in agreeing
        assert len(agreeing) >= 2
        assert all(each.agrees for each in found.evidence if each.group == "person")
    if not isinstance(found, Unmatched):
        several = found.evidence if isinstance(found, Ambiguous) else (found.evidence,)
        said = " ".join(each.because for evidence in several for each in evidence) + " ".join(getattr(found, "reasons", ()))
        assert not any(given in said for given in (*EMAIL, *PHONE, *PLACE, "Joan", "Quarry"))


def score(asked: Query, person: Candidate = JOAN) -> float:
    found = match(asked, [person])
    return found.score if isinstance(found, Matched) else found.scores[0] if isinstance(found, Ambiguous) else 0.0


@given(QUERIES)
def test_more_that_agrees_never_scores_less(query: Query) -> None:
    person = replace(JOAN, cases=("P-0412377", "C-2039999"))
    before = score(query, person)
    for more in (
        {"emails": (*query.emails, *EMAIL)},
        {"phones": (*query.phones, *PHONE)},
        {"postcodes": (*query.postcodes, *PLACE), "address": "14 Quarry Lane"},
        {"date_of_birth": BORN},
        {"address": "Alderwick"} if not query.postcodes and query.address is None else {},
        {"names": ("Joan Pettifer",)},
        {"case_references": ("C-2039999",)},
        {"verified_emails": frozenset(EMAIL)},
    ):
        assert score(replace(query, **more), person) >= before


@given(QUERIES)
def test_what_is_blank_speaks_neither_for_nor_against(query: Query) -> None:
    """Leaving out what agrees never raises the score, and what either side leaves out is no comparison."""
    agreeing = replace(query, emails=EMAIL, phones=PHONE, postcodes=PLACE, address="14 Quarry Lane", date_of_birth=BORN)
    for blank in ({"emails": ()}, {"phones": ()}, {"postcodes": (), "address": None}, {"date_of_birth": None}):
        assert score(replace(agreeing, **blank)) <= score(agreeing)
    nobody = Candidate("R3001", None, None, cases=JOAN.cases)
    found = match(replace(query, case_references=JOAN.cases), [nobody])
    assert isinstance(found, Ambiguous)
    assert found.evidence == ((),)


@given(QUERIES, st.permutations([JOAN, RUTH, replace(JOAN, individual_id="R1003", given_name="Arthur", cases=())]))
def test_the_order_of_candidates_does_not_matter(query: Query, people: list[Candidate]) -> None:
    assert match(query, people) == match(query, sorted(people, key=lambda each: each.individual_id))


LINES = st.text(max_size=40)
DAYS = st.none() | st.dates()


@given(
    st.builds(
        Query, names=st.lists(LINES, max_size=8).map(tuple), date_of_birth=DAYS, emails=st.lists(LINES, max_size=3).map(tuple),
        phones=st.lists(LINES.filter(bool), max_size=3).map(tuple), postcodes=st.lists(LINES, max_size=2).map(tuple), address=st.none() | LINES,
    ),
    st.lists(
        st.builds(
            Candidate, LINES, st.none() | LINES, st.none() | LINES, DAYS, st.lists(LINES, max_size=3).map(tuple),
            st.lists(LINES.filter(bool), max_size=3).map(tuple), st.lists(LINES, max_size=2).map(tuple), st.lists(LINES, max_size=2).map(tuple),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_no_input_is_too_odd_to_be_weighed(query: Query, people: list[Candidate]) -> None:
    found = match(query, people)
    scores = (found.score,) if isinstance(found, Matched) else getattr(found, "scores", ())
    assert all(0 <= each <= 1 for each in scores)


def test_a_rare_name_speaks_louder_than_a_common_one() -> None:
    def bits(individuals: int, pettifers: int) -> float:
        counted = Statistics(individuals, {"pettifer": pettifers}, {"joan": 40})
        found = match(asking("Joan Pettifer", emails=EMAIL), [JOAN], counted)
        assert isinstance(found, Matched)
        return next(each.bits for each in found.evidence if each.comparison == "surname")

    assert bits(20_000, 1) > bits(20_000, 400)


def test_what_an_office_reads_is_nobodys_address() -> None:
    office = ("office@advice.example.org",)
    found = match(asking("Joan Pettifer", emails=office), [replace(JOAN, emails=office)])
    assert isinstance(found, Ambiguous)
    assert "A name alone proves nothing." in found.reasons


def test_every_comparison_is_told_with_its_level_and_bits_and_the_version_of_the_weights() -> None:
    found = match(asking("Joan Pettifer", emails=EMAIL, postcodes=PLACE, date_of_birth=date(1944, 2, 18)), [JOAN])
    assert isinstance(found, Matched)
    assert {each.comparison: each.level for each in found.evidence} == {
        "forename": "exact",
        "surname": "exact",
        "birth date": "one slip",
        "address": "postcode",
        "email": "exact",
    }
    assert all(each.bits > 0 for each in found.evidence)
    assert found.weights == shipped().version
