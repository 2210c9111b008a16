"""``admission.yaml``: what is wrong with it is said with file, line and remedy.

Lines are counted by hand in the text below; the control is that the text itself loads.
"""

import pytest

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.admission import AdmissionPolicy, AgeCount
from passlight.core.rules.load import load_pack
from passlight.runtime.packs import read_pack_folder, shipped_packs

SHIPPED = read_pack_folder(shipped_packs() / "qingpu-2022-05")
SAY = "{zh: 字, en: word}"
BASE = f"""\
common:
  failures:
    red: {{outcome: isolate, say: {SAY}}}
    yellow: {{outcome: isolate, say: {SAY}}}
    unknown: {{outcome: ask, say: {SAY}}}
    expired: {{outcome: ask, say: {SAY}}}
    not-found: {{outcome: ask, say: {SAY}}}
    closed: {{outcome: ask, say: {SAY}}}
    test: {{outcome: refuse, say: {SAY}}}
    test-none: {{outcome: ask, say: {SAY}}}
    mask: {{outcome: ask, say: {SAY}}}
    temperature: {{outcome: isolate, say: {SAY}}}
    symptoms: {{outcome: isolate, say: {SAY}}}
    declaration: {{outcome: ask, say: {SAY}}}
    full: {{outcome: refuse, say: {SAY}}}
    registration: {{outcome: ask, say: {SAY}}}
    guardian: {{outcome: ask, say: {SAY}}}
  unobserved:
    mask: {{outcome: admit, say: {SAY}}}
    questions: {{outcome: ask, say: {SAY}}}
    temperature: {{outcome: ask, say: {SAY}}}
    room: {{outcome: ask, say: {SAY}}}
  questions:
    symptoms: {{requirement: symptoms, alarming: true, text: {SAY}}}
  settings:
    freshness: {{value: 1h, note: {SAY}}}
policies:
  - role: [visitor, staff, staff-reentry, companion, courier]
    venue_class: service-hall
    colours: [green]
    test_age: param.visitor_test_age
    test_age_counts: elapsed
    mask: true
    questions: [symptoms]
    basis: setting
    settings:
      temperature: {{limit: 37.3, required: true, note: {SAY}}}
"""
ROW = 28  # the first line of the one policy; a line less where one was taken away above


def load(text: str) -> tuple[AdmissionPolicy, ...]:
    return load_pack({**SHIPPED, "admission.yaml": text}).admission


def problems(text: str) -> list[Problem]:
    with pytest.raises(ProblemError) as caught:
        load(text)
    return list(caught.value.problems)


def test_the_text_itself_loads() -> None:
    found = load(BASE)
    assert [policy.role for policy in found] == [
        *("visitor", "staff", "staff-reentry", "companion", "courier")
    ]
    assert found[0].temperature is not None
    assert found[0].temperature.limit == 373
    assert found[0].freshness_seconds == 3600
    assert found[0].registration


def without(line: str) -> str:
    assert BASE.count(line) == 1, line
    return "".join(part for part in BASE.splitlines(keepends=True) if line not in part)


def instead(old: str, new: str) -> str:
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


CASES: dict[str, tuple[str, str, int]] = {
    "a requirement without an outcome": (without("test-none:"), "policy-no-outcome", ROW - 1),
    "a colour not handled": (without("yellow:"), "policy-no-outcome", ROW - 1),
    "unobserved without an outcome": (without("room:"), "policy-no-outcome", ROW - 1),
    "unknown admits": (
        instead("unknown: {outcome: ask", "unknown: {outcome: admit"),
        "policy-admits",
        5,
    ),
    "expired isolates": (
        instead("expired: {outcome: ask", "expired: {outcome: isolate"),
        "policy-unverified",
        6,
    ),
    "no English": (
        instead(f"full: {{outcome: refuse, say: {SAY}}}", "full: {outcome: refuse, say: {zh: 满}}"),
        "missing-key",
        15,
    ),
    "no Chinese": (
        instead(f"full: {{outcome: refuse, say: {SAY}}}", "full: {outcome: refuse, say: {en: x}}"),
        "missing-key",
        15,
    ),
    "no words": (
        instead(f"full: {{outcome: refuse, say: {SAY}}}", "full: {outcome: refuse}"),
        "missing-key",
        15,
    ),
    "no such outcome": (
        instead("full: {outcome: refuse", "full: {outcome: shout"),
        "bad-outcome",
        15,
    ),
    "no such requirement": (
        instead("    mask: {outcome: ask", "    shoes: {outcome: ask"),
        "unknown-key",
        11,
    ),
    "no role": (
        instead(
            "  - role: [visitor, staff, staff-reentry, companion, courier]\n    venue_class",
            "  - venue_class",
        ),
        "missing-key",
        ROW,
    ),
    "a role missing from a class": (
        instead("companion, courier]", "companion]"),
        "policy-no-role",
        ROW,
    ),
    "no such role": (instead("courier]", "mayor]"), "bad-role", ROW),
    "a role twice": (instead("courier]", "courier, visitor]"), "policy-twice", ROW),
    "no such class": (instead("service-hall", "moon"), "bad-class", ROW + 1),
    "green not admitted": (instead("[green]", "[yellow]"), "policy-no-green", ROW),
    "no such colour": (instead("[green]", "[green, blue]"), "bad-colour", ROW + 2),
    "no such parameter": (instead("visitor_test_age", "tests"), "unknown-parameter", ROW + 3),
    "no such count": (instead("elapsed", "roughly"), "bad-count", ROW + 4),
    "a mask half on": (instead("mask: true", "mask: half"), "not-a-flag", ROW + 5),
    "no such question": (instead("[symptoms]", "[weather]"), "bad-question", ROW + 6),
    "a question for nothing": (
        instead("requirement: symptoms", "requirement: full"),
        "bad-question",
        24,
    ),
    "no basis": (without("basis: setting"), "missing-key", ROW),
    "a limit in Fahrenheit": (instead("37.3", "99.1"), "bad-temperature", ROW + 9),
    "a limit of two decimals": (instead("37.3", "37.35"), "bad-temperature", ROW + 9),
    "a limit that is no number": (instead("37.3", "hot"), "bad-temperature", ROW + 9),
    "a limit without its note": (
        instead(f"required: true, note: {SAY}", "required: true"),
        "missing-key",
        ROW + 9,
    ),
    "no freshness": (
        without("freshness:").replace("  settings:\npolicies", "policies"),
        "missing-key",
        26,
    ),
    "freshness by the calendar": (
        instead("value: 1h", "value: {calendar: 1d, day_zero: occurred_date}"),
        "not-a-duration",
        26,
    ),
    "another key": (instead("    mask: true", "    shoes: true"), "unknown-key", ROW + 5),
    "a hospital that refuses": (instead("service-hall", "hospital"), "policy-refuses-care", 9),
    "nothing at all": ("common: {}\n", "missing-key", 1),
    "no YAML": ("policies: [", "not-yaml", 1),
}


@pytest.mark.parametrize("text, code, line", CASES.values(), ids=CASES)
def test_each_fault_is_named_with_its_line(text: str, code: str, line: int) -> None:
    found = [one for one in problems(text) if one.code == f"rules.{code}"]
    assert found, [str(one) for one in problems(text)]
    assert found[0].file == "admission.yaml"
    assert found[0].line == line
    assert found[0].remedy


def test_several_faults_are_all_said_at_once() -> None:
    text = BASE.replace("37.3", "99.1") + BASE[BASE.index("  - role") :].replace(
        "[green]", "[blue]"
    )
    assert {one.code for one in problems(text)} == {"rules.bad-temperature", "rules.bad-colour"}


def test_calendar_days_need_whole_days() -> None:
    days = instead("elapsed", "calendar")
    assert load(days)[0].test_age_counts is AgeCount.CALENDAR
    pack = {**SHIPPED, "admission.yaml": days}
    pack["pack.yaml"] = pack["pack.yaml"].replace("value: 48h", "value: 50h")
    with pytest.raises(ProblemError) as caught:
        load_pack(pack)
    assert {one.code for one in caught.value.problems} == {"rules.not-days"}


def test_a_row_may_override_what_the_rows_share() -> None:
    own = (
        f"    failures:\n      test: {{outcome: ask, say: {SAY}, basis: clause 9}}\n    settings:\n"
    )
    found = load(instead("    settings:\n", own))[0].failure("test")
    assert found is not None
    assert (found.outcome, found.basis) == ("ask", "clause 9")


def test_a_fault_that_many_policies_share_is_said_once() -> None:
    """Five roles have it; the author wrote it once, on line 5."""
    found = problems(instead("unknown: {outcome: ask", "unknown: {outcome: admit"))
    assert [(one.line, one.field) for one in found] == [(5, "failures.unknown.outcome")]
    assert len(problems(without("test-none:"))) == 1
