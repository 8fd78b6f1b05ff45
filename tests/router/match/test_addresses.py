"""A postcode is a street; the house number says which house."""

import pytest

from router.match.addresses import Nearness, nearness

PLACE = "DE80 4PT"


@pytest.mark.parametrize(
    ("given", "held", "how_near"),
    [
        ("14 Quarry Lane, Alderwick", "14 QUARRY LN, Alderwick, DE80 4PT", Nearness.HOUSE),
        ("14a Quarry Lane", "14A Quarry Lane", Nearness.HOUSE),
        ("Flat 5, 36 Gladstone Gardens", "Apt 5, 36 Gladstone Gardens", Nearness.HOUSE),
        ("36 Gladstone Gardens", "Flat 5, 36 Gladstone Gardens", Nearness.HOUSE),
        ("Flat 6, 36 Gladstone Gardens", "Flat 5, 36 Gladstone Gardens", Nearness.NEIGHBOUR),
        ("16 Quarry Lane", "14 Quarry Lane", Nearness.NEIGHBOUR),
        ("Holly Bank, Chapel Street", "Holly Bank, Chapel Street", Nearness.POSTCODE),
        (None, "14 Quarry Lane", Nearness.POSTCODE),
        ("14 Quarry Lane", "Quarry Lane, de80 4pt", Nearness.POSTCODE),
    ],
)
def test_within_one_postcode_the_numbers_decide(given: str | None, held: str, how_near: Nearness) -> None:
    assert nearness([PLACE], given, [PLACE], [held]) is how_near


def test_the_same_street_in_another_postcode_is_elsewhere() -> None:
    assert nearness([PLACE], "14 High Street", ["LE50 1QN"], ["14 High Street"]) is Nearness.ELSEWHERE


def test_without_a_postcode_nothing_is_said() -> None:
    assert nearness([], "14 Quarry Lane, Alderwick", [PLACE], ["14 Quarry Lane, Alderwick"]) is None
    assert nearness([PLACE], "14 Quarry Lane", [], ["14 Quarry Lane"]) is None


def test_a_megabyte_for_an_address_is_cut_short() -> None:
    assert nearness([PLACE], "9" * 1_000_000, [PLACE], ["a1" * 500_000]) is Nearness.POSTCODE
