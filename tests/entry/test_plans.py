"""Plans: dated, inherited down the tree, seen before they are published.

The scenarios' values are worked by hand; the properties compare with a slow reading of the rule
(nearest unit that says something, its latest version), written here and not in the core.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passlight.core.entry.plan_keys import check_value, plan_key
from passlight.core.entry.plans import (
    PlanVersion,
    difference,
    next_change,
    resolve,
)
from passlight.core.kernel.problem import ProblemError

DISTRICT, BRANCH = ("qingpu",), ("qingpu", "zhujiajiao")
VILLAGE = ("qingpu", "zhujiajiao", "town", "village-3")
DAY = timedelta(days=1)
START = datetime(2022, 5, 18, tzinfo=UTC)


def version(
    name: str,
    unit: tuple[str, ...],
    day: int,
    changes: dict[str, Any],
    *,
    published: int | None = None,
) -> PlanVersion:
    return PlanVersion(
        id=name,
        unit=unit,
        effective_from=START + day * DAY,
        published_at=START + (day - 2 if published is None else published) * DAY,
        changes=changes,
    )


FIRST = version(
    "district-1",
    DISTRICT,
    0,
    {"disinfection.rounds": ("morning", "evening"), "test.visitor.hours": 48},
)
THIRD_ROUND = version(
    "district-2", DISTRICT, 10, {"disinfection.rounds": ("morning", "noon", "evening")}
)
SEVENTY_TWO = version("branch-1", BRANCH, 14, {"test.visitor.hours": 72})
ALL = [FIRST, THIRD_ROUND, SEVENTY_TWO]


def test_from_two_rounds_to_three_on_a_day() -> None:
    before = resolve(ALL, VILLAGE, START + 10 * DAY - timedelta(seconds=1))
    after = resolve(ALL, VILLAGE, START + 10 * DAY)
    assert before["disinfection.rounds"] == ("morning", "evening")
    assert after["disinfection.rounds"] == ("morning", "noon", "evening")
    (change,) = difference(before, after)
    assert (change.name, change.before, change.after) == (
        "disinfection.rounds",
        ("morning", "evening"),
        ("morning", "noon", "evening"),
    )
    assert change.origin is not None
    assert change.origin.version == "district-2"


def test_a_branch_goes_its_own_way_and_its_villages_with_it() -> None:
    at = START + 20 * DAY
    assert resolve(ALL, DISTRICT, at)["test.visitor.hours"] == 48
    village = resolve(ALL, VILLAGE, at)
    assert village["test.visitor.hours"] == 72
    assert village.origins["test.visitor.hours"].unit == BRANCH
    assert not village.is_local("test.visitor.hours")
    assert resolve(ALL, BRANCH, at).is_local("test.visitor.hours")
    # Control: a unit beside it is untouched.
    assert resolve(ALL, ("qingpu", "xujing"), at)["test.visitor.hours"] == 48


def test_taking_an_override_back_inherits_again() -> None:
    back = version("branch-2", BRANCH, 30, {"test.visitor.hours": None})
    assert resolve([*ALL, back], VILLAGE, START + 29 * DAY)["test.visitor.hours"] == 72
    assert resolve([*ALL, back], VILLAGE, START + 30 * DAY)["test.visitor.hours"] == 48


def test_a_preview_is_the_difference_with_one_version_more() -> None:
    draft = version("draft", DISTRICT, 40, {"mask": True, "test.visitor.hours": 24})
    at = START + 40 * DAY
    changed = difference(resolve(ALL, VILLAGE, at), resolve([*ALL, draft], VILLAGE, at))
    # The branch's own 72 hours stand, so the village sees the mask only.
    assert [(one.name, one.before, one.after) for one in changed] == [("mask", None, True)]


def test_what_was_not_published_yet_was_not_known() -> None:
    at = START + 20 * DAY
    early = resolve(ALL, VILLAGE, at, known_at=START + 11 * DAY)
    assert early["test.visitor.hours"] == 48
    assert resolve(ALL, VILLAGE, at, known_at=START + 12 * DAY)["test.visitor.hours"] == 72


def test_the_next_change_is_where_a_door_document_ends() -> None:
    assert next_change(ALL, VILLAGE, START) == START + 10 * DAY
    assert next_change(ALL, VILLAGE, START + 10 * DAY) == START + 14 * DAY
    assert next_change(ALL, DISTRICT, START + 10 * DAY) is None


def test_overlapping_versions_have_one_order() -> None:
    """The later start, then the later publication, then the greater id."""
    one = version("a", DISTRICT, 5, {"cap.hall": 10}, published=1)
    other = version("b", DISTRICT, 5, {"cap.hall": 20}, published=3)
    third = version("c", DISTRICT, 5, {"cap.hall": 30}, published=3)
    late = version("z", DISTRICT, 4, {"cap.hall": 40}, published=4)
    at = START + 6 * DAY
    assert resolve([one, late], DISTRICT, at)["cap.hall"] == 10
    assert resolve([other, one], DISTRICT, at)["cap.hall"] == 20
    assert resolve([third, other, one, late], DISTRICT, at)["cap.hall"] == 30


GOOD_VALUES: list[tuple[str, object]] = [
    ("test.visitor.hours", 72),
    ("test.staff-reentry.counts", "calendar"),
    ("temperature.limit", 373),
    ("temperature.required", False),
    ("mask", True),
    ("unobserved.mask", "ask"),
    ("freshness.seconds", 3600),
    ("door.one-of", "either"),
    ("door.one-of.minutes", 30),
    ("cap.hall", 60),
    ("standing.north", 12),
    ("standing.each-gate", 2),
    ("places.reserved", 5),
    ("places.limited.percent", 50),
    ("lease.minutes", 120),
    ("hours.closes", "17:00"),
    ("disinfection.rounds", ("morning", "noon", "evening")),
    ("incident.street-told.minutes", 10),
    ("incident.bodies", ("区政务服务办防控工作领导小组",)),
]


@pytest.mark.parametrize("name, value", GOOD_VALUES)
def test_what_a_plan_sets(name: str, value: Any) -> None:
    assert check_value(name, value) == value


@pytest.mark.parametrize(
    "name", ["", "tests", "test.mayor.hours", "cap.", "cap.大厅", "mask ", "x" * 5000]
)
def test_an_unknown_key_is_refused(name: str) -> None:
    assert plan_key(name) is None
    with pytest.raises(ProblemError) as caught:
        version("v", DISTRICT, 0, {name: 1})
    assert caught.value.problems[0].code == "entry.plan-key"


@pytest.mark.parametrize(
    "name, value",
    [
        ("test.visitor.hours", -1),
        ("test.visitor.hours", 337),
        ("test.visitor.hours", "48"),
        ("test.visitor.hours", True),
        ("test.visitor.hours", 48.0),
        ("test.visitor.counts", "days"),
        ("temperature.limit", 37),
        ("temperature.limit", 991),
        ("mask", 1),
        ("unobserved.mask", "isolate"),
        ("hours.closes", "25:00"),
        ("hours.closes", ""),
        ("cap.hall", 100_001),
        ("disinfection.rounds", 3),
        ("disinfection.rounds", "morning"),
        ("disinfection.rounds", ("morning", "morning")),
        ("disinfection.rounds", ("", "noon")),
        ("disinfection.rounds", tuple(map(str, range(25)))),
        ("mask", (True,)),
        ("mask", {}),
        ("door.one-of", "both"),
    ],
)
def test_a_value_out_of_bounds_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ProblemError) as caught:
        version("v", DISTRICT, 0, {name: value})
    assert caught.value.problems[0].code == "entry.plan-value"
    assert caught.value.problems[0].field == name


drawn = settings(deadline=None)
UNITS = [DISTRICT, BRANCH, (*BRANCH, "town"), VILLAGE, ("qingpu", "xujing"), ("other",)]
KEYS = ("test.visitor.hours", "cap.hall", "lease.minutes")


@st.composite
def versions(draw: st.DrawFn) -> list[PlanVersion]:
    count = draw(st.integers(0, 8))
    return [
        version(
            f"v{index}",
            draw(st.sampled_from(UNITS)),
            draw(st.integers(0, 4)),
            draw(st.dictionaries(st.sampled_from(KEYS), st.none() | st.integers(5, 9), max_size=3)),
            published=draw(st.integers(-3, 3)),
        )
        for index in range(count)
    ]


def slowly(plans: list[PlanVersion], unit: tuple[str, ...], at: datetime, name: str) -> object:
    """The nearest unit whose latest version on ``name`` is a value, read off one by one."""
    for depth in range(len(unit), 0, -1):
        told = [
            plan
            for plan in plans
            if plan.unit == unit[:depth] and plan.effective_from <= at and name in plan.changes
        ]
        if told:
            last = max(told, key=lambda plan: (plan.effective_from, plan.published_at, plan.id))
            if last.changes[name] is not None:
                return last.changes[name]
    return None


@drawn
@given(versions(), st.sampled_from(UNITS), st.integers(-1, 5), st.randoms())
def test_the_nearest_units_latest_word_holds_in_any_order(plans, unit, day, random) -> None:
    at = START + day * DAY
    found = resolve(plans, unit, at)
    for name in KEYS:
        assert found.values.get(name) == slowly(plans, unit, at, name)
    shuffled = list(plans)
    random.shuffle(shuffled)
    assert resolve(iter(shuffled), unit, at) == found


@drawn
@given(versions(), st.sampled_from(UNITS), st.integers(-1, 5))
def test_every_value_has_its_origin_above_or_at_the_unit(plans, unit, day) -> None:
    found = resolve(plans, unit, START + day * DAY)
    assert set(found.origins) == set(found.values)
    for name, origin in found.origins.items():
        (source,) = [plan for plan in plans if plan.id == origin.version]
        assert unit[: len(source.unit)] == source.unit
        assert source.changes[name] == found.values[name]
        assert source.effective_from <= found.at


@drawn
@given(versions(), st.sampled_from(UNITS), st.integers(-1, 4), st.integers(0, 86_399))
def test_nothing_changes_but_at_a_change(plans, unit, day, seconds) -> None:
    at = START + day * DAY + timedelta(seconds=seconds)
    edge = next_change(plans, unit, at)
    until = edge - timedelta(seconds=1) if edge is not None else START + 99 * DAY
    assert difference(resolve(plans, unit, at), resolve(plans, unit, max(at, until))) == ()


@drawn
@given(versions(), versions(), st.sampled_from(UNITS))
def test_a_difference_leads_from_one_to_the_other(one, other, unit) -> None:
    at = START + 5 * DAY
    before, after = resolve(one, unit, at), resolve(other, unit, at)
    made = dict(before.values)
    for change in difference(before, after):
        assert made.get(change.name) == change.before
        if change.after is None:
            del made[change.name]
        else:
            made[change.name] = change.after
    assert made == dict(after.values)
