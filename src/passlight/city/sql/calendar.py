"""Calendar arithmetic on instants in SQL: the clocks' changes become CASE expressions.

An instant is microseconds since 1970 in UTC; a day is counted from 1970-01-01 on the wall. No
engine is asked for a time zone: the changes of the offset are read from ``zoneinfo`` here, between
two instants that enclose everything that the query can meet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from passlight.city.columns import micros
from passlight.city.dialect import Dialect
from passlight.core.kernel.calendar import CalendarDays, Duration, Elapsed, Years

DAY = 86_400_000_000
# What a fact known by its date gives, by the calendar's number.
DAY_COLUMNS = ("begins", "releases", "ended")
_SECOND = 1_000_000
# Whole days that make every instant positive, so that division rounds down in every engine.
_SHIFT_DAYS = 1_000_000
Let = Callable[[str], str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a zone's offset: when, from what, to what; microseconds."""

    at: int
    before: int
    after: int


def instant_of(at: int) -> datetime:
    """Return the instant, held within what the calendar of Python can name."""
    low, high = micros(_FIRST), micros(_LAST)
    return _EPOCH + timedelta(microseconds=min(max(at, low), high))


def _offset(zone: ZoneInfo, at: int) -> int:
    # An aware instant has an offset: zero stands for a None that cannot be.
    found = instant_of(at).astimezone(zone).utcoffset() or timedelta(0)
    return found // timedelta(microseconds=1)


@lru_cache(maxsize=256)
def changes(zone: ZoneInfo, low: int, high: int) -> tuple[int, tuple[Change, ...]]:
    """Return the offset at ``low`` and its changes until ``high``, found day by day."""
    first = before = _offset(zone, low)
    found: list[Change] = []
    for noon in range(low, high + DAY, DAY):
        after = _offset(zone, noon + DAY)
        if after == before:
            continue
        early, late = noon // _SECOND, (noon + DAY) // _SECOND + 1
        while late - early > 1:
            middle = (early + late) // 2
            if _offset(zone, middle * _SECOND) == before:
                early = middle
            else:
                late = middle
        found.append(Change(late * _SECOND, before, after))
        before = after
    return first, tuple(found)


def itself(value: str) -> str:
    """Return the value, unnamed."""
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one zone, between two instants that enclose all of a query's.

    ``number`` tells its columns of the facts from those of other zones.
    """

    dialect: Dialect
    zone: ZoneInfo
    low: int
    high: int
    number: int = 0

    def local(self, instant: str) -> str:
        """Return what the wall clock shows at an instant, as if it were UTC."""
        first, found = changes(self.zone, self.low, self.high)
        steps = [(one.at, one.after) for one in found]
        return f"({instant} + {self._steps(instant, first, steps)})"

    def _steps(self, value: str, first: int, steps: Sequence[tuple[int, int]]) -> str:
        """Return the offset after the last step at or before ``value``: a tree of CASEs."""
        if not steps:
            return self.dialect.big(first)
        middle = len(steps) // 2
        at, offset = steps[middle]
        below = self._steps(value, first, steps[:middle])
        above = self._steps(value, offset, steps[middle + 1 :])
        return f"CASE WHEN {value} < {self.dialect.big(at)} THEN {below} ELSE {above} END"

    def day(self, instant: str) -> str:
        """Return the local date of an instant, as a day."""
        shifted = f"{self.local(instant)} + {self.dialect.big(_SHIFT_DAYS * DAY)}"
        return f"({self.dialect.quotient(shifted, DAY)} - {self.dialect.big(_SHIFT_DAYS)})"

    def on_the_wall(self, wall: str) -> str:
        """Return the instant of a wall-clock time; one skipped by the clocks moves past the gap.

        The first of two equal times holds (PEP 495, fold 0): a change counts from the later of
        the two wall-clock times that meet in it.
        """
        first, found = changes(self.zone, self.low, self.high)
        steps = [(one.at + max(one.before, one.after), one.after) for one in found]
        return f"({wall} - {self._steps(wall, first, steps)})"

    def start_of_day(self, day: str, let: Let = itself) -> str:
        """Return the first instant of a day."""
        return self.on_the_wall(let(f"({day} * {self.dialect.big(DAY)})"))

    def add(self, instant: str, duration: Duration, let: Let = itself) -> str:
        """Return the instant ``duration`` after another one; NULL after NULL.

        ``let`` names the values on the way, so that the clocks' changes are not written into
        each other.
        """
        if isinstance(duration, Elapsed):
            delta = duration.delta // timedelta(microseconds=1)
            return f"({instant} + {self.dialect.big(delta)})"
        day = let(self.day(instant))
        if isinstance(duration, Years):
            return self.start_of_day(let(self._anniversary(day, duration.years)), let)
        return self._calendar_days(day, duration, let)

    def _calendar_days(self, day: str, duration: CalendarDays, let: Let) -> str:
        days = duration.days - duration.counts_first + duration.inclusive
        midnight = f"({day} + {self.dialect.big(days)}) * {self.dialect.big(DAY)}"
        release = self.dialect.big(_of_day(duration.release))
        return self.on_the_wall(let(f"({midnight} + {release})"))

    def _anniversary(self, day: str, years: int) -> str:
        """Return the same date years later; 29 February becomes 1 March where there is none."""
        date = self.dialect.date_of(day)
        month = f"make_date(CAST(year({date}) + {years} AS INT), CAST(month({date}) AS INT), 1)"
        return f"({self.dialect.day_of(month)} + day({date}) - 1)"

    def begins_at(self, row: str) -> str:
        """Return when a fact starts something; one known by its date starts with that day."""
        return f"{row}.begins_{self.number}"

    def releases_at(self, row: str) -> str:
        """Return when a fact ends something; one known by its date does with the next day."""
        return f"{row}.releases_{self.number}"

    def until(self, row: str) -> str:
        """Return when what a fact states is over; the day of a date belongs to it."""
        return f"{row}.ended_{self.number}"

    def fact_columns(self, let: Let) -> dict[str, str]:
        """Return the columns of facts that the three before name, over one row of facts."""
        day, last = let(self.day("occurred_at")), let(self.day("occurred_until"))
        starts = self.start_of_day(day, let)
        next_day, over = (
            self.start_of_day(f"({day} + 1)", let),
            self.start_of_day(f"({last} + 1)", let),
        )
        values = (
            f"CASE WHEN dated THEN {starts} ELSE occurred_at END",
            f"CASE WHEN dated THEN {next_day} ELSE occurred_at END",
            f"CASE WHEN dated THEN {over} ELSE occurred_until END",
        )
        return {
            f"{name}_{self.number}": value for name, value in zip(DAY_COLUMNS, values, strict=True)
        }


def _of_day(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond
