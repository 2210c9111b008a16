"""From records and facts to landed exposures; minutes and moments are worked out by hand.

Moments are hours and minutes of 2022-06-01 UTC; the follower's clock stands a week later.
"""

from datetime import UTC, datetime, timedelta

import pytest

from passlight.core.places.venue import VenueClass
from passlight.office.exposures.models import StoredExposure, StoredWindow, TracedCase
from tests.exposures.district import latest, make_tracing, people

DAY = datetime(2022, 6, 1, tzinfo=UTC)


def at(hour, minute=0, day=0):
    return DAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.fixture
def world(db):
    made = make_tracing()
    made.clock.at = at(0, day=7)
    return made


def test_e31_lingering_and_nobody_before_the_case(world):
    """field/08 E31: case 10:00–11:00; A 10:30–10:35 none; B 11:10–12:00 exposed 20 min."""
    case, a, b = people(3)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.stay(a, hall, at(10, 30), at(10, 35))
    world.stay(b, hall, at(11, 10), at(12))
    world.case(case, at(20))
    world.follow()
    (found,) = world.landed()[b.facts_key]
    assert (found.occurred_at, found.occurred_until) == (at(11, 10), at(11, 30))
    assert (found.payload["minutes"], found.payload["direct_minutes"]) == (20, 0)
    assert found.kind == "exposure.derived"
    assert found.payload["case_id"] == "c1"
    assert set(world.landed()) == {b.facts_key}, "E37: never the case itself"


def test_the_window_begins_two_days_before_the_sample_and_ends_with_isolation(world):
    case, early, inside, late = people(4)
    hall = world.venue("大厅")
    for person, day in ((early, 0), (inside, 1), (late, 4)):
        world.stay(case, hall, at(10, day=day), at(11, day=day))
        world.stay(person, hall, at(10, day=day), at(11, day=day))
    # Sampled 06-03 10:30, so from 06-01 10:30: of the first hour together half is left.
    world.case(case, at(10, 30, day=2), isolated=at(10, 5, day=4))
    world.follow()
    minutes = {s: [f.payload["minutes"] for f in found] for s, found in world.landed().items()}
    # The last day: five minutes together and five minutes lingering are ten.
    assert minutes == {early.facts_key: [30], inside.facts_key: [60], late.facts_key: [10]}


def test_household_is_known_by_its_relation_from_either_side(world):
    case, told, named, other = people(4)
    hall = world.venue("大厅")
    for person in (case, told, named, other):
        world.stay(person, hall, at(10), at(11))
    world.fact("h:1", "relation.household", told, at(0), other=case.facts_key)
    world.fact("h:2", "relation.household", case, at(0), other=named.facts_key)
    world.case(case, at(20))
    world.follow()
    assert set(world.landed()) == {other.facts_key}
    world.retract("h:1")
    world.follow()
    assert set(world.landed()) == {other.facts_key, told.facts_key}


def test_a_weak_scan_neither_exposes_nor_is_exposed_until_a_door_confirms_it(world):
    """Luca and Zhengzhou (field/06 0): a photo of a poster is no presence."""
    case, weak, confirmed, admitted = people(4)
    hall = world.venue("大厅", VenueClass.HALL)
    world.stay(case, hall, at(10), at(11))
    for person in (weak, confirmed, admitted):
        world.record(person, hall, at(10), "checkin", presence="weak")
    world.record(confirmed, hall, at(10, 4), "verification")
    world.record(admitted, hall, at(10, 20), "admit")
    world.case(case, at(20))
    world.follow()
    found = {s: f[0].occurred_at for s, f in world.landed().items()}
    assert found == {confirmed.facts_key: at(10), admitted.facts_key: at(10, 20)}
    world.record(weak, hall, at(10, 29), "verification")
    world.follow()
    assert weak.facts_key in world.landed(), "confirmed later, it counts later"


def test_a_case_s_weak_scan_opens_no_window(world):
    case, other = people(2)
    hall = world.venue("大厅", VenueClass.HALL)
    world.record(case, hall, at(10), "checkin", presence="weak")
    world.stay(other, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    assert world.landed() == {}
    assert StoredWindow.objects.count() == 0
    world.record(case, hall, at(10, 2), "verification")
    world.follow()
    assert set(world.landed()) == {other.facts_key}, "control: staff saw them"


@pytest.mark.parametrize("doubt", ["claimed_at", "off_duty", "branch", "conflicts_with"])
def test_a_record_in_doubt_proves_no_presence(world, doubt):
    case, other = people(2)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.stay(other, hall, at(10), at(11), payload={doubt: True})
    world.case(case, at(20))
    world.follow()
    assert world.landed() == {}


def test_zones_match_exactly(world):
    case, same, elsewhere = people(3)
    mall = world.venue("商场", zones=("f1", "f2"))
    world.stay(case, mall, at(10), at(11), entrance="d0")
    world.stay(same, mall, at(10), at(11), entrance="d0")
    world.stay(elsewhere, mall, at(10), at(11), entrance="d1")
    world.case(case, at(20))
    world.follow()
    assert set(world.landed()) == {same.facts_key}


def test_no_lingering_in_the_open(world):
    case, later = people(2)
    park = world.venue("公园", VenueClass.PARK)
    world.stay(case, park, at(10), at(11))
    world.stay(later, park, at(11), at(12))
    world.case(case, at(20))
    world.follow()
    assert world.landed() == {}


def test_nobody_is_exposed_for_minutes_that_lie_in_the_future(world):
    case, other = people(2)
    hall = world.venue("大厅", VenueClass.HALL)
    world.clock.at = at(10, 5)
    world.case(case, at(-20))
    world.record(case, hall, at(10))
    world.record(other, hall, at(10, 3))
    world.follow()
    assert world.landed() == {}
    world.clock.at = at(10, 13)
    world.follow()
    (found,) = world.landed()[other.facts_key]
    assert found.occurred_at == at(10, 3)


def test_a_new_arrival_meets_an_open_window_also_while_it_lingers(world):
    case, late, gone = people(3)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    assert TracedCase.objects.get().swept_at is not None
    world.stay(late, hall, at(11, 5), at(11, 40))
    world.stay(gone, hall, at(11, 25), at(12))
    world.follow()
    assert {s: f[0].payload["minutes"] for s, f in world.landed().items()} == {late.facts_key: 25}


def test_e36_a_retracted_case_takes_its_exposures_with_it_and_leaves_records_alone(world):
    case, other = people(2)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.stay(other, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    assert set(world.landed()) == {other.facts_key}
    world.retract("cdc:c1")
    world.follow()
    assert world.landed() == {}
    (gone,) = latest()
    assert (gone.ver, gone.op, gone.payload) == (2, "retract", {"reason": "retracted"})
    assert StoredExposure.objects.get().state == "withdrawn"
    world.fact("cdc:c1", "case.confirmed", case, at(8, day=1), case_id="c1")
    world.follow()
    assert set(world.landed()) == {other.facts_key}, "confirmed again, found again"


def test_a_late_exit_changes_the_minutes_and_a_visit_elsewhere_ends_them(world):
    case, other = people(2)
    hall, shop = world.venue("大厅", VenueClass.HALL), world.venue("商店")
    world.stay(case, hall, at(10), at(11))
    world.record(other, hall, at(10, 15))
    world.case(case, at(20))
    world.follow()
    (found,) = world.landed()[other.facts_key]
    # A hall's usual stay of 60 minutes, of which 45 direct and 15 lingering.
    assert (found.payload["minutes"], found.payload["direct_minutes"]) == (60, 45)
    world.record(other, hall, at(10, 45), "exit")
    world.follow()
    (found,) = world.landed()[other.facts_key]
    assert (found.ver, found.payload["minutes"]) == (2, 30)
    world.record(other, shop, at(10, 20))
    world.follow()
    assert world.landed() == {}, "five minutes are less than ten"


def test_following_again_and_from_nothing_lands_nothing_new(world):
    case, other = people(2)
    hall = world.venue("大厅")
    world.stay(case, hall, at(10), at(11))
    world.stay(other, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    before = [(row.fact_id, row.ver) for row in latest()]
    world.fact("lab:again", "lab.result", case, at(21), value="pos", sample_id="again")
    world.follower = type(world.follower)()
    world.record(other, hall, at(10, 30))
    world.follow()
    assert [(row.fact_id, row.ver) for row in latest()] == before


def test_two_subjects_that_are_one_person_are_not_exposed_to_themselves(world):
    case, alias, other = people(3)
    hall = world.venue("大厅")
    for person in (case, alias, other):
        world.stay(person, hall, at(10), at(11))
    world.case(case, at(20))
    world.follow()
    assert set(world.landed()) == {alias.facts_key, other.facts_key}
    world.fact("link:1", "identity.link", case, at(22), a=case.facts_key, b=alias.facts_key)
    world.follow()
    assert set(world.landed()) == {other.facts_key}
