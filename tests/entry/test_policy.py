"""Door policies: what the shipped packs say, what a plan changes, and the gaps that are refused.

Expected values are the seeds' (S4 三（二）1、4、5; S0 措施5), read by hand, or the published
venue-code rules (field/01 1.2), which are settings here.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from passlight.core.entry.policy import (
    DoorPolicy,
    TestRule,
    policy_class,
    policy_from_pack,
)
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.venue import VenueClass
from passlight.core.rules.admission import ROLES, VENUE_CLASSES, Outcome
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.entry.samples import POLICY, changed

IN_FORCE = datetime(2022, 6, 8, tzinfo=UTC)


def pack_named(name: str) -> Pack:
    return load_pack(read_pack_folder(shipped_packs() / name))


PACKS = {name: pack_named(name) for name in ("qingpu-2022-05", "shanghai-2020-02")}


def policy(
    role: str,
    venue_class: str = "service-hall",
    pack: str = "qingpu-2022-05",
    overrides: dict[str, Any] | None = None,
) -> DoorPolicy:
    found = [
        one for one in PACKS[pack].admission if (one.role, one.venue_class) == (role, venue_class)
    ]
    return policy_from_pack(found[0], IN_FORCE, overrides or {}, source=PACKS[pack].key)


@pytest.mark.parametrize("pack", PACKS)
def test_every_role_at_every_class_has_one_policy_that_is_written_and_read(pack: str) -> None:
    for venue_class in VENUE_CLASSES:
        for role in ROLES:
            found = policy(role, venue_class, pack)
            assert policy_from_json(json.loads(json.dumps(found.to_json()))) == found
            assert found.id == f"{PACKS[pack].key}/{venue_class}/{role}"
    assert len(PACKS[pack].admission) == len(VENUE_CLASSES) * len(ROLES)


def test_the_plan_of_2022_asks_48_hours_of_visitors_and_24_of_staff_at_the_start() -> None:
    hours = {role: policy(role).test for role in ROLES}
    assert hours == {
        "visitor": TestRule(hours_max=48),
        "staff": TestRule(hours_max=24),
        "staff-reentry": TestRule(hours_max=48),
        "companion": TestRule(hours_max=48),
        "courier": TestRule(hours_max=48),
    }
    assert [policy(role).mask for role in ROLES] == [True] * 5


def test_in_2020_nobody_asks_for_a_test() -> None:
    for venue_class in VENUE_CLASSES:
        for role in ROLES:
            assert policy(role, venue_class, "shanghai-2020-02").test is None


def test_in_2020_all_three_musts_hold_a_visitor_who_was_not_observed() -> None:
    hall = policy("visitor", pack="shanghai-2020-02")
    assert hall.registration and hall.questions and hall.temperature is not None
    assert hall.temperature.required
    assert hall.unobserved["questions"].outcome is Outcome.ASK
    assert hall.unobserved["temperature"].outcome is Outcome.ASK


def test_red_and_yellow_of_2022_go_to_the_isolation_area_by_their_clause() -> None:
    for colour in ("red", "yellow"):
        failure = policy("visitor").failures[colour]
        assert (failure.outcome, failure.basis) == (Outcome.ISOLATE, "方案三（二）5")


def test_housing_looks_for_green_only_and_public_places_for_48_hours_too() -> None:
    housing, public = policy("visitor", "housing"), policy("visitor", "public-place")
    assert (housing.colours, housing.test, housing.mask) == ((Colour.GREEN,), None, False)
    assert (public.colours, public.test) == ((Colour.GREEN,), TestRule(hours_max=48))


@pytest.mark.parametrize("pack", PACKS)
def test_no_hospital_refuses_anybody(pack: str) -> None:
    for role in ROLES:
        found = policy(role, "hospital", pack)
        outcomes = [one.outcome for one in (*found.failures.values(), *found.unobserved.values())]
        assert Outcome.REFUSE not in outcomes


@pytest.mark.parametrize("pack", PACKS)
def test_what_no_seed_gives_is_marked_a_setting(pack: str) -> None:
    """Neither seed says a limit, freshness, or anything of couriers and places outside halls."""
    for one in PACKS[pack].admission:
        assert "freshness" in one.settings, (one.role, one.venue_class)
        assert one.temperature is None or "temperature" in one.settings
        by_seed = {"方案三（二）1", "方案三（二）4", "四平路街道，措施5", "随申码，三色和服务场景"}
        assert one.basis is None or one.basis.ref in by_seed
    assert policy("courier").basis == "setting"
    assert policy("visitor", "housing").basis == "setting"
    assert policy("visitor").failures["full"].basis == "setting"


def test_a_venue_of_each_kind_has_a_class() -> None:
    assert {policy_class(kind) for kind in VenueClass} <= set(VENUE_CLASSES)
    assert policy_class(VenueClass.HALL) == "service-hall"


def test_a_plan_changes_hours_limit_and_what_nobody_observed() -> None:
    changes = {
        "test.visitor.hours": 72,
        "temperature.limit": 375,
        "unobserved.mask": "ask",
        "cap.hall": 60,  # not of the door's policy: passed over
    }
    found = policy("visitor", overrides=changes)
    assert found.test == TestRule(hours_max=72)
    assert found.temperature is not None
    assert found.temperature.limit == 375
    assert found.unobserved["mask"].outcome is Outcome.ASK
    # Control: another role keeps what the pack says.
    assert policy("staff", overrides=changes).test == TestRule(hours_max=24)


def test_a_plan_counts_by_calendar_days() -> None:
    days = {"test.visitor.counts": "calendar"}
    assert policy("visitor", overrides=days).test == TestRule(days_max=2)
    assert policy("visitor", overrides={**days, "test.visitor.hours": 72}).test == TestRule(
        days_max=3
    )


def gaps_of(**changes: Any) -> set[tuple[str | None, str]]:
    with pytest.raises(ProblemError) as caught:
        policy_from_json(changed(POLICY, changes))
    assert all(one.message and one.remedy for one in caught.value.problems)
    return {(one.field, one.code.removeprefix("entry.")) for one in caught.value.problems}


def failures(**outcomes: str | None) -> dict[str, Any]:
    found = dict(POLICY["failures"])
    for name, outcome in outcomes.items():
        key = name.replace("_", "-")
        if outcome is None:
            del found[key]
        else:
            found[key] = {**found[key], "outcome": outcome}
    return found


def unobserved(**outcomes: str | None) -> dict[str, Any]:
    found = dict(POLICY["unobserved"])
    for name, outcome in outcomes.items():
        if outcome is None:
            del found[name]
        else:
            found[name] = {**found[name], "outcome": outcome}
    return found


@pytest.mark.parametrize("name", [name for name in POLICY["failures"] if name != "guardian"])
def test_a_requirement_without_an_outcome_is_a_gap(name: str) -> None:
    left = {key: value for key, value in POLICY["failures"].items() if key != name}
    assert gaps_of(failures=left) == {(f"failures.{name}", "policy-no-outcome")}


@pytest.mark.parametrize("name", ["mask", "questions", "temperature", "room"])
def test_what_nobody_observed_without_an_outcome_is_a_gap(name: str) -> None:
    assert gaps_of(unobserved=unobserved(**{name: None})) == {
        (f"unobserved.{name}", "policy-no-outcome")
    }


@pytest.mark.parametrize("name", ["unknown", "expired", "not-found", "closed"])
@pytest.mark.parametrize("outcome", ["admit", "refuse", "isolate"])
def test_what_could_not_be_checked_is_only_ever_asked(name: str, outcome: str) -> None:
    code = "policy-admits" if outcome == "admit" else "policy-unverified"
    wrong = failures(**{name.replace("-", "_"): outcome})
    assert gaps_of(failures=wrong) == {(f"failures.{name}.outcome", code)}


def test_a_failure_that_admits_is_a_hole() -> None:
    assert gaps_of(failures=failures(test="admit")) == {("failures.test.outcome", "policy-admits")}


def test_not_knowing_the_room_never_admits() -> None:
    assert gaps_of(unobserved=unobserved(room="admit")) == {
        ("unobserved.room.outcome", "policy-admits")
    }


def test_nobody_is_isolated_for_what_nobody_observed() -> None:
    assert gaps_of(unobserved=unobserved(mask="isolate")) == {
        ("unobserved.mask.outcome", "policy-unverified")
    }


def test_a_policy_that_keeps_green_out_is_a_gap() -> None:
    assert ("colours", "policy-no-green") in gaps_of(colours=["yellow"])
    assert ("colours", "policy-no-green") in gaps_of(colours=[])


def test_a_colour_neither_admitted_nor_handled_is_a_gap() -> None:
    assert gaps_of(failures=failures(yellow=None)) == {("failures.yellow", "policy-no-outcome")}
    # Control: admitted, it needs no outcome.
    admitted = {**POLICY, "colours": ["green", "yellow"], "failures": failures(yellow=None)}
    assert policy_from_json(admitted)


def test_a_hospital_that_refuses_is_a_gap() -> None:
    found = gaps_of(venue_class="hospital")
    assert found == {
        ("failures.test.outcome", "policy-refuses-care"),
        ("failures.full.outcome", "policy-refuses-care"),
    }


def test_a_question_asked_twice_is_a_gap() -> None:
    twice = [POLICY["questions"][0]] * 2
    assert gaps_of(questions=twice) == {("questions", "policy-question-twice")}


def test_an_override_that_opens_a_gap_is_refused() -> None:
    """An estate asks for no mask and says nothing of one; a plan cannot just switch it on."""
    found = dict(POLICY, mask=False, failures=failures(mask=None), unobserved=unobserved(mask=None))
    assert policy_from_json(found)
    with pytest.raises(ProblemError) as caught:
        policy_from_json({**found, "mask": True})
    assert {one.field for one in caught.value.problems} == {"failures.mask", "unobserved.mask"}


def test_no_plan_makes_a_hospital_refuse() -> None:
    changes = {"unobserved.mask": "refuse"}
    assert policy("visitor", "hospital", overrides=changes).unobserved["mask"].outcome == "ask"
    # Control: elsewhere the plan's word holds.
    assert policy("visitor", overrides=changes).unobserved["mask"].outcome == "refuse"


def test_the_words_say_the_hours_that_hold() -> None:
    """S4 五 lets a hall adapt: when the plan says 72 hours, nobody is told 48."""
    assert policy("visitor").failures["test"].say.zh == "请出示48小时内核酸检测阴性报告。"
    longer = policy("visitor", overrides={"test.visitor.hours": 72}).failures["test"].say
    assert longer.zh == "请出示72小时内核酸检测阴性报告。"
    assert longer.en == "Please show a negative test of the last 72 hours."
    days = policy("visitor", overrides={"test.visitor.counts": "calendar"}).failures["test"].say
    assert days.en == "Please show a negative test of the last 2 days."
    for one in PACKS["qingpu-2022-05"].admission:
        found = policy(one.role, one.venue_class)
        assert not any("{" in f.say.zh + f.say.en for f in found.failures.values())


FORMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "role": ({"role": "mayor"}, "policy.role", "not-a-choice"),
    "venue class": ({"venue_class": "moon"}, "policy.venue_class", "not-a-choice"),
    "colour": ({"colours": ["blue"]}, "policy.colours", "bad-colour"),
    "both ages": (
        {"test": {"counts": "elapsed", "hours_max": 48, "days_max": 2}},
        "policy.test.days_max",
        "unknown-key",
    ),
    "age of the other kind": (
        {"test": {"counts": "calendar", "hours_max": 48}},
        "policy.test.hours_max",
        "unknown-key",
    ),
    "age without count": ({"test": {"hours_max": 48}}, "policy.test.counts", "missing"),
    "age too long": (
        {"test": {"counts": "elapsed", "hours_max": 337}},
        "policy.test.hours_max",
        "not-a-number",
    ),
    "limit in degrees": (
        {"temperature": {"limit": 37.3, "required": True}},
        "policy.temperature.limit",
        "not-a-number",
    ),
    "limit in Fahrenheit": (
        {"temperature": {"limit": 991, "required": True}},
        "policy.temperature.limit",
        "not-a-number",
    ),
    "mask as a text": ({"mask": "yes"}, "policy.mask", "not-a-flag"),
    "no Chinese": (
        {
            "failures": {
                **POLICY["failures"],
                "red": {"outcome": "isolate", "say": {"en": "Red"}, "basis": "b"},
            }
        },
        "policy.failures.red.say.zh",
        "missing",
    ),
    "empty words": (
        {
            "failures": {
                **POLICY["failures"],
                "red": {"outcome": "isolate", "say": {"zh": " ", "en": "Red"}, "basis": "b"},
            }
        },
        "policy.failures.red.say.zh",
        "not-text",
    ),
    "unknown requirement": (
        {"failures": {**POLICY["failures"], "shoes": POLICY["failures"]["mask"]}},
        "policy.failures",
        "unknown-key",
    ),
    "freshness of a second": ({"freshness_seconds": 1}, "policy.freshness_seconds", "not-a-number"),
    "another key": ({"colour": []}, "policy.colour", "unknown-key"),
}


@pytest.mark.parametrize("changes, field, code", FORMS.values(), ids=FORMS)
def test_each_wrong_field_of_a_policy_is_named(
    changes: dict[str, Any], field: str, code: str
) -> None:
    assert gaps_of(**changes) == {(field, code)}
