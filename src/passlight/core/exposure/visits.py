"""Visits from check-ins: who was where from when to when, and how sure that is (E33, E34).

Few people scan when they leave. A visit whose end nobody recorded gets the usual stay of its
kind of venue, ends at the latest with the next check-in or the closing hour, and says that it
was imputed; only its certain part may be held against anybody.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.kernel.calendar import local_date, local_instant
from passlight.core.places.venue import VenueClass
from passlight.core.places.venue_code import Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCheckIn:
    """Somebody came in; ``key`` names the record it was read from and is unique."""

    key: str
    subject: str
    venue: str
    zone: str
    at: datetime
    presence: Presence = Presence.STRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCheckOut:
    """Somebody went out of a venue."""

    subject: str
    venue: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One person in one zone over [``entered_at``, ``left_at``).

    ``certain_until`` is the end of what is known: the check-out, else the shortest stay.
    ``imputed``: nobody recorded the end. ``overlapped``: it was cut where the same person
    checked in elsewhere before leaving, so one of the two records is wrong (E34).
    """

    key: str
    subject: str
    venue: str
    zone: str
    entered_at: datetime
    left_at: datetime
    certain_until: datetime
    presence: Presence = Presence.STRONG
    imputed: bool = False
    overlapped: bool = False

    def __post_init__(self) -> None:
        assert self.entered_at <= self.certain_until <= self.left_at, self


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueHours:
    """What tracing knows of a venue: its class, and the local time when it closes, if it does."""

    kind: VenueClass
    closes: time | None = None


def recorded_visit(
    *, key: str, subject: str, venue: str, zone: str, entered_at: datetime, left_at: datetime
) -> Visit:
    """Return a visit of which both ends were recorded."""
    return Visit(
        key=key,
        subject=subject,
        venue=venue,
        zone=zone,
        entered_at=entered_at,
        left_at=left_at,
        certain_until=left_at,
    )


def visits_of(
    check_ins: Iterable[VenueCheckIn],
    check_outs: Iterable[VenueCheckOut] = (),
    *,
    hours: Callable[[str], VenueHours],
    parameters: TracingParameters,
    timezone: ZoneInfo,
) -> list[Visit]:
    """Return one visit a check-in, sorted by subject, time and key.

    ``hours`` answers for a venue. The order in which the records come does not matter. A
    check-out without a check-in before it says nothing about when somebody came, and counts
    for nothing. Two check-ins of one instant leave the first, by key, an empty visit.
    """
    by_person: dict[str, list[VenueCheckIn]] = defaultdict(list)
    for check_in in check_ins:
        by_person[check_in.subject].append(check_in)
    left: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for check_out in check_outs:
        left[check_out.subject, check_out.venue].append(check_out.at)
    for times in left.values():
        times.sort()
    visits: list[Visit] = []
    for subject in sorted(by_person):
        ordered = sorted(by_person[subject], key=lambda check_in: (check_in.at, check_in.key))
        visits.extend(_of_person(ordered, left, hours, parameters, timezone))
    return visits


def _of_person(
    ordered: Sequence[VenueCheckIn],
    left: Mapping[tuple[str, str], Sequence[datetime]],
    hours: Callable[[str], VenueHours],
    parameters: TracingParameters,
    timezone: ZoneInfo,
) -> Iterator[Visit]:
    stay_max = timedelta(hours=parameters.stay_hours_max)
    again = _next_at_venue(ordered)
    for check_in, following in pairwise([*ordered, None]):
        assert check_in is not None
        limit = check_in.at + stay_max
        back = again[check_in.key]
        if back is not None:
            limit = min(limit, back)
        out = next(
            (
                at
                for at in left.get((check_in.subject, check_in.venue), ())
                if check_in.at < at <= limit
            ),
            None,
        )
        moved_at = following.at if following is not None else None
        if out is not None:
            yield _recorded(check_in, out, moved_at)
        else:
            yield _imputed(check_in, moved_at, hours(check_in.venue), parameters, timezone)


def _next_at_venue(ordered: Sequence[VenueCheckIn]) -> dict[str, datetime | None]:
    """Return when the same person next came into the same venue, by check-in."""
    coming: dict[str, datetime] = {}
    found: dict[str, datetime | None] = {}
    for check_in in reversed(ordered):
        found[check_in.key] = coming.get(check_in.venue)
        coming[check_in.venue] = check_in.at
    return found


def _recorded(check_in: VenueCheckIn, out: datetime, moved_at: datetime | None) -> Visit:
    overlapped = moved_at is not None and moved_at < out
    end = moved_at if overlapped and moved_at is not None else out
    return _visit(check_in, end, end, imputed=False, overlapped=overlapped)


def _imputed(
    check_in: VenueCheckIn,
    moved_at: datetime | None,
    hours: VenueHours,
    parameters: TracingParameters,
    timezone: ZoneInfo,
) -> Visit:
    dwell = parameters.dwell[hours.kind]
    end = check_in.at + timedelta(
        minutes=min(dwell.usual_minutes, parameters.stay_hours_max * 60),
    )
    if moved_at is not None:
        end = min(end, moved_at)
    if hours.closes is not None:
        end = min(end, _closing_after(check_in.at, hours.closes, timezone))
    certain = min(end, check_in.at + timedelta(minutes=dwell.certain_minutes))
    return _visit(check_in, end, certain, imputed=True, overlapped=False)


def _closing_after(instant: datetime, closes: time, timezone: ZoneInfo) -> datetime:
    """Return the first closing after ``instant``; who comes later stays to the next one."""
    day = local_date(instant, zone=timezone)
    closing = local_instant(day, closes, zone=timezone)
    if closing <= instant:
        closing = local_instant(day + timedelta(days=1), closes, zone=timezone)
    return closing


def _visit(
    check_in: VenueCheckIn, end: datetime, certain: datetime, *, imputed: bool, overlapped: bool
) -> Visit:
    return Visit(
        key=check_in.key,
        subject=check_in.subject,
        venue=check_in.venue,
        zone=check_in.zone,
        entered_at=check_in.at,
        left_at=end,
        certain_until=certain,
        presence=check_in.presence,
        imputed=imputed,
        overlapped=overlapped,
    )
