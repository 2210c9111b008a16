"""Reading incidents: those of one's units, those one may act on, and what their clocks show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from passlight.core.incidents.allowed import next_steps
from passlight.core.incidents.clocks import Due, due
from passlight.core.incidents.incident import Incident
from passlight.core.incidents.steps import Step
from passlight.office.accounts.models import Role, User
from passlight.office.accounts.roles import visible_units
from passlight.office.incidents.models import CorrectionRequest, Sight, StoredIncident
from passlight.office.incidents.plan import limits_of
from passlight.office.incidents.recording import read

_OWN_ONLY = frozenset({Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIncident:
    """An incident with its clocks at one moment: how old, which step waits, how late."""

    stored: StoredIncident
    incident: Incident
    age: timedelta
    waits: Due | None
    """The waiting step that is due first; None when nothing waits."""
    late: tuple[Due, ...]

    @property
    def is_late(self) -> bool:
        """Return whether any step is late."""
        return bool(self.late)


def incidents_visible(user: User) -> QuerySet[StoredIncident]:
    """Return the incidents that ``user`` may read.

    Those of the user's unit and below, and those that such a unit once handed over; who stands
    at a post sees what they found or were given.
    """
    seen = Sight.objects.filter(incident=OuterRef("pk"), unit__in=visible_units(user))
    rows = StoredIncident.objects.filter(Exists(seen))
    if user.role in _OWN_ONLY:
        rows = rows.filter(Q(owner=user) | Q(deputy=user) | Q(opened_by=user))
    return rows


def open_incidents(user: User) -> QuerySet[StoredIncident]:
    """Return the open incidents, the one due first at the top."""
    rows = incidents_visible(user).filter(closed_at=None)
    return rows.select_related("venue", "unit", "owner", "deputy").order_by(
        F("due_at").asc(nulls_last=True), "found_at", "pk"
    )


def closed_incidents(user: User, *, since: datetime) -> QuerySet[StoredIncident]:
    """Return the incidents closed since ``since``, newest first."""
    rows = incidents_visible(user).filter(closed_at__gte=since)
    return rows.select_related("venue", "unit").order_by("-closed_at", "pk")


def today_start(now: datetime) -> datetime:
    """Return the midnight with which this day began here."""
    local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def unacknowledged(user: User) -> QuerySet[StoredIncident]:
    """Return what was reported to the street office and nobody there has taken up."""
    rows = open_incidents(user).filter(step=Step.STREET_TOLD.value)
    return rows.order_by("street_told_at", "pk")


def corrections_visible(user: User) -> QuerySet[CorrectionRequest]:
    """Return the correction requests of the user's units, those undecided first."""
    units = visible_units(user)
    rows = CorrectionRequest.objects.filter(incident__unit__in=units)
    return rows.select_related("incident__venue", "asked_by__unit", "decided_by").order_by(
        F("decided_at").asc(nulls_first=True), "asked_at", "pk"
    )


def listed(rows: Iterable[StoredIncident], now: datetime) -> list[ListedIncident]:
    """Return incidents with their clocks, late ones first, then by age."""
    found = [_listed(stored, now) for stored in rows]
    return sorted(found, key=lambda one: (not one.late, one.stored.found_at, one.stored.pk))


def _listed(stored: StoredIncident, now: datetime) -> ListedIncident:
    incident = read(stored)
    waiting = due(incident, limits_of(stored.limits), now)
    late = tuple(one for one in waiting if one.is_late)
    possible = set(next_steps(incident))
    ready = [one for one in waiting if one.step in possible] or list(waiting)
    return ListedIncident(
        stored=stored,
        incident=incident,
        age=(stored.closed_at or now) - stored.found_at,
        waits=min(ready, key=lambda one: one.due_at, default=None),
        late=late,
    )
