"""Two ways of writing one person's name are one name; two people's names are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.match.names import (
    Likeness,
    canonical_forename,
    canonical_surname,
    full_names,
    held,
    likeness,
    surname_keys,
    written,
)


@pytest.mark.parametrize(
    ("as_written", "given_name", "surname"),
    [
        ("Joan Pettifer", "Joan", "Pettifer"),
        ("PETTIFER, Joan", "Joan", "Pettifer"),
        ("mrs joan pettifer MBE", "Joan", "Pettifer"),
        ("Joan Mary Pettifer", "Joan", "Pettifer"),
        ("Joan Pettifer", "Joan Mary", "PETTIFER"),
        ("Joan M. Pettifer", "Joan Mary", "Pettifer"),
        ("Dorota Zielińska", "Dorota", "Zielinska"),
        ("Stanislaw Lukasik", "Stanisław", "Łukasik"),
        ("Sean O’Brien", "Seán", "O'Brien"),
        ("kev drury", "Kevin", "Drury"),
        ("Kevin Drury", "Kev", "Drury"),
        ("Ruth Abernethy-Cole", "Ruth", "Abernethy"),
        ("Philippa Nunn", "Philippa", "Garside-Nunn"),
        ("Emmanuel Asante-Boyd", "Emmanuel", "Asante Boyd"),
        ("Ludwig van der Berg", "Ludwig", "van der Berg"),
        ("Jean Paul Sartre", "Jean-Paul", "Sartre"),
        ("Harold Naylor Jnr", "Harold", "Naylor Jr"),
    ],
)
def test_ways_of_writing_one_name_agree(as_written: str, given_name: str, surname: str) -> None:
    assert likeness(written(as_written), held(given_name, surname)) is Likeness.SAME


@pytest.mark.parametrize(
    ("as_written", "given_name", "surname"),
    [
        ("J. Pettifer", "Joan", "Pettifer"),
        ("J Pettifer", "J", "Pettifer"),  # an initial agrees with an initial, which is not exact
        ("Joan Pettifer", "J", "Pettifer"),
        ("Pettifer", "Joan", "Pettifer"),
        ("Joan", "Joan", "Pettifer"),
        ("Mary Pettifer", "Joan Mary", "Pettifer"),
        ("Joan Mary Pettifer", "Joan Ethel", "Pettifer"),
        ("Pettifer Joan", "Joan", "Pettifer"),
        ("Martin James", "James", "Martin"),
    ],
)
def test_a_name_with_something_missing_or_out_of_place_is_weak(as_written: str, given_name: str, surname: str) -> None:
    assert likeness(written(as_written), held(given_name, surname)) is Likeness.WEAK


@pytest.mark.parametrize("as_written", ["Arthur Pettifer", "Jean Pettifer", "A Pettifer", "Pettifer, Arthur"])
def test_another_forename_with_the_surname_is_another_of_the_household(as_written: str) -> None:
    assert likeness(written(as_written), held("Joan", "Pettifer")) is Likeness.HOUSEHOLD


@pytest.mark.parametrize("as_written", ["Joan Smith", "J", "Smith", "Anne Marie Smith", "Joan Pettifer-Smith-Jones Brown"])
def test_another_surname_is_another_person(as_written: str) -> None:
    assert likeness(written(as_written), held("Joan", "Pettifer")) is Likeness.DIFFERENT


def test_two_short_forms_of_one_name_are_two_people() -> None:
    assert likeness(written("Beth Pugh"), held("Liz", "Pugh")) is Likeness.HOUSEHOLD


def test_a_comma_says_which_part_is_the_surname() -> None:
    assert likeness(written("Martin, James"), held("James", "Martin")) is Likeness.SAME
    assert likeness(written("James, Martin"), held("James", "Martin")) is Likeness.WEAK


@pytest.mark.parametrize(
    ("text", "generation"),
    [("Rakesh Pandya Snr", "senior"), ("Javed Bibi Jr", "junior"), ("Pandya, Rakesh, Senior", "senior"), ("Junior Bibi", None)],
)
def test_junior_and_senior_are_read_off_the_end(text: str, generation: str | None) -> None:
    assert written(text).generation == generation


@pytest.mark.parametrize(
    ("as_written", "given_name", "surname"),
    [
        ("kev drury", "Kevin", "Drury"),
        ("Kevin Drury", "Kev", "Drury"),
        ("Pettifer Joan", "Joan", "Pettifer"),
        ("Ruth Abernethy-Cole", "Ruth", "Abernethy"),
        ("Emmanuel Asante-Boyd", "Emmanuel", "Asante Boyd"),
        ("Mr Gwyn Tudor Prydderch", "Gwyn", "Prydderch"),
    ],
)
def test_a_name_is_looked_up_as_the_register_holds_it(as_written: str, given_name: str, surname: str) -> None:
    assert (canonical_surname(surname), canonical_forename(given_name)) in full_names(written(as_written))


def test_an_initial_is_looked_up_by_surname() -> None:
    assert canonical_surname("Oakeshott") in surname_keys(written("R. Oakeshott"))


def test_half_a_name_is_no_full_one() -> None:
    assert canonical_surname(None) is None
    assert canonical_forename(None) is None
    assert full_names(written("Joan")) == frozenset()


@given(st.text())
def test_any_text_is_a_name_that_compares(text: str) -> None:
    name = written(text)
    assert len(full_names(name)) < 500
    assert likeness(name, held(text, text)) in Likeness


def test_a_megabyte_for_a_name_is_cut_short() -> None:
    for hostile in ("a" * 1_000_000, "a-" * 500_000, "a " * 500_000, "," * 1_000_000, "mr " * 300_000):
        assert likeness(written(hostile), held("Joan", "Pettifer")) <= Likeness.WEAK
