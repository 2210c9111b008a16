"""Chains of facts: when the n-th link of a chain is there, and which facts are its links.

Facts come to be known in the order in which they *count*, and a chain is read in the order in
which they were *measured*: its n-th link is reached with the first fact after which a chain of
those known so far is that long. Read anew for each fact, a person's chain would cost the square
of their facts; here only what one more fact can have changed is read again.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from passlight.core.facts.dates import is_dated
from passlight.core.kernel.calendar import local_date
from passlight.core.status.reading import Counted

Event = tuple[Counted, bool]
"""A fact, and whether it empties the chain; of one instant, it does so after the links."""
Chain = tuple[datetime | None, list[Counted]]
"""When a chain is long enough, and its links; None: not, and the links that it has."""

_MEASURED = itemgetter(0)


def spaced(
    events: Sequence[Event], *, apart: Callable[[datetime], datetime] | None, wanted: int
) -> Chain:
    """Return the chain in which each link is far enough from the one before; None: any is.

    ``events`` are in the order of counting; ``apart`` tells from when on the next link counts.
    """
    seen: list[tuple[datetime, int]] = []
    resets: list[datetime] = []
    last: list[tuple[datetime, int]] = []
    for index, ((measured, counts, _), empties) in enumerate(events):
        key = (measured, index)
        if empties:
            insort(resets, measured)
            part = bisect_right(resets, measured)
        else:
            insort(seen, key)
            part = bisect_left(resets, measured)
        if part == len(resets) and not empties and seen[-1] == key:
            # Mostly a fact is measured after all that are known: it is the next link or none.
            links = last
            if not last or apart is None or measured >= apart(last[-1][0]):
                last.append(key)
        else:
            links = _links(seen, resets, part, apart=apart, wanted=wanted)
            if part == len(resets):
                last = links
        if len(links) >= wanted:
            return counts, [events[place][0] for _, place in links]
    return None, [events[place][0] for _, place in last]


def _links(
    seen: list[tuple[datetime, int]],
    resets: list[datetime],
    part: int,
    *,
    apart: Callable[[datetime], datetime] | None,
    wanted: int,
) -> list[tuple[datetime, int]]:
    """Return the chain between two resets, at most ``wanted`` links; each is found by halving."""
    place = bisect_right(seen, resets[part - 1], key=_MEASURED) if part else 0
    end = len(seen)
    if part < len(resets):
        end = bisect_right(seen, resets[part], key=_MEASURED)
    links: list[tuple[datetime, int]] = []
    while place < end and len(links) < wanted:
        link = seen[place]
        links.append(link)
        place += 1
        if apart is not None:
            place = bisect_left(seen, apart(link[0]), place, end, key=_MEASURED)
    return links


Row = tuple[date | None, int]
"""The date of the last fact of a row of days, and how many days the row has so far."""

_NO_ROW: Row = (None, 0)


def in_a_row(events: Sequence[Event], *, zone: ZoneInfo, wanted: int) -> Chain:
    """Return the chain of facts on consecutive local dates; ``events`` are in order of counting.

    A row after a fact is known from the row before it and its date. One more fact is put in its
    place, and rows are worked out from there on until one is what it was.
    """
    seen: list[tuple[datetime, bool, int]] = []
    rows: list[Row | None] = []
    days: list[date] = []
    for index, (one, empties) in enumerate(events):
        key = (one[0], empties, index)
        start = bisect_left(seen, key)
        seen.insert(start, key)
        rows.insert(start, None)
        days.append(day_of(one, zone))
        row = rows[start - 1] if start else _NO_ROW
        for place in range(start, len(seen)):
            _, emptied, number = seen[place]
            row = _NO_ROW if emptied else _extended(row, days[number])
            if row == rows[place]:
                break
            rows[place] = row
            if row[1] >= wanted:
                return one[1], [events[link][0] for link in _days(seen, rows, place)]
    return None, [events[link][0] for link in _days(seen, rows, len(seen) - 1)]


def _extended(row: Row | None, day: date) -> Row:
    """Return the row after a fact of ``day``: longer, as long on the same date, or begun anew."""
    assert row is not None, "the row before a place is worked out before that place"
    last, length = row
    passed = (day - last).days if last is not None else None
    if passed == 0:
        return row
    return (day, length + 1) if passed == 1 else (day, 1)


def _days(seen: list[tuple[datetime, bool, int]], rows: list[Row | None], place: int) -> list[int]:
    """Return the first fact of each day of the row that ends at ``place``."""
    links: list[int] = []
    while place >= 0 and rows[place] != _NO_ROW:
        row = rows[place]
        while place and rows[place - 1] == row:
            place -= 1
        links.append(seen[place][2])
        if row is not None and row[1] == 1:
            break
        place -= 1
    return links[::-1]


def day_of(one: Counted, zone: ZoneInfo) -> date:
    """Return the local date of a fact; one known by its date is measured as that day ends."""
    measured, _, fact = one
    day = local_date(measured, zone=zone)
    return day - timedelta(days=1) if is_dated(fact) else day
