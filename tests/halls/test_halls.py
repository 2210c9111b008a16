"""Plans down the tree, door documents, head counts and rosters, on a real database.

Expected values are worked by hand from the plans that each test publishes.
"""

import uuid
from datetime import time, timedelta

import pytest
from django.db import DatabaseError, transaction

from passlight.core.entry.door_document import door_from_json
from passlight.core.kernel.documents import Document, DocumentType
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.hall import DutyRole, HallState
from passlight.core.places.venue import VenueClass
from passlight.core.rules.admission import Outcome
from passlight.office.accounts.models import Role
from passlight.office.halls.actions import correct, set_state
from passlight.office.halls.models import Lease, StoredPlan, Zone
from passlight.office.halls.planning import NewPlan, preview, withdraw_plan
from passlight.office.halls.queries import (
    door_document,
    hall_of_venue,
    occupancy,
    on_duty,
    people_in_zone,
    resolved_plan,
    unit_plan,
)
from passlight.office.halls.rosters import (
    NewDuty,
    Shift,
    add_duty,
    add_staff,
    end_staff,
    withdraw_duty,
)
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.office.records.models import Record
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.halls.conftest import Cast, make_venue

ENTROPY = SystemEntropy()


def publish_qingpu(cast: Cast) -> None:
    """Put the pack of the seeds in force; its dates cover the cast's 8 June 2022."""
    stored = store_pack(
        read_pack_folder(shipped_packs() / "qingpu-2022-05"), user=None, clock=cast.clock
    )
    publish_pack(stored, effective_from=stored.effective_from, user=None, clock=cast.clock)


def hall_zone(cast: Cast) -> Zone:
    return cast.hall.zones.get(code="hall")


def open_lease(zone: Zone, opened_at, lease: uuid.UUID | None = None) -> Lease:
    return Lease.objects.create(id=lease or uuid.uuid4(), zone=zone, opened_at=opened_at)


def test_a_plan_comes_down_the_tree_and_the_nearest_value_holds(cast: Cast) -> None:
    now = cast.clock.now()
    cast.plan(cast.district, cap__hall=6, lease__minutes=120)
    cast.plan(cast.town, cap__hall=5)
    cast.plan(cast.town, hall=cast.hall, lease__minutes=90)
    plan = resolved_plan(cast.hall, now)
    assert (plan["cap.hall"], plan["lease.minutes"]) == (5, 90)
    village = resolved_plan(cast.village_hall, now)
    assert (village["cap.hall"], village["lease.minutes"]) == (5, 120)
    assert unit_plan(cast.other, now).values == {"cap.hall": 6, "lease.minutes": 120}


def test_two_to_three_rounds_is_a_dated_change(cast: Cast) -> None:
    """Seed 000 has two disinfections a day, seed 004 three: a version with a date."""
    now = cast.clock.now()
    cast.plan(cast.district, disinfection__rounds=["08:00", "17:00"])
    cast.plan(cast.district, after=24, disinfection__rounds=["08:00", "12:00", "17:00"])
    assert resolved_plan(cast.hall, now)["disinfection.rounds"] == ("08:00", "17:00")
    later = resolved_plan(cast.hall, now + timedelta(hours=24))
    assert later["disinfection.rounds"] == ("08:00", "12:00", "17:00")


def test_a_preview_names_each_hall_and_who_overrides(cast: Cast) -> None:
    cast.plan(cast.district, test__visitor__hours=48)
    cast.plan(cast.village, test__visitor__hours=24)
    new = NewPlan(
        unit=cast.district,
        effective_from=cast.clock.now() + timedelta(days=1),
        changes={"test.visitor.hours": 72},
    )
    seen = {found.hall.pk: found for found in preview(new, now=cast.clock.now())}
    town, village = seen[cast.hall.pk], seen[cast.village_hall.pk]
    assert (town.before, town.after, town.overridden_by) == (48, 72, None)
    assert (village.before, village.after) == (24, 24)
    assert village.overridden_by is not None
    assert village.overridden_by.unit[-1] == str(cast.village.pk)
    assert StoredPlan.objects.count() == 2, "a preview publishes nothing"


@pytest.mark.parametrize(
    "changes", [{}, {"test.visitor.hours": -1}, {"colour.everybody": "green"}, {"mask": "yes"}]
)
def test_what_no_plan_may_set_is_refused(cast: Cast, changes: dict) -> None:
    new = NewPlan(unit=cast.district, effective_from=cast.clock.now(), changes=changes)
    with pytest.raises(ProblemError):
        preview(new, now=cast.clock.now())


def test_a_version_is_withdrawn_before_it_holds_and_never_after(cast: Cast) -> None:
    future = cast.plan(cast.district, after=1, cap__hall=3)
    present = cast.plan(cast.district, cap__hall=4)
    withdraw_plan(future, actor=None, clock=cast.clock)
    with pytest.raises(ProblemError):
        withdraw_plan(future, actor=None, clock=cast.clock)
    with pytest.raises(ProblemError):
        withdraw_plan(present, actor=None, clock=cast.clock)
    later = cast.clock.now() + timedelta(hours=2)
    assert resolved_plan(cast.hall, later)["cap.hall"] == 4


def test_the_office_cannot_change_a_plan_in_place(cast: Cast, as_role) -> None:
    """The database itself refuses: only the columns of a withdrawal may be updated."""
    stored = cast.plan(cast.district, cap__hall=3)
    with as_role(DatabaseRole.OFFICE), pytest.raises(DatabaseError), transaction.atomic():
        StoredPlan.objects.filter(pk=stored.pk).update(changes={"cap.hall": 99})


def test_a_halls_door_is_told_policies_plan_and_share(cast: Cast) -> None:
    """方案三（二）1: visitors 48 h; the plan makes it 72 and the limit 37.0 °C."""
    publish_qingpu(cast)
    venue = cast.hall.venue_id
    usual = door_document(venue, "north", cast.clock.now())
    assert usual.policy("visitor").test.hours_max == 48
    assert usual.policy("staff").test.hours_max == 24
    cast.plan(cast.district, test__visitor__hours=72, temperature__limit=370, standing__north=3)
    told = door_document(venue, "north", cast.clock.now())
    visitor = told.policy("visitor")
    assert visitor.test.hours_max == 72
    assert visitor.temperature.limit == 370
    assert told.policy("staff").test.hours_max == 24
    assert visitor.failures["red"].outcome is Outcome.ISOLATE
    assert (told.hall, told.zone, told.standing_places, told.offset) == (
        cast.hall.pk,
        "hall",
        3,
        480,
    )
    assert told.plan_version != usual.plan_version
    assert door_from_json(told.to_json()) == told


def test_a_door_document_ends_when_the_next_plan_begins(cast: Cast) -> None:
    now = cast.clock.now()
    venue = cast.hall.venue_id
    assert door_document(venue, "north", now).effective_until == now + timedelta(days=7)
    cast.plan(cast.branch, after=5, cap__hall=3)
    assert door_document(venue, "north", now).effective_until == now + timedelta(hours=5)


@pytest.mark.parametrize("kind", list(VenueClass))
@pytest.mark.parametrize("pack", [True, False])
def test_every_class_of_venue_has_the_same_doors(cast: Cast, kind: VenueClass, pack: bool) -> None:
    """Estate, office, park, checkpoint …: with the pack of the seeds, and with no pack at all."""
    if pack:
        publish_qingpu(cast)
    cast.plan(cast.district, temperature__limit=370, mask=True, test__visitor__hours=72)
    venue = make_venue(cast.other, "别处", cast.clock, kind=kind)
    told = door_document(venue.pk, "north", cast.clock.now())
    visitor = told.policy("visitor")
    assert (told.hall, told.standing_places) == (None, None)
    assert "green" in [colour.value for colour in visitor.colours]
    assert visitor.failures["unknown"].outcome is not Outcome.ADMIT
    assert told.emergency is (kind is VenueClass.HOSPITAL)
    assert door_from_json(told.to_json()) == told


def test_occupancy_counts_open_stays_and_shows_the_smaller_cap(cast: Cast) -> None:
    """Walls allow 8, the plan 5; two of three are still inside; limited is half: 2."""
    now = cast.clock.now()
    cast.plan(cast.town, cap__hall=5)
    for minutes in (30, 20, 10):
        open_lease(hall_zone(cast), now - timedelta(minutes=minutes))
    Lease.objects.order_by("opened_at").filter(opened_at__lt=now - timedelta(minutes=25)).update(
        closed_at=now
    )
    zones = {one.zone.code: one for one in occupancy(cast.hall, now)}
    assert set(zones) == {"screen", "hall", "isolate"}, "outside nobody counts as inside"
    assert (zones["hall"].inside, zones["hall"].cap, zones["hall"].percent) == (2, 5, 40)
    assert (zones["screen"].inside, zones["screen"].cap) == (0, 4)
    before = {one.zone.code: one.inside for one in occupancy(cast.hall, now - timedelta(minutes=1))}
    assert before["hall"] == 3
    set_state(cast.hall, HallState.LIMITED, reason="", actor=None, clock=cast.clock)
    assert next(one.cap for one in occupancy(cast.hall, now) if one.zone.code == "hall") == 2


def test_a_head_count_ends_the_oldest_or_opens_what_was_missing(cast: Cast) -> None:
    user, zone, now = cast.user(Role.HALL_MANAGER, cast.town), hall_zone(cast), cast.clock.now()
    kept = [open_lease(zone, now - timedelta(minutes=minutes)) for minutes in (30, 20, 10)]
    given = {"reason": "离场未扫码", "actor": user, "clock": cast.clock, "entropy": ENTROPY}
    first = correct(zone, counted=1, **given)
    assert (first.known, first.counted) == (3, 1)
    assert list(Lease.objects.filter(closed_at=None)) == [kept[2]]
    second = correct(zone, counted=4, **given)
    assert (second.known, second.counted) == (1, 4)
    assert Lease.objects.filter(closed_at=None).count() == 4


def test_the_office_appends_corrections_and_changes_none(cast: Cast, as_role) -> None:
    user = cast.user(Role.HALL_MANAGER, cast.town)
    with as_role(DatabaseRole.OFFICE):
        made = correct(
            hall_zone(cast),
            counted=2,
            reason="点数",
            actor=user,
            clock=cast.clock,
            entropy=ENTROPY,
        )
    with as_role(DatabaseRole.OFFICE), pytest.raises(DatabaseError), transaction.atomic():
        type(made).objects.filter(pk=made.pk).update(counted=99)


def test_who_was_in_a_zone_at_a_moment(cast: Cast) -> None:
    """A 9:30–10:00 by record, B 9:50– still there, C left at 9:40; at 9:55, stays of 4 h.

    D came at 9:45 and no lease is known of, E did five hours before: D may be there.
    """
    now, zone = cast.clock.now(), hall_zone(cast)

    def record(kind: str, person: str, minutes: int, lease: uuid.UUID) -> None:
        at = now - timedelta(minutes=minutes)
        Record.objects.create(
            key=uuid.uuid4().hex,
            kind=kind,
            gateway="g",
            spool_seq=0,
            actor="door",
            venue_id=cast.hall.venue_id,
            entrance="north",
            visits_key=person if kind == "admit" else None,
            occurred_at=at,
            acknowledged_at=at,
            digest=b"",
            payload={"entry": {"lease": str(lease)}},
        )

    a, b, c = (uuid.uuid4() for _ in range(3))
    for person, lease, minutes in (("v-a", a, 30), ("v-b", b, 10), ("v-c", c, 50)):
        open_lease(zone, now - timedelta(minutes=minutes), lease)
        record("admit", person, minutes, lease)
    record("admit", "v-d", 15, uuid.uuid4())
    record("admit", "v-e", 5 * 60, uuid.uuid4())
    record("exit", "v-a", 0, a)
    record("exit", "v-c", 20, c)
    at = now - timedelta(minutes=5)
    found = {one.visits_key: (one.since, one.until) for one in people_in_zone(zone, at)}
    assert found == {
        "v-a": (now - timedelta(minutes=30), now),
        "v-b": (now - timedelta(minutes=10), None),
        "v-d": (now - timedelta(minutes=15), None),
    }
    assert people_in_zone(cast.hall.zones.get(code="screen"), at) == []


def test_on_duty_falls_up_the_tree(cast: Cast) -> None:
    """A village with nobody on duty still gets through: its town, then the district."""
    now = cast.clock.now()
    leader, deputy = cast.user(Role.DUTY_LEADER, cast.town), cast.user(Role.DUTY_LEADER, cast.town)
    top = cast.user(Role.DUTY_LEADER, cast.district)
    add_duty(
        NewDuty(
            unit=cast.town,
            role=DutyRole.DUTY_LEADER,
            user=deputy,
            deputy=leader,
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
        ),
        actor=None,
        clock=cast.clock,
    )
    found = on_duty(cast.village, "duty-leader", now)
    assert (found.owner, found.unit, found.deputies) == (deputy, cast.town, (leader, top))
    later = on_duty(cast.village, "duty-leader", now + timedelta(hours=2))
    assert (later.owner, later.deputies) == (leader, (deputy, top)), "by role, roster or not"
    type(leader).objects.filter(pk__in=[leader.pk, deputy.pk]).update(locked_at=now)
    assert on_duty(cast.village, "duty-leader", now).owner == top
    assert on_duty(cast.other, "street-office", now).owner is None


def test_a_swap_on_the_roster_is_a_new_line(cast: Cast) -> None:
    now = cast.clock.now()
    first, second = (cast.user(Role.STREET_OFFICE, cast.town) for _ in range(2))
    duties = []
    for user in (first, second):
        duties.append(
            add_duty(
                NewDuty(
                    unit=cast.town,
                    role=DutyRole.STREET_OFFICE,
                    user=user,
                    deputy=None,
                    starts_at=now,
                    ends_at=now + timedelta(hours=8),
                ),
                actor=None,
                clock=cast.clock,
            )
        )
        cast.clock.advance(minutes=1)
    at = cast.clock.now()
    assert on_duty(cast.town, "street-office", at).owner == second
    withdraw_duty(duties[1], clock=cast.clock)
    assert on_duty(cast.town, "street-office", at).owner == first


def test_a_duty_that_ends_before_it_starts_or_is_its_own_deputy_is_refused(cast: Cast) -> None:
    now, user = cast.clock.now(), cast.user(Role.STREET_OFFICE, cast.town)
    common = {"unit": cast.town, "role": DutyRole.STREET_OFFICE, "user": user, "starts_at": now}
    for wrong in (
        NewDuty(**common, deputy=None, ends_at=now),
        NewDuty(**common, deputy=user, ends_at=now + timedelta(hours=1)),
    ):
        with pytest.raises(ProblemError):
            add_duty(wrong, actor=None, clock=cast.clock)


def test_staff_are_found_by_document_and_their_entries_end(cast: Cast) -> None:
    actor = cast.user(Role.HALL_MANAGER, cast.town)
    document = Document(type=DocumentType.PASSPORT, number="E12345678")
    shift = Shift(post="3号窗口", starts_at=time(8, 30), ends_at=time(17, 0))
    with pytest.raises(ProblemError):
        add_staff(cast.hall, document, shift, actor=actor, clock=cast.clock)
    person = register_person(
        NewPerson(documents=(document,), name="许静"), clock=SystemClock(), entropy=ENTROPY
    )
    member = add_staff(cast.hall, document, shift, actor=actor, clock=cast.clock)
    with pytest.raises(ProblemError):
        add_staff(cast.hall, document, shift, actor=actor, clock=cast.clock)
    here = cast.hall.staff.filter(ended_at=None).values_list("person", flat=True)
    assert list(here) == [person.pk]
    end_staff(member, actor=actor, clock=cast.clock)
    assert list(here.all()) == []
    add_staff(cast.hall, document, shift, actor=actor, clock=cast.clock)
    assert cast.hall.staff.count() == 2, "the former entry stays"


def test_a_hall_is_found_by_its_venue(cast: Cast) -> None:
    assert hall_of_venue(cast.hall.venue_id) == cast.hall
    assert hall_of_venue(make_venue(cast.other, "别处", cast.clock).pk) is None
