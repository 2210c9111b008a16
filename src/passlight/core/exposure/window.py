"""Windows: when somebody infects others, and when a zone is dangerous because of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from passlight.core.exposure.parameters import TracingParameters, Ventilation
from passlight.core.exposure.visits import Visit
from passlight.core.kernel.interval import Interval, later, sooner
from passlight.core.places.venue_code import Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An infected person and the half-open time in which they infect others."""

    case_id: str
    subject: str
    infectious: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWindow:
    """A zone while a case was in it, and the time after that the air lingers.

    ``direct_until`` ends the presence, ``until`` the lingering. ``certain_until`` and
    ``certain_direct_until`` are the same for what is certain of an imputed visit.
    ``subject`` is None in a window that was published: it names no person.
    """

    case_id: str
    subject: str | None
    venue: str
    zone: str
    since: datetime
    direct_until: datetime
    until: datetime
    certain_direct_until: datetime
    certain_until: datetime
    presence: Presence = Presence.STRONG
    visit_key: str = ""


def infectious_window(
    *,
    onset_at: datetime | None,
    sampled_at: datetime | None,
    isolated_at: datetime | None,
    parameters: TracingParameters,
) -> Interval:
    """Return the time from the lead before onset or sampling until isolation.

    With both known the earlier counts: who was found positive before any symptom infected
    others before the sample. Not isolated yet is without an end.
    """
    first = sooner(onset_at, sampled_at)
    assert first is not None, "a case has an onset or a sample"
    return Interval(first - timedelta(hours=parameters.lead_hours), isolated_at)


def case_windows(
    case: Case,
    visits: Iterable[Visit],
    *,
    parameters: TracingParameters,
    ventilation: Callable[[str, str], Ventilation] = lambda _venue, _zone: Ventilation.NORMAL,
) -> list[CaseWindow]:
    """Return a window for each visit of the case within the infectious time, in order.

    The visit is cut to that time first; what lingers is as long as what is left of it, at most
    ``linger_minutes``, times the ventilation, and is not cut again: air is not isolated.
    """
    windows = []
    for visit in visits:
        if visit.subject != case.subject:
            continue
        since = later(case.infectious.start, visit.entered_at)
        end = sooner(case.infectious.end, visit.left_at)
        assert since is not None
        assert end is not None
        if end <= since:
            continue
        certain = max(since, min(end, visit.certain_until))
        factor = ventilation(visit.venue, visit.zone)
        windows.append(
            CaseWindow(
                case_id=case.case_id,
                subject=case.subject,
                venue=visit.venue,
                zone=visit.zone,
                since=since,
                direct_until=end,
                until=end + _linger(end - since, factor, parameters),
                certain_direct_until=certain,
                certain_until=certain + _linger(certain - since, factor, parameters),
                presence=visit.presence,
                visit_key=visit.key,
            )
        )
    return sorted(windows, key=lambda window: (window.since, window.venue, window.visit_key))


def published_window(
    *, case_id: str, venue: str, zone: str, since: datetime, until: datetime
) -> CaseWindow:
    """Return a window as a health office published it: its lingering is in it already."""
    return CaseWindow(
        case_id=case_id,
        subject=None,
        venue=venue,
        zone=zone,
        since=since,
        direct_until=until,
        until=until,
        certain_direct_until=until,
        certain_until=until,
    )


def _linger(stay: timedelta, ventilation: Ventilation, parameters: TracingParameters) -> timedelta:
    return min(stay, timedelta(minutes=parameters.linger_minutes)) * ventilation.value
