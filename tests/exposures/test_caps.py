"""Crowds wait for two people: what is held, released, refused, reopened, and by whom."""

import pytest
from django.db import IntegrityError

from passlight.core.exposure.parameters import Cap, TracingParameters
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.models import Role
from passlight.office.exposures import actions
from passlight.office.exposures.models import (
    BatchDecision,
    ParametersVersion,
    StoredExposure,
    VenueBatch,
)
from passlight.office.notices.models import Notice
from tests.exposures.district import make_tracing, people
from tests.exposures.test_tracing import at
from tests.incidents.hall import add_staff


def set_parameters(world, **changed):
    """Put parameters in force by two officers, as the page does."""
    first, second = world.officers
    values = TracingParameters(**changed)
    return ParametersVersion.objects.create(
        values=values.to_json(),
        hash=values.params_hash,
        reason="test",
        asked_by=first,
        asked_at=world.clock.now(),
        decided_by=second,
        decided_at=world.clock.now(),
        in_force_at=world.clock.now(),
    )


@pytest.fixture
def world(db):
    made = make_tracing()
    made.clock.at = at(0, day=7)
    set_parameters(made, cap=Cap(people_max=3, share_percent_max=50, share_people_min=100))
    return made


@pytest.fixture
def crowd(world):
    """Five who were there with the case: two more than the cap of three."""
    case, *others = people(6)
    hall = world.venue("大厅", VenueClass.HALL)
    world.stay(case, hall, at(10), at(11))
    for number, person in enumerate(others):
        world.stay(person, hall, at(10, number), at(11))
    world.case(case, at(20))
    world.follow()
    return hall, others


def test_a_crowd_is_held_and_released_by_two(world, crowd):
    _, others = crowd
    first, second = world.officers
    batch = VenueBatch.objects.get()
    assert (batch.state, batch.present, world.landed()) == ("held", 5, {})
    actions.ask_release(batch.pk, seen=5, reason="核实过", actor=first, clock=world.clock)
    assert world.landed() == {}
    with pytest.raises(ProblemError, match="Somebody else"):
        actions.release(batch.pk, seen=5, actor=first, clock=world.clock)
    assert world.landed() == {}
    actions.release(batch.pk, seen=5, actor=second, clock=world.clock)
    assert set(world.landed()) == {person.facts_key for person in others}
    batch.refresh_from_db()
    assert batch.state == "released"
    decided = BatchDecision.objects.order_by("pk").values_list("what", "by", "people")
    assert list(decided) == [("asked", first.pk, 5), ("released", second.pk, 5)]


def test_an_account_made_by_the_first_is_no_second_person(world, crowd):
    first = world.officers[0]
    puppet = add_staff(Role.DISTRICT_OFFICE, world.hall.district, "小号")
    puppet.added_by = first
    puppet.save()
    batch = VenueBatch.objects.get()
    actions.ask_release(batch.pk, seen=5, reason="x", actor=first, clock=world.clock)
    with pytest.raises(ProblemError):
        actions.release(batch.pk, seen=5, actor=puppet, clock=world.clock)


def test_what_changed_since_it_was_seen_is_looked_at_again(world, crowd):
    hall, _ = crowd
    first, second = world.officers
    batch = VenueBatch.objects.get()
    actions.ask_release(batch.pk, seen=5, reason="x", actor=first, clock=world.clock)
    (sixth,) = people(1)
    world.stay(sixth, hall, at(10), at(11))
    world.follow()
    with pytest.raises(ProblemError) as caught:
        actions.release(batch.pk, seen=5, actor=second, clock=world.clock)
    assert caught.value.problems[0].code == "exposures.refused.changed"
    actions.release(batch.pk, seen=6, actor=second, clock=world.clock)
    assert len(world.landed()) == 6


@pytest.mark.parametrize("who", ["street", "leader", "checker"])
def test_only_the_district_decides(world, crowd, who):
    batch = VenueBatch.objects.get()
    with pytest.raises(ProblemError):
        actions.ask_release(
            batch.pk, seen=5, reason="x", actor=world.hall.users[who], clock=world.clock
        )
    with pytest.raises(ProblemError):
        actions.refuse(batch.pk, reason="x", actor=world.hall.users[who], clock=world.clock)


def test_refusing_drops_with_a_reason_and_reopening_holds_again(world, crowd):
    hall, _ = crowd
    first, second = world.officers
    batch = VenueBatch.objects.get()
    with pytest.raises(ProblemError, match="why"):
        actions.refuse(batch.pk, reason=" ", actor=first, clock=world.clock)
    actions.refuse(batch.pk, reason="扫错了码", actor=first, clock=world.clock)
    (late,) = people(1)
    world.stay(late, hall, at(10), at(11))
    world.follow()
    assert world.landed() == {}
    assert set(StoredExposure.objects.values_list("state", flat=True)) == {"dropped"}
    assert StoredExposure.objects.count() == 6
    actions.reopen(batch.pk, reason="码没有错", actor=second, clock=world.clock)
    batch.refresh_from_db()
    assert batch.state == "held"
    actions.ask_release(batch.pk, seen=6, reason="x", actor=first, clock=world.clock)
    actions.release(batch.pk, seen=6, actor=second, clock=world.clock)
    assert len(world.landed()) == 6


def test_refusing_after_release_takes_the_facts_back(world, crowd):
    first, second = world.officers
    batch = VenueBatch.objects.get()
    actions.ask_release(batch.pk, seen=5, reason="x", actor=first, clock=world.clock)
    actions.release(batch.pk, seen=5, actor=second, clock=world.clock)
    actions.refuse(batch.pk, reason="地点有误", actor=first, clock=world.clock)
    assert world.landed() == {}


def test_what_landed_under_the_cap_stays_when_a_crowd_follows(world):
    case, *others = people(6)
    hall = world.venue("大厅", VenueClass.HALL)
    world.stay(case, hall, at(10), at(11))
    for person in others[:3]:
        world.stay(person, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    assert len(world.landed()) == 3, "three are not over three"
    for person in others[3:]:
        world.stay(person, hall, at(10), at(11))
        world.follow()
    assert set(world.landed()) == {person.facts_key for person in others[:3]}
    assert VenueBatch.objects.get().state == "held"


def test_a_share_of_those_present_holds_too_and_the_rest_of_the_hall_counts(world):
    set_parameters(world, cap=Cap(people_max=99, share_percent_max=50, share_people_min=4))
    case, *others = people(13)
    few, many = world.venue("小厅", VenueClass.HALL), world.venue("大厅", VenueClass.HALL)
    world.stay(case, few, at(10), at(11))
    world.stay(case, many, at(12), at(13))
    for person in others[:4]:
        world.stay(person, few, at(10), at(11))
        world.stay(person, many, at(12), at(13))
    for person in others[4:]:  # eight more for five minutes each: present, not exposed
        world.stay(person, many, at(12, 10), at(12, 15))
    world.case(case, at(20))
    world.follow()
    states = {batch.venue_id: (batch.state, batch.present) for batch in VenueBatch.objects.all()}
    assert states == {few.pk: ("held", 4), many.pk: ("clear", 12)}


def test_a_batch_that_waits_rings_the_bell_and_a_withdrawal_rings_where_it_rang(world, crowd):
    def told(code):
        rows = Notice.objects.filter(code=f"messages.{code}")
        return set(rows.values_list("unit__name", "role", "params__count"))

    posts = [("青汀街道", "street-office"), ("青屿区", "district-office")]
    assert told("exposure_held") == {(*post, 5) for post in posts}
    first, second = world.officers
    batch = VenueBatch.objects.get()
    actions.ask_release(batch.pk, seen=5, reason="x", actor=first, clock=world.clock)
    actions.release(batch.pk, seen=5, actor=second, clock=world.clock)
    assert told("exposure_landed") == {(*post, 5) for post in posts}
    world.retract("cdc:c1")
    world.follow()
    assert told("exposure_withdrawn") == {(*post, 5) for post in posts}
    assert world.landed() == {}


def test_the_table_itself_wants_two_people_for_parameters(world):
    first = world.officers[0]
    values = TracingParameters(minutes_min=15)
    with pytest.raises(IntegrityError):
        ParametersVersion.objects.create(
            values=values.to_json(),
            hash=values.params_hash,
            reason="x",
            asked_by=first,
            asked_at=world.clock.now(),
            decided_by=first,
            decided_at=world.clock.now(),
            in_force_at=world.clock.now(),
        )


def test_other_parameters_find_again_under_their_hash(world):
    set_parameters(world)
    case, long, short = people(3)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.stay(long, hall, at(10), at(11))
    world.stay(short, hall, at(10), at(10, 12))
    world.case(case, at(20))
    world.follow()
    assert set(world.landed()) == {long.facts_key, short.facts_key}
    strict = set_parameters(world, minutes_min=20)
    world.follow()
    landed = world.landed()
    assert set(landed) == {long.facts_key}
    assert landed[long.facts_key][0].payload["params_hash"] == strict.hash
    gone = StoredExposure.objects.get(state="withdrawn")
    assert gone.subject == short.facts_key
