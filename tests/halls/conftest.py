"""A district with a hall of four zones and two doors, made by the ways that everybody uses."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from passlight.core.kernel.clock import Clock
from passlight.core.places.hall import HallLevel, ZoneKind
from passlight.core.places.venue import Entrance as Door
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.halls.actions import ZoneDetails, make_hall
from passlight.office.halls.models import Hall
from passlight.office.halls.planning import NewPlan, publish_plan
from passlight.office.venues.actions import VenueDetails, register_venue, set_activity
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemClock, SystemEntropy

ENTROPY = SystemEntropy()
DOORS = (
    Door(code="north", zone="hall", name="北门", name_en="North door"),
    Door(code="south", zone="hall", name="南门", name_en="South door"),
)
ZONES = (
    ZoneDetails(code="out", kind=ZoneKind.OUTSIDE, name="室外导服区", name_en="Guide desk outside"),
    ZoneDetails(code="screen", kind=ZoneKind.SCREENING, name="安检区", name_en="Screening", cap=4),
    ZoneDetails(code="hall", kind=ZoneKind.HALL, name="办事大厅", name_en="Hall", cap=8),
    ZoneDetails(
        code="isolate", kind=ZoneKind.ISOLATION, name="临时隔离区", name_en="Isolation", cap=2
    ),
)


@dataclass
class SetClock:
    """A clock that a test sets; monotonic with it."""

    at: datetime = datetime(2022, 6, 8, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - self.began).total_seconds()

    def advance(self, **amount: float) -> None:
        self.at += timedelta(**amount)


@dataclass(kw_only=True)
class Cast:
    """The tree: a district with a branch, a town in it with a village, and another town."""

    clock: SetClock
    district: Unit
    branch: Unit
    town: Unit
    village: Unit
    other: Unit
    hall: Hall
    village_hall: Hall

    def user(self, role: Role, unit: Unit, name: str = "") -> User:
        return add_user(
            NewUser(
                username=name or f"{role.value}-{uuid.uuid4().hex[:6]}",
                password="a long enough password",
                role=role,
                unit=unit,
                display_name="值班人员",
                display_name_en="On duty",
            ),
            clock=SystemClock(),
            entropy=ENTROPY,
        )

    def plan(self, unit: Unit, *, hall: Hall | None = None, after: float = 0, **changes: object):
        """Publish a plan that holds ``after`` hours from now; ``__`` in a name is a dot."""
        return publish_plan(
            NewPlan(
                unit=unit,
                hall=hall,
                effective_from=self.clock.now() + timedelta(hours=after),
                changes={name.replace("__", "."): value for name, value in changes.items()},
                reason="test",
            ),
            actor=None,
            clock=self.clock,
            entropy=ENTROPY,
        )


def make_venue(unit: Unit, name: str, clock: Clock, *, kind: VenueClass = VenueClass.HALL) -> Venue:
    venue = register_venue(
        VenueDetails(name=name, name_en="Service Hall", address="青汀路12号", kind=kind, unit=unit),
        DOORS,
        actor=None,
        clock=clock,
        entropy=ENTROPY,
    )
    set_activity(venue, active=True, actor=None, clock=clock)
    return venue


def make_cast(clock: SetClock) -> Cast:
    district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
    branch = add_unit(kind=UnitKind.BRANCH, name="东片", name_en="East", parent=district)
    town = add_unit(kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting", parent=branch)
    village = add_unit(kind=UnitKind.VILLAGE, name="东塘村", name_en="Dongtang", parent=town)
    other = add_unit(kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao", parent=district)
    halls = [
        make_hall(make_venue(unit, name, clock), level, ZONES, clock=clock, entropy=ENTROPY)
        for unit, name, level in (
            (town, "青汀政务服务大厅", HallLevel.TOWN),
            (village, "东塘村服务站", HallLevel.VILLAGE),
        )
    ]
    return Cast(
        clock=clock,
        district=district,
        branch=branch,
        town=town,
        village=village,
        other=other,
        hall=halls[0],
        village_hall=halls[1],
    )


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(SetClock())


@pytest.fixture
def committed_cast(transactional_db: None) -> Cast:
    """The same, committed: for other connections to see."""
    return make_cast(SetClock())
