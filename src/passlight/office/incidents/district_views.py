"""The overview of a district or a street: halls by state, open incidents by age, today's counts."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from passlight.core.incidents.steps import FindingKind
from passlight.core.places.hall import HallState, ZoneKind
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import requires, signed_in_user
from passlight.office.halls.models import Hall
from passlight.office.halls.queries import halls_visible, occupancy
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.queries import (
    ListedIncident,
    corrections_visible,
    incidents_visible,
    listed,
    open_incidents,
)
from passlight.office.incidents.wording import masked_user, named, step_words
from passlight.office.pages.formats import amount_of_time
from passlight.office.pages.language import current_language, message
from passlight.office.records.models import Record
from passlight.runtime.clock import SystemClock

HALLS_A_PAGE = 30
INCIDENTS_SHOWN = 12
BAR_START, BAR_LONGEST, BAR_GAP = 112, 170, 8
BAR_STEP = 28
COLOURS = frozenset({"red", "yellow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What waits at one venue: open incidents, how many are late, and since when the oldest is."""

    open: int = 0
    late: int = 0
    due_first: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HallLine:
    """One hall as the overview shows it."""

    hall: Hall
    name: str
    unit: str
    load: Load
    admitted: int
    refused: int
    late: str

    @property
    def needs_attention(self) -> bool:
        """Return whether something is late or open, or the hall is not simply open."""
        return bool(self.load.open) or self.hall.state != HallState.OPEN.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the chart of today's incidents, in the chart's own units."""

    kind: str
    name: str
    count: int
    width: int
    y: int
    fill: str

    @property
    def text_x(self) -> int:
        """Return where the count stands: behind the bar."""
        return BAR_START + self.width + BAR_GAP


@require_safe
@requires("incidents.overview")
def district(request: HttpRequest) -> HttpResponse:
    """Show the halls of the user's units: what needs attention first, then all of them."""
    user, now = signed_in_user(request), SystemClock().now()
    lines = _lines(user, now)
    shown = lines if request.GET.get("show") == "all" else [x for x in lines if x.needs_attention]
    page = Paginator(shown, HALLS_A_PAGE).get_page(request.GET.get("page"))
    states = Counter(line.hall.state for line in lines)
    open_rows = open_incidents(user)
    context = {
        "rows": [_with_room(line, now) for line in page.object_list],
        "page": page,
        "everything": request.GET.get("show") == "all",
        "attention": sum(line.needs_attention for line in lines),
        "halls": len(lines),
        "states": {state.value: states.get(state.value, 0) for state in HallState},
        "open_count": open_rows.count(),
        "late_count": open_rows.filter(due_at__lt=now).count(),
        "corrections": corrections_visible(user).filter(decided_at=None).count(),
        "incidents": _incidents(open_rows, now),
        **_today(user, lines, now),
    }
    return render(request, "incidents/district.html", context)


def _lines(user: User, now: datetime) -> list[HallLine]:
    """Return all halls: late incidents first, the latest at the top, then by state and name."""
    halls = list(halls_visible(user))
    venues = [hall.venue_id for hall in halls]
    loads = _loads(open_incidents(user), now)
    counts = _counts(venues, now)
    lines = [_line(hall, loads.get(hall.venue_id, Load()), counts, now) for hall in halls]
    order = {HallState.CLOSED.value: 0, HallState.LIMITED.value: 1, HallState.OPEN.value: 2}
    lines.sort(
        key=lambda line: (
            not line.load.late,
            line.load.due_first or now,
            order[line.hall.state],
            -line.load.open,
            line.hall.venue.name,
        )
    )
    return lines


def _line(hall: Hall, load: Load, counts: dict[tuple[UUID, str], int], now: datetime) -> HallLine:
    english = current_language() == "en"
    unit = hall.venue.unit
    late = now - load.due_first if load.late and load.due_first else None
    return HallLine(
        hall=hall,
        name=named(hall.venue)[current_language()],
        unit=unit.name_en if english else unit.name,
        load=load,
        admitted=counts.get((hall.venue_id, "admit"), 0),
        refused=counts.get((hall.venue_id, "refuse"), 0),
        late=amount_of_time(late, current_language()) if late is not None else "",
    )


def _with_room(line: HallLine, now: datetime) -> dict[str, Any]:
    """Return a line with how full its hall is; asked only for the lines that are shown."""
    zones = occupancy(line.hall, now)
    main = next((zone for zone in zones if zone.zone.kind == ZoneKind.HALL.value), None)
    return {
        "line": line,
        "room": main or next(iter(zones), None),
        "state": message(f"overview.state.{line.hall.state}"),
        "url": reverse("halls:detail", args=[line.hall.pk]),
    }


def _loads(rows: QuerySet[StoredIncident], now: datetime) -> dict[UUID, Load]:
    found = (
        rows.order_by()
        .values("venue")
        .annotate(open=Count("pk"), late=Count("pk", filter=Q(due_at__lt=now)), first=Min("due_at"))
    )
    return {
        row["venue"]: Load(open=row["open"], late=row["late"], due_first=row["first"])
        for row in found
    }


def _counts(venues: Iterable[UUID], now: datetime) -> dict[tuple[UUID, str], int]:
    """Return what doors decided since midnight, by venue and outcome."""
    rows = (
        Record.objects.filter(
            venue_id__in=list(venues),
            occurred_at__gte=_midnight(now),
            kind__in=["admit", "ask", "refuse", "isolate"],
        )
        .values_list("venue_id", "kind")
        .annotate(number=Count("key"))
    )
    return {(venue, kind): number for venue, kind, number in rows if venue is not None}


def _today(user: User, lines: Iterable[HallLine], now: datetime) -> dict[str, Any]:
    """Return today's figures: who came in, what was found, how fast it was reported."""
    found = incidents_visible(user).filter(found_at__gte=_midnight(now))
    kinds = Counter(found.values_list("kind", flat=True))
    told = [
        told_at - isolated_at
        for isolated_at, told_at in found.filter(
            isolated_at__isnull=False, street_told_at__isnull=False
        ).values_list("isolated_at", "street_told_at")
        if isolated_at is not None and told_at is not None
    ]
    minutes = [max(0, length // timedelta(minutes=1)) for length in told]
    return {
        "admitted": sum(line.admitted for line in lines),
        "refused": sum(line.refused for line in lines),
        "bars": _bars(kinds),
        "bars_height": BAR_STEP * len(FindingKind),
        "found_today": sum(kinds.values()),
        "median": round(statistics.median(minutes)) if minutes else None,
        "slowest": max(minutes, default=None),
    }


def _bars(kinds: Counter[str]) -> list[Bar]:
    """Return a bar a kind, zero drawn as zero; only red and yellow have a status colour."""
    most = max(kinds.values(), default=0)
    return [
        Bar(
            kind=kind.value,
            name=message(f"incidents.kind_word.{kind.value}"),
            count=kinds.get(kind.value, 0),
            width=BAR_LONGEST * kinds.get(kind.value, 0) // most if most else 0,
            y=BAR_STEP * place,
            fill=f"var(--st-{kind.value})" if kind.value in COLOURS else "var(--c1)",
        )
        for place, kind in enumerate(FindingKind)
    ]


def _incidents(rows: QuerySet[StoredIncident], now: datetime) -> list[dict[str, Any]]:
    """Return the open incidents that are due first, those that are late at the top, by age."""
    shown = listed(rows[:INCIDENTS_SHOWN], now)
    return [_incident(one, now) for one in shown]


def _incident(one: ListedIncident, now: datetime) -> dict[str, Any]:
    language = current_language()
    following = one.late[0] if one.late else one.waits
    return {
        "stored": one.stored,
        "venue": named(one.stored.venue)[language],
        "age": amount_of_time(one.age, language),
        "step": step_words(following.step)[language] if following else "",
        "late": amount_of_time(now - following.due_at, language)
        if following and one.is_late
        else "",
        "left": amount_of_time(following.due_at - now, language)
        if following and not one.is_late
        else "",
        "owner": masked_user(one.stored.owner)[language],
        "deputy": masked_user(one.stored.deputy)[language] if one.stored.deputy else "",
    }


def _midnight(now: datetime) -> datetime:
    zone = ZoneInfo(settings.TIME_ZONE)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)
