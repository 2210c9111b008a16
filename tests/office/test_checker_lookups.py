"""A checker's look-ups: by document and by handle, of this post and this device alone."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from passlight.core.kernel.documents import read_document
from passlight.core.places.venue import Entrance, VenueClass
from passlight.office.accounts import actions
from passlight.office.accounts.models import LoginFailure, Registration, Role, Unit, UnitKind, User
from passlight.office.checker import views
from passlight.office.incidents.follow import follow_records
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Access, Person
from passlight.office.records.models import Record
from passlight.office.venues.actions import VenueDetails, register_venue, set_activity
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import Sealer, Use

CARD = "SIM000001"


def user(role: Role, unit: Unit, name: str) -> User:
    new = actions.NewUser(
        username=name,
        password="correct horse staple",
        role=role,
        unit=unit,
        display_name="岗",
        display_name_en="Post",
    )
    return actions.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def venue(unit: Unit, name: str) -> Venue:
    street = user(Role.STREET_OFFICE, unit, f"street-{name}")
    details = VenueDetails(
        name=name,
        name_en=name,
        address="路1号",
        kind=VenueClass.HALL,
        unit=unit,
        freshness_seconds=None,
    )
    door = Entrance(code="main", zone="", name="门", name_en="Door")
    made = register_venue(
        details, (door,), actor=street, clock=SystemClock(), entropy=SystemEntropy()
    )
    set_activity(made, active=True, actor=street, clock=SystemClock())
    return made


class Checker:
    """A checker at a post, with a registered device."""

    def __init__(self, unit: Unit, place: Venue, name: str) -> None:
        self.user = user(Role.CHECKER, unit, name)
        self.venue = place
        self.client = Client()
        self.client.force_login(self.user)
        self.client.post("/checker/post/", {"venue": str(place.pk), "entrance": "main"})
        self.device = actions.register_device(
            self.user,
            thumbprint=name,
            device_name="",
            clock=SystemClock(),
            entropy=SystemEntropy(),
        ).handle

    def ask(self, path: str, **body: object) -> Any:
        whole = {"device": self.device, **body}
        return self.client.post(path, json.dumps(whole), content_type="application/json")

    def document(self, number: str) -> Any:
        return self.ask(
            "/checker/document/", type="passport", number=number, venue=str(self.venue.pk)
        )


@pytest.fixture
def unit(db: None) -> Unit:
    cache.clear()
    return actions.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")


@pytest.fixture
def person(unit: Unit) -> Person:
    return register_person(NewPerson(documents=(read_document("passport", CARD),), name="王晓明"))


def test_trying_numbers_ends(unit: Unit, person: Person) -> None:
    """Control: found people are no guesses; and the wait ends by itself."""
    door = Checker(unit, venue(unit, "甲"), "checker")
    for number in range(views.MISSES_MAX):
        cache.clear()  # the minute's own limit is not what ends this
        assert door.document(CARD).status_code == 200
        assert door.document(f"SIM9{number:05}").status_code == 404
    cache.clear()
    assert door.document(CARD).status_code == 429
    LoginFailure.objects.update(at=datetime.now(UTC) - timedelta(minutes=15))
    assert door.document(CARD).status_code == 200
    assert Access.objects.filter(person=person, actor=door.user).count() == views.MISSES_MAX + 1


def test_a_handle_opens_for_its_checker_at_its_post_alone(unit: Unit, person: Person) -> None:
    first, second = venue(unit, "甲"), venue(unit, "乙")
    door = Checker(unit, first, "one")
    other, elsewhere = Checker(unit, first, "two"), Checker(unit, second, "three")
    sealer = Sealer.of(KeyFolder(settings.PASSLIGHT.keys), SystemEntropy())

    def sealed(use: Use, checker: str, age: int = 0) -> str:
        return sealer.seal(
            use,
            ordinal=person.ordinal,
            checker=checker,
            venue=str(first.pk),
            now=datetime.now(UTC) - timedelta(seconds=age),
            entropy=SystemEntropy(),
        )

    def status(who: Checker, lookup: str, **more: object) -> int:
        return int(who.ask("/checker/identity/", lookup=lookup, **more).status_code)

    good = sealed(Use.LOOKUP, door.device)
    assert status(other, good) == 410
    assert status(other, good, device=door.device) == 410, "another's device is not named"
    assert status(elsewhere, sealed(Use.LOOKUP, elsewhere.device)) == 409, "sealed for 甲"
    assert status(door, sealed(Use.LOOKUP, door.device, age=121)) == 410
    assert status(door, sealed(Use.SUBJECT, door.device)) == 410
    forged = good[:20] + ("B" if good[20] == "A" else "A") + good[21:]
    assert status(door, forged) == 410
    assert not Access.objects.filter(person=person).exists()
    assert status(door, good) == 200, "control"
    assert Access.objects.get(person=person).actor == door.user
    Registration.objects.filter(handle=door.device).update(revoked_at=datetime.now(UTC))
    assert status(door, good) == 410, "a device that was ended"


def test_no_post_outside_the_own_unit(unit: Unit) -> None:
    town = actions.add_unit(kind=UnitKind.TOWN, name="甲镇", name_en="Town A", parent=unit)
    far = venue(unit, "远")
    door = Checker(town, far, "checker")
    assert door.client.get("/checker/").status_code == 302, "no such post to stand at"
    assert door.document(CARD).status_code == 409
    for odd in ("x", str(uuid.uuid4()), "' or 1=1"):
        assert door.client.post("/checker/post/", {"venue": odd, "entrance": "main"}).status_code


def record(
    kind: str, place: Venue, person: Person, *, minutes: int = 0, actor: str = "", **payload: object
) -> str:
    """Store a record as the gateway's reader does; return its key."""
    key, at = str(uuid.uuid4()), datetime.now(UTC) - timedelta(minutes=minutes)
    Record.objects.create(
        key=key,
        kind=kind,
        gateway="g1",
        spool_seq=uuid.uuid4().int % 10**9,
        actor=actor,
        venue_id=place.pk,
        entrance="main",
        visits_key=person.visits_key,
        answer="green" if kind == "checkin" else "red",
        occurred_at=at,
        acknowledged_at=at,
        digest=b"d",
        payload=payload,
    )
    return key


def test_a_check_in_here_and_now_takes_the_place_of_a_scan(unit: Unit, person: Person) -> None:
    """field/01 1.2: venue code or sentinel. Half an hour is the door's own time when no plan says more."""
    here, there = venue(unit, "甲"), venue(unit, "乙")
    door, other = Checker(unit, here, "one"), Checker(unit, there, "two")
    fresh, old = record("checkin", here, person), record("checkin", here, person, minutes=31)
    record("checkin", here, person, companions=2, joins=fresh)
    listed = door.ask("/checker/arrivals/").json()["arrivals"]
    assert [(one["check"], one["companions"]) for one in listed] == [(fresh[:4].upper(), 2)]
    assert "王" not in json.dumps(listed, ensure_ascii=False), "the list names nobody"
    assert other.ask("/checker/arrivals/").json() == {"arrivals": []}
    assert other.ask("/checker/arrival/", key=fresh).status_code == 404
    assert door.ask("/checker/arrival/", key=old).status_code == 404
    assert door.ask("/checker/arrival/", key=fresh, device="x").status_code == 409
    assert not Access.objects.filter(person=person).exists(), "no name was shown"
    answer = door.ask("/checker/arrival/", key=fresh)
    assert answer.status_code == 200, "control"
    sealer = Sealer.of(KeyFolder(settings.PASSLIGHT.keys), SystemEntropy())
    opened = sealer.open(
        Use.SUBJECT, answer.json()["subject_token"], checker=door.device, now=datetime.now(UTC)
    )
    assert (opened.ordinal, opened.venue) == (person.ordinal, str(here.pk))


def test_a_report_says_its_incident_to_the_device_that_sent_it(unit: Unit, person: Person) -> None:
    here = venue(unit, "甲")
    door, other = Checker(unit, here, "one"), Checker(unit, here, "two")
    key = record("isolate", here, person, actor=door.device)
    waiting: dict[str, object] = {"number": None, "steps": [], "owner": None}
    assert door.ask("/checker/incident/", key=key).json() == waiting, "not followed yet"
    while follow_records(SystemClock()):
        pass
    told = door.ask("/checker/incident/", key=key).json()
    assert told["number"].endswith("-01")
    # S4 三(二)5: isolated, then the duty leader, then the street office.
    assert [step["zh"] for step in told["steps"]] == ["带至隔离区", "报告值班领导", "报街镇防控办"]
    assert other.ask("/checker/incident/", key=key).json() == waiting, "another's report"
    assert other.ask("/checker/incident/", key=key, device=door.device).status_code == 404
