"""``POST /v1/door/places`` over HTTP: a real gateway, a real database, two phones and a gate."""

import json
import uuid
from datetime import UTC, datetime

from passlight.core.entry.places import DoorPlaces
from tests.gateway.conftest import Running, clock, gateway, office, start_gateway
from tests.gateway.device import Device
from tests.gateway.office import Office

__all__ = ["clock", "gateway", "office", "start_gateway"]  # fixtures
PATH = "/v1/door/places"


def add_hall(office: Office, venue: str, *, cap: int | None) -> None:
    hall = str(uuid.uuid4())
    office.sql(
        "INSERT INTO halls_hall (id, venue_id, level, state, state_reason, state_at)"
        " VALUES (%s, %s, 'town', 'open', '', %s)",
        *(hall, venue, datetime.now(UTC)),
    )
    office.sql(
        "INSERT INTO halls_zone (hall_id, code, kind, name, name_en, cap, turn)"
        " VALUES (%s, 'hall', 'hall', '大厅', 'Hall', %s, 0)",
        *(hall, cap),
    )


def body(venue: str, door: DoorPlaces, **given) -> dict:
    return {"venue": venue, "entrance": "east", "boot": "1", **door.ask(0), **given}


def gate(office: Office, venue: str, entrance: str = "east") -> Device:
    device = office._device("gate", venues=[venue])
    device.grant = device.make_grant(entrance=entrance)
    return device


def test_a_gate_and_a_phone_share_a_cap(office: Office, gateway: Running) -> None:
    """Cap 5: the gate's share is 2, it borrows 2 and lets three in; the phone gets the one left."""
    venue = office.add_venue()
    add_hall(office, venue, cap=5)
    sentinel, phone = gate(office, venue), office.checker(venue)
    north, pocket = DoorPlaces(), DoorPlaces()
    for device, door in ((sentinel, north), (phone, pocket)):
        answer = device.post(gateway.client, PATH, body(venue, door))
        assert answer.status_code == 200, answer.text
        assert door.granted(answer.json(), 0)
        assert door.unused(0) == 0, "a greeting lends nothing"
    sent = {"venue": venue, "entrance": "east", "boot": "1", **north.ask(0, want=2)}
    answer = sentinel.post(gateway.client, PATH, sent)
    assert answer.json()["granted"] == 2
    assert sentinel.post(gateway.client, PATH, sent).json()["granted"] == 2, "again is the same"
    assert north.granted(answer.json(), 0)
    assert all(north.take(str(uuid.uuid4()), 1) for _ in range(3))
    reported = sentinel.post(gateway.client, PATH, body(venue, north)).json()
    assert (reported["inside"], reported["cap"], reported["state"]) == (3, 5, "open")
    sent = {"venue": venue, "entrance": "east", "boot": "1", **pocket.ask(0, want=9)}
    assert pocket.granted(phone.post(gateway.client, PATH, sent).json(), 0)
    assert (pocket.unused(0), pocket.inside) == (1, 3)


def test_what_is_refused(office: Office, gateway: Running) -> None:
    venue, uncounted = office.add_venue(), office.add_venue()
    add_hall(office, venue, cap=5)
    phone, door = office.checker(venue, uncounted), DoorPlaces()

    def refused(device: Device, **given) -> tuple[int, str]:
        answer = device.post(gateway.client, PATH, {**body(venue, door), **given})
        return answer.status_code, answer.json()["error"]

    assert refused(phone, venue=uncounted) == (404, "no-places")
    assert refused(phone, venue=str(uuid.uuid4())) == (403, "wrong-venue")
    assert refused(gate(office, venue, "west")) == (403, "wrong-door")
    assert refused(office.resident(1)) == (403, "wrong-role")
    assert refused(phone, session=7) == (409, "places-stale")
    assert refused(phone, want=-1)[0] == 400
    assert refused(phone, report={"admitted": ["x"], "left": [], "unused": 0})[0] == 400
    add_hall(office, uncounted, cap=None)
    assert refused(phone, venue=uncounted) == (404, "no-places")


def test_the_same_number_with_another_content_is_a_conflict(
    office: Office, gateway: Running
) -> None:
    venue = office.add_venue()
    add_hall(office, venue, cap=5)
    phone, door = office.checker(venue), DoorPlaces()
    door.granted(phone.post(gateway.client, PATH, body(venue, door)).json(), 0)
    sent = body(venue, door)
    assert phone.post(gateway.client, PATH, sent).status_code == 200
    other = json.loads(json.dumps(sent)) | {"want": 3}
    answer = phone.post(gateway.client, PATH, other)
    assert (answer.status_code, answer.json()["error"]) == (409, "places-conflict")
