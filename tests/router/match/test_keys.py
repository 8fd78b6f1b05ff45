"""Whoever writes is found by what their record and their letter have in common, whatever went wrong with the rest."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ids import digest
from router.match import Candidate, Query
from router.match.keys import KINDS, VERSION, email_key, individual_keys, of_this_version, phone_key, query_keys, query_kinds

LIZ = Candidate(
    "R1",
    "Elizabeth Ann",
    "Prydderch",
    date(1951, 11, 7),
    ("liz.prydderch@example.org",),
    ("+441632960114",),
    ("DE80 4PT",),
    ("14 Quarry Lane, Alderwick, DE80 4PT",),
)


@pytest.mark.parametrize(
    "query",
    [
        Query(emails=("liz.prydderch@example.org",)),
        Query(emails=("lizprydderch@example.net",)),
        Query(phones=("+441632960114",)),
        Query(names=("Mrs Liz Prydderch",)),
        Query(names=("PRYDDERCH, Elizabeth",)),
        Query(names=("Prydderch Elizabeth",)),
        Query(names=("Ann Prydderch",)),
        Query(names=("E. Prydderch",)),
        Query(names=("Elizabeth Pryderch",)),
        Query(names=("Elizabeth Prydd",)),
        Query(names=("Elziabeth Prydderch",)),
        Query(names=("Prydderch",), postcodes=("DE80 4PT",)),
        Query(names=("Liz",), postcodes=("DE80 4PT",)),
        Query(postcodes=("DE80 4PT",), address="14 Quary Lane, Alderwick"),
        Query(names=("Prydderch",), address="Quarry Lane, Alderwick"),
        Query(names=("Prydderch",), address="14 Quarry Lane"),
        Query(names=("Prydderch",), postcodes=("DE80 9XX",)),
        Query(names=("Elizabeth Jones",), date_of_birth=date(1951, 11, 7)),
        Query(names=("Prydderch",), date_of_birth=date(1951, 11, 7)),
        Query(names=("Eliz Jones",), date_of_birth=date(1951, 11, 8)),
        Query(names=("Prydd",), date_of_birth=date(1915, 11, 7)),
        Query(date_of_birth=date(1951, 1, 1), postcodes=("DE80 4PT",)),
    ],
    ids=str,
)
def test_somebody_is_found_by(query: Query) -> None:
    assert individual_keys(LIZ) & query_keys(query)


@pytest.mark.parametrize(
    ("given_name", "surname", "written"),
    [
        ("Robert", "Asante-Boyd", "Bob Boyd"),
        ("Barbara", "Zając", "Barbara Zajac"),
        ("Siân", "O'Hara", "Sian Ohara"),
        ("Дмитрий", "Иванов", "Dmitrii Ivanov"),
    ],
)
def test_a_name_is_found_however_it_is_written(given_name: str, surname: str, written: str) -> None:
    assert individual_keys(Candidate("R1", given_name, surname)) & query_keys(Query(names=(written,)))


def test_nobody_is_found_by_what_they_have_not() -> None:
    stranger = Query(
        names=("Kevin Drury",), date_of_birth=date(1988, 2, 3), emails=("kev@example.org",), phones=("+447700900001",),
        postcodes=("BN60 4TE",), address="71 Summerhouse Road, Harrow Vale",
    )  # fmt: skip
    assert not individual_keys(LIZ) & query_keys(stranger)
    assert query_keys(Query()) == frozenset() == individual_keys(Candidate("R1", None, None))
    assert query_keys(Query(postcodes=("DE80 4PT",))) == frozenset()


def test_an_email_and_a_phone_are_told_by_their_own_keys() -> None:
    assert {email_key("liz.prydderch@example.org"), phone_key("+441632960114")} <= individual_keys(LIZ)


WORDS = st.text("abcdefghijklmnopqrstuvwxyz -'.,0123456789ABCéßłøжИ王", max_size=40)
PEOPLE = st.builds(
    Candidate,
    st.just("R1"),
    WORDS | st.none(),
    WORDS | st.none(),
    st.dates() | st.none(),
    st.lists(st.builds("{}@example.org".format, st.text("abcxyz0123._-", min_size=1, max_size=20)), max_size=2).map(tuple),
    st.lists(st.integers(10**9, 10**14).map("+{}".format), max_size=2).map(tuple),
    st.lists(st.sampled_from(["DE80 4PT", "BN60 4TE"]), max_size=2).map(tuple),
    st.lists(WORDS, max_size=2).map(tuple),
)


def their_own(person: Candidate) -> Query:
    """All that is held of somebody, as they would write it."""
    return Query(
        names=(f"{person.surname or ''}, {person.given_name or ''}",),
        date_of_birth=person.date_of_birth,
        emails=person.emails,
        phones=person.phones,
        postcodes=person.postcodes,
        address=person.addresses[0] if person.addresses else None,
    )


@given(PEOPLE)
def test_everybody_finds_themselves_by_their_own_data(person: Candidate) -> None:
    found = individual_keys(person) & query_keys(their_own(person))
    assert found or not individual_keys(replace(person, addresses=person.addresses[:1]))
    for email in person.emails:
        assert individual_keys(person) & query_keys(Query(emails=(email,)))
    for phone in person.phones:
        assert individual_keys(person) & query_keys(Query(phones=(phone,)))


@given(PEOPLE)
def test_keys_are_few_and_of_this_version_and_fit_into_64_bits(person: Candidate) -> None:
    keys = individual_keys(person)
    assert len(keys) < 200
    assert all(key in of_this_version() for key in keys)
    assert -(2**63) <= of_this_version().start < of_this_version().stop <= 2**63


def test_whoever_changes_what_a_key_is_made_of_raises_the_version() -> None:
    made = digest(" ".join(map(str, sorted(individual_keys(LIZ)))).encode())
    assert (VERSION, made[:16]) == (1, "73436b5ab65d0a7c")


def test_each_kind_of_key_is_told_of_in_words_and_is_the_same_key() -> None:
    query = Query(
        ("Joan Pettifer",), date(1944, 2, 19), ("joan.pettifer@example.org",), phones=("+441632960114",),
        postcodes=("DE80 4PT",), address="14 Quarry Lane, Alderwick",
    )  # fmt: skip
    kinds = query_kinds(query)
    assert frozenset(kinds) == query_keys(query)
    assert set(kinds.values()) == set(KINDS)
