"""Short ways to say visits and cases in tests; times of 2022-03-01 in Shanghai are ``HH:MM``."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.exposure.visits import (
    VenueCheckIn,
    VenueCheckOut,
    VenueHours,
    Visit,
    recorded_visit,
    visits_of,
)
from passlight.core.exposure.window import Case, CaseWindow, case_windows
from passlight.core.kernel.interval import Interval
from passlight.core.places.venue import VenueClass
from passlight.core.places.venue_code import Presence

SHANGHAI = ZoneInfo("Asia/Shanghai")
USUAL = TracingParameters()


def t(text: str) -> datetime:
    """``10:30``, ``10:30:59``, or ``1 00:20`` for the day after."""
    day, _, clock = text.rpartition(" ")
    moment = datetime.fromisoformat(f"2022-03-01T{clock}+08:00")
    return moment + timedelta(days=int(day or 0))


def stay(subject: str, begin: str, end: str, venue: str = "v", zone: str = "z") -> Visit:
    return recorded_visit(
        key=f"{subject}@{begin}",
        subject=subject,
        venue=venue,
        zone=zone,
        entered_at=t(begin),
        left_at=t(end),
    )


def infected(begin: str = "-3 00:00", end: str | None = None, subject: str = "case") -> Case:
    return Case(
        case_id="17", subject=subject, infectious=Interval(t(begin), t(end) if end else None)
    )


def windows(*visits: Visit, case: Case | None = None, **options: object) -> list[CaseWindow]:
    options.setdefault("parameters", USUAL)
    return case_windows(case or infected(), visits, **options)


def came(subject: str, at: str, venue: str = "v", zone: str = "z", **more: object) -> VenueCheckIn:
    more.setdefault("presence", Presence.STRONG)
    return VenueCheckIn(
        key=f"{subject}@{at}@{venue}", subject=subject, venue=venue, zone=zone, at=t(at), **more
    )


def went(subject: str, at: str, venue: str = "v") -> VenueCheckOut:
    return VenueCheckOut(subject=subject, venue=venue, at=t(at))


def visited(
    *records: VenueCheckIn | VenueCheckOut,
    hours: VenueHours | None = None,
    parameters: TracingParameters = USUAL,
    timezone: ZoneInfo = SHANGHAI,
) -> list[Visit]:
    known = hours or VenueHours(kind=VenueClass.HALL)
    return visits_of(
        [record for record in records if isinstance(record, VenueCheckIn)],
        [record for record in records if isinstance(record, VenueCheckOut)],
        hours=lambda _venue: known,
        parameters=parameters,
        timezone=timezone,
    )
