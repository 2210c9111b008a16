"""E31, E32, E35, E37 and the edges of a window; every expected minute is worked by hand."""

import hashlib
import json
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from passlight.core.exposure.exposure import (
    dose_order,
    exposure_of,
    exposures_of,
    minutes_by_day,
)
from passlight.core.exposure.parameters import TracingParameters, Ventilation
from passlight.core.exposure.window import infectious_window, published_window
from passlight.core.places.venue_code import Presence
from tests.exposure.definitions import USUAL, infected, stay, t, windows


def found(windows, *visits, minutes_min=10, **options):
    return [
        (one.subject, one.minutes, one.direct_minutes, one.lingering_minutes)
        for one in exposures_of(windows, visits, minutes_min=minutes_min, **options)
    ]


def test_e31_the_short_visit_is_nothing_and_the_late_one_breathes_what_lingers():
    case = windows(stay("case", "10:00", "11:00"))  # dangerous until 11:30
    a, b = stay("a", "10:30", "10:35"), stay("b", "11:10", "12:00")
    assert found(case, a, b) == [("b", 20, 0, 20)]
    assert found(case, a, b, minutes_min=5) == [("a", 5, 5, 0), ("b", 20, 0, 20)]


@pytest.mark.parametrize(
    ("visit", "minutes"),
    [
        (("09:00", "10:00"), None),  # E32: ends exactly when the case's begins
        (("09:00", "10:00:01"), 0),  # one second more is an overlap of no whole minute
        (("11:30", "12:00"), None),  # begins exactly when the air is clean
        (("11:29:59", "12:00"), 0),
        (("11:29", "12:00"), 1),
        (("10:30", "10:30"), None),  # nobody was there
    ],
)
def test_e32_intervals_are_half_open(visit, minutes):
    [case] = windows(stay("case", "10:00", "11:00"))
    exposure = exposure_of(case, stay("a", *visit))
    assert (exposure.minutes if exposure else None) == minutes


def test_minutes_are_rounded_down_and_lingering_is_the_rest():
    [case] = windows(stay("case", "10:00", "11:00"))
    # 10:49:30–11:10:15 is 20:45: 20; direct 10:30: 10; the rest, 10, though 10:15 lingered.
    exposure = exposure_of(case, stay("a", "10:49:30", "11:10:15"))
    assert exposure is not None
    assert (exposure.minutes, exposure.direct_minutes, exposure.lingering_minutes) == (20, 10, 10)
    # 10:59:30–11:00:30 is one minute of which no whole one is direct.
    exposure = exposure_of(case, stay("a", "10:59:30", "11:00:30"))
    assert exposure is not None
    assert (exposure.minutes, exposure.direct_minutes, exposure.lingering_minutes) == (1, 0, 1)


def test_the_threshold_itself_is_enough():
    case = windows(stay("case", "10:00", "11:00"))
    assert found(case, stay("a", "10:00", "10:10")) == [("a", 10, 10, 0)]
    assert found(case, stay("a", "10:00", "10:09:59")) == []


@pytest.mark.parametrize(
    ("left", "clean"),
    [("10:05", "10:10"), ("10:30", "11:00"), ("10:31", "11:01"), ("14:00", "14:30")],
)
def test_air_lingers_as_long_as_the_case_stayed_and_thirty_minutes_at_most(left, clean):
    [case] = windows(stay("case", "10:00", left))
    assert case.until == t(clean)
    assert case.direct_until == t(left)


@pytest.mark.parametrize(
    ("ventilation", "clean"),
    [
        (Ventilation.OUTDOORS, "11:00"),
        (Ventilation.NORMAL, "11:30"),
        (Ventilation.POOR, "12:00"),
    ],
)
def test_ventilation_is_a_factor_of_what_lingers(ventilation, clean):
    [case] = windows(stay("case", "10:00", "11:00"), ventilation=lambda _venue, _zone: ventilation)
    assert case.until == t(clean)


def test_a_visit_is_cut_to_the_infectious_time_before_it_lingers():
    long = stay("case", "08:00", "20:00")
    [case] = windows(long, case=infected("10:00", "10:20"))
    # Twenty minutes are left of it, so twenty linger, and isolation does not cut the air again.
    assert (case.since, case.direct_until, case.until) == (t("10:00"), t("10:20"), t("10:40"))
    assert windows(long, case=infected("20:00", "21:00")) == []  # touches the end
    assert windows(long, case=infected("07:00", "08:00")) == []  # isolated as it begins
    assert windows(long, case=infected("10:00", "09:00")) == []  # isolated before infectious


def test_zones_match_exactly_and_an_empty_one_only_an_empty_one():
    room = windows(stay("case", "10:00", "11:00", zone="floor-1"))
    whole = windows(stay("case", "10:00", "11:00", zone=""))
    here, upstairs, nowhere = (
        stay("a", "10:00", "11:00", zone=zone) for zone in ("floor-1", "floor-2", "")
    )
    assert found(room, here, upstairs, nowhere) == [("a", 60, 60, 0)]
    assert found(whole, here, upstairs, nowhere) == [("a", 60, 60, 0)]
    assert found(room, stay("a", "10:00", "11:00", venue="w", zone="floor-1")) == []


def test_e37_the_case_and_their_household_are_not_found_here():
    own = stay("case", "10:00", "11:00")
    case = windows(own)
    people = [own, stay("wife", "10:00", "11:00"), stay("guest", "10:00", "11:00")]
    household = {"case": {"wife"}}
    assert found(case, *people) == [("guest", 60, 60, 0), ("wife", 60, 60, 0)]
    assert found(case, *people, household=household) == [("guest", 60, 60, 0)]
    # The household of another case is nobody's here.
    assert found(case, *people, household={"guest": {"wife"}})[1][0] == "wife"


def test_one_row_for_each_pair_of_visits():
    case = windows(stay("case", "10:00", "11:00"), stay("case", "12:00", "13:00"))
    visits = [stay("a", "10:40", "12:20"), stay("a", "12:30", "12:45")]
    # First pair 10:40–11:30, second 12:00–12:20, third 12:30–12:45.
    assert found(case, *visits) == [("a", 50, 20, 30), ("a", 20, 20, 0), ("a", 15, 15, 0)]


def test_e35_a_visit_over_midnight_is_one_exposure_and_two_days():
    case = windows(stay("case", "23:00", "1 02:00"))
    [exposure] = exposures_of(case, [stay("a", "23:50:30", "1 00:10:30")], minutes_min=10)
    days = dict(minutes_by_day(exposure.since, exposure.until, timezone=ZoneInfo("Asia/Shanghai")))
    # 9:30 before midnight and 10:30 after: 9 and 11, which is the 20 of the whole.
    assert exposure.minutes == 20
    assert days == {date(2022, 3, 1): 9, date(2022, 3, 2): 11}


def test_a_day_that_lost_an_hour_has_fewer_minutes():
    auckland = ZoneInfo("Pacific/Auckland")
    # 2021-09-25 12:00+12:00 to 2021-09-27 12:00+13:00: 12 h, a day of 23 h, and 12 h.
    since = datetime.fromisoformat("2021-09-25T12:00:00+12:00")
    until = datetime.fromisoformat("2021-09-27T12:00:00+13:00")
    assert list(minutes_by_day(since, until, timezone=auckland)) == [
        (date(2021, 9, 25), 720),
        (date(2021, 9, 26), 1380),
        (date(2021, 9, 27), 720),
    ]


def test_the_infectious_time_begins_two_days_before_the_first_sign():
    def window(onset, sampled, isolated=None):
        return infectious_window(
            onset_at=t(onset) if onset else None,
            sampled_at=t(sampled) if sampled else None,
            isolated_at=t(isolated) if isolated else None,
            parameters=USUAL,
        )

    assert window("10:00", "1 10:00").start == t("-2 10:00")
    assert window(None, "10:00").start == t("-2 10:00")
    # Found positive a day before the first symptom: the sample counts.
    assert window("1 10:00", "10:00", "12:00").start == t("-2 10:00")
    assert window("10:00", None, "12:00").end == t("12:00")
    assert window("10:00", None).end is None


def test_a_published_window_does_not_linger():
    window = published_window(case_id="x", venue="v", zone="", since=t("10:00"), until=t("11:00"))
    late, during = stay("a", "11:00", "12:00", zone=""), stay("b", "10:30", "12:00", zone="")
    assert found([window], late, during) == [("b", 30, 30, 0)]


def test_order_of_a_trace_and_order_of_the_dose():
    case = windows(stay("case", "10:00", "11:00"))
    visits = [
        stay("c", "10:00", "10:30"),  # 30 direct
        stay("b", "10:45", "11:15"),  # 15 direct, 15 lingering
        stay("a", "10:00", "10:15"),
    ]
    trace = exposures_of(case, visits, minutes_min=10)
    assert [one.subject for one in trace] == ["a", "b", "c"]
    assert [one.subject for one in sorted(trace, key=dose_order)] == ["c", "b", "a"]


def test_weak_presence_speaks_for_nobody_and_against_nobody():
    strong, weak = Presence.STRONG, Presence.WEAK
    for mine, theirs, counts in [
        (strong, strong, True),
        (weak, strong, False),
        (strong, weak, False),
    ]:
        case = windows(replace(stay("case", "10:00", "11:00"), presence=theirs))
        visit = replace(stay("a", "10:00", "11:00"), presence=mine)
        [exposure] = exposures_of(case, [visit], minutes_min=10)
        assert exposure.counts(USUAL) is counts


def test_every_number_is_in_the_hash():
    # SHA-256 of the RFC 8785 text, which for these values is sorted keys without spaces.
    text = json.dumps(USUAL.to_json(), sort_keys=True, separators=(",", ":"))
    assert USUAL.params_hash == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    changed = {
        TracingParameters(linger_minutes=29).params_hash,
        TracingParameters(minutes_min=11).params_hash,
        TracingParameters(lead_hours=47).params_hash,
        TracingParameters(stay_hours_max=15).params_hash,
        replace(USUAL, cap=replace(USUAL.cap, people_max=1)).params_hash,
        USUAL.params_hash,
    }
    assert len(changed) == 6
    assert TracingParameters().params_hash == USUAL.params_hash
