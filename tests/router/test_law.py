"""Clocks of the law, on calendars whose last days are known."""

from datetime import date

import pytest

from router.law import legal_clock


def due_of(kind: str, received: date) -> date | None:
    clock = legal_clock(kind, received)
    return clock.due if clock else None


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 3, 2), date(2026, 4, 2)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        (date(2026, 3, 31), date(2026, 4, 30)),
    ],
)
def test_a_subject_access_request_is_answered_within_a_month(received, due):
    assert due_of("subject-access", received) == due


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 2, 2), date(2026, 3, 2)),  # a Monday, and no holiday between
        (date(2026, 2, 7), date(2026, 3, 6)),  # a Saturday: the first day is Monday's
        (date(2026, 3, 2), date(2026, 3, 31)),  # St Patrick's Day is one in Northern Ireland
        (date(2026, 3, 20), date(2026, 4, 21)),  # Good Friday and Easter Monday
        (date(2025, 12, 19), date(2026, 1, 22)),  # Christmas, Boxing Day, New Year, and 2 January in Scotland
    ],
)
def test_a_freedom_of_information_request_is_answered_within_20_working_days_of_the_whole_kingdom(received, due):
    assert due_of("freedom-of-information", received) == due


def test_a_complaint_about_data_protection_is_acknowledged_within_30_days():
    assert due_of("data-protection", date(2026, 6, 19)) == date(2026, 7, 19)


@pytest.mark.parametrize("kind", [None, "something-else"])
def test_what_the_law_has_no_clock_for_starts_none(kind):
    assert legal_clock(kind, date(2026, 3, 2)) is None
