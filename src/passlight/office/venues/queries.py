"""Reading venues: lists inside the user's units, and what was recorded today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.records.models import Record
from passlight.office.venues.models import Venue

CHECKIN, SCAN = "checkin", "verification"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFilter:
    """What a list of venues is narrowed to."""

    query: str = ""
    kind: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What doors recorded since midnight; a number that is 0 was counted, too."""

    checkins: int = 0
    scans: int = 0
    admitted: int = 0
    asked: int = 0
    stopped: int = 0


def venues_visible(user: User) -> QuerySet[Venue]:
    """Return the venues of the user's unit and below."""
    return Venue.objects.filter(unit__in=visible_units(user)).select_related("unit")


def venues_listed(user: User, wanted: VenueFilter) -> QuerySet[Venue]:
    """Return the venues that match, by name, with the number of their open entrances."""
    rows = venues_visible(user).annotate(
        open_entrances=Count("entrances", filter=Q(entrances__active=True))
    )
    if wanted.query:
        text = wanted.query
        rows = rows.filter(
            Q(name__icontains=text) | Q(name_en__icontains=text) | Q(address__icontains=text)
        )
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.state:
        rows = rows.filter(active=wanted.state == "active")
    return rows.order_by("name", "id")


def checkins_today(venues: Iterable[UUID], *, clock: Clock) -> dict[UUID, int]:
    """Return how many check-ins each of ``venues`` had since midnight; none is no entry."""
    rows = (
        _since_midnight(clock)
        .filter(venue_id__in=list(venues), kind=CHECKIN)
        .values_list("venue_id")
        .annotate(number=Count("key"))
    )
    return {venue_id: number for venue_id, number in rows if venue_id is not None}


def today_at(venue: Venue, *, clock: Clock) -> tuple[Today, dict[str, Today]]:
    """Return what was recorded since midnight: at the venue, and at each entrance."""
    rows = (
        _since_midnight(clock)
        .filter(venue_id=venue.pk)
        .values_list("entrance", "kind")
        .annotate(number=Count("key"))
    )
    by_entrance: dict[str, dict[str, int]] = {}
    for entrance, kind, number in rows:
        by_entrance.setdefault(entrance, {})[kind] = number
    total: dict[str, int] = {}
    for counts in by_entrance.values():
        for kind, number in counts.items():
            total[kind] = total.get(kind, 0) + number
    return _today(total), {entrance: _today(counts) for entrance, counts in by_entrance.items()}


def _since_midnight(clock: Clock) -> QuerySet[Record]:
    zone = ZoneInfo(settings.TIME_ZONE)
    today = clock.now().astimezone(zone).date()
    return Record.objects.filter(occurred_at__gte=datetime.combine(today, time(), zone))


def _today(counts: dict[str, int]) -> Today:
    return Today(
        checkins=counts.get(CHECKIN, 0),
        scans=counts.get(SCAN, 0),
        admitted=counts.get("admit", 0),
        asked=counts.get("ask", 0),
        stopped=counts.get("refuse", 0) + counts.get("isolate", 0),
    )
