"""A new individual is made of what the writer plainly says of themselves, and of nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contract import DeclaredFacts, Identifier, Person
from router.match import Matched, match
from router.opening import reading_of
from router.read import Outcome, ReadIndividual, Reading
from router.writer import MADE, Newcomer, newcomer, query_of

KEY = b"a key"
FEEDBACK = Reading(Outcome.FEEDBACK_RECORD, 0.9)


def said(**fields) -> Reading:
    return Reading(Outcome.FEEDBACK_RECORD, 0.9, individual=ReadIndividual(**fields))


@pytest.mark.parametrize(
    ("name", "given_name", "surname"),
    [
        ("Joan Pettifer", "Joan", "Pettifer"),
        ("Mrs Joan Mary Pettifer", "Joan Mary", "Pettifer"),
        ("PETTIFER, Joan", "Joan", "PETTIFER"),
        ("Anna van der Berg", "Anna", "van der Berg"),
        ("Arthur Pettifer Jnr", "Arthur", "Pettifer Jnr"),
        ("joan pettifer", "joan", "pettifer"),
        ("Siân Llywelyn-Prosser", "Siân", "Llywelyn-Prosser"),
    ],
)
def test_a_name_on_one_line_is_taken_apart_as_it_was_written(contact, name, given_name, surname):
    made = newcomer(contact(name=name), FEEDBACK, KEY)
    assert isinstance(made, Newcomer)
    assert (made.given_name, made.surname) == (given_name, surname)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "Joan",
        "J. Pettifer",
        "Marlbridge Advice Centre",
        "Office of Jane Smith MP",
        "Customer Services",
        "pettifer1944",
        "Joan Pettifer 3rd",
    ],
)
def test_who_gives_no_full_name_or_an_offices_is_nobody_new(contact, name):
    assert newcomer(contact(name=name), FEEDBACK, KEY) is None


def test_another_countrys_postcode_is_a_part_of_the_address(contact):
    declared = DeclaredFacts(address=("1 Knox Street", "Byford"), postcode="4129")
    assert query_of(contact(declared=declared), FEEDBACK).address == "1 Knox Street, Byford, 4129"
    british = declared.model_copy(update={"postcode": "DE80 4PT"})
    assert query_of(contact(declared=british), FEEDBACK).address == "1 Knox Street, Byford"


def test_two_names_that_are_not_one_persons_make_nobody(contact):
    assert newcomer(contact(name="Arthur Pettifer"), said(name="Joan Pettifer"), KEY) is None
    assert newcomer(contact(name="Sam"), said(name="Joan Pettifer"), KEY) is None
    assert newcomer(contact(name="J Pettifer"), said(name="Joan Pettifer"), KEY) is not None


def test_an_address_that_its_own_domain_disowns_makes_nobody(contact):
    about = contact(name="Joan Pettifer", warnings=("sender-not-authenticated: dmarc=fail",))
    assert newcomer(about, FEEDBACK, KEY) is None


def test_whom_nothing_would_find_again_is_not_made(contact):
    assert newcomer(contact(name="Joan Pettifer", sender=None), FEEDBACK, KEY) is None
    by_post = newcomer(contact(name="Joan Pettifer", sender=None), said(postcode="DE80 4PT", address="14 Quarry Lane"), KEY)
    assert by_post is not None
    assert by_post.address == "14 Quarry Lane, DE80 4PT"


def test_of_who_writes_for_another_nothing_is_taken_that_may_be_the_others(contact):
    mother = Person(
        name="Gwen Prosser", identifiers=(Identifier(kind="email", given="g@example.com", canonical="g@example.com"),)
    )
    words = said(name="Siân Prosser", postcode="NR40 8TE", phone="01632 960111", date_of_birth="1931-03-03")
    made = newcomer(contact(name="Siân Prosser", sender="sian@example.com", on_behalf_of=mother), words, KEY)
    assert made is not None
    assert (made.name, made.points("email"), made.points("phone")) == ("Siân Prosser", ("sian@example.com",), ())
    assert (made.postcode, made.date_of_birth) == (None, None)


def test_two_letters_of_one_person_make_one_and_those_of_two_who_share_an_address_two(contact):
    one, again = (newcomer(contact(name=name), FEEDBACK, KEY) for name in ("Joan Pettifer", "Mrs Joan PETTIFER"))
    other = newcomer(contact(name="Arthur Pettifer"), FEEDBACK, KEY)
    son = newcomer(contact(name="Joan Pettifer"), said(date_of_birth="2001-01-01"), KEY)
    assert one is not None
    assert again is not None
    assert other is not None
    assert son is not None
    assert one.individual_id == again.individual_id
    assert len({one.individual_id, other.individual_id, son.individual_id}) == 3
    assert one.individual_id.startswith(MADE)
    assert newcomer(contact(name="Joan Pettifer"), FEEDBACK, b"another key") != one, (
        "without the key nobody can guess whose it is"
    )


def test_what_is_made_holds_what_they_declare(contact, house):
    about = contact(
        name="Joan Pettifer", verified_by="dmarc",
        declared=DeclaredFacts(
            name="Joan Pettifer", phone="01632 960114", postcode="de80 4pt", date_of_birth="1944-02-19",
            address=("14 Quarry Lane", "Alderwick"),
        ),
    )  # fmt: skip
    made = newcomer(about, reading_of(about, house), KEY)
    assert made is not None
    assert made.lines == ("14 Quarry Lane", "Alderwick")
    assert str(made.date_of_birth) == "1944-02-19"
    assert {(each.kind, each.canonical, each.verified_by) for each in made.identifiers} == {
        ("email", "jo@example.com", "dmarc"), ("phone", "+441632960114", None),
    }  # fmt: skip


_WORD = st.text(st.characters(categories=("Lu", "Ll")), min_size=1, max_size=8)


@given(st.text(max_size=60) | st.builds("{} {}".format, _WORD, _WORD), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_given_whoever_is_made_of_it_is_found_by_it_again(name, postcode, phone):
    from datetime import UTC, datetime

    from ingest.contract import Contact
    from ingest.ids import new_id

    email = Identifier(kind="email", given="jo@example.com", canonical="jo@example.com")
    about = Contact(
        id=new_id(), source="urn:x", channel="email", account="care", received_at=datetime(2026, 3, 2, tzinfo=UTC),
        sender=Person(name=name.replace("\x00", "")[:100] or None, identifiers=(email,)), text="x", full_text="x", original="0" * 64,
    )  # fmt: skip
    reading = said(postcode=postcode or None, phone=phone or None)
    made = newcomer(about, reading, KEY)
    if made is not None:
        assert made.given_name
        assert made.surname
        found = match(query_of(about, reading), [made.as_candidate()])
        assert isinstance(found, Matched), (name, made)
