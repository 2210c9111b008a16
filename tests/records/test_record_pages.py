"""The page of records: by role, inside one's units, handles only, in both languages."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from passlight.core.places.venue import VenueClass
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role, UnitKind
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.records.queries import own_checkins
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.clock import SystemClock, SystemEntropy

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def units(db):
    district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
    town = add_unit(kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting", parent=district)
    other = add_unit(kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao Town", parent=district)
    return {"district": district, "town": town, "other": other}


def add_venue(unit, name: str, name_en: str) -> Venue:
    venue = Venue.objects.create(
        id=uuid.uuid4(),
        name=name,
        name_en=name_en,
        address="示例路 1 号",
        kind=VenueClass.HALL.value,
        unit=unit,
        freshness_seconds=3600,
        active=True,
        registered_at=NOW,
    )
    Entrance.objects.create(venue=venue, code="east", zone="", name="东门", name_en="East gate")
    return venue


def add_record(venue: Venue, number: int, *, kind: str = "verification", **given) -> Record:
    fields = {
        "key": str(uuid.UUID(int=number)),
        "kind": kind,
        "gateway": "gateway-1",
        "spool_seq": number,
        "actor": "c-1",
        "venue_id": venue.pk,
        "entrance": "east",
        "answer": "expired",
        "reason": "slot-old",
        "occurred_at": NOW,
        "acknowledged_at": NOW,
        "digest": b"",
        "payload": {},
        **given,
    }
    return Record.objects.create(**fields)


def login(role: Role, unit) -> Client:
    user = add_user(
        NewUser(
            username=f"{role.value}-{uuid.uuid4().hex[:6]}",
            password="a long enough password",
            role=role,
            unit=unit,
            display_name="值班人员",
            display_name_en="On duty",
        ),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    client = Client()
    client.force_login(user)
    return client


def test_a_street_office_sees_its_own_doors_alone(units) -> None:
    here = add_venue(units["town"], "青汀大厅", "Qingting Hall")
    there = add_venue(units["other"], "云桥大厅", "Yunqiao Hall")
    add_record(here, 1, visits_key="v-" + "a" * 32)
    add_record(there, 2)
    add_record(here, 3, kind="issue")
    page = login(Role.STREET_OFFICE, units["town"]).get("/records/").content.decode()
    assert "青汀大厅" in page
    assert "东门" in page
    assert "云桥大厅" not in page
    assert "这是早先的画面" in page  # the one reason, in words
    assert "v-aaaaaaaa" in page
    assert "a" * 32 not in page  # a handle, never the whole key
    english = login(Role.STREET_OFFICE, units["town"]).get("/records/?lang=en").content.decode()
    assert "Qingting Hall" in english


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.HALL_MANAGER, 200),
        (Role.DUTY_LEADER, 200),
        (Role.AUDITOR, 200),
        (Role.VENUE_OPERATOR, 403),
        (Role.CHECKER, 403),
        (Role.STEWARD, 403),
    ],
)
def test_roles(units, role: Role, status: int) -> None:
    assert login(role, units["district"]).get("/records/").status_code == status


def test_the_filter_narrows(units) -> None:
    venue = add_venue(units["town"], "青汀大厅", "Qingting Hall")
    add_record(venue, 1, answer="green", reason="green")
    add_record(venue, 2, occurred_at=NOW - timedelta(days=2))
    client = login(Role.AUDITOR, units["district"])

    def rows(query: str) -> int:
        return len(client.get(f"/records/?{query}").context["rows"])

    assert rows("") == 2
    assert rows("answer=green") == 1
    assert rows("kind=checkin") == 0
    assert rows("day=2026-11-23") == 1
    assert rows(f"venue={venue.pk}") == 2
    assert rows("day=nonsense&venue=nonsense") == 2
    assert rows("day=9999-12-31") == rows("day=0001-01-01") == 2


def test_own_check_ins_are_ones_own_and_recent(units) -> None:
    venue = add_venue(units["town"], "青汀大厅", "Qingting Hall")
    me = Person(visits_key="v-" + "b" * 32)
    add_record(venue, 1, kind="checkin", visits_key=me.visits_key)
    add_record(venue, 2, kind="checkin", visits_key="v-" + "c" * 32)
    add_record(venue, 3, kind="verification", visits_key=me.visits_key)
    add_record(
        venue, 4, kind="checkin", visits_key=me.visits_key, occurred_at=NOW - timedelta(days=15)
    )
    assert [record.spool_seq for record in own_checkins(me, now=NOW)] == [1]


def test_the_three_musts_stand_beside_an_entry(units) -> None:
    """Asked and measured, but registered by nothing: each has its own word."""
    venue = add_venue(units["town"], "示例大厅", "Example hall")
    entry = {
        "kind": "admit",
        "role": "visitor",
        "answer": "green",
        "reason": "status",
        "requirement": "",
        "venue": str(venue.pk),
        "entrance": "east",
        "zone": "",
        "occurred_at": NOW.isoformat(),
        "policy": "test@1/service-hall/visitor",
        "who": None,
        "asked": {"state": "asked", "answers": {"symptoms": False}},
        "measured": {"state": "unobserved"},
        "registered": {"how": "none", "reference": ""},
        "mask": "worn",
        "guard": "",
        "companions": 0,
        "offline": False,
        "feed_as_of": None,
        "clock": "sure",
        "lease": "",
        "visit": str(uuid.UUID(int=1)),
    }
    add_record(venue, 1, kind="admit", answer="green", payload={"entry": entry})
    add_record(venue, 2, kind="exit", answer="green", payload={"entry": {**entry, "kind": "exit"}})
    user = add_user(
        NewUser(
            username="musts",
            password="a long enough password",
            role=Role.STREET_OFFICE,
            unit=units["town"],
            display_name="值班人员",
            display_name_en="On duty",
        ),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    browser = Client()
    browser.force_login(user)
    page = browser.get("/records/").content.decode()
    assert page.count("测温: 未观察") == 1, "who leaves is asked nothing"
    assert page.count("登记: 缺") == 1
    assert "离开" in page
