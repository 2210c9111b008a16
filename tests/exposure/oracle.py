"""The definition of a trace once more, as plain loops over whole microseconds (design.md 3).

Written apart from ``core.exposure`` and from the SQL; shares nothing with either. Every case
visit meets every visit: n × m, which is what the product must never do.
"""

from typing import NamedTuple

MINUTE = 60_000_000


class Seen(NamedTuple):
    subject: str
    venue: str
    zone: str
    entered_at: int
    left_at: int


class Sick(NamedTuple):
    subject: str
    case_id: str
    infectious_from: int
    isolated_at: int | None


class Row(NamedTuple):
    case_id: str
    subject: str
    begun: int
    venue: str
    zone: str
    ended: int
    minutes: int
    direct: int


def naive(visits, cases, *, linger, least, apart=(), ventilation=None):
    """Return the rows of a trace, sorted."""
    found = []
    for case in cases:
        for mine in visits:
            if mine.subject != case.subject:
                continue
            begin = mine.entered_at
            begin = max(begin, case.infectious_from)
            end = mine.left_at
            if case.isolated_at is not None and case.isolated_at < end:
                end = case.isolated_at
            if end <= begin:
                continue
            stays = end - begin
            stays = min(stays, linger * MINUTE)
            air = end + stays * (ventilation or {}).get((mine.venue, mine.zone), 1)
            for other in visits:
                if other.subject == case.subject or (case.subject, other.subject) in apart:
                    continue
                found += meeting(case.case_id, mine.venue, mine.zone, begin, end, air, other, least)
    return sorted(found)


def meeting(case_id, venue, zone, begin, end, air, other, least):
    """Return the row of one pair, or nothing."""
    if other.venue != venue or other.zone != zone:
        return []
    first, last = max(begin, other.entered_at), min(air, other.left_at)
    if last <= first:
        return []
    minutes = (last - first) // MINUTE
    if minutes < least:
        return []
    together = min(end, other.left_at) - first
    direct = together // MINUTE if together > 0 else 0
    return [Row(case_id, other.subject, first, venue, zone, last, minutes, direct)]
