"""Publishing door documents: signed anew when they say something else, and only then."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from passlight.core.codes.envelope import open_envelope
from passlight.core.codes.layout import Purpose
from passlight.core.entry.door_document import DoorDocument, door_from_text
from passlight.office.gates.models import GateDoor
from passlight.office.gates.publishing import publish_doors, publish_due, publish_round
from passlight.office.venues.models import Entrance
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import public_key_for, seal_key
from tests.gates.conftest import Cast


class Moment:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def opened(row: GateDoor, keys: KeyFolder) -> DoorDocument:
    payload = open_envelope(
        bytes(row.document),
        kind="door",
        realm=settings.PASSLIGHT.realm,
        keys=[public_key_for(keys, Purpose.LIST)],
        bytes_max=1 << 20,
    )
    return door_from_text(payload)


@pytest.fixture
def moment() -> Moment:
    return Moment()


def test_a_door_is_signed_once_and_again_when_it_says_something_else(
    cast: Cast, keys: KeyFolder, moment: Moment
) -> None:
    assert publish_doors(clock=moment) == 1
    moment.at += timedelta(minutes=1)
    assert publish_doors(clock=moment) == 0, "the same again is not signed anew"
    door = opened(GateDoor.objects.get(), keys)
    assert (str(door.venue), door.entrance) == (str(cast.entrance.venue_id), "east")
    assert door.effective_until - door.made_at <= timedelta(days=7)
    assert len(door.seal) == 43, "base64url of the 32 bytes to which records are sealed"
    assert bytes(seal_key(keys).public_key)

    Entrance.objects.update(name="东一门")
    assert publish_doors([cast.entrance.venue_id], clock=moment) == 1
    newest = GateDoor.objects.order_by("-version").first()
    assert newest is not None
    assert (newest.version, opened(newest, keys).entrance_name.zh) == (2, "东一门")


def test_two_in_one_second_have_two_moments(cast: Cast, keys: KeyFolder, moment: Moment) -> None:
    """A door takes a document only when it is later than the one it holds."""
    publish_doors(clock=moment)
    Entrance.objects.update(name="东一门")
    publish_doors(clock=moment)
    first, second = (opened(row, keys) for row in GateDoor.objects.order_by("version"))
    assert second.made_at > first.made_at


def test_half_a_life_later_it_is_renewed(cast: Cast, keys: KeyFolder, moment: Moment) -> None:
    publish_doors(clock=moment)
    moment.at += timedelta(days=3)
    assert publish_doors(clock=moment) == 0
    moment.at += timedelta(days=1)
    assert publish_doors(clock=moment) == 1


def test_what_is_due_is_found_without_being_told(
    cast: Cast, keys: KeyFolder, moment: Moment
) -> None:
    publish_due(moment)
    assert GateDoor.objects.count() == 1, "a door without a document"
    publish_due(moment)
    assert GateDoor.objects.count() == 1
    moment.at += timedelta(days=7)
    publish_due(moment)
    assert GateDoor.objects.count() == 2, "a document whose time is over"
    Entrance.objects.update(name="东一门")
    publish_due(moment)
    assert GateDoor.objects.count() == 2
    publish_round(moment)
    assert GateDoor.objects.count() == 3, "the round finds what nobody told"


def test_a_closed_entrance_gets_none(cast: Cast, keys: KeyFolder, moment: Moment) -> None:
    Entrance.objects.update(active=False)
    assert publish_doors(clock=moment) == 0


def test_the_seal_key_is_in_no_trust_list() -> None:
    """An older reader refuses a whole list with a purpose it does not know."""
    assert "seal" not in {purpose.value for purpose in Purpose}
    vectors = Path(__file__).parents[2] / "vectors" / "codes"
    assert '"seal"' not in json.dumps([p.read_text("utf-8") for p in vectors.glob("*.json")])
