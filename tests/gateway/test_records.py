"""Check-ins and records over HTTP: durable, exactly once, conflicts said."""

import socket
import uuid
from datetime import timedelta

import pytest

from passlight.gateway.limits import PLACES, WorkClass
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.sealed import Sealer, Use
from tests.gateway.conftest import Running
from tests.gateway.office import Office


@pytest.fixture
def hall(office: Office, gateway: Running) -> str:
    venue = office.add_venue()
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    return venue


def check_in(office: Office, gateway: Running, key: str, token: str, *, phone=None):
    return (phone or office.resident(7)).post(
        gateway.client, "/v1/checkins", {"key": key, "venue_token": token}
    )


def test_a_check_in_is_recorded_once_with_place_and_pseudonym(
    office: Office, gateway: Running, hall: str
) -> None:
    visits = office.add_person(7)
    phone, key, token = office.resident(7), str(uuid.uuid4()), office.venue_token(hall)
    first = check_in(office, gateway, key, token, phone=phone).json()
    assert "error" not in first, (first, office.clock.now())
    again = check_in(office, gateway, key, token, phone=phone).json()
    assert first["venue"]["id"] == hall
    assert (first["entrance"]["code"], first["presence"], first["colour"]) == (
        "east",
        "weak",
        "green",
    )
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["recorded_at"] == again["recorded_at"]
    rows = gateway.until(lambda: office.records("checkin"))
    assert [(row[0], row[2], row[3]) for row in rows] == [(key, visits, "green")]
    assert rows[0][4]["presence"] == "weak"


def test_the_same_key_for_something_else_is_a_conflict(
    office: Office, gateway: Running, hall: str
) -> None:
    phone, key = office.resident(7), str(uuid.uuid4())
    other = office.add_venue()
    gateway.knows(office)
    assert check_in(office, gateway, key, office.venue_token(hall), phone=phone).status_code == 200
    refused = check_in(office, gateway, key, office.venue_token(other), phone=phone)
    assert (refused.status_code, refused.json()["error"]) == (409, "key-conflict")
    # Another person's use of the key is none of the first one's business, and no success.
    stolen = check_in(office, gateway, key, office.venue_token(hall))
    assert stolen.status_code == 409


def test_bad_venue_codes(office: Office, gateway: Running, hall: str) -> None:
    token = office.venue_token(hall)
    key = str(uuid.uuid4())
    changed = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for bad in ("", "x", changed, token + "A", "é" * 142):
        refused = check_in(office, gateway, key, bad)
        assert (refused.status_code, refused.json()["error"]) == (400, "bad-venue-code"), bad
    gone = office.venue_token(str(uuid.uuid4()))
    assert check_in(office, gateway, key, gone).status_code == 404
    late = office.venue_token(hall, days=1)
    gateway.clock.advance(days=2)
    assert check_in(office, gateway, key, late).json()["reason"] == "expired"


def test_a_camera_lands_on_the_residents_page(office: Office, gateway: Running, hall: str) -> None:
    token = office.venue_token(hall)
    good = gateway.client.get(f"/v/{token}")
    assert (good.status_code, good.headers["Location"]) == (303, f"/me/visit/?t={token}")
    bad = gateway.client.get("/v/<script>")
    assert bad.status_code == 404
    assert "script" not in bad.text
    assert "场所码" in bad.text
    assert "Venue code" in bad.text or "venue code" in bad.text


def record(venue: str, **given) -> dict:
    return {
        "key": str(uuid.uuid4()),
        "kind": "admit",
        "venue": venue,
        "entrance": "east",
        "occurred_at": "2026-11-23T08:00:00+08:00",
        "answer": "green",
        "reason": "green",
        **given,
    }


def test_records_are_kept_once_and_conflicts_named(
    office: Office, gateway: Running, hall: str
) -> None:
    checker = office.checker(hall)
    now = gateway.clock.now().isoformat()
    one, two = (
        record(hall, occurred_at=now),
        record(hall, kind="report", occurred_at=now, note="体温 37.8"),
    )
    body = {"records": [one, two]}
    first = checker.post(gateway.client, "/v1/records", body)
    assert first.status_code == 200
    assert first.json()["acknowledged"] == [one["key"], two["key"]]
    changed = {**one, "answer": "red"}
    mixed = checker.post(gateway.client, "/v1/records", {"records": [changed, two]}).json()
    assert (mixed["acknowledged"], mixed["conflicts"]) == ([two["key"]], [one["key"]])
    assert mixed["refused"][0]["error"] == "key-conflict"
    alone = checker.post(gateway.client, "/v1/records", {"records": [changed]})
    assert alone.status_code == 409
    gateway.until(lambda: len(office.records()) == 2)
    assert {row[3] for row in office.records("admit")} == {"green"}


def test_a_handle_names_its_person_at_its_own_venue_alone(
    office: Office, gateway: Running, hall: str
) -> None:
    visits, other = office.add_person(7), office.add_venue()
    gateway.knows(office)
    checker = office.checker(hall, other)
    lookup = Sealer(office.keys.read("lookup")).seal(
        Use.LOOKUP,
        ordinal=7,
        checker=checker.handle,
        venue=hall,
        now=gateway.clock.now(),
        entropy=SystemEntropy(),
    )
    now = gateway.clock.now().isoformat()
    body = {"records": [record(place, lookup=lookup, occurred_at=now) for place in (hall, other)]}
    assert checker.post(gateway.client, "/v1/records", body).status_code == 200
    rows = gateway.until(lambda: len(office.records()) == 2 and office.records())
    assert [row[2] for row in rows] == [visits, None], "the first is the control"


def test_a_late_or_off_duty_record_is_kept_and_says_so(
    office: Office, gateway: Running, hall: str
) -> None:
    other = office.add_venue()
    gateway.knows(office)
    checker = office.checker(hall)
    old = (gateway.clock.now() - timedelta(days=400)).isoformat()
    body = {"records": [record(other), record(hall, occurred_at=old)]}
    body["records"][0]["occurred_at"] = gateway.clock.now().isoformat()
    assert checker.post(gateway.client, "/v1/records", body).status_code == 200
    rows = gateway.until(lambda: len(office.records()) == 2 and office.records())
    assert rows[0][4]["off_duty"] is True
    assert rows[1][4]["claimed_at"] == old


def test_records_that_can_never_be_taken(office: Office, gateway: Running, hall: str) -> None:
    checker = office.checker(hall)
    body = {"records": [record(str(uuid.uuid4())), record(hall, occurred_at="yesterday")]}
    said = checker.post(gateway.client, "/v1/records", body)
    assert said.status_code == 409
    assert [one["error"] for one in said.json()["refused"]] == ["unknown-venue", "record-time"]


def test_bodies_that_never_end_hold_no_place(office: Office, gateway: Running, hall: str) -> None:
    """More slow senders than there are places for check-ins; control: each was let in."""
    slow = []
    for _ in range(PLACES[WorkClass.WRITE] + 6):
        phone = office.resident(7)
        one = socket.create_connection(gateway.client.base_url.netloc.decode().split(":"))
        one.sendall(
            b"POST /v1/checkins HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n"
            + f"Authorization: DPoP {phone.grant}\r\n".encode()
            + f"DPoP: {phone.proof('POST', '/v1/checkins')}\r\n\r\n".encode()
        )
        slow.append(one)
    answer = check_in(office, gateway, str(uuid.uuid4()), office.venue_token(hall))
    assert answer.status_code == 200
    for one in slow:
        one.settimeout(15)
        assert one.recv(100).startswith(b"HTTP/1.1 408"), "a body has five seconds"
        one.close()
