"""Caps: from how many on a zone waits for an officer; counted by hand."""

from passlight.core.exposure.caps import HeldWhy, held_zones
from passlight.core.exposure.exposure import exposures_of
from passlight.core.exposure.parameters import Cap
from tests.exposure.definitions import stay, windows

CASE = windows(stay("case", "10:00", "11:00", zone="z"), stay("case", "12:00", "13:00", zone="y"))
PLACE = ("17", "v", "z")


def held(people, present, cap, *, twice=False):
    visits = [stay(f"p{number}", "10:00", "11:00") for number in range(people)]
    if twice:
        visits += [stay(f"p{number}", "11:00", "11:20") for number in range(people)]
    found = exposures_of(CASE, visits, minutes_min=10)
    return [(one.people, one.why) for one in held_zones(found, present={PLACE: present}, cap=cap)]


def test_more_than_so_many_people_wait():
    cap = Cap(people_max=5, share_percent_max=100)
    assert held(5, 1000, cap) == []
    assert held(6, 1000, cap) == [(6, HeldWhy.PEOPLE)]


def test_one_person_with_two_visits_is_one():
    assert held(5, 1000, Cap(people_max=5, share_percent_max=100), twice=True) == []


def test_more_than_a_share_of_those_present_wait():
    cap = Cap(people_max=100, share_percent_max=50, share_people_min=4)
    assert held(4, 8, cap) == []  # exactly half
    assert held(4, 7, cap) == [(4, HeldWhy.SHARE)]
    assert held(3, 3, cap) == []  # everyone, and no crowd


def test_each_zone_has_its_own_count():
    visits = [stay(f"p{number}", "10:00", "11:00") for number in range(3)]
    visits += [stay(f"q{number}", "12:00", "13:00", zone="y") for number in range(3)]
    found = exposures_of(CASE, visits, minutes_min=10)
    assert held_zones(found, present={}, cap=Cap(people_max=5, share_people_min=10)) == []
    assert [
        (one.zone, one.people)
        for one in held_zones(found, present={}, cap=Cap(people_max=2, share_people_min=10))
    ] == [("y", 3), ("z", 3)]
