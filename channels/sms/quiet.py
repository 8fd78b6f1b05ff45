"""When people are not to be woken: quiet hours as an operator writes them, and when a message may go.

Pure. Hours are of the clock on the wall: where it is put forward or back in the night, they end when it says so.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(now: datetime, due: datetime, hours: str | None, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end in which ``now`` falls, in UTC; None where it falls in none, or the message is due before they end.

    ``hours`` is ``21:00-08:00`` in ``zone``. Of a clock time that comes twice, they begin with its first and end with its second.
    """
    if hours is None:
        return None
    begins, ends = (time.fromisoformat(each) for each in hours.split("-"))
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        begin = datetime.combine(day, begins, zone).astimezone(UTC)
        last = datetime.combine(day + timedelta(days=int(ends <= begins)), ends, zone)
        end = max(last.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if begin <= now < end:
            return None if due < end else end
    return None
