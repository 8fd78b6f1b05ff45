"""Clocks of the law: by when somebody must have what they ask for, counted from the day on which it reached us.

Pure. Where the law lets a last day that is no working day be put off, it is not: the day told is never too late.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from ingest.contract import LegalClock

FREEDOM_OF_INFORMATION: Final = 20
"""Working days, the first of them the one after the day of receipt (Freedom of Information Act 2000, section 10)."""
DATA_PROTECTION: Final = timedelta(days=30)
"""For acknowledging a complaint (Data Protection Act 2018, section 164A, since 19 June 2026)."""
_WEEKEND: Final = (5, 6)


def legal_clock(kind: str | None, received: date) -> LegalClock | None:
    """The clock that a request starts, by the name that the reading has for it; None where it starts none."""
    match kind:
        case "subject-access":
            return LegalClock(kind="subject-access", due=_a_month_after(received))
        case "freedom-of-information":
            return LegalClock(kind="freedom-of-information", due=_working_days_after(received, FREEDOM_OF_INFORMATION))
        case "data-protection":
            return LegalClock(kind="data-protection", due=received + DATA_PROTECTION)
        case _:
            return None


def _a_month_after(day: date) -> date:
    """The day of the same number in the next month, or that month's last (UK GDPR, article 12(3), as the Commissioner counts it)."""
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _working_days_after(day: date, number: int) -> date:
    while number:
        day += timedelta(days=1)
        number -= day.weekday() not in _WEEKEND and day not in _bank_holidays(day.year)
    return day


@lru_cache(maxsize=16)
def _bank_holidays(year: int) -> frozenset[date]:
    """Of every part of the United Kingdom: one that any part has is no working day for this (section 10(6))."""
    from holidays import country_holidays  # late: most contacts start no clock

    return frozenset(day for part in ("ENG", "NIR", "SCT", "WLS") for day in country_holidays("GB", subdiv=part, years=year))
