"""The scenarios must be able to fail: each seeded bug has to break at least one of them.

These are the boundaries that the Shanghai oracle (tests/properties) cannot see: gaps between
tests, lookbacks, dated parameters, waivers, absence, calendar days, questions.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from passlight.core.kernel import calendar
from passlight.core.kernel.interval import Interval
from passlight.core.rules import areas
from passlight.core.rules.pack import Existing
from passlight.core.status import chains, evaluate, measures, occurrence, plan, reach, reading
from tests.scenarios.test_acceptance import RESULTS, results

Patch = pytest.MonkeyPatch
MINUTE = timedelta(minutes=1)


def compiled_anew(patch: Patch) -> None:
    """Let packs be compiled with the bug, and without it again afterwards."""
    patch.setattr(plan, "_PLANS", {})


def gap_a_minute_short(patch: Patch) -> None:
    original = reach.spaced

    def chain(events, *, apart, wanted):
        short = apart and (lambda instant: apart(instant) - MINUTE)
        return original(events, apart=short, wanted=wanted)

    patch.setattr(reach, "spaced", chain)


def gap_a_minute_long(patch: Patch) -> None:
    original = reach.spaced

    def chain(events, *, apart, wanted):
        long = apart and (lambda instant: apart(instant) + MINUTE)
        return original(events, apart=long, wanted=wanted)

    patch.setattr(reach, "spaced", chain)


def released_when_sampled(patch: Patch) -> None:
    original = reading._counted

    def counted(fact, zone):
        measured, _, fact = original(fact, zone)
        return measured, measured, fact

    patch.setattr(reading, "_counted", counted)


def gap_between_reports(patch: Patch) -> None:
    original = reading._counted

    def counted(fact, zone):
        _, counts, fact = original(fact, zone)
        return counts, counts, fact

    patch.setattr(reading, "_counted", counted)


def no_reset(patch: Patch) -> None:
    original = reach._nth
    compiled_anew(patch)
    patch.setitem(
        reach._COMPILED,
        reach.Nth,
        lambda point, pack: original(replace(point, reset_on=None), pack),
    )


def parameters_never_change(patch: Patch) -> None:
    original = plan._phase_plan

    def phase_plan(phase, pack):
        return original(phase, replace(pack, existing_measures=Existing.KEEP))

    compiled_anew(patch)
    patch.setattr(plan, "_phase_plan", phase_plan)


def ends_in_the_past(patch: Patch) -> None:
    """E39: two days before the change, as if the new duration had always held."""
    original = measures._moved

    def moved(ended, phase, case, start):
        original(ended, phase, case, start)
        return phase.ends(case)

    patch.setattr(measures, "_moved", moved)


def old_packs_are_kept(patch: Patch) -> None:
    patch.setattr(evaluate, "_keep", lambda before, new, *, change: new)


def waivers_have_no_end(patch: Patch) -> None:
    original = measures.Interval.without

    def without(self, holes):
        return original(self, [Interval(hole.start, None) for hole in holes])

    patch.setattr(measures.Interval, "without", without)


def waivers_suspend_everything(patch: Patch) -> None:
    patch.setattr(measures.Waiver, "applies", lambda self, measure: True)


def coarse_areas_colour(patch: Patch) -> None:
    original = areas.Listings.covering

    def covering(self, area, levels):
        return original(self, area, levels) or self.inside(area, levels)

    patch.setattr(areas.Listings, "covering", covering)


def codes_are_never_abolished(patch: Patch) -> None:
    patch.setattr(areas.AreaCodes, "identities", lambda self, area: [(area, areas.ALWAYS)])


def day_fourteen_included(patch: Patch) -> None:
    original = occurrence.add
    wrong = lambda instant, duration, *, zone: (  # noqa: E731
        original(instant, replace(duration, inclusive=True), zone=zone)
        if isinstance(duration, calendar.CalendarDays)
        else original(instant, duration, zone=zone)
    )
    patch.setattr(reach, "add", wrong)


def calendar_days_are_24_hours(patch: Patch) -> None:
    original = reach.add

    def wrong(instant, duration, *, zone):
        if isinstance(duration, calendar.CalendarDays):
            midnight = calendar.start_of_day(calendar.local_date(instant, zone=zone), zone=zone)
            return midnight + timedelta(days=duration.days)
        return original(instant, duration, zone=zone)

    patch.setattr(reach, "add", wrong)


def lookback_dropped(patch: Patch) -> None:
    original = occurrence._area_matches

    def matches(fact, condition, pack, areas):
        return original(fact, replace(condition, lookback=None), pack, areas)

    patch.setattr(occurrence, "_area_matches", matches)


def no_cap_on_yellow(patch: Patch) -> None:
    patch.setattr(measures, "_capped", lambda end, *args, **kwargs: end)


def silence_is_ignored(patch: Patch) -> None:
    patch.setattr(evaluate, "stale_intervals", lambda *args, **kwargs: ())


def best_source_is_the_last(patch: Patch) -> None:
    original = reading._rank
    patch.setattr(reading, "_rank", lambda source, ranking: -original(source, ranking))


def manual_reds_never_expire(patch: Patch) -> None:
    patch.setattr(measures, "_expiry", lambda occurrence: None)


def _days(patch: Patch, far: Callable[[int], int]) -> None:
    """Let a row of days see other distances between dates."""
    original = reach.in_a_row

    class Day(int):
        def __sub__(self, other: int) -> timedelta:
            return timedelta(days=far(int(self) - int(other)))

    def row(events, *, zone, wanted):
        with pytest.MonkeyPatch.context() as inner:
            day = chains.day_of
            inner.setattr(chains, "day_of", lambda one, zone: Day(day(one, zone).toordinal()))
            return original(events, zone=zone, wanted=wanted)

    patch.setattr(reach, "in_a_row", row)


def missed_days_are_forgiven(patch: Patch) -> None:
    _days(patch, lambda days: min(days, 1))


def two_on_a_day_are_two_days(patch: Patch) -> None:
    _days(patch, lambda days: 1 if days == 0 else days)


def two_on_a_day_start_again(patch: Patch) -> None:
    _days(patch, lambda days: 2 if days == 0 else days)


def days_are_those_of_utc(patch: Patch) -> None:
    patch.setattr(chains, "day_of", lambda one, zone: one[0].date())


def a_dated_day_is_the_next(patch: Patch) -> None:
    patch.setattr(chains, "day_of", lambda one, zone: calendar.local_date(one[0], zone=zone))


BUGS: list[Callable[[Patch], None]] = [
    gap_a_minute_short,
    gap_a_minute_long,
    released_when_sampled,
    gap_between_reports,
    no_reset,
    parameters_never_change,
    ends_in_the_past,
    old_packs_are_kept,
    waivers_have_no_end,
    waivers_suspend_everything,
    coarse_areas_colour,
    codes_are_never_abolished,
    day_fourteen_included,
    calendar_days_are_24_hours,
    lookback_dropped,
    no_cap_on_yellow,
    silence_is_ignored,
    best_source_is_the_last,
    manual_reds_never_expire,
    missed_days_are_forgiven,
    two_on_a_day_are_two_days,
    two_on_a_day_start_again,
    days_are_those_of_utc,
    a_dated_day_is_the_next,
]


def test_without_a_seeded_bug_every_scenario_holds() -> None:
    assert not [one.id for one in RESULTS if one.failures]


@pytest.mark.parametrize("bug", BUGS, ids=lambda one: one.__name__)
def test_a_seeded_bug_breaks_a_scenario(bug: Callable[[Patch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        assert any(one.failures for one in results()), f"{bug.__name__} survived"
