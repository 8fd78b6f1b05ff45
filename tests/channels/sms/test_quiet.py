"""Nobody's telephone rings in the night, whatever the clocks do, and nobody hears from us late because of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.quiet import quiet_until

LONDON = ZoneInfo("Europe/London")
NIGHT = "21:00-08:00"


def at(moment: str) -> datetime:
    return datetime.fromisoformat(f"{moment}+00:00")


@pytest.mark.parametrize(
    ("now", "hours", "until"),
    [
        ("2026-01-15T20:59:59", NIGHT, None),
        ("2026-01-15T21:00:00", NIGHT, "2026-01-16T08:00:00"),
        ("2026-01-16T00:00:00", NIGHT, "2026-01-16T08:00:00"),
        ("2026-01-16T07:59:59", NIGHT, "2026-01-16T08:00:00"),
        ("2026-01-16T08:00:00", NIGHT, None),
        ("2026-01-15T13:30:00", "13:00-14:00", "2026-01-15T14:00:00"),
        ("2026-01-15T14:00:00", "13:00-14:00", None),
        ("2026-01-15T03:00:00", None, None),
        ("2026-07-01T19:59:59", NIGHT, None),
        ("2026-07-01T20:00:00", NIGHT, "2026-07-02T07:00:00"),
        ("2026-03-28T22:00:00", NIGHT, "2026-03-29T07:00:00"),
        ("2026-10-24T22:00:00", NIGHT, "2026-10-25T08:00:00"),
        ("2026-10-25T00:45:00", "00:30-01:30", "2026-10-25T01:30:00"),
        ("2026-10-25T01:15:00", "00:30-01:30", "2026-10-25T01:30:00"),
        ("2026-03-29T00:45:00", "23:00-01:30", "2026-03-29T01:30:00"),
    ],
    ids=[
        "before them", "as they begin", "at midnight", "just before they end", "as they end", "at noon", "after noon", "none are set",
        "in summer before them", "in summer", "the night when clocks go forward", "the night when they go back",
        "an end that comes twice, the first time", "an end that comes twice, the second time", "an end that never comes",
    ],
)  # fmt: skip
def test_a_message_waits_until(now: str, hours: str | None, until: str | None) -> None:
    due = at(now) + timedelta(hours=48)
    assert quiet_until(at(now), due, hours, LONDON) == (at(until) if until else None)


def test_a_message_that_would_be_late_goes_in_the_night() -> None:
    now, end = at("2026-01-16T02:00:00"), at("2026-01-16T08:00:00")
    assert quiet_until(now, end - timedelta(seconds=1), NIGHT, LONDON) is None
    assert quiet_until(now, end, NIGHT, LONDON) == end
    assert quiet_until(now, now - timedelta(days=1), NIGHT, LONDON) is None


CLOCK = st.times().map(lambda each: each.strftime("%H:%M"))


@given(st.integers(0, 366 * 24 * 60).map(lambda each: at("2026-01-01T00:00:00") + timedelta(minutes=each)), CLOCK, CLOCK)
def test_whatever_the_hours_it_waits_for_less_than_a_day_and_an_hour_and_may_go_then(
    now: datetime, begin: str, end: str
) -> None:
    if begin == end:
        return
    hours = f"{begin}-{end}"
    until = quiet_until(now, now + timedelta(days=9), hours, LONDON)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert quiet_until(until, until + timedelta(days=9), hours, LONDON) is None
