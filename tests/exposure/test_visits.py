"""E33 and E34: visits from check-ins; every expected time is worked by hand.

A hall's usual stay is 60 minutes, of which 10 are certain.
"""

from dataclasses import replace
from datetime import datetime, time
from itertools import permutations
from zoneinfo import ZoneInfo

from passlight.core.exposure.exposure import exposure_of
from passlight.core.exposure.parameters import Dwell, TracingParameters
from passlight.core.exposure.visits import VenueCheckIn, VenueHours, visits_of
from passlight.core.places.venue import VenueClass
from passlight.core.places.venue_code import Presence
from tests.exposure.definitions import USUAL, came, stay, t, visited, went, windows

HALL = VenueHours(kind=VenueClass.HALL)


def times(visits):
    return [(one.venue, one.entered_at, one.left_at, one.imputed, one.overlapped) for one in visits]


def test_a_check_out_ends_the_visit():
    [visit] = visited(came("a", "10:00"), went("a", "10:45"))
    assert times([visit]) == [("v", t("10:00"), t("10:45"), False, False)]
    assert visit.certain_until == t("10:45")


def test_e33_without_one_the_usual_stay_is_assumed_and_said_to_be():
    [visit] = visited(came("a", "10:00"))
    assert times([visit]) == [("v", t("10:00"), t("11:00"), True, False)]
    assert visit.certain_until == t("10:10")


def test_e33_the_next_check_in_ends_an_assumed_stay():
    first, second = visited(came("a", "10:00"), came("a", "10:40", "w"))
    assert times([first, second]) == [
        ("v", t("10:00"), t("10:40"), True, False),
        ("w", t("10:40"), t("11:40"), True, False),
    ]
    # Even what was certain ends where the person is seen elsewhere.
    first, _ = visited(came("a", "10:00"), came("a", "10:04", "w"))
    assert (first.left_at, first.certain_until) == (t("10:04"), t("10:04"))


def test_e33_closing_ends_an_assumed_stay():
    hours = VenueHours(kind=VenueClass.HALL, closes=time(17))
    assert visited(came("a", "16:20"), hours=hours)[0].left_at == t("17:00")
    # Who comes at closing or after it is there for something else; the next closing is far.
    assert visited(came("a", "17:00"), hours=hours)[0].left_at == t("18:00")
    midnight = VenueHours(kind=VenueClass.HALL, closes=time(0))
    assert visited(came("a", "23:30"), hours=midnight)[0].left_at == t("1 00:00")


def test_closing_is_local_on_the_day_the_clocks_change():
    auckland = ZoneInfo("Pacific/Auckland")
    # 2021-09-26: 02:00 becomes 03:00. In at 01:30+12:00 (13:30 UTC), closing 03:15+13:00 is
    # 14:15 UTC: 45 minutes, where a calendar without the change would say 105.
    check_in = VenueCheckIn(
        key="k",
        subject="a",
        venue="v",
        zone="",
        at=datetime.fromisoformat("2021-09-25T13:30:00+00:00"),
    )
    [visit] = visits_of(
        [check_in],
        hours=lambda _venue: VenueHours(kind=VenueClass.HALL, closes=time(3, 15)),
        parameters=USUAL,
        timezone=auckland,
    )
    assert visit.left_at == datetime.fromisoformat("2021-09-25T14:15:00+00:00")


def test_e34_overlapping_check_ins_cut_the_first_and_say_so():
    first, second = visited(
        came("a", "10:00"), went("a", "12:00"), came("a", "11:00", "w"), went("a", "11:30", "w")
    )
    assert times([first, second]) == [
        ("v", t("10:00"), t("11:00"), False, True),
        ("w", t("11:00"), t("11:30"), False, False),
    ]


def test_leaving_as_one_arrives_elsewhere_is_no_overlap():
    first, _ = visited(came("a", "10:00"), went("a", "11:00"), came("a", "11:00", "w"))
    assert times([first]) == [("v", t("10:00"), t("11:00"), False, False)]


def test_a_check_out_belongs_to_the_last_check_in_there():
    first, second = visited(came("a", "10:00"), came("a", "10:30"), went("a", "10:50"))
    assert times([first, second]) == [
        ("v", t("10:00"), t("10:30"), True, False),
        ("v", t("10:30"), t("10:50"), False, False),
    ]


def test_a_check_out_without_a_check_in_counts_for_nothing():
    assert visited(went("a", "10:00")) == []
    [visit] = visited(went("a", "09:00"), came("a", "10:00"), went("b", "10:20"))
    assert visit.imputed


def test_a_check_out_days_later_was_forgotten():
    [visit] = visited(came("a", "10:00"), went("a", "1 02:00"))  # 16 hours: still a stay
    assert (visit.left_at, visit.imputed) == (t("1 02:00"), False)
    [visit] = visited(came("a", "10:00"), went("a", "1 02:00:01"))
    assert (visit.left_at, visit.imputed) == (t("11:00"), True)


def test_no_assumed_stay_passes_the_limit():
    dwell = {kind: Dwell(usual_minutes=3000, certain_minutes=2000) for kind in VenueClass}
    long = TracingParameters(dwell=dwell)
    [visit] = visited(came("a", "10:00"), parameters=long)
    assert (visit.left_at, visit.certain_until) == (t("1 02:00"), t("1 02:00"))


def test_two_check_ins_of_one_instant_keep_both_records():
    visits = visited(came("a", "10:00", "v"), came("a", "10:00", "w"))
    assert times(visits) == [
        ("v", t("10:00"), t("10:00"), True, False),
        ("w", t("10:00"), t("11:00"), True, False),
    ]


def test_the_order_of_the_records_does_not_matter():
    records = [came("a", "10:00"), went("a", "10:20"), came("a", "10:15", "w"), came("b", "10:00")]
    expected = visited(*records)
    assert [one.subject for one in expected] == ["a", "a", "b"]
    assert all(visited(*order) == expected for order in permutations(records))


def test_e33_only_the_certain_part_of_an_assumed_stay_reaches_the_threshold():
    [case] = windows(stay("case", "09:00", "12:00"))
    [visit] = visited(came("a", "10:00"))
    exposure = exposure_of(case, visit)
    assert exposure is not None
    assert (exposure.minutes, exposure.certain_minutes, exposure.imputed) == (60, 10, True)
    assert exposure.counts(USUAL)
    assert not exposure.counts(replace(USUAL, minutes_min=11))


def test_a_case_whose_end_was_assumed_is_certain_for_as_long_and_lingers_for_as_long():
    [assumed] = visited(came("case", "10:00"))
    [case] = windows(assumed)
    # Assumed until 11:00 and 30 minutes of air; certain until 10:10 and 10 minutes of air.
    assert (case.direct_until, case.until) == (t("11:00"), t("11:30"))
    assert (case.certain_direct_until, case.certain_until) == (t("10:10"), t("10:20"))
    exposure = exposure_of(case, stay("a", "10:05", "11:40"))
    assert exposure is not None
    assert (exposure.minutes, exposure.certain_minutes, exposure.imputed) == (85, 15, True)
    late = exposure_of(case, stay("b", "10:20", "11:40"))
    assert late is not None
    assert (late.minutes, late.certain_minutes) == (70, 0)


def test_weak_presence_stays_with_the_visit():
    [visit] = visited(came("a", "10:00", presence=Presence.WEAK))
    assert visit.presence is Presence.WEAK
