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
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Access, Person
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
