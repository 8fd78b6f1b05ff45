"""Two ways of writing one person's name are one name; two people's names are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.match.names import (
    canonical_forename,
    canonical_surname,
    full_names,
    skeleton,
    surname_keys,
    words,
    written,
)


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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Stanisław Łukasik", ("stanislaw", "lukasik")),
        ("Seán O’Brien", ("sean", "obrien")),
        ("Андрей Смирнов", ("andrey", "smirnov")),
        ("Άννα Παπαδοπούλου", ("anna", "papadopoyloy")),
        ("Jean--Paul  SARTRE", ("jean-paul", "sartre")),
    ],
)
def test_other_letters_are_written_in_ours(text: str, plain: tuple[str, ...]) -> None:
    assert words(text) == plain


@pytest.mark.parametrize(("one", "other"), [("Mohammed", "Muhamad"), ("Philippa", "Filipa"), ("خديجة", "Khadija")])
def test_one_name_in_two_spellings_has_the_same_consonants(one: str, other: str) -> None:
    assert skeleton(words(one)[0]) == skeleton(words(other)[0])


@given(st.text())
def test_any_text_is_a_name_that_is_looked_up(text: str) -> None:
    assert len(full_names(written(text))) < 500


def test_a_megabyte_for_a_name_is_cut_short() -> None:
    for hostile in ("a" * 1_000_000, "a-" * 500_000, "a " * 500_000, "," * 1_000_000, "mr " * 300_000):
        assert len(full_names(written(hostile))) < 500
