"""By when a person must have heard from us, in hours that simply pass or in working hours.

Pure, and in the spine since the form says it to the person and the router keeps it.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ingest.settings import AcknowledgementSettings

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Due(NamedTuple):
    """A moment in UTC, and how it was counted, in words that follow "owed by …,"."""

    at: datetime
    counted: str


def acknowledgement_due(received_at: datetime, settings: AcknowledgementSettings) -> Due:
    """When the person must have heard from us.

    ``elapsed`` is 48 hours after ``received_at`` (service model, "Service Standards"); ``working`` is the same span counted in
    working hours. ``received_at`` is when our edge took the contact, never the Date header.
    """
    hours = f"{settings.within / timedelta(hours=1):g}"
    if settings.calendar == "elapsed":
        return Due(received_at + settings.within, f"{hours} hours after it reached us")
    at, closed = _worked(received_at, settings.within, settings)
    without = f", without {' and '.join(closed)}" if closed else ""
    return Due(at, f"{hours} working hours after it reached us{without}")


def due_soon(now: datetime, settings: AcknowledgementSettings) -> datetime:
    """What is due by then is to be warned of now: the settings' ``warn_before`` ahead, counted as what is due is."""
    if settings.calendar == "elapsed":
        return now + settings.warn_before
    return _worked(now, settings.warn_before, settings)[0]


def _worked(start: datetime, span: timedelta, settings: AcknowledgementSettings) -> tuple[datetime, list[str]]:
    """When so much working time has passed since ``start``, and the bank holidays between that took none of it."""
    zone = ZoneInfo(settings.time_zone)
    opens, closes = (time.fromisoformat(each) for each in settings.working_hours.split("-"))
    bank = _bank_holidays(settings.country, settings.subdivision)
    day, left, closed = start.astimezone(zone).date(), span, list[str]()
    while True:
        if _DAYS[day.weekday()] in settings.working_days:
            if name := bank.get(day):
                closed.append(name)
            else:
                begin, end = max(start, _at(day, opens, zone)), _at(day, closes, zone)
                if end - begin >= left:
                    return begin + left, closed
                left -= max(end - begin, timedelta(0))
        day += timedelta(days=1)


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone).astimezone(UTC)


@lru_cache(maxsize=4)
def _bank_holidays(country: str, subdivision: str) -> "HolidayBase":
    """Year by year as they are asked for."""
    from holidays import country_holidays  # half a second, for those alone who count working hours

    return country_holidays(country, subdiv=subdivision or None)
