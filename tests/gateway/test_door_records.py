"""Records of gates over HTTP: each arrives once, in order, whatever the way does to it.

Expected answers are counted by hand: ``highest`` is the last number before the first gap.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.hash_chain import link
from passlight.gateway.assembly import GatewayConfig, assemble
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import Role
from passlight.simulation.gate_client import GateLog
from tests.gateway.conftest import PUBLIC_URL, Running
from tests.gateway.device import Device
from tests.gateway.doors import add_gate, entry, log_of
from tests.gateway.office import Office, ShiftedClock

PATH = "/v1/door/records"
TABLES = "gates_record, gates_branch, gates_alarm, gates_report, records_record"


@pytest.fixture(scope="module")
def shared(
    module_installation: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Office, Running]]:
    """One office and one gateway for all tests here; each has devices of its own."""
    clock, settings = ShiftedClock(), module_installation.settings
    office = Office(
        url=module_installation.urls[Role.OWNER],
        keys=settings.keys,
        realm=settings.realm,
        public_url=PUBLIC_URL,
        clock=clock,
    )
    config = GatewayConfig(
        name="gateway-1",
        realm=settings.realm,
        public_url=PUBLIC_URL,
        keys=settings.keys,
        folder=tmp_path_factory.mktemp("gateway"),
        database_url=lambda: module_installation.urls[Role.GATEWAY],
    )
    running = Running(assemble(config, clock=clock, entropy=SystemEntropy()), clock)
    yield office, running
    running.stop()


@pytest.fixture
def installation(module_installation: Any) -> Any:
    return module_installation


@pytest.fixture
def clock(shared: tuple[Office, Running]) -> ShiftedClock:
    return shared[1].clock


@pytest.fixture
def office(shared: tuple[Office, Running]) -> Office:
    shared[0].sql(f"TRUNCATE {TABLES}")
    return shared[0]


@pytest.fixture
def gateway(shared: tuple[Office, Running]) -> Running:
    return shared[1]


@pytest.fixture
def venue(office: Office, gateway: Running) -> str:
    venue = office.add_venue()
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    return venue


@pytest.fixture
def gate(office: Office, venue: str) -> Device:
    return add_gate(office, venue)


def send(
    gateway: Running, gate: Device, records: list[dict[str, Any]], *, boot: int = 1, **more: Any
) -> dict[str, Any]:
    body = {"device": gate.handle, "boot": boot, "records": records, **more}
    answer = gate.post(gateway.client, PATH, body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def write(log: GateLog, office: Office, venue: str, count: int) -> list[dict[str, Any]]:
    return [log.add(entry(office, venue)) for _ in range(count)]


def kept(office: Office) -> list[str]:
    return [key for (key,) in office.sql("SELECT key FROM records_record ORDER BY spool_seq, key")]


def test_a_batch_is_kept_once_in_order(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    sent = write(log_of(office, gate), office, venue, 3)
    answer = send(gateway, gate, sent)
    assert (answer["highest"], answer["set_aside"], answer["branch"]) == (3, [], False)
    assert send(gateway, gate, sent)["highest"] == 3
    assert kept(office) == [f"gate:{gate.handle}:1:{n}" for n in (1, 2, 3)]
    [row] = office.sql(
        "SELECT kind, actor, device, entrance, answer, payload FROM records_record WHERE key = %s",
        f"gate:{gate.handle}:1:1",
    )
    assert row[:5] == ("admit", gate.handle, gate.thumbprint, "east", "green")
    assert row[5]["entry"]["measured"] == {
        "state": "measured",
        "tenths": 365,
        "thermometer": "t-1",
    }


def test_gaps_and_order(office: Office, gateway: Running, venue: str, gate: Device) -> None:
    one, two, three, four, five = write(log_of(office, gate), office, venue, 5)
    assert send(gateway, gate, [four, five])["highest"] == 0, "nothing joins on to the beginning"
    assert send(gateway, gate, [two, one])["highest"] == 2
    assert send(gateway, gate, [five])["highest"] == 2
    assert send(gateway, gate, [three])["highest"] == 3, "never above what the batch itself shows"
    assert send(gateway, gate, [four, five])["highest"] == 5
    assert len(kept(office)) == 5
    assert not office.sql("SELECT 1 FROM gates_alarm")


def test_each_boot_counts_for_itself(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    first = log_of(office, gate)
    write(first, office, venue, 2)
    second = log_of(office, gate, boot=2)
    second.tip = first.tip
    assert send(gateway, gate, first.made)["highest"] == 2
    assert send(gateway, gate, write(second, office, venue, 1), boot=2)["highest"] == 1
    assert len(kept(office)) == 3


def gaps(office: Office) -> list[tuple[int, int, int]]:
    said = office.sql("SELECT details FROM gates_alarm WHERE kind = 'gap' ORDER BY id")
    return [(details["boot"], details["from"], details["to"]) for (details,) in said]


def test_what_nobody_has_any_more_is_named_and_holds_up_nothing(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """Of nine the first five went to a database that was put back; the device deleted 1…3."""
    sent = write(log_of(office, gate), office, venue, 9)
    assert send(gateway, gate, sent[5:])["highest"] == 0, "the control: for ever, unless it says"
    assert send(gateway, gate, sent[5:], held_from=4)["highest"] == 0, (
        "it has 4 and 5 and sends them"
    )
    assert not gaps(office)
    assert send(gateway, gate, sent[3:], held_from=4)["highest"] == 9
    for _ in range(2):
        assert send(gateway, gate, sent[3:], held_from=4)["highest"] == 9
    assert gaps(office) == [(1, 1, 3)], "a repetition raises none"


def test_a_device_that_says_it_has_less_than_it_has_hides_nothing(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    sent = write(log_of(office, gate), office, venue, 9)
    assert send(gateway, gate, sent[:2], held_from=1)["highest"] == 2
    assert send(gateway, gate, sent[6:], held_from=7)["highest"] == 9
    assert gaps(office) == [(1, 3, 6)]
    assert send(gateway, gate, sent[4:6], held_from=5)["highest"] == 6, "what comes later lands"
    assert send(gateway, gate, sent[2:4], held_from=1)["highest"] == 4
    assert len(kept(office)) == 9
    assert gaps(office) == [(1, 3, 6)]
    # More than the batch begins with is nothing that a device can say.
    other = write(log_of(office, gate, boot=2), office, venue, 2)
    assert send(gateway, gate, other, boot=2, held_from=99)["highest"] == 2
    assert gaps(office) == [(1, 3, 6)]


def test_a_whole_boot_that_is_gone_is_named(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    first = log_of(office, gate)
    write(first, office, venue, 2)
    second, third = log_of(office, gate, boot=2), log_of(office, gate, boot=3)
    second.tip = first.tip
    write(second, office, venue, 2)
    third.tip = second.tip
    assert send(gateway, gate, second.made, boot=2, held_from=1)["highest"] == 2
    assert gaps(office) == [(2, 0, 0)]
    sent = write(third, office, venue, 1)
    assert send(gateway, gate, sent, boot=3, held_from=1)["highest"] == 1
    assert gaps(office) == [(2, 0, 0)], "the control: the second boot is there"


def test_a_copy_whose_branch_was_lost_goes_on(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """The database lost 3…5 of the copy, which has deleted them: 6 and 7 arrive, with alarms."""
    log = log_of(office, gate)
    send(gateway, gate, write(log, office, venue, 2))
    clone = log.copy()
    send(gateway, gate, write(log, office, venue, 5))
    copied = write(clone, office, venue, 5)[3:]
    assert send(gateway, gate, copied)["highest"] == 0, "the control"
    answer = send(gateway, gate, copied, held_from=6)
    assert (answer["highest"], answer["branch"]) == (7, True)
    assert len(kept(office)) == 7 + 2
    kinds = office.sql("SELECT kind FROM gates_alarm ORDER BY id")
    assert kinds == [("fork",), ("gap",)]


def test_a_copied_disk_is_set_aside_and_nothing_is_lost(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """Two devices with one past: 2 in common, then 3 of the one and 4 of the other."""
    log = log_of(office, gate)
    common = write(log, office, venue, 2)
    clone = log.copy()
    send(gateway, gate, common)
    own = write(log, office, venue, 3)
    copied = write(clone, office, venue, 4)
    assert send(gateway, gate, own[:1])["highest"] == 3
    answer = send(gateway, gate, copied)
    assert answer["branch"] is True
    assert answer["highest"] == 6, "all of the copy's own records are kept"
    assert send(gateway, gate, own[1:])["highest"] == 5
    again = send(gateway, gate, copied)
    assert (again["branch"], again["highest"]) == (True, 6)
    assert len(kept(office)) == 2 + 3 + 4
    branch = office.sql("SELECT payload FROM records_record WHERE payload ? 'branch'")
    assert len(branch) == 4
    alarms = office.sql("SELECT kind, details FROM gates_alarm")
    assert [(kind, d["from"], d["to"]) for kind, d in alarms] == [("fork", 3, 6)]


def test_a_copy_that_was_faster_does_not_make_the_device_forget(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    log = log_of(office, gate)
    common = write(log, office, venue, 1)
    clone = log.copy()
    send(gateway, gate, common + write(clone, office, venue, 5))
    assert send(gateway, gate, common)["highest"] == 1, "2…6 are the copy's, not this device's"
    own = write(log, office, venue, 2)
    answer = send(gateway, gate, own)
    assert (answer["highest"], answer["branch"]) == (3, True)
    assert len(kept(office)) == 1 + 5 + 2


def test_torn_and_foreign_records_are_kept_with_their_fault(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """Each fault in a chain that goes on after it; the good ones around it arrive."""
    log = log_of(office, gate)
    log.add(entry(office, venue))
    torn = log.add(entry(office, venue))
    body = bytearray(from_base64url(torn["sealed"]))
    body[40] ^= 1
    torn["sealed"] = base64url(bytes(body))
    log.add(entry(office, venue), seq=99)
    log.add(entry(office, venue), boot=7)
    fahrenheit = {"state": "measured", "tenths": 977, "thermometer": "t-1"}
    log.add(entry(office, venue, measured=fahrenheit))
    log.add(entry(office, venue))
    # No database's JSON holds a NUL: one would stop the device's queue for ever.
    log.add(entry(office, venue, asked={"state": "asked", "answers": {"\0": False}}))
    answer = send(gateway, gate, log.made)
    assert answer["highest"] == 7, "what is set aside counts as received"
    assert answer["set_aside"] == [2, 3, 4, 5, 7]
    assert kept(office) == [f"gate:{gate.handle}:1:{n}" for n in (1, 6)]
    faults = office.sql("SELECT seq, fault FROM gates_record WHERE fault <> '' ORDER BY seq")
    assert faults == [
        (2, "torn"),
        (3, "other-place"),
        (4, "other-place"),
        (5, "entry:measured.tenths"),
        (7, "entry:asked.answers"),
    ]
    assert office.sql("SELECT kind FROM gates_alarm") == [("set-aside",)]


def test_a_gate_tells_of_its_own_door_alone(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """A gate taken off its wall opens no incident at another venue, or at another entrance."""
    log = log_of(office, gate)
    log.add(entry(office, venue))
    log.add(entry(office, office.add_venue(), kind="isolate", answer="red", requirement="red"))
    log.add(entry(office, venue, entrance="west"))
    answer = send(gateway, gate, log.made)
    assert (answer["highest"], answer["set_aside"]) == (3, [2, 3])
    assert kept(office) == [f"gate:{gate.handle}:1:1"]
    faults = office.sql("SELECT seq, fault FROM gates_record WHERE fault <> '' ORDER BY seq")
    assert faults == [(2, "other-door"), (3, "other-door")]


def test_what_is_sealed_to_another_key_is_unreadable(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    from nacl.public import PrivateKey

    log = GateLog(device=gate.handle, boot=1, key=PrivateKey.generate().public_key)
    answer = send(gateway, gate, [log.add(entry(office, venue))])
    assert (answer["highest"], answer["set_aside"]) == (1, [1])
    assert office.sql("SELECT fault FROM gates_record") == [("unreadable",)]


def test_a_person_is_named_by_index_a_week_late(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    from passlight.core.codes.epochs import epoch_at

    visits = office.add_person(7)
    keys = gateway.gateway.published.keys
    epoch = epoch_at(int(office.clock.now().timestamp()), offset=480)
    index = keys.permutation(epoch).index_of(7)
    who = {"realm": office.realm, "epoch": epoch, "index": index}
    late = (office.clock.now() - timedelta(days=7)).isoformat()
    log = log_of(office, gate)
    sent = [
        log.add(entry(office, venue, who=who, occurred_at=late)),
        log.add(entry(office, venue, who={**who, "realm": "cn-310101"})),
        log.add(entry(office, venue, who={**who, "epoch": 1})),
        log.add(entry(office, venue, who={"paper": "p-1"})),
    ]
    assert send(gateway, gate, sent)["highest"] == 4
    rows = office.sql("SELECT visits_key, payload FROM records_record ORDER BY spool_seq")
    assert [row[0] for row in rows] == [visits, None, None, None]
    assert rows[0][1]["entry"]["who"] == {"lookup": "named"}, "no index stands beside the person"
    assert rows[3][1]["entry"]["who"] == {"paper": "p-1"}


def test_a_wrong_clock_loses_no_record(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    log = log_of(office, gate)
    send(gateway, gate, [log.add(entry(office, venue, occurred_at="1970-01-01T00:00:07+00:00"))])
    [(payload,)] = office.sql("SELECT payload FROM records_record")
    assert payload["claimed_at"].startswith("1970-01-01")


def test_another_devices_batch_is_refused(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    other = add_gate(office, venue)
    log = log_of(office, gate)
    body = {"device": gate.handle, "boot": 1, "records": [log.add(entry(office, venue))]}
    answer = other.post(gateway.client, PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (403, "wrong-device")
    # Under its own name, what another device sealed says another place.
    body["device"] = other.handle
    assert other.post(gateway.client, PATH, body).json()["set_aside"] == [1]
    checker = office.checker(venue)
    assert checker.post(gateway.client, PATH, body).json()["error"] == "wrong-role"
    assert not kept(office)


def test_limits(office: Office, gateway: Running, venue: str, gate: Device) -> None:
    log = log_of(office, gate)
    one = log.add(entry(office, venue))
    for records, status in (
        ([one] * 501, 400),
        ([{**one, "seq": 0}], 400),
        ([{**one, "hash": "00"}], 400),
        ([{**one, "sealed": "x" * (3 * 1024 * 1024)}], 413),
    ):
        body = {"device": gate.handle, "boot": 1, "records": records}
        assert gate.post(gateway.client, PATH, body).status_code == status
    assert not kept(office)
    assert send(gateway, gate, [one] * 500)["highest"] == 1, "the control: five hundred are taken"


def test_five_hundred_records_in_one_batch(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    sent = write(log_of(office, gate), office, venue, 500)
    assert len(json.dumps(sent)) < 2 * 1024 * 1024
    assert send(gateway, gate, sent)["highest"] == 500


def test_no_database_no_acknowledgement(
    office: Office, start_gateway: Any, installation: Any
) -> None:
    away = [False]

    def url() -> str:
        return "postgresql://127.0.0.1:9/none" if away[0] else installation.urls[Role.GATEWAY]

    gateway = start_gateway(url=url)
    venue = office.add_venue()
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    gate = add_gate(office, venue)
    log = log_of(office, gate)
    body = {"device": gate.handle, "boot": 1, "records": [log.add(entry(office, venue))]}
    away[0] = True
    answer = gate.post(gateway.client, PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (503, "database-away")
    assert answer.headers["Retry-After"]
    assert not office.sql("SELECT 1 FROM gates_record")
    away[0] = False
    assert gate.post(gateway.client, PATH, body).json()["highest"] == 1


def test_a_report_and_a_call_to_the_office(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    report = {"waiting": 12, "feed_as_of": 1_795_392_000, "software": "1.0", "clock_sure": False}
    answer = send(gateway, gate, [], report=report)
    assert (answer["highest"], answer["call_office"]) == (0, False)
    send(gateway, gate, [], report={**report, "waiting": 3})
    rows = office.sql("SELECT waiting, software, clock_sure FROM gates_report")
    assert rows == [(3, "1.0", False)]
    office.sql("UPDATE gates_device SET state = 'wiping' WHERE id = %s", gate.handle)
    assert send(gateway, gate, [])["call_office"] is True


def test_a_report_from_the_year_36812_is_refused(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """2^40 seconds: PostgreSQL keeps that year, Python has none, and the fleet's page would fall."""
    report = {"waiting": 0, "feed_as_of": 2**40}
    body = {"device": gate.handle, "boot": 1, "records": [], "report": report}
    assert gate.post(gateway.client, PATH, body).status_code == 400
    report["feed_as_of"] = 2**37  # the year 6325, the control
    assert gate.post(gateway.client, PATH, body).status_code == 200


def test_a_revoked_gate_is_refused(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    assert send(gateway, gate, [])["boot"] == 1
    office.revoke(handle=gate.handle)
    gateway.knows(office)
    answer = gate.post(gateway.client, PATH, {"device": gate.handle, "boot": 1, "records": []})
    assert (answer.status_code, answer.json()["error"]) == (401, "grant-revoked")


def test_a_gates_grant_lives_seven_days_and_names_one_door(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    def ask(**changes: Any) -> tuple[int, str]:
        gate.grant = gate.make_grant(**{"entrance": "east", **changes})
        answer = gate.post(gateway.client, PATH, {"device": gate.handle, "boot": 1, "records": []})
        return answer.status_code, answer.json().get("error", "")

    now = int(office.clock.now().timestamp())
    assert ask(exp=now + 7 * 86_400) == (200, "")
    assert ask(exp=now + 7 * 86_400 + 1) == (401, "grant-bad")
    assert ask(entrance=None) == (401, "grant-bad")
    assert ask(venues=[venue, str(uuid.uuid4())]) == (401, "grant-bad")


def test_a_gateway_only_appends(office: Office, gateway: Running, installation: Any) -> None:
    """What the database itself refuses under the gateway's role."""
    refused = [
        "SELECT body FROM gates_record",
        "UPDATE gates_record SET fault = ''",
        "DELETE FROM gates_record",
        "DELETE FROM gates_branch",
        "SELECT * FROM gates_alarm",
        "UPDATE gates_alarm SET seen_at = now()",
        "UPDATE gates_device SET state = 'active'",
        "SELECT thumbprint FROM gates_device",
        "INSERT INTO gates_door (venue_id) VALUES (NULL)",
        "SELECT * FROM gates_token",
        "SELECT visits_key FROM records_record",
        "SELECT * FROM halls_staff",
    ]
    with psycopg.connect(installation.urls[Role.GATEWAY], autocommit=True) as connection:
        for statement in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.execute("SELECT id, state FROM gates_device")
        connection.execute("SELECT * FROM gates_staff")


def test_the_naive_count_would_lose_records(
    office: Office, gateway: Running, venue: str, gate: Device
) -> None:
    """The control of the fork tests: by number alone, the table would say 6 to both."""
    log = log_of(office, gate)
    clone = log.copy()
    send(gateway, gate, write(clone, office, venue, 6))
    write(log, office, venue, 6)
    assert office.sql("SELECT max(seq) FROM gates_record") == [(6,)]
    mine = bytes.fromhex(log.made[5]["hash"])
    assert not office.sql("SELECT 1 FROM gates_record WHERE hash = %s", mine)
    assert link(bytes(32), b"") != mine
