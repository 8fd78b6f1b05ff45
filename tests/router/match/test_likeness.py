"""Two ways of writing one person's name come near each other; two people's names do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.match.likeness import FORENAME, SURNAME, forename, forenames, generations, known, middles, readings, surnames
from router.match.names import written


def levels(as_written: str, given_name: str, surname: str) -> set[tuple[str | None, str | None]]:
    held = known(given_name, surname)
    return {(forenames(each.given, held.given), surnames(each, held)) for each in readings(written(as_written))}


@pytest.mark.parametrize(
    ("as_written", "given_name", "surname", "level"),
    [
        ("Joan Pettifer", "Joan", "Pettifer", ("exact", "exact")),
        ("PETTIFER, Joan", "Joan", "Pettifer", ("exact", "exact")),
        ("mrs joan pettifer MBE", "Joan", "Pettifer", ("exact", "exact")),
        ("Joan Mary Pettifer", "Joan", "Pettifer", ("exact", "exact")),
        ("Pettifer Joan", "Joan", "Pettifer", ("exact", "exact")),
        ("Stanislaw Lukasik", "Stanisław", "Łukasik", ("exact", "exact")),
        ("Ludwig van der Berg", "Ludwig", "van der Berg", ("exact", "exact")),
        ("Jean Paul Sartre", "Jean-Paul", "Sartre", ("exact", "exact")),
        ("Maryann Cole", "Mary Ann", "Cole", ("exact", "exact")),
        ("kev drury", "Kevin", "Drury", ("nickname", "exact")),
        ("Ruth Abernethy-Cole", "Ruth", "Abernethy", ("exact", "part")),
        ("Emmanuel Asante-Boyd", "Emmanuel", "Asante Boyd", ("exact", "exact")),
        ("Joann Petifer", "Joanne", "Pettifer", ("close", "close")),
        ("Catharine Smyth", "Katherine", "Smith", ("skeleton", "phonetic")),
        ("خديجة الحسن", "Khadija", "Alhassan", ("skeleton", "phonetic")),
        ("J. Pettifer", "Joan", "Pettifer", ("initial", "exact")),
        ("J Pettifer", "J", "Pettifer", ("initial", "exact")),  # an initial agrees with an initial, which is not exact
        ("Mary Pettifer", "Joan Mary", "Pettifer", ("middle", "exact")),
        ("Pettifer", "Joan", "Pettifer", (None, "exact")),
        ("Joan", "Joan", "Pettifer", ("exact", None)),
        ("Arthur Pettifer", "Joan", "Pettifer", ("different", "exact")),
        ("Beth Pugh", "Liz", "Pugh", ("different", "exact")),  # two short forms of one name
        ("Joan Marchbank", "Joan", "Pettifer", ("exact", "different")),
    ],
)
def test_each_way_of_writing_a_name_has_its_level(
    as_written: str, given_name: str, surname: str, level: tuple[str | None, str | None]
) -> None:
    assert level in levels(as_written, given_name, surname)


@pytest.mark.parametrize(("one", "other"), [("Joan Mary", "Joan Ethel"), ("Joan M", "Joan Ethel")])
def test_middle_names_may_be_in_conflict(one: str, other: str) -> None:
    assert middles(known(one, "").given, known(other, "").given) == "different"


def test_a_suffix_on_one_side_is_told() -> None:
    assert generations(frozenset(), None) is None
    assert generations(frozenset(["junior"]), None) == "one side"
    assert generations(frozenset(), "senior") == "one side"
    assert generations(frozenset(["junior"]), "senior") == "different"
    assert generations(frozenset(["junior"]), "junior") == "exact"


@given(st.text(min_size=1), st.text(min_size=1))
def test_forenames_compare_alike_from_either_side(one: str, other: str) -> None:
    assert forename(one, other) == forename(other, one)


@given(st.text(), st.text(), st.text())
def test_any_text_compares(as_written: str, given_name: str, surname: str) -> None:
    for first, second in levels(as_written, given_name, surname):
        assert first is None or first in FORENAME
        assert second is None or second in SURNAME
