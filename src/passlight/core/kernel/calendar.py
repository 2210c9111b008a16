"""Durations that say how they count, and the local days behind them (field/08 1.1).

``14d`` is 336 hours. "满 14 天" by the calendar is another thing: day 14 is a local date, and in
a zone with daylight saving time it is not a multiple of 24 hours away (E04, E49).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ELAPSED = re.compile(r"(\d{1,5})(d|h|min)(?: elapsed)?")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}
_YEARS = re.compile(r"(\d{1,3})y")


@dataclass(frozen=True, slots=True)
class Elapsed:
    """So many hours, whatever the calendar says."""

    delta: timedelta

    def __str__(self) -> str:
        for unit, size in _UNITS.items():
            if self.delta % size == timedelta(0):
                return f"{self.delta // size}{unit}"
        return str(self.delta)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDays:
    """Local days from the day of the event.

    The event's own date is day zero, or day one when ``counts_first`` ("含当日"). The time ends
    on day ``days`` at ``release``; with ``inclusive`` that whole day still belongs to it and the
    end is ``release`` of the day after.
    """

    days: int
    counts_first: bool = False
    inclusive: bool = False
    release: time = time(0)

    def __str__(self) -> str:
        return f"{self.days}d calendar"


@dataclass(frozen=True, slots=True)
class Years:
    """Whole years of age: the same local date, years later; 29 February becomes 1 March."""

    years: int

    def __str__(self) -> str:
        return f"{self.years}y"


Duration = Elapsed | CalendarDays | Years


def parse_duration(text: str) -> Elapsed | Years | None:
    """Return the duration written like ``14d``, ``36h``, ``10min`` or ``3y``, else None."""
    match = _ELAPSED.fullmatch(text.strip())
    if match:
        return Elapsed(int(match[1]) * _UNITS[match[2]])
    match = _YEARS.fullmatch(text.strip())
    return Years(int(match[1])) if match else None


def add(instant: datetime, duration: Duration, *, zone: ZoneInfo) -> datetime:
    """Return the instant ``duration`` after ``instant``, in UTC."""
    if isinstance(duration, Elapsed):
        return instant + duration.delta
    day = local_date(instant, zone=zone)
    if isinstance(duration, Years):
        return start_of_day(_anniversary(day, duration.years), zone=zone)
    days = duration.days - duration.counts_first + duration.inclusive
    return local_instant(day + timedelta(days=days), duration.release, zone=zone)


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def local_date(instant: datetime, *, zone: ZoneInfo) -> date:
    """Return the date that the calendar on the wall shows at ``instant``."""
    return instant.astimezone(zone).date()


def local_instant(day: date, at: time, *, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time; one skipped by the clocks moves past the gap."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def start_of_day(day: date, *, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local date."""
    return local_instant(day, time(0), zone=zone)


def next_day(instant: datetime, *, zone: ZoneInfo) -> datetime:
    """Return the first instant of the local date after that of ``instant``."""
    return start_of_day(local_date(instant, zone=zone) + timedelta(days=1), zone=zone)
