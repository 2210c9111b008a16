"""Door documents and the status feed as gateways give them, and verdicts by the document.

The feed is read with the core's own reader and compared with the office's rows, index by index;
the map from ordinals to indices is the epoch's published key.
"""

import json
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from passlight.core.codes.envelope import open_envelope
from passlight.core.codes.epochs import epoch_at
from passlight.core.codes.layout import Purpose
from passlight.core.verification.feed import StatusFeed, first_feed, open_message
from passlight.runtime.signing import public_key_for
from tests.gateway.conftest import Running
from tests.gateway.device import Device
from tests.gateway.doors import add_gate, entry, publish_door
from tests.gateway.office import Office


@pytest.fixture
def venue(office: Office, gateway: Running) -> str:
    return office.add_venue()


def get(gateway: Running, device: Device, path: str, **query: Any) -> httpx.Response:
    return gateway.client.get(path, params=query, headers=device.headers("GET", path))


def epoch_of(office: Office) -> int:
    return epoch_at(int(office.clock.now().timestamp()), offset=480)


def message(gateway: Running, office: Office, device: Device, since: int = 0, ahead: int = 0):
    answer = get(gateway, device, "/v1/door/statuses", epoch=epoch_of(office) + ahead, since=since)
    assert answer.status_code == 200, answer.text
    roots = [public_key_for(office.keys, Purpose.LIST)]
    return open_message(answer.content, realm=office.realm, keys=roots)


def states(gateway: Running, office: Office, feed: StatusFeed, *ordinals: int) -> list[int]:
    permutation = gateway.gateway.published.keys.permutation(epoch_of(office))
    now = int(office.clock.now().timestamp())
    return [int(feed.state(permutation.index_of(one), now)) for one in ordinals]


def test_whole_then_changes(office: Office, gateway: Running, venue: str) -> None:
    """0 green, 1 yellow, 2 red, 3 closed, 4 never published, 5 red in an hour, 6 green later."""
    office.add_reason("r", "red")
    now = office.clock.now().timestamp()
    office.publish(0, (None, "green", None))
    office.publish(1, (None, "yellow", "r"))
    office.publish(2, (None, "red", "r"))
    office.publish(3, state="closed")
    office.publish(5, (None, "green", None), (now + 3600, "red", "r"))
    office.publish(6, (None, "red", "r"), (now + 3600, "green", None))
    gateway.knows(office)
    gate = add_gate(office, venue)
    at = int(now)
    whole = message(gateway, office, gate)
    assert (whole.since, whole.seq, whole.size) == (0, office.seq, 1_000_000)
    indices = [index for index, _ in whole.entries]
    assert indices == sorted(indices), "the order of ordinals would link the days"
    feed = first_feed(whole, realm=office.realm, epoch=epoch_of(office), now=at)
    assert states(gateway, office, feed, 0, 1, 2, 3, 4, 5, 6) == [0, 1, 2, 3, 3, 0, 2]

    office.publish(2, (None, "green", None))
    office.publish(0, (None, "red", "r"))
    gateway.knows(office)
    change = message(gateway, office, gate, since=feed.seq)
    assert change.since == feed.seq
    assert len(change.entries) == 2, "only what changed"
    feed = feed.apply(change, now=int(office.clock.now().timestamp()))
    assert states(gateway, office, feed, 0, 1, 2, 3, 4, 5, 6) == [2, 1, 0, 3, 3, 0, 2]
    afresh = first_feed(
        message(gateway, office, gate),
        realm=office.realm,
        epoch=epoch_of(office),
        now=int(office.clock.now().timestamp()),
    )
    assert dict(afresh.lines) == dict(feed.lines), "changes come to the same as the whole"
    office.clock.advance(hours=1, seconds=1)
    assert states(gateway, office, feed, 5, 6) == [2, 0], "time needs no message"


def test_what_is_too_old_gets_the_whole(office: Office, gateway: Running, venue: str) -> None:
    office.publish(0, (None, "green", None))
    office.publish(1, (None, "red", None))
    gateway.knows(office)
    gate = add_gate(office, venue)
    gateway.gateway.published.book.settle()  # as after a start: what was before is not known
    assert message(gateway, office, gate, since=1).since == 0
    assert message(gateway, office, gate, since=office.seq + 9).since == 0
    assert message(gateway, office, gate, since=office.seq).since == office.seq


def test_a_day_is_not_linked_to_the_next_by_the_second_of_a_change(
    office: Office, gateway: Running, venue: str
) -> None:
    """0 turns green and 1 turns red at seconds of their own: the next day says neither second."""
    office.add_reason("r", "red")
    turns = int(office.clock.now().timestamp()) + 77
    office.publish(0, (None, "yellow", "r"), (turns, "green", None))
    office.publish(1, (None, "yellow", "r"), (turns + 5, "red", "r"))
    office.publish(2, (None, "red", "r"))
    gateway.knows(office)
    today = message(gateway, office, add_gate(office, venue))
    seconds = {start for _, line in today.entries for start, _ in line}
    assert {turns, turns + 5} <= seconds, "the control: the day itself needs them"
    office.clock.advance(days=1)
    office.beat()
    gateway.until(
        lambda: gateway.gateway.published.book.as_of >= office.clock.now() - timedelta(minutes=1)
    )
    tomorrow = message(gateway, office, add_gate(office, venue))
    assert tomorrow.epoch == today.epoch + 1
    assert {start for _, line in tomorrow.entries for start, _ in line} == {0}
    permutation = gateway.gateway.published.keys.permutation(tomorrow.epoch)
    assert dict(tomorrow.entries) == {permutation.index_of(n): ((0, 2),) for n in (1, 2)}


def test_one_signature_serves_all_doors(office: Office, gateway: Running, venue: str) -> None:
    office.publish(0, (None, "red", None))
    gateway.knows(office)
    feed = gateway.gateway.feed
    gates = [add_gate(office, venue) for _ in range(5)]
    first = {get(gateway, one, "/v1/door/statuses", epoch=epoch_of(office)).text for one in gates}
    assert (len(first), feed.signed) == (1, 1)
    office.clock.advance(seconds=5)
    office.beat()
    gateway.until(
        lambda: gateway.gateway.published.book.as_of >= office.clock.now() - timedelta(seconds=2)
    )
    {get(gateway, one, "/v1/door/statuses", epoch=epoch_of(office)).text for one in gates}
    assert feed.signed == 2


def test_only_epochs_that_doors_need(office: Office, gateway: Running, venue: str) -> None:
    office.publish(0, (None, "red", None))
    gateway.knows(office)
    gate = add_gate(office, venue)
    for epoch, status in ((epoch_of(office) + 2, 404), (epoch_of(office) - 2, 404)):
        answer = get(gateway, gate, "/v1/door/statuses", epoch=epoch)
        assert answer.status_code == status
    for bad in ({}, {"epoch": "x"}, {"epoch": -1}, {"epoch": 1, "other": 1}):
        assert get(gateway, gate, "/v1/door/statuses", **bad).status_code == 400
    resident = office.resident(0)
    refused = get(gateway, resident, "/v1/door/statuses", epoch=epoch_of(office))
    assert refused.json()["error"] == "wrong-role"


def test_staff_are_told_to_their_venue_alone(office: Office, gateway: Running, venue: str) -> None:
    other = office.add_venue()
    published = gateway.gateway.published
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    visits = office.add_person(7)
    hall = str(uuid.uuid4())
    now = office.clock.now()
    office.sql(
        "INSERT INTO halls_hall (id, venue_id, level, state, state_reason, state_at)"
        " VALUES (%s, %s, 'town', 'open', '', %s)",
        *(hall, venue, now),
    )
    office.sql(
        "INSERT INTO halls_staff (hall_id, person_id, post, starts_at, ends_at, added_at)"
        " SELECT %s, id, '导服', '08:00', '17:00', %s FROM people_person",
        *(hall, now),
    )
    gate, stranger = add_gate(office, venue), add_gate(office, other)
    gateway.until(lambda: published.staff.get(venue) == {7})
    [index] = message(gateway, office, gate).staff[venue]
    assert index == published.keys.permutation(epoch_of(office)).index_of(7)
    assert not message(gateway, office, gate).started
    assert not message(gateway, office, stranger).staff
    office.sql(
        "INSERT INTO records_record (key, kind, gateway, spool_seq, device, actor, venue_id,"
        " entrance, visits_key, answer, reason, occurred_at, acknowledged_at, digest, payload)"
        " VALUES ('k', 'admit', 'g', 1, '', 'a', %s, 'east', %s, 'green', '', %s, %s, '', '{}')",
        *(venue, visits, now, now),
    )
    gateway.until(lambda: published.started.get(venue) == {7})
    assert message(gateway, office, gate).started[venue] == {index}


def test_the_door_document_as_it_was_signed(office: Office, gateway: Running, venue: str) -> None:
    gate, checker = add_gate(office, venue), office.checker(venue)
    office.publish(0, (None, "green", None))
    gateway.knows(office)
    place = {"venue": venue, "entrance": "east"}
    assert get(gateway, gate, "/v1/door", **place).json()["error"] == "no-door"
    document = publish_door(office, venue)
    doors = gateway.gateway.published
    gateway.until(lambda: doors.doors)
    answer = get(gateway, gate, "/v1/door", **place)
    assert answer.content == document
    payload = open_envelope(
        answer.content,
        kind="door",
        realm=office.realm,
        keys=[public_key_for(office.keys, Purpose.LIST)],
        bytes_max=1 << 20,
    )
    assert json.loads(payload)["venue"] == venue
    assert get(gateway, checker, "/v1/door", **place).status_code == 200
    west = get(gateway, gate, "/v1/door", **{**place, "entrance": "west"})
    assert west.json()["error"] == "wrong-door"
    strange = get(gateway, office.checker(), "/v1/door", **place)
    assert strange.json()["error"] == "wrong-venue"
    publish_door(office, venue, version=2, emergency=True)
    gateway.until(lambda: doors.doors[venue, "east"].version == 2)


@pytest.fixture
def answered(office: Office, gateway: Running, venue: str) -> tuple[Device, dict[str, Any]]:
    """A gate and what it asks about a green person with a test of ten and a half hours."""
    now = office.clock.now()
    office.publish(7, (None, "green", None), sampled_at=now - timedelta(hours=10, minutes=30))
    publish_door(office, venue)
    gateway.knows(office)
    gateway.until(lambda: gateway.gateway.published.doors)
    phone = office.resident(7)
    draft = phone.draft()
    assert phone.ask(gateway.client, draft).status_code == 200
    gate = add_gate(office, venue)
    asked = {
        "venue": venue,
        "entrance": "east",
        "interaction": str(uuid.uuid4()),
        "text": draft.text(office.clock.now()),
    }
    return gate, asked


def verify(gateway: Running, gate: Device, asked: dict[str, Any], **more: Any) -> httpx.Response:
    return gate.post(gateway.client, "/v1/verifications", {**asked, **more})


GOOD = {
    "temperature": {"tenths": 365, "thermometer": "t-1"},
    "mask": "yes",
    "questions": {"symptoms": False, "travel": False},
    "room": "free",
}


def test_a_verdict_by_what_is_presented(
    office: Office, gateway: Running, answered: tuple[Device, dict[str, Any]]
) -> None:
    gate, asked = answered
    plain = verify(gateway, gate, asked).json()
    assert (plain["answer"], plain["verdict"]) == ("green", None)
    assert plain["sampled_from"] % 600 == 0
    verdict = verify(gateway, gate, asked, presented=GOOD).json()["verdict"]
    assert (verdict["outcome"], verdict["role"], verdict["age_hours"]) == ("admit", "visitor", 10)
    # The same interaction: what somebody observed since then is judged anew, the answer stays.
    again = verify(gateway, gate, asked, presented={**GOOD, "mask": "no"}).json()
    assert (again["answer"], again["verdict"]["requirement"]) == ("green", "mask")
    hot = {"tenths": 380, "thermometer": "t-1"}
    fever = verify(gateway, gate, asked, presented={**GOOD, "temperature": hot}).json()
    assert fever["verdict"]["requirement"] == "temperature"
    claimed = verify(gateway, gate, asked, presented=GOOD, role="staff").json()
    assert claimed["verdict"]["role"] == "visitor", "what somebody claims makes them no staff"


def test_a_wrong_unit_is_an_error_and_uses_nothing_up(
    office: Office, gateway: Running, answered: tuple[Device, dict[str, Any]]
) -> None:
    gate, asked = answered
    for tenths in (977, 36.5, 20):
        reading = {"tenths": tenths, "thermometer": "t-1"}
        refused = verify(gateway, gate, asked, presented={**GOOD, "temperature": reading})
        assert (refused.status_code, refused.json()["error"]) == (400, "bad-presented")
        assert refused.json()["field"].endswith("temperature.tenths")
    assert verify(gateway, gate, asked, presented=GOOD).json()["verdict"]["outcome"] == "admit"


def test_a_gate_asks_for_its_own_door_alone(
    office: Office, gateway: Running, answered: tuple[Device, dict[str, Any]]
) -> None:
    gate, asked = answered
    assert verify(gateway, gate, {**asked, "entrance": "west"}).json()["error"] == "wrong-door"


def test_a_checkers_record_with_its_entry(office: Office, gateway: Running, venue: str) -> None:
    office.publish(0, (None, "green", None))
    gateway.knows(office)
    checker = office.checker(venue)

    def send(kind: str, form: dict[str, Any]) -> dict[str, Any]:
        record = {
            "key": str(uuid.uuid4()),
            "kind": kind,
            "venue": venue,
            "entrance": "east",
            "occurred_at": office.clock.now().isoformat(),
            "answer": "green",
            "reason": "green",
            "entry": form,
        }
        return dict(checker.post(gateway.client, "/v1/records", {"records": [record]}).json())

    assert len(send("exit", entry(office, venue, kind="exit"))["acknowledged"]) == 1
    for bad in (
        entry(office, venue, kind="admit"),
        entry(office, venue, kind="exit", entrance="west"),
        {**entry(office, venue, kind="exit"), "temperature": 37},
    ):
        assert send("exit", bad)["refused"][0]["error"] == "bad-entry"
    [(_, kind, _, _, payload)] = gateway.until(lambda: office.records("exit"))
    assert (kind, payload["entry"]["measured"]["tenths"]) == ("exit", 365)
