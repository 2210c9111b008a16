"""A district with a town, its street office and a hall, for the tests of incidents."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from passlight.core.kernel.documents import Document, DocumentType
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.people import actions as people
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.clock import SystemClock, SystemEntropy

START = datetime(2022, 6, 8, 2, 21, tzinfo=UTC)  # 10:21 in Shanghai
ENTROPY = SystemEntropy()


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def move(self, **amount: float) -> datetime:
        self.at += timedelta(**amount)
        return self.at


@dataclass
class HallWorld:
    """Units and people of one hall's chain of report."""

    district: Unit
    town: Unit
    venue: Venue
    users: dict[str, User]
    clock: HandClock = field(default_factory=HandClock)

    def __getattr__(self, name: str) -> User:
        return self.users[name]


def add_staff(role: Role, unit: Unit, name: str) -> User:
    return add_user(
        NewUser(
            username=f"{role.value}-{uuid.uuid4().hex[:8]}",
            password="a long enough password",
            role=role,
            unit=unit,
            display_name=name,
            display_name_en="On Duty",
        ),
        clock=SystemClock(),
        entropy=ENTROPY,
    )


def add_venue(unit: Unit, name: str = "青汀街道社区事务受理服务中心") -> Venue:
    venue = Venue.objects.create(
        id=uuid.uuid4(),
        name=name,
        name_en="Qingting Community Affairs Centre",
        address="青屿区青汀路12号",
        kind=VenueClass.HALL.value,
        unit=unit,
        freshness_seconds=3600,
        active=True,
        registered_at=START,
    )
    Entrance.objects.create(venue=venue, code="north", zone="", name="北门", name_en="North gate")
    return venue


def make_world() -> HallWorld:
    district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
    town = add_unit(kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting", parent=district)
    users = {
        "checker": add_staff(Role.CHECKER, town, "林小满"),
        "clerk": add_staff(Role.COUNTER_CLERK, town, "许知夏"),
        "leader": add_staff(Role.DUTY_LEADER, town, "周海平"),
        "street": add_staff(Role.STREET_OFFICE, town, "沈月"),
        "officer": add_staff(Role.DISTRICT_OFFICE, district, "何远"),
    }
    return HallWorld(district=district, town=town, venue=add_venue(town), users=users)


def add_person(number: str = "310118199001010011", name: str = "赵立国") -> Person:
    return people.register_person(
        NewPerson(documents=(Document(type=DocumentType.RESIDENT_ID, number=number),), name=name),
        source="test",
    )


def add_record(venue: Venue, key: str, *, clock: HandClock, **given: object) -> Record:
    fields = {
        "key": key,
        "kind": "isolate",
        "gateway": "gateway-1",
        "spool_seq": abs(hash(key)) % 10**9,
        "actor": "c-1",
        "venue_id": venue.pk,
        "entrance": "north",
        "answer": "red",
        "reason": "confirmed",
        "occurred_at": clock.now(),
        "acknowledged_at": clock.now(),
        "digest": b"",
        "payload": {},
        **given,
    }
    return Record.objects.create(**fields)
