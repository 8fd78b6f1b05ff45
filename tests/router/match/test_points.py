"""Birth dates, emails and phones: what is a slip and what is another's."""

from datetime import date

import pytest

from router.match.points import births, emails, is_an_offices, phones


@pytest.mark.parametrize(
    ("other", "level"),
    [
        (date(1944, 2, 9), "exact"),
        (date(1944, 9, 2), "swapped"),
        (date(1944, 2, 8), "one slip"),
        (date(1994, 2, 9), "one slip"),
        (date(1944, 2, 28), "two parts"),
        (date(1946, 11, 9), "different"),
        (date(1971, 2, 9), "different"),  # day and month of somebody a generation younger
    ],
)
def test_birth_dates(other: date, level: str) -> None:
    assert births(date(1944, 2, 9), other) == births(other, date(1944, 2, 9)) == level


def test_a_first_of_january_may_stand_for_an_unknown_day() -> None:
    assert births(date(1944, 1, 1), date(1944, 1, 1)) == "new year"
    for other in (date(1944, 2, 1), date(1944, 9, 30)):
        assert births(date(1944, 1, 1), other) == births(other, date(1944, 1, 1)) == "year"
    assert births(None, date(1944, 1, 1)) is None


def test_of_two_years_alone_none_is_a_slip_for_the_other() -> None:
    assert births(date(1944, 1, 1), date(1945, 1, 1)) == "different"
    assert births(date(1944, 1, 1), date(1945, 2, 1)) == "different"


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("joan.pettifer@example.org", "joan.pettifer@example.org", "exact"),
        ("joan.pettifer@example.org", "joan.pettifer@example.net", "same name"),
        ("joan.pettifer@gmail.com", "joan.pettifer@gmial.com", "one slip"),
        ("joan.petifer@example.org", "joan.pettifer@example.org", "one slip"),
        ("pettifer48@example.org", "pettifer49@example.org", "different"),  # digits at the end are never a slip
        ("ruth@example.com", "joan.pettifer@example.org", "different"),
    ],
)
def test_emails(one: str, other: str, level: str) -> None:
    assert emails(one, other) == emails(other, one) == level


@pytest.mark.parametrize(
    ("email", "office"),
    [
        ("office@advice.example.org", True),
        ("jo.smith.mp@parliament.uk", True),
        ("casework-team@example.org", True),
        ("joan@citizensadvicederby.org.uk", True),
        ("joan.pettifer@example.org", False),
        ("postlethwaite@example.org", False),
    ],
)
def test_an_office_is_known_by_its_address(email: str, office: bool) -> None:
    assert is_an_offices(email) is office


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("+447700900322", "+447700900322", "mobile"),
        ("+441632960114", "+441632960114", "landline"),
        ("+447700900322", "+447700900323", "one slip"),
        ("+447700900322", "+447700900232", "one slip"),
        ("+447700900322", "+441632960114", "different"),
    ],
)
def test_phones(one: str, other: str, level: str) -> None:
    assert phones(one, other) == level
