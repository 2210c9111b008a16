"""Exposures: who shared a zone's air with a case, for how many minutes (field/08 3.2, E31–E37).

The class is always ``companion``: a close contact is an investigator's finding
(``exposure.assessed``), never a machine's.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.exposure.visits import Visit
from passlight.core.exposure.window import CaseWindow
from passlight.core.kernel.calendar import local_date, next_day
from passlight.core.places.venue_code import Presence

COMPANION: Final = "companion"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One visit inside one window, over [``since``, ``until``).

    ``minutes`` is the dose, rounded down; ``lingering_minutes`` came after the case had left.
    ``certain_minutes`` is the part that does not rest on an assumed end of either visit, and
    the only one that a threshold may look at. ``presence`` is the weaker of the two.
    """

    case_id: str
    subject: str
    venue: str
    zone: str
    visit_key: str
    case_visit_key: str
    since: datetime
    until: datetime
    minutes: int
    direct_minutes: int
    certain_minutes: int
    presence: Presence
    imputed: bool

    @property
    def lingering_minutes(self) -> int:
        """Return the minutes that are not direct, so that the two always sum."""
        return self.minutes - self.direct_minutes

    def counts(self, parameters: TracingParameters) -> bool:
        """Return whether it may speak by itself: long enough for certain, and proven on site."""
        return self.certain_minutes >= parameters.minutes_min and self.presence is Presence.STRONG


def exposure_of(window: CaseWindow, visit: Visit) -> Exposure | None:
    """Return what the visit shares with the window; None when no instant is in both.

    Zones match exactly, an empty one with an empty one. The case's own visits never count.
    """
    if (window.venue, window.zone) != (visit.venue, visit.zone):
        return None
    if window.subject == visit.subject:
        return None
    since = max(window.since, visit.entered_at)
    until = min(window.until, visit.left_at)
    if until <= since:
        return None
    return Exposure(
        case_id=window.case_id,
        subject=visit.subject,
        venue=visit.venue,
        zone=visit.zone,
        visit_key=visit.key,
        case_visit_key=window.visit_key,
        since=since,
        until=until,
        minutes=_minutes(since, until),
        direct_minutes=_minutes(since, min(until, window.direct_until)),
        certain_minutes=_minutes(since, min(until, window.certain_until, visit.certain_until)),
        presence=min(window.presence, visit.presence),
        imputed=visit.imputed or window.certain_until < window.until,
    )


def exposures_of(
    windows: Iterable[CaseWindow],
    visits: Iterable[Visit],
    *,
    minutes_min: int,
    household: Mapping[str, Collection[str]] | None = None,
) -> list[Exposure]:
    """Return every exposure of at least ``minutes_min`` minutes, in the order of a trace.

    ``household`` names, by case subject, the people who live with them: they are known by
    their relation and are not found a second time (E37). This is for few people at a time;
    ``passlight.city.trace`` does the same for everyone.
    """
    by_place: dict[tuple[str, str], list[CaseWindow]] = {}
    for window in windows:
        by_place.setdefault((window.venue, window.zone), []).append(window)
    apart = household or {}
    found = []
    for visit in visits:
        for window in by_place.get((visit.venue, visit.zone), ()):
            if visit.subject in apart.get(window.subject or "", ()):
                continue
            exposure = exposure_of(window, visit)
            if exposure is not None and exposure.minutes >= minutes_min:
                found.append(exposure)
    return sorted(found, key=trace_order)


def trace_order(exposure: Exposure) -> tuple[str, str, datetime, str, str, datetime, str, str]:
    """Return the sort key of a trace: case, subject, start, venue, zone, then what is left."""
    return (
        exposure.case_id,
        exposure.subject,
        exposure.since,
        exposure.venue,
        exposure.zone,
        exposure.until,
        exposure.case_visit_key,
        exposure.visit_key,
    )


def dose_order(exposure: Exposure) -> tuple[int, int, str, str, datetime, str, str]:
    """Return the sort key by dose: most minutes first, then most of them direct."""
    return (
        -exposure.minutes,
        -exposure.direct_minutes,
        exposure.case_id,
        exposure.subject,
        exposure.since,
        exposure.venue,
        exposure.zone,
    )


def minutes_by_day(
    since: datetime, until: datetime, *, timezone: ZoneInfo
) -> Iterator[tuple[date, int]]:
    """Yield the minutes of each local day; they sum to those of the whole (E35).

    A day has the whole minutes that were full by its end and not by its beginning, so nothing
    is lost to rounding twice.
    """
    begun, counted = since, 0
    while begun < until:
        end = min(until, next_day(begun, zone=timezone))
        full = _minutes(since, end)
        yield local_date(begun, zone=timezone), full - counted
        begun, counted = end, full


def _minutes(since: datetime, until: datetime) -> int:
    return max(timedelta(0), until - since) // _MINUTE
