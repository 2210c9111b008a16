"""Commands on halls: make one, open, limit or close it, correct a head count, sweep.

Each is one transaction; what moves the places of a zone holds the lock of the zone's row, the
same that gateways take (``gateway/place_store.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from passlight.core.entry.plans import ResolvedPlan
from passlight.core.entry.zone_limits import zone_limits
from passlight.core.entry.zone_places import EndedBy
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.places.hall import HallLevel, HallState, ZoneKind
from passlight.office.accounts.models import User
from passlight.office.halls.models import Correction, DoorHolding, Hall, Lease, Zone
from passlight.office.halls.plans import resolved_plan
from passlight.office.venues.doors import doors_changed
from passlight.office.venues.models import Venue

# A device that may not decide any more uses no standing share: a gate's grant and door document
# hold for seven days, a phone's grant for one.
GATE_SILENT = timedelta(days=8)
PHONE_SILENT = timedelta(hours=25)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDetails:
    """A zone as it is made."""

    code: str
    kind: ZoneKind
    name: str
    name_en: str
    cap: int | None = None


def make_hall(
    venue: Venue,
    level: HallLevel,
    zones: Iterable[ZoneDetails],
    *,
    clock: Clock,
    entropy: Entropy,
) -> Hall:
    """Make a hall of a venue, with its zones; a venue that is one already stays as it is."""
    with transaction.atomic():
        Venue.objects.select_for_update().get(pk=venue.pk)
        known = Hall.objects.filter(venue=venue).first()
        if known is not None:
            return known
        hall = Hall.objects.create(
            id=UUID(bytes=entropy.token(16), version=4),
            venue=venue,
            level=level.value,
            state_at=clock.now(),
        )
        for zone in zones:
            add_zone(hall, zone)
        doors_changed([venue], clock=clock)
    return hall


def add_zone(hall: Hall, details: ZoneDetails) -> Zone:
    """Add a zone to a hall."""
    return Zone.objects.create(
        hall=hall,
        code=details.code,
        kind=details.kind.value,
        name=details.name,
        name_en=details.name_en,
        cap=details.cap,
    )


def set_zone_cap(zone: Zone, cap: int | None, *, clock: Clock) -> None:
    """Set what the walls of a zone allow; a plan may only allow fewer."""
    with transaction.atomic():
        _lock(zone)
        Zone.objects.filter(pk=zone.pk).update(cap=cap)
        doors_changed([zone.hall.venue], clock=clock)


def set_state(
    hall: Hall, state: HallState, *, reason: str, actor: User | None, clock: Clock
) -> None:
    """Open, limit or close a hall; closing gives every place back."""
    with transaction.atomic():
        now = clock.now()
        for zone in hall.zones.all():
            _lock(zone)
        hall.state, hall.state_reason = state.value, reason
        hall.state_by, hall.state_at = actor, now
        hall.save(update_fields=["state", "state_reason", "state_by", "state_at"])
        if state is HallState.CLOSED:
            _end(Lease.objects.filter(zone__hall=hall, closed_at=None), EndedBy.CLOSING, now)
        doors_changed([hall.venue], clock=clock)


def correct(
    zone: Zone, *, counted: int, reason: str, actor: User, clock: Clock, entropy: Entropy
) -> Correction:
    """Take a head count: what was known too many ends, the oldest first; what was missing opens.

    Somebody who is inside and has no lease takes a place like everybody: they time out, or end
    with the next count. The row says who counted, how many, and why.
    """
    with transaction.atomic():
        _lock(zone)
        now = clock.now()
        here = Lease.objects.filter(zone=zone, closed_at=None).order_by("opened_at", "id")
        known = here.count()
        if counted < known:
            oldest = list(here.values_list("id", flat=True)[: known - counted])
            _end(Lease.objects.filter(pk__in=oldest), EndedBy.CORRECTION, now)
        else:
            Lease.objects.bulk_create(
                Lease(id=UUID(bytes=entropy.token(16), version=4), zone=zone, opened_at=now)
                for _ in range(counted - known)
            )
        return Correction.objects.create(
            zone=zone, counted=counted, known=known, reason=reason, actor=actor, at=now
        )


def sweep(clock: Clock) -> bool:
    """End stays that are over and what closing time ends; take back what nobody can be using.

    Run every few seconds; returns False, for there is never more to do at once.
    """
    busy = Hall.objects.filter(zones__in=_busy()).distinct().select_related("venue__unit")
    for hall in busy:
        now = clock.now()
        plan = resolved_plan(hall, now)
        for zone in hall.zones.all():
            if ZoneKind(zone.kind).counts:
                _sweep_zone(hall, zone, plan, now)
    return False


def closing_before(plan: ResolvedPlan, now: datetime) -> datetime | None:
    """Return the last closing time at or before ``now`` today; None when there is none yet."""
    closes = plan.values.get("hours.closes")
    if not isinstance(closes, str):
        return None
    zone = ZoneInfo(settings.TIME_ZONE)
    moment = datetime.combine(now.astimezone(zone).date(), time.fromisoformat(closes), zone)
    return moment if moment <= now else None


def _busy() -> Iterable[int]:
    """Return the zones with anybody inside, or with places in a door's hands."""
    inside = set(Lease.objects.filter(closed_at=None).values_list("zone_id", flat=True))
    lent = DoorHolding.objects.exclude(lent=0, standing=0).values_list("zone_id", flat=True)
    return inside | set(lent)


def _sweep_zone(hall: Hall, zone: Zone, plan: ResolvedPlan, now: datetime) -> None:
    limits = zone_limits(
        plan.values, zone=zone.code, zone_cap=zone.cap, state=HallState(hall.state)
    )
    over = now - timedelta(seconds=limits.stay_seconds)
    closing = closing_before(plan, now)
    with transaction.atomic():
        _lock(zone)
        here = Lease.objects.filter(zone=zone, closed_at=None)
        _end(here.filter(opened_at__lte=over), EndedBy.TIME_OUT, now)
        if closing is not None:
            _end(here.filter(opened_at__lt=closing), EndedBy.CLOSING, now)
        doors = DoorHolding.objects.filter(zone=zone)
        doors.filter(lent__gt=0, lent_until__lte=now).update(lent=0)
        doors.filter(is_gate=True, seen_at__lte=now - GATE_SILENT).update(standing=0, lent=0)
        doors.filter(is_gate=False, seen_at__lte=now - PHONE_SILENT).update(standing=0, lent=0)


def _end(leases: QuerySet[Lease], by: EndedBy, now: datetime) -> None:
    leases.update(closed_at=now, closed_by=by.value)


def _lock(zone: Zone) -> None:
    """Lock a zone's places until the transaction ends."""
    Zone.objects.filter(pk=zone.pk).update(turn=F("turn") + 1)
