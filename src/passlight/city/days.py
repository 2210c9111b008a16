"""Local days in microseconds: the calendar of a zone, worked out apart from ``core.kernel``."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from passlight.city.columns import instant, micros
from passlight.core.kernel.calendar import CalendarDays, Duration, Elapsed, Years

_DAY = timedelta(days=1)


def day_of(at: int, zone: ZoneInfo) -> date:
    """Return the local date at an instant."""
    return instant(at).astimezone(zone).date()


def clock(day: date, at: time, zone: ZoneInfo) -> int:
    """Return the instant of a wall-clock time: the first of two; past a gap (PEP 495)."""
    return micros(datetime.combine(day, at, tzinfo=zone))


def day_start(at: int, zone: ZoneInfo) -> int:
    """Return the first instant of the local day of an instant."""
    return clock(day_of(at, zone), time(0), zone)


def day_end(at: int, zone: ZoneInfo) -> int:
    """Return the first instant of the next local day."""
    return clock(day_of(at, zone) + _DAY, time(0), zone)


def after(at: int, duration: Duration, zone: ZoneInfo) -> int:
    """Return the instant a duration later."""
    match duration:
        case Elapsed():
            return at + duration.delta // timedelta(microseconds=1)
        case Years():
            day = day_of(at, zone)
            leap = (day.month, day.day) == (2, 29) and not _leaps(day.year + duration.years)
            month, number = (3, 1) if leap else (day.month, day.day)
            return clock(date(day.year + duration.years, month, number), time(0), zone)
        case CalendarDays():
            days = duration.days + int(duration.inclusive) - int(duration.counts_first)
            return clock(day_of(at, zone) + days * _DAY, duration.release, zone)


def _leaps(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
