"""Reading halls: zones, who is inside, who is on duty."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from passlight.core.entry.zone_limits import zone_limits
from passlight.core.places.hall import DutyRole, HallState, ZoneKind
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.halls.door import door_document
from passlight.office.halls.finding import hall_of_venue, halls_visible, zone_of_entrance
from passlight.office.halls.models import DoorHolding, Duty, Hall, Lease, Zone
from passlight.office.halls.plans import resolved_plan, unit_plan
from passlight.office.records.models import Record

# What other parts ask halls, in one place.
__all__ = [
    "OnDuty",
    "Stay",
    "ZoneOccupancy",
    "door_document",
    "duties_of",
    "hall_of_venue",
    "halls_visible",
    "occupancy",
    "on_duty",
    "people_in_zone",
    "resolved_plan",
    "unit_plan",
    "zone_of_entrance",
]
_ROLES = {
    DutyRole.DUTY_LEADER: Role.DUTY_LEADER,
    DutyRole.STREET_OFFICE: Role.STREET_OFFICE,
    DutyRole.LEADING_GROUP: Role.DISTRICT_OFFICE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOccupancy:
    """A zone at one moment. ``cap`` None: no limit; ``lent``: places that doors may still use."""

    zone: Zone
    inside: int
    cap: int | None
    lent: int
    heard_at: datetime | None
    """When the door that was silent longest was last heard of; None without doors."""

    @property
    def percent(self) -> int:
        """Return how full it is, 0…100."""
        return min(100, 100 * self.inside // self.cap) if self.cap else 0

    @property
    def room(self) -> int:
        """Return how many more it holds; 0 without a limit, too."""
        return max(0, (self.cap or 0) - self.inside)

    @property
    def is_full(self) -> bool:
        """Return whether nobody more may come in."""
        return self.cap is not None and self.inside >= self.cap


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who has to act for a unit: the first, then everybody after them, up the tree.

    ``owner`` None: nobody at all, which the district must be told.
    """

    owner: User | None
    deputies: tuple[User, ...] = ()
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay in a zone, by the pseudonym of visits; ``until`` None: still there."""

    visits_key: str
    since: datetime
    until: datetime | None


def occupancy(hall: Hall, at: datetime) -> list[ZoneOccupancy]:
    """Return how many are in each zone that counts people, the hall itself first."""
    plan = resolved_plan(hall, at)
    counted = [zone for zone in hall.zones.all() if ZoneKind(zone.kind).counts]
    counted.sort(key=lambda zone: zone.kind != ZoneKind.HALL)
    here = Q(opened_at__lte=at) & (Q(closed_at=None) | Q(closed_at__gt=at))
    inside = dict(
        Lease.objects.filter(here, zone__in=counted).values_list("zone").annotate(n=Count("id"))
    )
    holdings = DoorHolding.objects.filter(zone__in=counted)
    lent = dict(holdings.values_list("zone").annotate(n=Sum("lent")))
    own = dict(holdings.values_list("zone").annotate(n=Sum("standing")))
    own_used = dict(
        Lease.objects.filter(closed_at=None, own_of__isnull=False, zone__in=counted)
        .values_list("zone")
        .annotate(n=Count("id"))
    )
    heard: dict[int, datetime] = {}
    for zone_id, seen_at in holdings.values_list("zone", "seen_at"):
        heard[zone_id] = min(seen_at, heard.get(zone_id, seen_at))
    return [
        ZoneOccupancy(
            zone=zone,
            inside=inside.get(zone.pk, 0),
            cap=zone_limits(
                plan.values, zone=zone.code, zone_cap=zone.cap, state=HallState(hall.state)
            ).cap,
            lent=lent.get(zone.pk, 0) + max(0, own.get(zone.pk, 0) - own_used.get(zone.pk, 0)),
            heard_at=heard.get(zone.pk),
        )
        for zone in counted
    ]


def people_in_zone(zone: Zone, at: datetime) -> list[Stay]:
    """Return whose stay in ``zone`` covers ``at``, by the records of its doors.

    A stay ends with its exit's record, else when its lease ended, else when the plan's longest
    stay is over: somebody who may have been there is named rather than left out.
    """
    hall = zone.hall
    doors = [
        entrance.code
        for entrance in hall.venue.entrances.all()
        if zone_of_entrance(hall, entrance.zone) == zone
    ]
    plan = resolved_plan(hall, at)
    limits = zone_limits(
        plan.values, zone=zone.code, zone_cap=zone.cap, state=HallState(hall.state)
    )
    stay = timedelta(seconds=limits.stay_seconds)
    admits = Record.objects.filter(
        venue_id=hall.venue_id,
        kind="admit",
        entrance__in=doors,
        visits_key__isnull=False,
        occurred_at__gt=at - stay,
        occurred_at__lte=at,
    )
    found = list(admits.values_list("visits_key", "occurred_at", "payload__entry__lease"))
    ends = _ends(hall, [lease for _, _, lease in found if lease])
    stays = [
        Stay(visits_key=key, since=since, until=ends.get(lease))
        for key, since, lease in found
        if key is not None
    ]
    return [one for one in stays if one.until is None or one.until > at]


def _ends(hall: Hall, leases: list[str]) -> dict[str, datetime]:
    """Return when those of ``leases`` that have ended did; an exit's record knows best."""
    closed = Lease.objects.filter(pk__in=leases, closed_at__isnull=False)
    ends = {
        str(lease): closed_at
        for lease, closed_at in closed.values_list("id", "closed_at")
        if closed_at is not None
    }
    exits = Record.objects.filter(
        venue_id=hall.venue_id, kind="exit", payload__entry__lease__in=leases
    )
    ends.update(exits.values_list("payload__entry__lease", "occurred_at"))
    return ends


def on_duty(unit: Unit, role: str, at: datetime) -> OnDuty:
    """Return who has to act for ``unit`` in ``role``, and who after them, up the tree.

    The roster of the unit itself comes first, then that of each unit above. Where no roster
    names anybody, those whose role in the office it is, nearest first. Locked users are passed
    over: a village with nobody on duty still gets through (issue 3, 5).
    """
    role = DutyRole(role)
    chain = _upwards(unit)
    found: dict[int, tuple[User, Unit]] = {}
    for one in chain:
        for duty in _duties(one, role, at):
            for user in (duty.user, duty.deputy):
                if user is not None and user.is_active:
                    found.setdefault(user.pk, (user, one))
    for one in chain:
        for user in User.objects.filter(unit=one, role=_ROLES[role], locked_at=None).order_by("id"):
            found.setdefault(user.pk, (user, one))
    people = list(found.values())
    if not people:
        return OnDuty(owner=None)
    return OnDuty(
        owner=people[0][0], unit=people[0][1], deputies=tuple(user for user, _ in people[1:])
    )


def duties_of(units: Iterable[Unit], since: datetime) -> QuerySet[Duty]:
    """Return the duties of ``units`` that end after ``since``, in order."""
    return (
        Duty.objects.filter(unit__in=list(units), ends_at__gt=since, withdrawn_at=None)
        .select_related("unit", "user", "deputy")
        .order_by("starts_at", "role", "id")
    )


def _duties(unit: Unit, role: DutyRole, at: datetime) -> QuerySet[Duty]:
    """Return who is on the roster, the latest entry first: a swap is a new row."""
    return (
        Duty.objects.filter(
            unit=unit, role=role.value, starts_at__lte=at, ends_at__gt=at, withdrawn_at=None
        )
        .select_related("user", "deputy")
        .order_by("-added_at", "-id")
    )


def _upwards(unit: Unit) -> list[Unit]:
    """Return the unit and those above it, the nearest first."""
    numbers = [int(part) for part in unit.path.strip("/").split("/")]
    known = Unit.objects.in_bulk(numbers)
    return [known[number] for number in reversed(numbers)]
