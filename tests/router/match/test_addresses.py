"""A postcode is a street; the house number says which house. One comparison tells all of it."""

import pytest

from router.match.addresses import compared, likest, place, places

PLACE = "DE80 4PT"


@pytest.mark.parametrize(
    ("given", "held", "level"),
    [
        ("14 Quarry Lane, Alderwick", "14 QUARRY LN, Alderwick, DE80 4PT", "house"),
        ("14a Quarry Lane", "14A Quarry Lane", "house"),
        ("Flat 5, 36 Gladstone Gardens", "Apt 5, 36 Gladstone Gardens", "house"),
        ("5/36 Gladstone Gardens", "Flat 5, 36 Gladstone Gdns", "house"),
        ("36 Gladstone Gardens", "Flat 5, 36 Gladstone Gardens", "house"),
        ("Flat 6, 36 Gladstone Gardens", "Flat 5, 36 Gladstone Gardens", "neighbour"),
        ("16 Quarry Lane", "14 Quarry Lane", "neighbour"),
        ("Holly Bank, Chapel Street", "Holly Bank, Chapel Street", "postcode"),
        (None, "14 Quarry Lane", "postcode"),
        ("14 Quarry Lane", "Quarry Lane, de80 4pt", "postcode"),
    ],
)
def test_within_one_postcode_the_numbers_decide(given: str | None, held: str, level: str) -> None:
    assert compared(place(given, PLACE), place(held, PLACE)) == level


@pytest.mark.parametrize(
    ("given", "held", "level"),
    [
        ("14 Quarry Lane, Alderwick", "14 Quarry Ln, Alderwick, DE80 4PT", "street"),
        ("14 Qaurry Lane, Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "street"),
        ("14 Quarry Lane, DE80 4PS", "14 Quarry Lane, DE80 4PT", "street"),
        ("14 High Street, LE50 1QN", "14 High Street, DE80 4PT", "different"),
        ("14 High Street, Leicester, LE50 1QN", "14 High Street, Alderwick, DE80 4PT", "different"),
        ("2 Mill Road, DE80 9AB", "14 Quarry Lane, DE80 4PT", "area"),
        ("2 Mill Road, Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "elsewhere"),
        ("2 Mill Road, Alderwick, DE81 4PT", "14 Quarry Lane, Alderwick, DE80 4QT", "elsewhere"),
        ("Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "town"),
        ("16 Quarry Lane, Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "neighbour"),
        ("Quarry Lane, Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "neighbour"),
        ("14 Quarry Lane", "14 Quarry Lane, Alderwick, DE80 4PT", "neighbour"),  # it may be in any town
        ("14 Mill Farm, Quarry Lane, Alderwick", "14 Quarry Lane, Mill Farm, Alderwick, DE80 4PT", "street"),
        ("14 QuarryLane, Alderwick", "14 Quarry Lane, Alderwick, DE80 4PT", "street"),
    ],
)
def test_in_two_postcodes_street_and_town_decide(given: str, held: str, level: str) -> None:
    assert compared(place(given), place(held)) == level


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ("1 Knox Street, Byford, 4129", "street"),
        ("1 Knox Street, Bifrod, 4129", "street"),
        ("Byford, 4129", "town"),
        ("31 Carrington Road, Yagoona, 4129", "elsewhere"),
        ("31 Carrington Road, Yagoona, 2464", "different"),
    ],
)
def test_another_countrys_postcode_is_as_good_as_the_town(given: str, level: str) -> None:
    assert compared(place(given), place("1 Knox Street, Lakewood Estate, Byford, 4129")) == level


def test_where_one_gives_nothing_that_the_other_gives_nothing_is_said() -> None:
    assert likest(places([None], [PLACE]), places(["14 Quarry Lane"], [])) is None
    assert likest(places([], []), places(["14 Quarry Lane"], [PLACE])) is None


def test_the_best_of_several_addresses_counts() -> None:
    held = places(["2 Mill Road, LE50 1QN", "14 Quarry Lane, DE80 4PT"], ["LE50 1QN", PLACE])
    assert likest(places(["14 Quarry Lane"], [PLACE]), held) == "house"


def test_a_megabyte_for_an_address_is_cut_short() -> None:
    assert compared(place("9" * 1_000_000, PLACE), place("a1" * 500_000, PLACE)) in {"postcode", "neighbour"}
