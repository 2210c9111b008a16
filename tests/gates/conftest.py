"""An office with a hall's door, two colleagues, a steward, and a device with a key of its own."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from passlight.core.places.venue import VenueClass
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role, Unit, UnitKind, User
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.device_key import DeviceKey
from passlight.runtime.keys import KeyFolder

CLOCK, ENTROPY = SystemClock(), SystemEntropy()


@dataclass(kw_only=True)
class Cast:
    town: Unit
    entrance: Entrance
    first: User
    second: User
    steward: User
    elsewhere: User

    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client


def make_user(role: Role, unit: Unit) -> User:
    return add_user(
        NewUser(
            username=f"{role.value}-{uuid.uuid4().hex[:8]}",
            password="a long enough password",
            role=role,
            unit=unit,
            display_name="值班人员",
            display_name_en="On duty",
        ),
        clock=CLOCK,
        entropy=ENTROPY,
    )


def make_entrance(unit: Unit) -> Entrance:
    venue = Venue.objects.create(
        id=uuid.uuid4(),
        name="示例大厅",
        name_en="Example hall",
        address="示例路 1 号",
        kind=VenueClass.HALL.value,
        unit=unit,
        freshness_seconds=3600,
        active=True,
        registered_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return Entrance.objects.create(
        venue=venue, code="east", zone="", name="东门", name_en="East gate"
    )


@pytest.fixture
def keys() -> KeyFolder:
    """The installation's key folder, with the keys that sign."""
    folder = KeyFolder(Path(django_settings.PASSLIGHT.keys))
    for purpose in ("list", "grant", "lookup"):
        folder.read_or_make(purpose, ENTROPY)
    return folder


@pytest.fixture
def cast(db: None, keys: KeyFolder) -> Cast:
    cache.clear()  # counts of requests, which live in the process
    district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
    town = add_unit(kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting", parent=district)
    other = add_unit(kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao Town", parent=district)
    return Cast(
        town=town,
        entrance=make_entrance(town),
        first=make_user(Role.HALL_MANAGER, town),
        second=make_user(Role.STREET_OFFICE, town),
        steward=make_user(Role.STEWARD, district),
        elsewhere=make_user(Role.STREET_OFFICE, other),
    )


@pytest.fixture
def key() -> DeviceKey:
    return DeviceKey.make(ENTROPY)
