"""From a door's record to an incident: once, in order of arrival, with a number without gaps."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from passlight.core.incidents.steps import FindingKind, Step
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.actions import add_unit
from passlight.office.accounts.models import Registration, Role, UnitKind
from passlight.office.incidents import actions, follow, opening
from passlight.office.incidents.models import PendingRecord, RecordLink, StoredIncident
from passlight.office.incidents.recording import broken_at, read
from passlight.office.notices.models import Notice
from passlight.runtime.database import Role as DatabaseRole
from tests.incidents.hall import (
    ENTROPY,
    START,
    HandClock,
    add_person,
    add_record,
    add_staff,
    make_world,
)


@pytest.fixture
def world(db):
    return make_world()


def opened(world, key="r-1", **given):
    record = add_record(world.venue, key, clock=world.clock, **given)
    return actions.open_from_record(record, clock=world.clock, entropy=ENTROPY)


def test_a_red_scan_opens_an_incident_and_tells_at_once(world):
    person = add_person()
    stored = opened(world, visits_key=person.visits_key)
    assert (stored.number, stored.kind, stored.step) == ("0608-01", "red", "found")
    assert stored.owner == world.leader  # an unattended scan: the duty leader's own
    incident = read(stored)
    assert incident.bodies == ("leading-group",)
    told = set(Notice.objects.filter(incident=stored.pk).values_list("code", "user__badge"))
    assert ("messages.incident_found", world.leader.badge) in told
    assert ("messages.incident_leading_group", world.officer.badge) in told
    assert not any("310118" in str(n.params) + str(n.code) for n in Notice.objects.all())


def test_who_scans_first_is_responsible_first(world):
    Registration.objects.create(
        handle="c-7",
        user=world.checker,
        thumbprint="t",
        created_at=START,
        granted_at=START,
    )
    stored = opened(world, actor="c-7")
    assert (stored.owner, stored.deputy) == (world.checker, world.leader)
    assert stored.opened_by == world.checker


def test_a_guard_at_a_sentinel_is_the_first_scanner_by_badge(world):
    stored = opened(world, actor="gate-1", payload={"entry": {"guard": world.clerk.badge}})
    assert stored.owner == world.clerk


def register(user, handle):
    return Registration.objects.create(
        handle=handle, user=user, thumbprint=handle, created_at=START, granted_at=START
    )


def test_a_badge_makes_nobody_the_finder_who_was_not_there(world):
    """A checker writes another's badge, a sentinel that of somebody with no post in the hall."""
    register(world.checker, "c-7")
    typed = {"entry": {"guard": world.leader.badge}}
    assert opened(world, "r-1", actor="c-7", payload=typed).opened_by == world.checker
    typed = {"entry": {"guard": world.officer.badge}}
    assert opened(world, "r-2", actor="gate-1", payload=typed).opened_by is None


def test_a_phone_opens_nothing_where_its_owner_has_no_post(world):
    """Control: the same late record of one's own place, sent after going off duty, opens."""
    elsewhere = add_unit(
        kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao", parent=world.district
    )
    register(add_staff(Role.CHECKER, elsewhere, "邻居"), "c-8")
    register(world.checker, "c-7")
    off_duty = {"payload": {"off_duty": True}}
    with pytest.raises(ProblemError) as refused:
        opened(world, "r-1", actor="c-8", **off_duty)
    assert refused.value.problems[0].code == "incidents.refused.not-yours"
    assert not StoredIncident.objects.exists()
    assert opened(world, "r-2", actor="c-7", **off_duty).opened_by == world.checker


def test_a_device_that_reports_without_end_is_set_aside(world, monkeypatch):
    """Another door's finding, and a second one of somebody known, still arrive."""
    monkeypatch.setattr(opening, "OPENED_A_DEVICE_AND_DAY_MAX", 3)
    person = add_person()
    opened(world, "r-0", actor="c-7", visits_key=person.visits_key)
    for number in range(1, 3):
        opened(world, f"r-{number}", actor="c-7")
    add_record(world.venue, "r-3", clock=world.clock, actor="c-7")
    assert follow.follow_records(world.clock) is False
    fault = PendingRecord.objects.get(record="r-3").fault
    assert fault == "incidents.refused.flood"
    opened(world, "r-4", actor="gate-2")
    opened(world, "r-5", actor="c-7", visits_key=person.visits_key)
    assert StoredIncident.objects.count() == 4
    world.clock.move(days=1)
    opened(world, "r-6", actor="c-7")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"answer": "yellow", "kind": "ask"}, "yellow"),
        ({"answer": "red", "kind": "verification"}, "red"),
        ({"answer": "green", "payload": {"entry": {"requirement": "temperature"}}}, "fever"),
        ({"answer": "green", "payload": {"entry": {"requirement": "symptoms"}}}, "symptoms"),
        (
            {"answer": "green", "payload": {"entry": {"requirement": "declaration"}}},
            "false-declaration",
        ),
        ({"answer": "green", "kind": "report"}, "other"),
        (
            {
                "answer": "green",
                "kind": "admit",
                "payload": {"entry": {"requirement": "emergency", "findings": ["temperature"]}},
            },
            "fever",
        ),
    ],
)
def test_every_kind_of_finding_takes_the_same_steps(world, given, kind):
    assert opened(world, **given).kind == kind


def test_a_record_of_nothing_abnormal_is_refused(world):
    with pytest.raises(ProblemError):
        opened(world, answer="green", kind="admit")
    assert not StoredIncident.objects.exists()


def test_a_second_finding_joins_and_the_same_record_does_nothing(world):
    person = add_person()
    first = opened(world, "r-1", visits_key=person.visits_key)
    world.clock.move(minutes=3)
    second = opened(world, "r-2", visits_key=person.visits_key, answer="yellow")
    again = opened_again(world, "r-2")
    assert first == second == again
    incident = read(first)
    assert incident.kinds == {FindingKind.RED, FindingKind.YELLOW}
    assert [event.what.value for event in incident.events] == ["opened", "joined"]
    assert set(RecordLink.objects.values_list("record", flat=True)) == {"r-1", "r-2"}


def opened_again(world, key):
    record = opening.Record.objects.get(pk=key)
    return actions.open_from_record(record, clock=world.clock, entropy=ENTROPY)


def test_somebody_nobody_can_name_has_an_incident_a_record(world):
    assert opened(world, "r-1") != opened(world, "r-2")
    assert sorted(StoredIncident.objects.values_list("number", flat=True)) == [
        "0608-01",
        "0608-02",
    ]


def test_two_places_and_two_people_are_kept_apart(world):
    from tests.incidents.hall import add_venue

    person, other = add_person(), add_person("310118199002020022", "王小兰")
    elsewhere = add_venue(world.town, "青汀街道第二大厅")
    keys = {
        opened(world, "r-1", visits_key=person.visits_key).pk,
        opened(world, "r-2", visits_key=other.visits_key).pk,
        opened(world, "r-3", visits_key=person.visits_key, venue_id=elsewhere.pk).pk,
    }
    assert len(keys) == 3


def test_the_follower_takes_what_arrived_and_goes_on_past_a_bad_record(world):
    person = add_person()
    add_record(world.venue, "a", clock=world.clock, visits_key=person.visits_key)
    add_record(world.venue, "b", clock=world.clock, venue_id="00000000-0000-4000-8000-000000000001")
    add_record(world.venue, "c", clock=world.clock, answer="green", kind="admit")
    add_record(world.venue, "d", clock=world.clock, payload={"entry": "torn"}, answer="yellow")
    add_record(world.venue, "e", clock=world.clock, answer="red", kind="exit")
    assert follow.follow_records(world.clock, most=2) is True
    assert follow.follow_records(world.clock) is False
    rows = PendingRecord.objects.order_by("seq").values_list("record", "fault")
    assert list(rows) == [("a", ""), ("b", "incidents.refused.no-finding"), ("d", "")]
    assert StoredIncident.objects.count() == 2
    assert PendingRecord.objects.filter(followed_at=None).count() == 0


def test_a_killed_follower_does_the_record_again(world, monkeypatch):
    add_record(world.venue, "a", clock=world.clock)
    monkeypatch.setattr(follow, "open_from_record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        follow.follow_records(world.clock)
    monkeypatch.undo()
    assert PendingRecord.objects.get().followed_at is None
    follow.follow_records(world.clock)
    assert StoredIncident.objects.count() == 1


def test_what_an_offline_door_tells_late_joins_the_incident_of_its_time(world):
    person = add_person()
    stored = opened(world, "r-1", visits_key=person.visits_key)
    world.clock.move(minutes=20)
    closed_at = world.clock.now()
    StoredIncident.objects.filter(pk=stored.pk).update(closed_at=closed_at)
    late = opening._running(
        opening.NewFinding(
            venue=world.venue,
            kind=FindingKind.RED,
            found_at=closed_at - timedelta(minutes=25),
            found_by=None,
            visits_key=person.visits_key,
        )
    )
    after = opening._running(
        opening.NewFinding(
            venue=world.venue,
            kind=FindingKind.RED,
            found_at=closed_at + timedelta(minutes=1),
            found_by=None,
            visits_key=person.visits_key,
        )
    )
    assert (late, after) == (stored, None)


def test_every_event_is_chained_and_a_changed_one_is_found(world):
    stored = opened(world)
    actions.record_step(
        stored.pk, Step.ISOLATED, actor=world.leader, clock=world.clock, note="一号隔离间"
    )
    assert broken_at(stored) is None
    row = stored.log.get(number=2)
    row.body = {**row.body, "note": "二号隔离间"}
    row.save()
    assert broken_at(stored) == 2


def test_the_office_can_add_events_and_never_change_them(world, as_role):
    stored = opened(world)
    refused = "permission denied"
    for statement in (
        "UPDATE incidents_event SET step = 'closed'",
        "DELETE FROM incidents_event",
        "DELETE FROM incidents_incident",
        "DELETE FROM incidents_evidence",
        "INSERT INTO incidents_arrival (record) VALUES ('x')",
        "INSERT INTO statuses_publication SELECT * FROM statuses_publication",
    ):
        with (
            as_role(DatabaseRole.OFFICE),
            pytest.raises(Exception, match=refused),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with as_role(DatabaseRole.OFFICE):
        actions.record_step(stored.pk, Step.ISOLATED, actor=world.leader, clock=world.clock)
    with as_role(DatabaseRole.GATEWAY), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO records_record (key, kind, gateway, spool_seq, actor, device, venue_id,"
            " entrance, answer, reason, occurred_at, acknowledged_at, digest, payload)"
            " VALUES ('g', 'isolate', 'g1', 1, 'c', '', %s, 'north', 'red', '', now(), now(),"
            " '', '{}')",
            [world.venue.pk],
        )
    assert PendingRecord.objects.filter(record="g").exists()


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_many_open_at_once():
    world = make_world()
    person = add_person()
    keys = [f"r-{n}" for n in range(16)]
    records = [
        add_record(
            world.venue,
            key,
            clock=world.clock,
            visits_key=person.visits_key if n % 4 == 0 else None,
        )
        for n, key in enumerate(keys)
    ]
    faults = []

    def work(mine):
        try:
            for record in mine:
                if record.key == "r-5":  # a number taken in a transaction that is rolled back
                    with pytest.raises(RuntimeError), transaction.atomic():
                        actions.open_from_record(record, clock=HandClock(), entropy=ENTROPY)
                        raise RuntimeError
                for _ in range(2):
                    actions.open_from_record(record, clock=HandClock(), entropy=ENTROPY)
        except Exception as error:  # noqa: BLE001  # reported by the test
            faults.append(error)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=work, args=(records[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    # 12 records of nobody by name, and one person with 4 records: 13 incidents
    numbers = sorted(StoredIncident.objects.values_list("ordinal", flat=True))
    assert numbers == list(range(1, 14))
    assert StoredIncident.objects.filter(visits_key=person.visits_key).count() == 1


def test_any_post_opens_by_hand_and_staff_on_themselves(world):
    for role in (Role.CHECKER, Role.GUIDE, Role.COUNTER_CLERK, Role.HALL_MANAGER):
        from tests.incidents.hall import add_staff

        actor = add_staff(role, world.town, "值班")
        stored = actions.open_by_hand(
            world.venue, FindingKind.FEVER, actor=actor, clock=world.clock, entropy=ENTROPY
        )
        assert stored.owner == actor
    myself = add_person()
    own = actions.open_by_hand(
        world.venue,
        FindingKind.YELLOW,
        actor=world.clerk,
        person=myself,
        role="staff",
        clock=world.clock,
        entropy=ENTROPY,
    )
    assert (own.visits_key, own.role) == (myself.visits_key, "staff")
    with pytest.raises(ProblemError):
        actions.open_by_hand(
            world.venue,
            FindingKind.FEVER,
            actor=world.street,
            clock=world.clock,
            entropy=ENTROPY,
        )
