"""By when somebody must have heard from us, counted by either calendar and shown as it was counted."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.promise import acknowledgement_due, due_soon
from ingest.settings import AcknowledgementSettings


def settings(**fields: Any) -> AcknowledgementSettings:
    return AcknowledgementSettings.model_validate({"calendar": "working", "within": "16h", **fields})


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_by_default_48_hours_pass_whatever_day_it_is():
    due = acknowledgement_due(at("2026-04-02T23:30"), AcknowledgementSettings())
    assert due == (at("2026-04-04T23:30"), "48 hours after it reached us")


WORKING: dict[str, tuple[str, str]] = {
    "in the morning": ("2026-03-02T09:30", "2026-03-04T09:30"),
    "before the day begins": ("2026-03-02T06:00", "2026-03-03T17:00"),
    "at the moment it begins": ("2026-03-02T09:00", "2026-03-03T17:00"),
    "after it has ended": ("2026-03-02T17:00", "2026-03-04T17:00"),
    "on a Saturday": ("2026-03-07T12:00", "2026-03-10T17:00"),
    "on a Friday at noon": ("2026-03-06T12:00", "2026-03-10T12:00"),
    "over the night when clocks go forward": ("2026-03-27T12:00", "2026-03-31T11:00"),
    "over the night when clocks go back": ("2026-10-23T11:00", "2026-10-27T12:00"),
    "over Easter": ("2026-04-02T11:00", "2026-04-08T11:00"),
    "over Christmas, with a day in lieu of a Saturday": ("2026-12-24T12:00", "2026-12-30T12:00"),
}


@pytest.mark.parametrize(("received", "due"), WORKING.values(), ids=WORKING)
def test_sixteen_working_hours_after_what_came(received: str, due: str):
    assert acknowledgement_due(at(received), settings()).at == at(due)


def test_it_is_said_how_it_was_counted():
    assert acknowledgement_due(at("2026-04-02T11:00"), settings()).counted == (
        "16 working hours after it reached us, without Good Friday and Easter Monday"
    )


@pytest.mark.parametrize(
    ("part", "due"), [("ENG", "2026-04-08T11:00"), ("WLS", "2026-04-08T11:00"), ("SCT", "2026-04-07T11:00")]
)
def test_each_part_of_a_country_has_bank_holidays_of_its_own(part: str, due: str):
    assert acknowledgement_due(at("2026-04-02T11:00"), settings(subdivision=part)).at == at(due)


def test_other_days_and_hours_may_be_worked():
    chosen = settings(working_days=["sat", "sun"], working_hours="10:00-14:00", within="6h", warn_before="1h")
    assert acknowledgement_due(at("2026-03-04T12:00"), chosen).at == at("2026-03-08T12:00")


@given(st.integers(0, 3_000_000), st.integers(1, 200))
def test_what_came_later_is_never_due_earlier_and_all_is_due_in_working_hours(minutes: int, hours: int):
    chosen, received = settings(within=f"{hours}h", warn_before="30m"), at("2024-01-01T00:00") + timedelta(minutes=minutes)
    first = acknowledgement_due(received, chosen).at
    assert first <= acknowledgement_due(received + timedelta(minutes=17), chosen).at
    assert first - received >= timedelta(hours=hours)
    assert first.utcoffset() == timedelta(0)
    local = first.astimezone(ZoneInfo("Europe/London"))
    assert local.weekday() < 5
    assert time(9) < local.time() <= time(17)


def test_a_warning_comes_six_hours_ahead_by_the_same_calendar():
    assert due_soon(at("2026-03-06T12:00"), AcknowledgementSettings()) == at("2026-03-06T18:00")
    assert due_soon(at("2026-03-06T12:00"), settings()) == at("2026-03-09T10:00")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"working_hours": "17:00-09:00"}, "write them as 09:00-17:00"),
        ({"working_hours": "9-5"}, "write them as 09:00-17:00"),
        ({"working_days": []}, "at least 1"),
        ({"working_days": ["monday"]}, "mon"),
        ({"time_zone": "London"}, "Europe/London is"),
        ({"warn_before": "16h"}, "warn_before must be shorter than within"),
        ({"subdivision": "XYZ"}, "the bank holidays of country GB, subdivision XYZ"),
        ({"country": "ZZ", "subdivision": ""}, "the bank holidays of country ZZ, subdivision none"),
    ],
    ids=str,
)
def test_a_calendar_that_is_none_stops_the_start(wrong: dict[str, Any], says: str):
    with pytest.raises(ValidationError, match=says):
        settings(**wrong)


def test_where_hours_simply_pass_nobody_asks_for_bank_holidays():
    assert settings(calendar="elapsed", country="ZZ").country == "ZZ"
