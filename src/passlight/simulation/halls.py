"""The halls of the demonstration: zones, the district's plan, staff and a duty roster.

Needs Django. Entering them again changes nothing. The numbers are settings of a made-up
district; where a seed gives one it stands beside it.
"""

from collections.abc import Iterable, Mapping
from datetime import time, timedelta

from passlight.core.entry.plan_keys import PlanValue
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.places.hall import DutyRole, HallLevel
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.models import Unit, User
from passlight.office.halls.actions import make_hall
from passlight.office.halls.models import Duty, Hall, StoredPlan
from passlight.office.halls.planning import NewPlan, publish_plan
from passlight.office.halls.rosters import NewDuty, Shift, add_duty, add_staff
from passlight.office.halls.views import usual_zones
from passlight.office.venues.models import Venue
from passlight.simulation.population import Resident
from passlight.simulation.venues import VenuePlan

# level → people in the hall, in screening, in isolation
_CAPS = {
    HallLevel.DISTRICT: (150, 12, 4),
    HallLevel.BRANCH: (60, 8, 2),
    HallLevel.TOWN: (40, 6, 2),
    HallLevel.VILLAGE: (10, 2, 1),
}
_PLAN: dict[str, PlanValue] = {
    "test.visitor.hours": 48,  # seed 004, 三(二)1
    "test.staff.hours": 24,  # seed 004, 三(二)4
    "test.staff-reentry.hours": 48,
    "disinfection.rounds": ("08:00", "12:00", "17:00"),  # seed 004, 三(二)2: morning, noon, evening
    "temperature.limit": 373,
    "hours.opens": "08:30",
    "hours.closes": "17:00",
    "lease.minutes": 240,
    "standing.each-gate": 3,
    "standing.each-phone": 1,
    "places.limited.percent": 50,
    "incident.isolated.minutes": 5,
    "incident.street-told.minutes": 10,
    "notices.unread.minutes": 5,
}
# The next change, which is dated and may still be withdrawn: 48 to 72 hours in one town.
_NEXT: dict[str, PlanValue] = {"test.visitor.hours": 72}
_NEXT_AFTER = timedelta(days=7)
_POSTS = ("导服台", "1号窗口", "2号窗口", "3号窗口", "门岗", "保洁")
_SHIFT = Shift(post="", starts_at=time(8, 30), ends_at=time(17, 0))


def enter_plans(units: Mapping[str, Unit], *, clock: Clock, entropy: Entropy) -> None:
    """Publish the district's plan and a town's next one, unless there is any.

    Before the venues: then no door's document is made anew for each of them.
    """
    if StoredPlan.objects.exists():
        return
    for unit, after, changes, reason in (
        (units["district"], timedelta(0), _PLAN, "青屿区专班第1号通知"),
        (units["town-1"], _NEXT_AFTER, _NEXT, "街道试行，终止期限根据上级要求"),
    ):
        publish_plan(
            NewPlan(
                unit=unit,
                effective_from=clock.now() + after + timedelta(seconds=1),
                changes=changes,
                reason=reason,
            ),
            actor=None,
            clock=clock,
            entropy=entropy,
        )


def enter_halls(
    plans: Iterable[VenuePlan], units: Mapping[str, Unit], *, clock: Clock, entropy: Entropy
) -> None:
    """Make a hall, with its zones, of every venue that is one."""
    venues = {venue.pk: venue for venue in Venue.objects.select_related("unit")}
    for plan in plans:
        if plan.venue.kind is not VenueClass.HALL:
            continue
        level = HallLevel(units[plan.unit].kind)
        inside, screening, isolation = _CAPS[level]
        zones = usual_zones({"hall": inside, "screen": screening, "isolate": isolation})
        make_hall(venues[plan.venue.id], level, zones, clock=clock, entropy=entropy)


def enter_staff(venue: VenuePlan, people: Iterable[Resident], *, actor: User, clock: Clock) -> None:
    """Put residents on the roster of a hall, a post each; nobody twice."""
    hall = Hall.objects.get(venue_id=venue.venue.id)
    if hall.staff.exists():
        return
    for person, post in zip(people, _POSTS, strict=False):
        shift = Shift(post=post, starts_at=_SHIFT.starts_at, ends_at=_SHIFT.ends_at)
        add_staff(hall, person.document, shift, actor=actor, clock=clock)


def enter_duties(users: Mapping[str, User], units: Mapping[str, Unit], *, clock: Clock) -> None:
    """Put the demonstration's people on duty for a year, unless a roster is there."""
    if Duty.objects.exists():
        return
    now = clock.now()
    for unit, role, user, deputy in (
        ("town-1", DutyRole.DUTY_LEADER, "leader", "manager"),
        ("town-1", DutyRole.STREET_OFFICE, "street", None),
        ("district", DutyRole.LEADING_GROUP, "district", None),
    ):
        add_duty(
            NewDuty(
                unit=units[unit],
                role=role,
                user=users[user],
                deputy=users[deputy] if deputy is not None else None,
                starts_at=now,
                ends_at=now + timedelta(days=365),
            ),
            actor=None,
            clock=clock,
        )
