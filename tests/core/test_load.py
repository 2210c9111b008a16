"""Packs that must be refused: each with its file, its line and what to do (field/08 1.3)."""

from collections.abc import Iterator

import pytest

from passlight.core.kernel import limits
from passlight.core.kernel.interval import Interval
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule

HEAD = """pack:
  id: town
  version: 1
  timezone: Asia/Shanghai
  effective: [2022-01-01T00:00, null]
  published_at: 2022-01-01T00:00
  existing_measures: convert
params:
  days: {2022-01-01: 14d}
"""
RULE = """rules:
  - id: arrived
    on: {kind: travel.arrived, where: {via: train}}
    basis: {text: 来自某地, ref: notice 1}
    phases:
      - colour: yellow
        until: {after: [trigger.occurred, param.days]}
        reason: {zh: 来自某地, en: Arrived}
        advice: {zh: 观察, en: Observe}
"""
GOOD = HEAD + RULE


def problems(text: str, **files: str) -> tuple[Problem, ...]:
    with pytest.raises(ProblemError) as error:
        load_pack({"pack.yaml": text, **files})
    return error.value.problems


def test_the_pack_that_all_cases_change_is_good() -> None:
    """Positive control: none of the refusals below comes from the common part."""
    pack = load_pack({"pack.yaml": GOOD})
    assert [rule.id for rule in pack.rules] == ["arrived"]


CASES = {
    # name: (old, new, code, line that the problem names)
    "missing existing_measures": ("  existing_measures: convert\n", "", "missing-key", 2),
    "wrong existing_measures": ("convert", "maybe", "bad-existing", 7),
    "unknown zone": ("Asia/Shanghai", "Asia/Nowhere", "unknown-zone", 4),
    "the machine's zone": ("Asia/Shanghai", "localtime", "unknown-zone", 4),
    "the machine's rules": ("Asia/Shanghai", "posixrules", "unknown-zone", 4),
    "a zone with leap seconds": ("Asia/Shanghai", "right/Asia/Shanghai", "unknown-zone", 4),
    "no start": ("[2022-01-01T00:00, null]", "[null, null]", "bad-effective", 5),
    "ends before it starts": ("[2022-01-01T00:00, null]", "[2022-02-01, 2022-01-01]", "bad-effective", 5),
    "parameter late": ("{2022-01-01: 14d}", "{2022-03-01: 14d}", "parameter-late", 9),
    "unknown parameter": ("param.days", "param.weeks", "unknown-parameter", 16),
    "parameter of another type": ("{2022-01-01: 14d}", "{2022-01-01: 14}", "parameter-type", 16),
    "no basis": ("    basis: {text: 来自某地, ref: notice 1}\n", "", "missing-key", 11),
    "start before the calendar": ("[2022-01-01T00:00, null]", "[0001-01-01T00:00, null]", "not-a-time", 5),
    "end after the calendar": ("00:00, null]", "00:00, 9999-12-31T23:00-12:00]", "not-a-time", 5),
    "no number": ("travel.arrived, where: {via: train}", "exposure.derived, where: {minutes_gte: nan}", "not-a-number", 12),
    "blank Chinese": ("reason: {zh: 来自某地,", 'reason: {zh: " ",', "missing-key", 17),
    "longer than a life": ("param.days]", "999y]", "too-long", 16),
    "no Chinese": ("reason: {zh: 来自某地, en: Arrived}", "reason: {en: Arrived}", "missing-key", 17),
    "no English": ("reason: {zh: 来自某地, en: Arrived}", "reason: {zh: 来自某地}", "missing-key", 17),
    "no advice": ("        advice: {zh: 观察, en: Observe}\n", "", "missing-key", 15),
    "empty advice": ("{zh: 观察, en: Observe}", "{zh: 观察, en: ''}", "missing-key", 18),
    "unknown kind": ("travel.arrived", "travel.departed", "unknown-kind", 12),
    "unknown field": ("via: train", "speed: fast", "unknown-field", 12),
    "unknown key": ("colour: yellow\n", "colour: yellow\n        priority: 5\n", "unknown-key", 16),
    "identity as input": ("via: train", "id_number: x", "personal-input", 12),
    "name as input": ("via: train", "name: x", "personal-input", 12),
    "phone as input": ("via: train", "phone: x", "personal-input", 12),
    "bank as input": ("via: train", "bank: x", "personal-input", 12),
    "origin as input": ("via: train", "origin: x", "personal-input", 12),
    "colour as input": ("via: train", "colour: red", "recursion", 12),
    "comparing a text": ("via: train", "via_gte: 5", "not-comparable", 12),
    "green measure": ("colour: yellow", "colour: green", "bad-colour", 15),
    "no duration": ("param.days", "a fortnight", "not-a-duration", 16),
    "calendar without its first day": ("param.days", "{calendar: 14d}", "day-zero", 16),
    "unknown point": ("trigger.occurred,", "trigger.happened,", "unknown-point", 16),
    "an expression": ("{after: [trigger.occurred, param.days]}", "'now() + 14d'", "unknown-point", 16),
    "interval moment in a trigger rule": ("{after: [trigger.occurred, param.days]}", "interval.until", "no-such-moment", 16),
    "prev.until in the first phase": ("trigger.occurred,", "prev.until,", "no-such-moment", 16),
    "an end that never comes": ("{after: [trigger.occurred, param.days]}", "never", "no-end", 16),
    "yellow for ever": ("{after: [trigger.occurred, param.days]}", "{latest: [{after: [trigger.occurred, 21d]}, {next: {kind: lab.result, where: {value: neg}}}]}", "yellow-for-ever", 16),
    "ends where it starts": ("{after: [trigger.occurred, param.days]}", "trigger.occurred", "never-active", 16),
    "same without that key": ("{after: [trigger.occurred, param.days]}", "{earliest: [{after: [trigger.occurred, 1d]}, {next: {kind: order.lifted, same: order_id}}]}", "no-same-key", 16),
    "same instant": ("{after: [trigger.occurred, param.days]}", "{earliest: [{after: [trigger.occurred, 1d]}, {next: {kind: travel.arrived, same: left_at}}]}", "no-same-key", 16),
    "a word in one kind and a number in the other": ("kind: travel.arrived, where: {via: train}", "kind: [symptom.reported, temp.measured], where: {value: 38}", "not-comparable", 12),
    "parameter in from": ("colour: yellow\n", "colour: yellow\n        from: {after: [trigger.occurred, param.days]}\n", "parameter-in-from", 16),
    "area without match": ("where: {via: train}", "area: {listed: high}", "no-match", 12),
    "lookback without its match": ("where: {via: train}", "area: {listed: high, match: listed_at_departure, lookback: 3d}", "lookback", 12),
    "arrival with a stay's match": ("where: {via: train}", "area: {listed: high, match: listed_during_stay}", "no-stay", 12),
    "two forms": ("    basis:", "    during: {all: [{stay: stay}, {listed: high}]}\n    basis:", "rule-form", 11),
    "an alias": ("{zh: 观察, en: Observe}", "&a {zh: 观察, en: Observe}", "alias", 18),
    "not YAML": ("phases:", "phases: [", "not-yaml", 15),
    "a key twice": ("  version: 1\n", "  version: 1\n  version: 2\n", "bad-key", 2),
    "bad id": ("id: arrived", "id: Arrived From", "bad-id", 11),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_bad_pack_is_refused_where_it_is_wrong(name: str) -> None:
    old, new, code, line = CASES[name]
    assert GOOD.count(old) >= 1, name
    found = problems(GOOD.replace(old, new, 1))
    matching = [one for one in found if one.code == f"rules.{code}"]
    assert matching, found
    for one in found:
        assert one.file == "pack.yaml"
        assert one.message
        assert one.remedy
    assert line in {one.line for one in matching}, [str(one) for one in matching]


AUTOMATIC = """rules:
  - id: was-there
    on: {kind: %s}
    basis: {text: 到过, ref: notice 1}
    phases:
      - colour: %s
        until: {after: [trigger.occurred, 3d]}
        reason: {zh: 到过, en: Was there}
        advice: {zh: 观察, en: Observe}
"""


@pytest.mark.parametrize("kind", ["venue.checkin", "venue.checkout", "exposure.derived"])
def test_presence_never_makes_anyone_red(kind: str) -> None:
    assert {one.code for one in problems(HEAD + AUTOMATIC % (kind, "red"))} == {
        "rules.automatic-red"
    }
    if kind == "exposure.derived":
        load_pack({"pack.yaml": HEAD + AUTOMATIC % (kind, "yellow")})
        load_pack({"pack.yaml": HEAD + AUTOMATIC % ("exposure.assessed", "red")})


ROUNDABOUT = {
    "by its own start": """
    on: {kind: person.registered}
    phases:
      - colour: red
        from: {next: {kind: exposure.derived}}
        until: {after: [trigger.occurred, 3d]}""",
    "by the end of the phase before": """
    on: {kind: person.registered}
    phases:
      - colour: yellow
        until: {earliest: [{after: [trigger.occurred, 3d]}, {nth: {kind: venue.checkin, n: 2}}]}
        reason: {zh: 观察, en: Observed}
        advice: {zh: 观察, en: Observe}
      - colour: red
        until: {after: [prev.until, 3d]}""",
    "by the clock of an absence": """
    absence: {kind: lab.result, max_gap: 7d, since: [policy.effective, exposure.derived]}
    phases:
      - colour: red""",
}


@pytest.mark.parametrize("name", ROUNDABOUT)
def test_presence_makes_nobody_red_by_a_roundabout_way(name: str) -> None:
    texts = """
        reason: {zh: 到过, en: Was there}
        advice: {zh: 观察, en: Observe}
"""
    head = "rules:\n  - id: was-there\n    basis: {text: 到过, ref: notice 1}"
    text = HEAD + head + ROUNDABOUT[name] + texts
    assert {one.code for one in problems(text)} == {"rules.automatic-red"}
    for kind in ("exposure.derived", "venue.checkin"):
        text = text.replace(kind, "exposure.assessed")
    load_pack({"pack.yaml": text})


def test_a_pack_without_rules_would_show_everyone_green_and_is_refused() -> None:
    assert [one.code for one in problems(HEAD)] == ["rules.no-rules"]


def test_all_problems_come_at_once() -> None:
    text = (
        GOOD.replace("convert", "maybe").replace("en: Observe", "en: ''").replace("Arrived}", "''}")
    )
    codes = [one.code for one in problems(text)]
    assert codes.count("rules.missing-key") == 1
    two = GOOD.replace("travel.arrived", "travel.gone") + RULE.replace("rules:\n", "").replace(
        "id: arrived", "id: b"
    ).replace("yellow", "blue")
    assert {one.code for one in problems(two)} == {"rules.unknown-kind", "rules.bad-colour"}


def test_an_open_end_can_be_declared() -> None:
    text = GOOD.replace(
        "{after: [trigger.occurred, param.days]}", "never\n        open_ended: true"
    )
    pack = load_pack({"pack.yaml": text.replace("colour: yellow", "colour: red")})
    assert pack.rules[0].phases[0].open_ended


def test_a_cap_allows_a_yellow_that_waits_for_a_test() -> None:
    text = GOOD.replace("{after: [trigger.occurred, param.days]}", "{next: {kind: lab.result}}")
    load_pack(
        {
            "pack.yaml": text.replace(
                "  existing_measures", "  cap: {chained_yellow: 21d}\n  existing_measures"
            )
        }
    )


def limits_cases() -> Iterator[tuple[str, dict[str, str]]]:
    yield "too-many-files", {f"rules/{n}.yaml": "[]" for n in range(limits.PACK_FILES_MAX + 1)}
    yield "too-big", {"rules/a.yaml": "#" * (limits.PACK_FILE_BYTES_MAX + 1)}
    yield "too-big", {"rules/a.yaml": "[" * 200 + "]" * 200}
    yield "unknown-file", {"run.py": "print()"}
    many = "".join(
        RULE.replace("rules:\n", "").replace("id: arrived", f"id: r{n}")
        for n in range(limits.PACK_RULES_MAX + 1)
    )
    half = many[: len(many) // 2].rsplit("  - id", 1)[0]
    yield (
        "too-many",
        {
            "rules/a.yaml": half,
            "rules/b.yaml": "  - id" + many.removeprefix(half).removeprefix("  - id"),
        },
    )


@pytest.mark.parametrize(("code", "files"), list(limits_cases()))
def test_limits(code: str, files: dict[str, str]) -> None:
    assert f"rules.{code}" in {one.code for one in problems(HEAD, **files)}


def test_area_codes_are_checked_line_by_line() -> None:
    files = {
        "areas.csv": "area,parent,from,until,successor\n310119,,,,310115\n,,,,\nx,,yesterday,,\n"
    }
    found = problems(GOOD, **files)
    assert [(one.file, one.line) for one in found] == [
        ("areas.csv", 2),
        ("areas.csv", 3),
        ("areas.csv", 4),
    ]
    assert problems(GOOD, **{"areas.csv": "code,name\n1,2\n"})[0].code == "rules.areas-columns"


def test_the_hash_names_the_law_and_nothing_else() -> None:
    base = load_pack({"pack.yaml": GOOD}).hash
    assert load_pack({"pack.yaml": GOOD.replace("\n", "\r\n")}).hash == base
    assert load_pack({"pack.yaml": GOOD, "tests/a.yaml": "[]", "README.md": "x"}).hash == base
    assert load_pack({"pack.yaml": GOOD.replace("14d", "15d")}).hash != base


def test_two_packs_may_not_claim_the_same_time() -> None:
    first = load_pack({"pack.yaml": GOOD})
    second = load_pack({"pack.yaml": GOOD.replace("version: 1", "version: 2")})
    with pytest.raises(ProblemError) as error:
        PackSchedule.of([first, second])
    assert error.value.problems[0].code == "rules.overlap"
    later = second.published(
        effective=Interval(second.published_at.replace(year=2023), None),
        published_at=second.published_at,
    )
    epochs = PackSchedule.of([later, first]).epochs()
    assert [epoch.pack.version if epoch.pack else None for epoch in epochs] == [None, "1", "2"]
