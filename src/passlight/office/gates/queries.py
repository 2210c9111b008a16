"""Reading the fleet: devices inside the user's units, how they are, and what was raised."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.gates.models import GateAlarm, GateDevice, GateReport
from passlight.office.venues.models import Entrance

SILENT = timedelta(minutes=5)
STALE = timedelta(minutes=10)
CONDITIONS = ("fine", "silent", "waiting", "alarm")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFilter:
    """What the list of devices is narrowed to."""

    query: str = ""
    state: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """A device with its door, its last report and its open alarms; nothing personal."""

    device: GateDevice
    door: Entrance | None
    at: datetime | None
    waiting: int | None
    feed_age: timedelta | None
    clock_sure: bool
    alarms: int

    def is_silent(self, now: datetime) -> bool:
        """Return whether a device in service was not heard for five minutes."""
        in_service = self.device.state in {"active", "wiping"}
        return in_service and (self.at is None or now - self.at > SILENT)

    @property
    def is_stale(self) -> bool:
        """Return whether it decides by statuses of more than ten minutes ago."""
        return self.feed_age is not None and self.feed_age > STALE


def devices_visible(user: User) -> QuerySet[GateDevice]:
    """Return the devices at venues of the user's unit and below."""
    return GateDevice.objects.filter(venue__unit__in=visible_units(user)).select_related(
        "venue__unit", "invited_by__unit", "confirmed_by__unit", "ended_by__unit"
    )


def fleet(user: User, wanted: FleetFilter, *, now: datetime) -> QuerySet[GateDevice]:
    """Return the devices that match, those with open alarms first."""
    rows = devices_visible(user).annotate(
        open_alarms=Count("alarms", filter=Q(alarms__seen_at=None))
    )
    if wanted.query:
        text = wanted.query
        rows = rows.filter(
            Q(name__icontains=text)
            | Q(venue__name__icontains=text)
            | Q(venue__name_en__icontains=text)
        )
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    silent = Q(report=None) | Q(report__at__lt=now - SILENT)
    narrowed = {
        "alarm": Q(open_alarms__gt=0),
        "silent": Q(state__in=("active", "wiping")) & silent,
        "waiting": Q(report__waiting__gt=0),
        "fine": Q(state="active", open_alarms=0) & ~silent,
    }.get(wanted.condition)
    if narrowed is not None:
        rows = rows.filter(narrowed)
    return rows.order_by("-open_alarms", "venue__name", "entrance", "name", "id")


def with_reports(devices: list[GateDevice], *, now: datetime) -> list[FleetRow]:
    """Return devices with doors, reports and alarms, in a fixed number of queries."""
    places = Entrance.objects.filter(venue__in={device.venue_id for device in devices})
    doors = {(door.venue_id, door.code): door for door in places}
    alarms = dict(
        GateAlarm.objects.filter(device__in=devices, seen_at=None)
        .order_by()
        .values_list("device")
        .annotate(number=Count("id"))
    )

    reports = GateReport.objects.in_bulk([device.pk for device in devices])
    rows = []
    for device in devices:
        report = reports.get(device.pk)
        as_of = report.feed_as_of if report is not None else None
        rows.append(
            FleetRow(
                device=device,
                door=doors.get((device.venue_id, device.entrance)),
                at=report.at if report is not None else None,
                waiting=report.waiting if report is not None else None,
                feed_age=None if as_of is None else max(timedelta(0), now - as_of),
                clock_sure=report is None or report.clock_sure,
                alarms=alarms.get(device.pk, 0),
            )
        )
    return rows


def alarms_visible(user: User) -> QuerySet[GateAlarm]:
    """Return the alarms of the user's devices, those nobody looked after first."""
    return (
        GateAlarm.objects.filter(device__venue__unit__in=visible_units(user))
        .select_related("device__venue", "seen_by__unit")
        .order_by("seen_at", "-at", "-id")
    )
